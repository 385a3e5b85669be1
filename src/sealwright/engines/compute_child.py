"""A worker process, seen from both sides: the program that does jobs, and the handle of whoever started it.

Answers: how does a job get into another process, and its answer out?
The material lies in anonymous memory (memfd): no file, no name, gone with the last process that holds it, also after a crash;
workers of one machine share the same pages. Jobs go in on standard input, answers come out on standard output:

    job     length (8 bytes), bytes
    answer  b"=" or b"!" for an error, length (8 bytes), bytes

The child gets no variable of ours (SEALWRIGHT_…), so neither a passphrase nor the place of a key, and dies with its parent.
"""

import ctypes
import json
import mmap
import os
import signal
import struct
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NoReturn

from sealwright.engines.compute import Do, Material
from sealwright.kernel import (
    Conflict,
    InvalidInput,
    MissingExtra,
    NotFound,
    OperationFailed,
    Refused,
    SealwrightError,
    StoppedByPolicy,
    VerificationFailed,
)

__all__ = ["Child", "answer_of", "in_memory", "serve"]

_LENGTH = struct.Struct("<Q")
_GOOD, _BAD = b"=", b"!"
_LAST_WORDS = 2_000
_SET_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)
_KINDS = (Conflict, InvalidInput, NotFound, OperationFailed, Refused, StoppedByPolicy, VerificationFailed)
_BY_CODE: Mapping[str, type[SealwrightError]] = {kind.code: kind for kind in _KINDS}


@contextmanager
def in_memory(material: Material) -> Iterator[dict[str, tuple[int, int]]]:
    """The material in anonymous memory: name -> (file descriptor, bytes)."""
    held: dict[str, tuple[int, int]] = {}
    try:
        for name, data in material.items():
            view = memoryview(data).cast("B")
            handle = os.memfd_create(f"sealwright-{name}", os.MFD_CLOEXEC)
            held[name] = (handle, view.nbytes)
            rest = view
            while rest:
                rest = rest[os.write(handle, rest[: 1 << 26]) :]
        yield held
    finally:
        for handle, _ in held.values():
            os.close(handle)


class Child:
    """A worker process that was started here."""

    def __init__(self, module: str, held: Mapping[str, tuple[int, int]], threads: int) -> None:
        self._log = os.memfd_create("sealwright-log", os.MFD_CLOEXEC)
        told = json.dumps({"material": held, "parent": os.getpid()})
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", module, told],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                env=_environment(threads),
                pass_fds=[handle for handle, _ in held.values()],
            )
        except OSError as error:
            os.close(self._log)
            raise OperationFailed(f"A worker process could not be started: {error.strerror}.") from None

    def ask(self, job: bytes) -> tuple[bytes, bytes]:
        """Give it one job and wait: a kind and bytes, as `answer_of` reads them.

        Raises
        ------
        OperationFailed
            It ended without an answer.
        """
        into, out = self._process.stdin, self._process.stdout
        assert into is not None
        assert out is not None
        try:
            into.write(_LENGTH.pack(len(job)) + job)
            into.flush()
            kind = out.read(1)
            return kind, _read(out, _LENGTH.unpack(_read(out, _LENGTH.size))[0]) if kind else self._lost()
        except (OSError, EOFError, ValueError):
            self._lost()

    def kill(self) -> None:
        """End it now, whatever it does."""
        with suppress(ProcessLookupError):
            self._process.kill()

    def close(self) -> None:
        """End it, and let go of everything it had."""
        self.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                if stream is not None:
                    stream.close()
        os.close(self._log)

    def _lost(self) -> NoReturn:
        code = self._process.wait()
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
        words = os.pread(self._log, _LAST_WORDS, max(0, os.fstat(self._log).st_size - _LAST_WORDS))
        last = words.decode(errors="replace").strip()
        advice = "If the machine ran out of memory, use fewer workers."
        raise OperationFailed(f"A worker process {how} before it answered. {advice}\n{last}".rstrip())


def answer_of(kind: bytes, body: bytes) -> bytes:
    """The bytes of a good answer.

    Raises
    ------
    SealwrightError
        What the job refused; of a kind that `kernel` knows.
    """
    if kind == _GOOD:
        return body
    said = json.loads(body)
    for code in said["codes"]:
        if code in _BY_CODE:
            raise _BY_CODE[code](said["message"])
    if MissingExtra.code in said["codes"]:
        error = OperationFailed(said["message"])
        raise error
    raise OperationFailed(f"A worker process failed on a job:\n{said['message']}")


def serve(prepare: Callable[[Material], Do]) -> None:
    """The whole life of a worker process: prepare once, answer jobs until there are no more."""
    told = json.loads(sys.argv[1])
    _die_with(told["parent"])
    jobs, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints becomes a line of the log
    material = {name: _mapped(handle, size) for name, (handle, size) in told["material"].items()}
    do: Do | None = None
    while head := jobs.read(_LENGTH.size):
        job = _read(jobs, _LENGTH.unpack(head)[0])
        try:
            do = do or prepare(material)
            kind, body = _GOOD, do(job)
        except SealwrightError as error:
            kind, body = _BAD, _error([one.code for one in type(error).__mro__ if hasattr(one, "code")], str(error))
        except Exception:  # noqa: BLE001 - whoever asked is told, whatever it was
            kind, body = _BAD, _error([], traceback.format_exc()[-_LAST_WORDS:])
        answers.write(kind + _LENGTH.pack(len(body)) + body)
        answers.flush()


def _error(codes: list[str], message: str) -> bytes:
    return json.dumps({"codes": codes, "message": message}).encode()


def _mapped(handle: int, size: int) -> memoryview:
    return memoryview(mmap.mmap(handle, size, prot=mmap.PROT_READ)) if size else memoryview(b"")


def _read(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) != size:
        raise EOFError
    return data


def _die_with(parent: int) -> None:
    """Ask the kernel to end this process when the one that started it ends, also by kill -9."""
    ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _environment(threads: int) -> dict[str, str]:
    """As here, without our variables, with a share of the cores for libraries that start threads."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SEALWRIGHT_")}
    package = str(Path(__file__).resolve().parent.parent.parent)
    if package in sys.path and not package.endswith("site-packages"):
        kept["PYTHONPATH"] = os.pathsep.join(filter(None, [package, kept.get("PYTHONPATH")]))
    share = dict.fromkeys(("OMP_NUM_THREADS", "NUMBA_NUM_THREADS"), str(threads))
    one = dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")  # sums in one order on any number of cores
    return kept | share | one | {"PYTHONHASHSEED": "0", "DO_NOT_TRACK": "1"}
