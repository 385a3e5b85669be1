"""The trial run itself: a script that a confined child process executes, and nobody imports.

Reads one frame from standard input (8 bytes of length, JSON, then the model) and writes one JSON
object to standard output. Uses only the standard library, numpy and ONNX Runtime, so that the
child needs nothing of ours. What it answers is believed only as far as a hostile model could
not gain from lying: it can fail its own admission, or pretend to be sound.
"""

import json
import sys
import time
from typing import Any

import numpy as np
import onnxruntime as ort

_SEED = 20_260_101
_ALONE = 24  # rows also run one by one
_SUM_WITHIN = 1e-4
_SAME_WITHIN = 1e-5  # relative to the size of the answer where that is above 1
_WIDE = 1e9  # stands for "any value" where the contract sets no bound
_UNSEEN = "a category nobody has seen"


def main() -> None:
    """Read the task, run the model, tell what was found."""
    given = sys.stdin.buffer
    task = json.loads(given.read(int.from_bytes(given.read(8), "little")))
    data = given.read()
    problems: list[dict[str, str]] = []
    measured: dict[str, Any] = {}
    try:
        _run(task, data, problems, measured)
    except MemoryError:
        problems.append(_problem("trial.memory", "", "the model needs more memory than a trial run may take"))
    except Exception as error:  # noqa: BLE001 - whatever the runtime raises is a reason to refuse
        words = " ".join(str(error).split())[:300]
        code = "trial.memory" if "alloc" in words.lower() or "memory" in words.lower() else "trial.failed"
        problems.append(_problem(code, "", f"ONNX Runtime refused it: {type(error).__name__}: {words}"))
    sys.stdout.write(json.dumps({"problems": problems[:20], "measured": measured}))


def _run(task: dict[str, Any], data: bytes, problems: list[dict[str, str]], measured: dict[str, Any]) -> None:
    started = time.perf_counter()
    session = _session(data)
    measured["load_ms"] = round((time.perf_counter() - started) * 1e3, 1)
    rows = int(task["rows"])
    numbers, strings = _numbers(task["numbers"], rows), _strings(task["strings"], rows)

    def predict(first: int, last: int) -> Any:
        feed = {}
        if numbers.shape[1]:
            feed["numbers"] = numbers[first:last]
        if strings.shape[1]:
            feed["strings"] = strings[first:last]
        return session.run([task["output"]], feed)[0]

    answers = {}
    for size in sorted({0, 1, 7, rows}):
        started = time.perf_counter()
        answers[size] = predict(0, size)
        measured[f"rows_{size}_ms"] = round((time.perf_counter() - started) * 1e3, 2)
        problem = _against(answers[size], size, task)
        if problem:
            problems.append(problem)
            return
    whole = answers[rows]
    if not np.array_equal(whole, predict(0, rows)):
        problems.append(_problem("trial.not_repeatable", "", "the same rows gave another answer the second time"))
    alone = [predict(row, row + 1) for row in range(min(_ALONE, rows))]
    apart = _furthest(np.concatenate(alone), whole[: len(alone)]) if alone else 0.0
    measured["alone_or_in_batch"] = apart
    if apart > _SAME_WITHIN:
        problems.append(
            _problem("trial.batch", "", f"a row's answer depends on the rows beside it (apart by {apart:.3g})")
        )


def _session(data: bytes) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.enable_cpu_mem_arena = False
    return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def _numbers(columns: list[dict[str, Any]], rows: int) -> Any:
    """Difficult rows first (0 missing, 1 lowest, 2 highest, 3 zero, 4 wide), then random ones with gaps."""
    random = np.random.default_rng(_SEED)
    table = np.empty((rows, len(columns)), dtype=np.float32)
    for place, column in enumerate(columns):
        low = -_WIDE if column["low"] is None else float(column["low"])
        high = _WIDE if column["high"] is None else float(column["high"])
        if column["type"] == "boolean":
            low, high = 0.0, 1.0
        usual = (max(low, -1e3), min(high, 1e3)) if max(low, -1e3) < min(high, 1e3) else (low, high)
        values = random.uniform(*usual, size=rows)
        if column["type"] != "number":
            values = np.round(values)
        marks = [np.nan if column["nullable"] else values[0] if rows else 0.0, low, high, min(max(0.0, low), high)]
        marks.append(random.choice([low, high]))
        values[: len(marks)] = marks[:rows]
        if column["nullable"]:
            values[5:][random.random(max(rows - 5, 0)) < 0.1] = np.nan
        table[:, place] = values
    return table


def _strings(columns: list[dict[str, Any]], rows: int) -> Any:
    """Difficult rows first (0 empty, 1 unseen, 2 long, 3 odd characters), then random categories."""
    random = np.random.default_rng(_SEED + 1)
    table = np.empty((rows, len(columns)), dtype=object)
    for place, column in enumerate(columns):
        known = column["categories"] or [_UNSEEN]
        values = [known[index] for index in random.integers(0, len(known), size=rows)]
        marks = ["", _UNSEEN, "x" * 10_000, "\u202e\u0301\U0001f512'\";"]
        values[: len(marks)] = marks[:rows]
        table[:, place] = values
    return table


def _against(answer: Any, size: int, task: dict[str, Any]) -> dict[str, str] | None:
    """The first thing wrong with the answers to `size` rows."""
    wanted = (size, int(task["width"]))
    if not isinstance(answer, np.ndarray) or answer.dtype != np.float32 or answer.shape != wanted:
        shape = getattr(answer, "shape", type(answer).__name__)
        return _problem("trial.shape", task["output"], f"for {size} rows it has shape {shape}, expected {wanted}")
    if not np.isfinite(answer).all():
        row = int(np.argwhere(~np.isfinite(answer))[0][0])
        return _problem("trial.not_finite", task["output"], f"row {row} of {size} ({_kind(row)}) gives NaN or infinity")
    if task["output"] == "probabilities" and size:
        sums = answer.sum(axis=1, dtype=np.float64)
        if float(np.abs(sums - 1.0).max()) > _SUM_WITHIN or float(answer.min()) < -_SUM_WITHIN:
            return _problem("trial.probabilities", task["output"], "probabilities are negative or do not sum to 1")
    return None


def _kind(row: int) -> str:
    named = ("all values missing", "lowest values, unseen categories", "highest values", "zeros", "extreme values")
    return named[row] if row < len(named) else "random values"


def _furthest(one: Any, other: Any) -> float:
    scale = np.maximum(1.0, np.abs(other))
    return float((np.abs(one.astype(np.float64) - other) / scale).max()) if one.size else 0.0


def _problem(code: str, where: str, message: str) -> dict[str, str]:
    return {"code": code, "where": where, "message": message}


if __name__ == "__main__":
    main()
