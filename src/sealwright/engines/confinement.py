"""What a confined run is promised, what it came to, and what the kernel held.

Answers: which limits apply, which measures were enforced and by what, how did it end?
Does not answer: how it is done; `confine` starts and watches, `confined_start` shuts the doors.
"""

import os
import platform
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from sealwright.kernel import InvalidInput, Refused

__all__ = [
    "MEASURES",
    "Confined",
    "ConfinementIncomplete",
    "ConfinementReport",
    "Limits",
    "Measure",
    "Outcome",
    "landlock_rules",
    "measures_of",
]

MEASURES = (
    "network",
    "local_sockets",
    "files",
    "other_processes",
    "new_processes",
    "leftovers",
    "system_calls",
    "privileges",
    "scratch",
    "memory",
    "cpu_time",
    "wall_time",
    "environment",
)
"""Names of what a confinement can promise, in the order a report lists them."""

Outcome = Literal[
    "finished", "failed", "killed", "wall_limit", "cpu_limit", "memory_limit", "thread_limit", "output_limit"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a confined run may use. Reaching one ends the whole run."""

    memory_bytes: int = 4 << 30  # private memory, and separately what is resident
    cpu_seconds: int = 3600  # of all threads together
    wall_seconds: float = 600.0
    output_bytes: int = 1 << 30
    scratch_bytes: int = 256 << 20
    threads: int = 256

    def __post_init__(self) -> None:
        if not all(value > 0 for value in asdict(self).values()):
            raise InvalidInput(f"Every limit of a confined run is a number above 0; got {asdict(self)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One promise: whether it held for this run, and by what means or why not."""

    name: str  # one of MEASURES
    enforced: bool
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfinementReport:
    """What was enforced around one run, measured inside it just before the program started."""

    kernel: str
    machine: str
    measures: tuple[Measure, ...]
    limits: Limits

    @property
    def not_enforced(self) -> tuple[str, ...]:
        """Names of the promises this kernel did not let us keep."""
        return tuple(measure.name for measure in self.measures if not measure.enforced)

    def to_json(self) -> dict[str, Any]:
        """As filed in a provenance statement."""
        return {
            "format": 1,
            "kernel": self.kernel,
            "machine": self.machine,
            "limits": asdict(self.limits),
            "measures": [asdict(measure) for measure in self.measures],
            "not_enforced": list(self.not_enforced),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Confined:
    """One confined run after its end; nothing of it is left behind.

    `output` is what it wrote to standard output, untrusted. `log` are the last lines of standard
    error, cleaned of control characters, at most 200.
    """

    outcome: Outcome
    exit_status: int | None
    signal: int | None
    output: bytes
    log: tuple[str, ...]
    wall_seconds: float
    cpu_seconds: float
    peak_memory_bytes: int
    report: ConfinementReport

    def why(self) -> str:
        """The end of the run as a sentence."""
        limits = self.report.limits
        return {
            "finished": "It finished.",
            "failed": f"It ended with exit status {self.exit_status}.",
            "killed": f"It was ended by signal {self.signal}.",
            "wall_limit": f"It ran longer than its limit of {limits.wall_seconds:g} seconds and was ended.",
            "cpu_limit": f"It used more than its limit of {limits.cpu_seconds} CPU seconds and was ended.",
            "memory_limit": f"It used more than its limit of {limits.memory_bytes >> 20:,} MB of memory and was ended.",
            "thread_limit": f"It started more than its limit of {limits.threads} threads or processes and was ended.",
            "output_limit": f"It wrote more than its limit of {limits.output_bytes:,} bytes and was ended.",
        }[self.outcome]


class ConfinementIncomplete(Refused):
    """The kernel cannot keep a promise the caller insists on; nothing was run."""

    code = "confinement.incomplete"

    def __init__(self, missing: Sequence[Measure]) -> None:
        self.missing = tuple(missing)
        lines = "\n".join(f"  {measure.name}: {measure.how}" for measure in missing)
        super().__init__(
            "This machine cannot confine the run as required, so it was not started:\n"
            f"{lines}\nUse a machine whose kernel allows it, or accept a report of what is missing instead."
        )


def measures_of(found: Mapping[str, str], landlock: str) -> tuple[Measure, ...]:
    """Promises kept, from the mechanisms that took hold.

    Parameters
    ----------
    found : mapping
        Mechanism name to "" when it holds, else the reason it does not.
    landlock : str
        Version of the kernel's Landlock interface, "" when it is not in force.
    """

    def holds(name: str) -> bool:
        return found.get(name, "it was not tried") == ""

    def why_not(*names: str) -> str:
        return "; ".join(f"{name.replace('_', ' ')}: {found.get(name, 'it was not tried')}" for name in names)

    def measure(name: str, means: Mapping[str, str]) -> Measure:
        """Enforced if any of `means` (mechanism to what it does) holds."""
        kept = [text for mechanism, text in means.items() if holds(mechanism)]
        return Measure(name=name, enforced=bool(kept), how="; ".join(kept) or why_not(*means))

    always = {
        "wall_time": "the parent ends the run",
        "environment": "cleared; no open files but three pipes",
    }
    refused = "system calls refused"
    by_rule = {
        "network": {"net_namespace": "a network namespace without interfaces", "seccomp": f"socket {refused}"},
        "local_sockets": {"seccomp": f"socket {refused}"},
        "files": {"landlock": f"Landlock {landlock}: reads the interpreter and libraries, writes its scratch folder"},
        "other_processes": {
            "landlock": "no tracing or reading beyond its own domain",
            "pid_namespace": "other processes have no number inside",
        },
        "new_processes": {"seccomp": f"fork {refused}; threads counted"},
        "leftovers": {"pid_namespace": "the kernel ends the whole process namespace", "seccomp": f"fork {refused}"},
        "system_calls": {"seccomp": "tracing, mounting, kernel administration and unlimited memory refused"},
        "scratch": {"scratch_in_memory": "a memory file system of fixed size that ends with the run"},
        "memory": {"limits": "private memory by the kernel, resident memory watched by the parent"},
        "cpu_time": {"limits": "counted by the kernel"},
    }
    kept = holds("no_new_privileges") and holds("capabilities")
    privileges = "no new privileges, no capabilities" if kept else why_not("no_new_privileges", "capabilities")
    result = {name: measure(name, means) for name, means in by_rule.items()}
    result |= {name: Measure(name=name, enforced=True, how=how) for name, how in always.items()}
    result["privileges"] = Measure(name="privileges", enforced=kept, how=privileges)
    return tuple(result[name] for name in MEASURES)


def landlock_rules(
    program: str, scratch: Path, read_only: Sequence[Path], hidden: Sequence[Path]
) -> list[tuple[str, str]]:
    """Which paths the run may touch, and how: the interpreter, its libraries, our own code, `read_only`, the scratch.

    Raises
    ------
    Refused
        A path that must stay hidden lies under one that would be readable.
    """
    readable = [*_interpreter(), *(path.resolve() for path in read_only)]
    runnable = _runnable(program)
    for secret in (path.resolve() for path in hidden):
        for path in (*readable, *runnable):
            if secret == path or secret.is_relative_to(path):
                raise Refused(
                    f"{secret} lies inside {path}, which confined code must be able to read.\n"
                    "Keep the workspace outside the Python installation and outside read-only folders."
                )
    rules = [(str(path), "read") for path in readable if path.exists()]
    rules += [(str(path), "run") for path in runnable if path.exists()]
    rules += [(str(_package_parent()), "list"), (str(scratch), "scratch")]
    rules += [(path, "device") for path in ("/dev/null", "/dev/zero", "/dev/urandom") if Path(path).exists()]
    return rules


def _package_parent() -> Path:
    return Path(__file__).resolve().parent.parent.parent


def _interpreter() -> list[Path]:
    """What Python needs to read to start and to import installed packages and this one."""
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    paths = [Path(sysconfig.get_path(name)) for name in names]
    paths += [Path(sys.prefix) / "pyvenv.cfg", _package_parent() / "sealwright"]
    library = sysconfig.get_config_var("LIBDIR"), sysconfig.get_config_var("INSTSONAME")
    if all(library):
        paths.append(Path(library[0]) / library[1])
    paths += [Path(path) for path in ("/etc/ld.so.cache", "/etc/localtime", "/usr/share/zoneinfo")]
    paths += [Path(path) for path in ("/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu")]
    return [path.resolve() for path in dict.fromkeys(paths)]


def _runnable(program: str) -> list[Path]:
    """The program and the folders of the loader and the shared libraries."""
    folders = ("/lib", "/lib64", "/usr/lib", "/usr/lib64")
    return list(dict.fromkeys(Path(path).resolve() for path in (program, *folders)))


def kernel_and_machine() -> tuple[str, str]:
    """The kernel's release and the processor's kind, as reports name them."""
    return os.uname().release, platform.machine()
