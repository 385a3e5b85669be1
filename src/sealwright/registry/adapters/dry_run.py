"""Run a foreign model once, far from everything that matters, and see whether it answers soundly.

Answers: does ONNX Runtime load it, within memory and time, and are its answers to difficult rows
finite, of the promised shape, repeatable, and the same alone as in a batch?
Does not answer: are the answers right? The child (`dry_run_child`) is confined by `engines`:
no network, no files of ours, limits on memory and CPU time; what the kernel could not enforce is
in the measurements.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sealwright.engines import Confined, Limits, run_confined
from sealwright.kernel import InvalidInput, strict_json
from sealwright.registry.interface import Column, ModelInterface
from sealwright.registry.reasons import Reason

__all__ = ["dry_run"]

_CHILD = Path(__file__).with_name("dry_run_child.py")
_MOST_ANSWER = 64 << 10  # bytes
_CODES = frozenset(
    {
        "trial.failed",
        "trial.memory",
        "trial.shape",
        "trial.not_finite",
        "trial.probabilities",
        "trial.not_repeatable",
        "trial.batch",
    }
)
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}


def dry_run(
    data: bytes, interface: ModelInterface, *, rows: int, memory_bytes: int, cpu_seconds: int
) -> tuple[list[Reason], Mapping[str, Any]]:
    """Run a model in a confined child on generated rows.

    Parameters
    ----------
    data : bytes
        The model file; its structure was checked before.
    interface : ModelInterface
        Tells which rows to make and which answers to expect.
    rows : int
        Size of the largest batch.
    memory_bytes, cpu_seconds : int
        Limits of the child; eight times the size of the file is added to the memory.

    Returns
    -------
    (list of Reason, mapping)
        What speaks against the model (empty: nothing), and what was measured, with the confinement that held.

    Raises
    ------
    OperationFailed
        The child could not be started at all.
    """
    ended = run_confined(
        [sys.executable, "-B", str(_CHILD)],
        stdin=_frames(data, interface, rows),
        limits=Limits(
            memory_bytes=memory_bytes + 8 * len(data),
            cpu_seconds=cpu_seconds,
            wall_seconds=4.0 * cpu_seconds,
            output_bytes=_MOST_ANSWER,
            scratch_bytes=1 << 20,
            threads=64,
        ),
        environment=_ONE_THREAD,
    )
    reasons, measured = _answer(ended)
    measured |= {
        "rows": rows,
        "cpu_seconds": round(ended.cpu_seconds, 2),
        "peak_memory_bytes": ended.peak_memory_bytes,
        "confinement": ended.report.to_json(),
    }
    return reasons, measured


def _frames(data: bytes, interface: ModelInterface, rows: int) -> list[bytes]:
    task = {
        "rows": rows,
        "output": interface.output,
        "width": interface.width,
        "numbers": [_column(column) for column in interface.numbers],
        "strings": [_column(column) for column in interface.strings],
    }
    told = json.dumps(task).encode()
    return [len(told).to_bytes(8, "little"), told, data]


def _column(column: Column) -> dict[str, Any]:
    return {**asdict(column), "categories": list(column.categories[:1000])}


def _answer(ended: Confined) -> tuple[list[Reason], dict[str, Any]]:
    """What the child said, if it said it the agreed way; else how it ended."""
    if ended.outcome == "memory_limit":
        return [Reason(code="trial.memory", where="", message=f"the trial run was stopped. {ended.why()}")], {}
    if ended.outcome != "finished":
        return [Reason(code="trial.ended", where="", message=f"the trial run did not finish. {ended.why()}")], {}
    try:
        said = strict_json(ended.output, what="the answer of the trial run", most_bytes=_MOST_ANSWER)
        reasons = [_reason(item) for item in said["problems"]]
        measured = {
            str(name)[:40]: float(value)
            for name, value in said["measured"].items()
            if isinstance(value, (int, float)) and not isinstance(value, bool)
        }
    except (InvalidInput, KeyError, TypeError, ValueError, AttributeError):
        return [Reason(code="trial.ended", where="", message="the trial run gave no answer we can read")], {}
    if not measured:
        reasons = reasons or [Reason(code="trial.ended", where="", message="the trial run measured nothing")]
    return reasons, dict(measured)


def _reason(item: Mapping[str, Any]) -> Reason:
    if item["code"] not in _CODES:
        raise ValueError("an unknown code")
    where, message = (_printable(str(item[key])) for key in ("where", "message"))
    return Reason(code=item["code"], where=where, message=message)


def _printable(words: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in words[:400])
