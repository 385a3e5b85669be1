"""How much memory models may take: all runs together, and each while it is loaded.

Answers: what happens where a model wants more? An allocation fails, and with it that run or that load; nothing else does.
Does not answer: what the rest of the process takes. That follows from the limits of connections and bodies.

Runs share one arena of ONNX Runtime with a cap. Weights are not in it, nor are texts longer than 15 bytes. Loading is not done in the
arena, so while a model is loaded the kernel holds the whole process to what it had, plus what that model may take: one at a time.
"""

import contextlib
import resource
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import onnxruntime

from sealwright.kernel import OperationFailed

__all__ = ["hold_arena_to", "load_within"]

_COPIES = 4  # of a model's bytes, while it is read and its weights are laid out
_LOADING = threading.RLock()  # the limit is the process's: two loads at once would restore each other's


def hold_arena_to(megabytes: int) -> None:
    """Let the runs of all sessions that share this process's allocator take no more than this. Once, before the first is made.

    Raises
    ------
    OperationFailed
        There is one already.
    """
    place = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    try:
        onnxruntime.create_and_register_allocator(place, onnxruntime.OrtArenaCfg({"max_mem": megabytes << 20}))
    except Exception as error:  # noqa: BLE001 - the library raises many types
        raise OperationFailed(f"Model runs cannot be held to {megabytes} MiB: {type(error).__name__}.") from None


@contextlib.contextmanager
def load_within(size: int, megabytes: int) -> Iterator[None]:
    """Hold this process to what it has, and a few times the model's `size` in bytes, and `megabytes` for what is computed while it is loaded.

    Loads on other threads wait until this one is over; one inside another is held to what the outer one may take, too.
    Where the kernel does not count this (other systems than Linux), nothing is held.
    """
    if sys.platform != "linux":
        yield
        return
    with _LOADING:
        soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
        most = _data_bytes() + _COPIES * size + (megabytes << 20)
        most = min([most, *(limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY)])
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _data_bytes() -> int:
    """What the kernel counts as this process's data."""
    text = Path("/proc/self/status").read_text(encoding="ascii")
    return int(text.partition("VmData:")[2].split()[0]) * 1024
