"""What runs first in a confined process: shut every door, report which ones shut, then become the program.

Started by `confine.run_confined` as a script of its own, by an isolated interpreter with an empty environment,
so it imports the standard library only. Its one argument is JSON; everything it tells goes down the control socket.

Three processes: this one (outside the new process namespace, waits), its child (process 1 of the namespace:
when it ends, the kernel ends everything started inside), and the program itself.
"""

import ctypes
import json
import os
import resource
import signal
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

_USER, _NET, _PID, _IPC, _MOUNT, _UTS = 0x10000000, 0x40000000, 0x20000000, 0x08000000, 0x00020000, 0x04000000
_SPACES = {"net": _NET, "pid": _PID, "ipc": _IPC, "mount": _MOUNT, "uts": _UTS}
_NOBODY = 65532  # inside; a number other than 0, so that exec drops every capability
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REC, _MS_PRIVATE = 2, 4, 8, 0x4000, 0x40000
_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_CAPBSET_DROP = 1, 22, 24
_PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 36, 38

# linux/landlock.h
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same numbers on every architecture
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _REFER, _TRUNCATE, _IOCTL = 1, 2, 4, 8, 1 << 13, 1 << 14, 1 << 15
_FIRST_FS = (1 << 13) - 1
_ON_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL
_NET_ALL, _SCOPE_ALL = 3, 3  # bind and connect; abstract sockets and signals
_RIGHTS = {
    "list": _READ_DIR,
    "read": _READ_FILE | _READ_DIR,
    "run": _READ_FILE | _READ_DIR | _EXECUTE,
    "device": _READ_FILE | _WRITE_FILE,
    "scratch": (_FIRST_FS & ~_EXECUTE) | _REFER | _TRUNCATE,
}

_libc = ctypes.CDLL(None, use_errno=True)


def _call(function: Any, *arguments: Any) -> int:
    result = int(function(*arguments))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def _prctl(option: int, value: int, pointer: Any = None) -> None:
    _call(_libc.prctl, option, ctypes.c_ulong(value), pointer, ctypes.c_ulong(0), ctypes.c_ulong(0))


def _own_user_namespace() -> None:
    user, group = os.geteuid(), os.getegid()
    _call(_libc.unshare, _USER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{_NOBODY} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{_NOBODY} {group} 1")


def _private_scratch(folder: str, size: int) -> None:
    """A memory file system over the scratch folder that nobody outside sees and that ends with us."""
    _call(_libc.mount, None, b"/", None, ctypes.c_ulong(_MS_REC | _MS_PRIVATE), None)
    flags = ctypes.c_ulong(_MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
    options = f"size={size},nr_inodes=20000,mode=0700".encode()
    _call(_libc.mount, b"tmpfs", os.fsencode(folder), b"tmpfs", flags, options)


def _landlock(rules: list[tuple[str, str]]) -> str:
    version = _call(_libc.syscall, _CREATE_RULESET, None, ctypes.c_size_t(0), 1)
    files = _FIRST_FS
    for since, right in ((2, _REFER), (3, _TRUNCATE), (5, _IOCTL)):
        files |= right if version >= since else 0
    wanted = [files, _NET_ALL if version >= 4 else 0, _SCOPE_ALL if version >= 6 else 0]
    attributes = struct.pack("=QQQ", *wanted)[: 8 if version < 4 else 16 if version < 6 else 24]
    ruleset = _call(_libc.syscall, _CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)
    for path, kind in rules:
        try:
            handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue  # what we cannot open stays shut: one rule less, never no rules
        allowed = _RIGHTS[kind] & files
        if not os.path.isdir(path):  # noqa: PTH112 (nothing imported that is not needed)
            allowed &= _ON_FILES
        _call(_libc.syscall, _ADD_RULE, ruleset, 1, struct.pack("=Qi", allowed, handle), 0)
        os.close(handle)
    _call(_libc.syscall, _RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
    return str(version)


def _drop_capabilities() -> None:
    for capability in range(64):
        with suppress(OSError):
            _prctl(_PR_CAPBSET_DROP, capability)
    _call(_libc.capset, struct.pack("=Ii", 0x20080522, 0), struct.pack("=6I", 0, 0, 0, 0, 0, 0))


def _system_calls(program: bytes) -> None:
    buffer = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(buffer))
    _prctl(_PR_SET_SECCOMP, 2, header)


def _limits(settings: dict[str, int]) -> None:
    for name, most in settings.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(kind)[1]
        value = most if hard == resource.RLIM_INFINITY else min(most, hard)
        # past the soft CPU limit comes a signal that says so, past the hard one the end
        resource.setrlimit(kind, (value, value + 2 if name == "CPU" and hard == resource.RLIM_INFINITY else value))


class _Report:
    """What was tried, and whether the kernel did it."""

    def __init__(self, without: list[str]) -> None:
        self._without = without
        self.found: dict[str, str] = {}  # name: "" when it holds, else why it does not

    def attempt(self, name: str, action: Callable[[], object]) -> bool:
        if name in self._without:
            self.found[name] = "switched off by the caller"
            return False
        try:
            action()
        except OSError as error:
            self.found[name] = f"the kernel refused: {error.strerror}"
            return False
        self.found[name] = ""
        return True


def _program(settings: dict[str, Any], control: socket.socket, report: _Report) -> None:
    """In the innermost process: the last doors, the report, the go-ahead, and then the program."""
    with suppress(OSError):
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    outer = int(os.readlink("/proc/self"))  # noqa: PTH115 (the name outside; /proc is still the outer one)
    os.chdir(settings["scratch"])
    if report.found["user_namespace"]:
        del settings["limits"]["NPROC"]  # it would count everything this user runs, not only us
    report.attempt("limits", lambda: _limits(settings["limits"]))
    report.attempt("capabilities", _drop_capabilities)
    report.attempt("no_new_privileges", lambda: _prctl(_PR_SET_NO_NEW_PRIVS, 1))
    version: list[str] = []
    report.attempt("landlock", lambda: version.append(_landlock(settings["rules"])))
    if settings["filter"] is None:
        report.found["seccomp"] = "the system call numbers of this machine are not known to us"
    else:
        report.attempt("seccomp", lambda: _system_calls(bytes.fromhex(settings["filter"])))
    facts = {"process": outer, "found": report.found, "landlock": version[0] if version else ""}
    control.sendall(json.dumps(facts).encode() + b"\n")
    if control.recv(1) != b"g":
        os._exit(125)
    control.close()
    try:
        os.execve(settings["argv"][0], settings["argv"], settings["env"])  # noqa: S606 (no shell, on purpose)
    except OSError as error:
        os.write(2, f"cannot start {settings['argv'][0]}: {error.strerror}\n".encode())
        os._exit(127)


def _wait_for(process: int) -> int:
    """Collect every child until `process` ends; its wait status."""
    while True:
        ended, status = os.wait()
        if ended == process:
            return status


def _end_leftovers() -> None:
    """Without a process namespace: what the program started came to us when it ended; end it too."""
    for _ in range(1_000):
        with suppress(OSError):
            for child in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
                os.kill(int(child), signal.SIGKILL)
        try:
            os.wait()
        except ChildProcessError:
            return


def _close_standard_streams() -> None:
    nothing = os.open("/dev/null", os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    os.close(nothing)


def main() -> None:
    """Read the settings, leave the old namespaces, and start the chain."""
    settings = json.loads(sys.argv[1])
    control = socket.socket(fileno=settings["control"])
    control.set_inheritable(False)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.umask(0o077)
    report = _Report(settings["without"])
    report.attempt("user_namespace", _own_user_namespace)
    for name, flag in _SPACES.items():
        report.attempt(f"{name}_namespace", lambda flag=flag: _call(_libc.unshare, flag))  # type: ignore[misc]
    if report.found["mount_namespace"]:
        report.found["scratch_in_memory"] = report.found["mount_namespace"]
    else:
        report.attempt("scratch_in_memory", lambda: _private_scratch(settings["scratch"], settings["scratch_bytes"]))
    first = os.fork()
    if first == 0:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        with suppress(OSError):
            _prctl(_PR_SET_CHILD_SUBREAPER, 1)
        program = os.fork()
        if program == 0:
            _program(settings, control, report)
        _close_standard_streams()
        status = _wait_for(program)
        if report.found["pid_namespace"]:
            _end_leftovers()
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        facts = {"status": status, "cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss * 1024}
        control.sendall(json.dumps(facts).encode() + b"\n")
        os._exit(0)
    _close_standard_streams()
    _wait_for(first)


if __name__ == "__main__":
    main()
