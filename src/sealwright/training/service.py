"""Training, from rows to a model: the parent's side.

Answers: what model do these rows give, by which recipe, found how, and does its ONNX form agree with it?
Does not answer: is it good enough, may it be used? `assurance` measures on the hold-out's labels, which never
come here, and a policy decides.

The rows go into a confined child as arrays over a pipe, never as a file. What comes back is untrusted until read
strictly here; the comparison with ONNX is made by a second child that never held the recipe's code.
"""

import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sealwright.engines import Limits
from sealwright.kernel import InvalidInput, Progress, canonical_json, digest_of, silent
from sealwright.training.confined import Answer, ask, cleaned
from sealwright.training.errors import ModelUnusable
from sealwright.training.mitigation.checking import check_mitigation
from sealwright.training.mitigation.groups import GroupKey, groups_of
from sealwright.training.model import TrainingResult
from sealwright.training.packed import Packed, bytes_of
from sealwright.training.packing import Shape, pack, read_shape, target_of
from sealwright.training.parity import measure_parity
from sealwright.training.private_recipes import refuse_unfit
from sealwright.training.recipe_code import digest_of_code, files_of_recipe, our_code
from sealwright.training.recipes import fixed_parameters
from sealwright.training.spec import TrainingSpec
from sealwright.training.teachable import check_target

__all__ = ["train"]

_MOST_MODEL = 256 << 20  # bytes; the registry admits no larger file
_MOST_RESULT = 8 << 20
_DECLARED = ("numbers", "strings")  # ranges and categories, for private training
_CELLS_FOR_THREADS = 500_000
_TRAINING_SHARE = 0.93  # of the progress bar; the rest is the comparison
_PROMISES = (
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
)


class _Result(BaseModel):
    """What a training process may say of itself."""

    model_config = ConfigDict(extra="forbid", strict=True)

    parameters: Annotated[dict[str, bool | int | float | str], Field(max_length=200)]
    cv: dict[str, Any]
    search: Annotated[list[dict[str, Any]], Field(max_length=1_000)]
    notes: Annotated[list[str], Field(max_length=1_000)]
    environment: dict[str, Any]
    privacy: dict[str, Any] | None = None


def train(
    table: pa.Table,
    holdout_features: pa.Table,
    interface: Mapping[str, Any],
    spec: TrainingSpec,
    *,
    project_dir: Path | None = None,
    progress: Progress = silent,
    hidden: Sequence[Path] = (),
    without: Collection[str] = (),
) -> TrainingResult:
    """Train a model in confinement and compare its ONNX form with the framework on every hold-out row.

    Parameters
    ----------
    table : pa.Table
        Training rows: the interface's features, the target, and the columns `spec.mitigation` names; others are ignored.
    holdout_features : pa.Table
        The rows kept for assurance, features only; for the comparison with ONNX. A target column is not read.
    interface : mapping
        The interface document (interface.json) of the package to be.
    spec : TrainingSpec
        Recipe, search, seed, limits.
    project_dir : Path, optional
        Where your own recipe's code lies.
    progress : Progress
        Told a line and a share in [0, 1].
    hidden : sequence of Path
        Folders that must not be readable inside, such as the workspace.
    without : collection of str
        Mechanisms of the confinement to leave out; the result's report says so.

    Returns
    -------
    TrainingResult
        Same rows, spec, code, versions and kind of processor give the same model bytes, unless a note says that
        the search ran out of time, or the training is private (its noise is not kept).

    Raises
    ------
    UntrainableData
        No feature, one class, a constant target, fewer than 20 rows.
    InvalidInput
        Rows, interface or settings do not fit together.
    RecipeFailed
        Your own code raised, or returned something unusable; carries its traceback.
    TrainingLimit
        Memory, time, threads or output ran out.
    ModelUnusable
        The answer is no model in our form.
    Refused
        The kernel cannot confine it and the spec says `confinement: required`.
    """
    began = time.monotonic()
    shape = read_shape(interface)
    if spec.privacy is not None:
        refuse_unfit(spec.recipe, shape.task, interface, spec.params)
    elif not spec.own_code:
        fixed_parameters(spec.recipe, shape.task, spec.params)  # a wrong name is said before anything starts
    files = files_of_recipe(spec, project_dir)
    code = {"sealwright.training": our_code()} | ({"recipe": digest_of_code(files)} if files else {})
    rows, target, holdout = pack(table, shape), target_of(table, shape), pack(holdout_features, shape)
    check_target(shape.task, target, shape.classes)
    key: GroupKey | None = None
    if spec.mitigation is not None:
        groups, key = groups_of(table, spec.mitigation.columns)
        check_mitigation(spec.mitigation, shape, key, groups, target)
        rows = replace(rows, groups=groups)
    if not holdout.rows:
        raise InvalidInput(
            "There is no hold-out row to compare the ONNX model on. Raise test_share in the data section."
        )
    limits = _limits(spec, holdout.rows * max(1, len(shape.classes)) * 8)
    answer = ask(
        *_question(spec, shape, interface, rows, target, holdout, files, key),
        limits=limits,
        what=f"training {spec.recipe}",
        threads=_threads(rows),
        hidden=hidden,
        on_line=_listener(progress),
        require=_PROMISES if spec.confinement == "required" else (),
        without=without,
    )
    result, model, predictions = _read(answer, shape, holdout.rows, own_code=spec.own_code)
    progress("comparing the ONNX model with the framework", _TRAINING_SHARE)
    parity = measure_parity(model, predictions, holdout, shape, limits=limits, hidden=hidden)
    progress("trained", 1.0)
    environment = cleaned_tree(result.environment)
    return TrainingResult(
        model=model,
        model_digest=digest_of(model),
        framework_predictions=predictions,
        parity=parity,
        recipe=spec.recipe,
        seed=spec.seed,
        parameters=cleaned_tree(result.parameters),
        cv=cleaned_tree(result.cv),
        search=cleaned_tree(result.search),
        notes=cleaned_tree(result.notes),
        privacy=cleaned_tree(result.privacy),
        environment=environment,
        environment_digest=digest_of(canonical_json(environment)),
        code=code,
        code_digest=digest_of(canonical_json(code)),
        confinement=answer.run.report.to_json(),
        rows=rows.rows,
        holdout_rows=holdout.rows,
        seconds=time.monotonic() - began,
        cpu_seconds=answer.run.cpu_seconds,
        peak_memory_bytes=answer.run.peak_memory_bytes,
        log=[line for line in answer.run.log if not line.startswith("@progress")][-50:],
    )


def _question(
    spec: TrainingSpec,
    shape: Shape,
    interface: Mapping[str, Any],
    rows: Packed,
    target: NDArray[Any],
    holdout: Packed,
    files: Mapping[str, bytes],
    key: GroupKey | None,
) -> tuple[dict[str, Any], dict[str, bytes | memoryview]]:
    described, bodies = rows.to_wire("rows")
    held, more = holdout.to_wire("holdout")
    wanted = "<f8" if shape.task == "regression" else "<i4"
    everything: dict[str, bytes | memoryview] = {**bodies, **more}
    everything["target"] = bytes_of(target, wanted)
    everything |= {f"file:{name}": data for name, data in files.items()}
    header = {
        "job": "train",
        "spec": spec.model_dump(mode="json"),
        "task": shape.task,
        "classes": list(shape.classes),
        "positive": shape.positive,
        "numbers": list(shape.numbers),
        "strings": list(shape.strings),
        "rows": described,
        "holdout": held,
        "files": list(files),
        **({} if key is None else {"groups": key.to_json()}),
        **({"declared": {part: list(interface.get(part) or ()) for part in _DECLARED}} if spec.privacy else {}),
    }
    return header, everything


def _threads(rows: Packed) -> int:
    """For histogram boosting, whose result does not depend on it; below some size starting threads costs more."""
    cells = rows.rows * (rows.numbers.shape[1] + rows.codes.shape[1])
    return len(os.sched_getaffinity(0)) if cells > _CELLS_FOR_THREADS else 1


def _limits(spec: TrainingSpec, prediction_bytes: int) -> Limits:
    cores = len(os.sched_getaffinity(0))
    return Limits(
        memory_bytes=spec.limits.memory_mb << 20,
        wall_seconds=spec.limits.seconds,
        cpu_seconds=max(1, int(spec.limits.seconds * cores)),
        output_bytes=_MOST_MODEL + _MOST_RESULT + prediction_bytes,
        scratch_bytes=spec.limits.scratch_mb << 20,
    )


def _listener(progress: Progress) -> Callable[[str], None]:
    """Progress lines of the child as calls; other lines only stay in the log."""

    furthest = 0.0

    def listen(line: str) -> None:
        nonlocal furthest
        mark, _, rest = line.partition(" ")
        share, _, words = rest.partition(" ")
        if mark == "@progress" and share.replace(".", "", 1).isdigit():
            furthest = max(furthest, min(float(share), 1.0) * _TRAINING_SHARE)
            progress(words, furthest)

    return listen


def _read(
    answer: Answer, shape: Shape, holdout_rows: int, *, own_code: bool
) -> tuple[_Result, bytes, NDArray[np.float64] | None]:
    """The answer's parts, each of the form it must have."""
    try:
        result = _Result.model_validate(answer.result)
        size = len(canonical_json(answer.result))
    except (ValidationError, InvalidInput) as error:
        raise ModelUnusable(f"The training answered in a form that cannot be read: {str(error)[:200]}") from None
    model = bytes(answer.bodies.get("model", b""))
    if not model or len(model) > _MOST_MODEL or size > _MOST_RESULT or set(answer.bodies) - {"model", "predictions"}:
        raise ModelUnusable(
            f"The training answered with a model of {len(model):,} bytes and {size:,} bytes about it; a model has 1 to"
            f" {_MOST_MODEL:,} bytes. Fewer or smaller trees make it smaller."
        )
    if "predictions" not in answer.bodies:
        if not own_code:
            raise ModelUnusable("The training answered without predictions to compare the ONNX model with.")
        return result, model, None
    width = max(1, len(shape.classes))
    if len(answer.bodies["predictions"]) != holdout_rows * width * 8:
        raise ModelUnusable("The training answered with another number of predictions than there are hold-out rows.")
    predictions = (
        np.frombuffer(answer.bodies["predictions"], dtype="<f8").reshape(holdout_rows, width).astype(np.float64)
    )
    if not np.isfinite(predictions).all():
        raise ModelUnusable("The training answered with predictions that are not finite numbers.")
    return result, model, predictions


def cleaned_tree(value: Any) -> Any:
    """The same JSON value with every text made fit for a terminal."""
    if isinstance(value, str):
        return cleaned(value)
    if isinstance(value, dict):
        return {cleaned(key): cleaned_tree(item) for key, item in value.items()}
    return [cleaned_tree(item) for item in value] if isinstance(value, list) else value
