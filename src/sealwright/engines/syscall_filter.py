"""The system calls a confined process may not make, as a seccomp program.

Answers: which calls are refused, and what the kernel's filter language says about it.
Does not answer: whether the kernel took the filter; `confined_start` reports that.

Refused are the ways out that namespaces and Landlock leave open: sockets of any kind (a socket
in the file system, such as a database's, is reachable from an empty network namespace), new
processes (threads stay allowed), looking into other processes, memory that no limit counts,
and the kernel's administration.
"""

import errno
import struct
from collections.abc import Collection

__all__ = ["filter_program", "refused_calls"]

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_CLONE_THREAD = 0x00010000
_X32 = 0x40000000  # the second table of x86_64; nothing we run uses it
_NUMBER, _ARCH, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data

_ARCHES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

# name: (x86_64, aarch64); None where that machine has no such call. From the kernel's syscall tables.
_REFUSED: dict[str, tuple[int | None, int | None]] = {
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "fork": (57, None),
    "vfork": (58, None),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "kcmp": (312, 272),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "syslog": (103, 116),
    "acct": (163, 89),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "quotactl": (179, 60),
    "personality": (135, 92),
}
_CLONE = (56, 220)
_CLONE3 = 435  # its flags lie in memory a filter cannot read: "not there", so libraries fall back to clone


def refused_calls() -> tuple[str, ...]:
    """Names of the calls answered with EPERM, besides starting processes."""
    return tuple(sorted(_REFUSED))


def filter_program(machine: str, *, allowed: Collection[str] = ()) -> bytes | None:
    """The filter as an array of struct sock_filter, or None on a machine whose numbers we do not know.

    Parameters
    ----------
    machine : str
        As `platform.machine()` names it: "x86_64" or "aarch64".
    allowed : collection of str
        Calls of `refused_calls` that this process needs after all.
    """
    if machine not in _ARCHES:
        return None
    column = list(_ARCHES).index(machine)
    numbers = [row[column] for name, row in _REFUSED.items() if name not in allowed]
    steps: list[tuple[int, int, str, str]] = [  # code, value, where to go on yes, on no ("" is the next step)
        (_LOAD, _ARCH, "", ""),
        (_EQUAL, _ARCHES[machine], "", "kill"),
        (_LOAD, _NUMBER, "", ""),
        *([(_AT_LEAST, _X32, "absent", "")] if machine == "x86_64" else []),
        *((_EQUAL, number, "deny", "") for number in numbers if number is not None),
        (_EQUAL, _CLONE3, "absent", ""),
        (_EQUAL, _CLONE[column], "", "allow"),
        (_LOAD, _FIRST_ARGUMENT, "", ""),
        (_ANY_BIT, _CLONE_THREAD, "allow", "deny"),
    ]
    answers = {"allow": _ALLOW, "deny": _ERRNO | errno.EPERM, "absent": _ERRNO | errno.ENOSYS, "kill": _KILL}
    places = {name: len(steps) + index for index, name in enumerate(answers)}
    program = b""
    for here, (code, value, yes, no) in enumerate(steps):
        jumps = [places[name] - here - 1 if name else 0 for name in (yes, no)]
        program += struct.pack("=HBBI", code, *jumps, value)
    return program + b"".join(struct.pack("=HBBI", _RETURN, 0, 0, answer) for answer in answers.values())
