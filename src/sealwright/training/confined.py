"""One question to the confined child and its answer, or the error it means.

Answers: what did the child say, read strictly? Its bytes are untrusted: foreign code may have written them.
"""

import sys
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sealwright.engines import Confined, Limits, run_confined
from sealwright.kernel import InvalidInput, OperationFailed
from sealwright.training.errors import ModelUnusable, RecipeFailed, TrainingLimit, UntrainableData
from sealwright.training.frames import frame, parse_frame

__all__ = ["Answer", "ask", "cleaned"]

_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",  # sums in one order on any number of cores
    "MKL_NUM_THREADS": "1",
    "JOBLIB_MULTIPROCESSING": "0",  # processes cannot be started, so it need not try
}
_MOST_WORDS = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Header and bodies of a good answer, and the run they came from."""

    result: dict[str, Any]
    bodies: Mapping[str, memoryview]
    run: Confined


def ask(
    header: Mapping[str, Any],
    bodies: Mapping[str, bytes | memoryview],
    *,
    limits: Limits,
    what: str,
    threads: int = 1,
    hidden: Sequence[Path] = (),
    on_line: Callable[[str], None] | None = None,
    require: Collection[str] = (),
    without: Collection[str] = (),
) -> Answer:
    """Start a child, give it one job, wait for the answer.

    Raises
    ------
    UntrainableData, RecipeFailed, InvalidInput
        What the child found wrong with the data, the recipe, the settings.
    TrainingLimit
        It reached a limit, or ran out of memory.
    ModelUnusable
        Its answer cannot be read.
    OperationFailed
        It ended without an answer.
    """
    run = run_confined(
        [sys.executable, "-m", "sealwright.training.child"],
        stdin=frame(header, bodies),
        limits=limits,
        hidden=hidden,
        environment=_ENVIRONMENT | {"OMP_NUM_THREADS": str(threads)},
        on_line=on_line,
        require=require,
        without=without,
    )
    if run.outcome in ("failed", "killed"):
        last = "\n".join(f"  {line}" for line in run.log[-8:] if not line.startswith("@progress"))
        raise OperationFailed(f"The process {what} gave no answer. {run.why()}\n{last}".rstrip())
    if run.outcome != "finished":
        raise _limit(run, what)
    try:
        answer, parts = parse_frame(run.output)
    except InvalidInput as error:
        raise ModelUnusable(f"The process {what} answered something else than a result: {error}") from None
    if "error" in answer:
        _raise(answer["error"], run, what)
    if not isinstance(answer.get("result"), dict):
        raise ModelUnusable(f"The process {what} answered without a result.")
    return Answer(result=answer["result"], bodies=parts, run=run)


def _limit(run: Confined, what: str) -> TrainingLimit:
    settings = {"wall_limit": "seconds", "cpu_limit": "seconds", "memory_limit": "memory_mb"}
    advice = f"Raise training.limits.{settings[run.outcome]}, or give it less to do" if run.outcome in settings else ""
    advice = advice or "Training code gives back one model and nothing else, and starts few threads"
    return TrainingLimit(f"The process {what} was stopped. {run.why()}\n{advice}.")


def _raise(error: object, run: Confined, what: str) -> None:
    fields = error if isinstance(error, dict) else {}
    kind, message, trace = (cleaned(fields.get(name, "")) for name in ("kind", "message", "trace"))
    if kind == "memory":
        limit = run.report.limits.memory_bytes >> 20
        raise TrainingLimit(
            f"The process {what} needed more than its limit of {limit:,} MB of memory.\n"
            "Raise training.limits.memory_mb, or give it less to do."
        )
    if kind == "recipe":
        raise RecipeFailed(message, trace=trace)
    if kind == "data":
        raise UntrainableData(message)
    if kind == "input":
        raise InvalidInput(message)
    raise ModelUnusable(f"The process {what} answered something else than a result.")


def cleaned(text: object) -> str:
    """Text from inside as a terminal may show it: lines kept, control characters not, of bounded length."""
    kept = (c if c == "\n" or unicodedata.category(c)[0] != "C" else " " if c == "\t" else "�" for c in str(text))
    return "".join(kept)[:_MOST_WORDS]
