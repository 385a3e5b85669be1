"""What somebody holds, made ready to be judged: rows, outcomes, groups and model in the form the suites take.

Answers: which task is it, which are the outcomes, what are the columns, how is the model asked?
Does not answer: anything about the model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import ValidationError

from sealwright.assurance.elsewhere.given_images import GivenImages, are_images, given_images, image_predictor
from sealwright.assurance.elsewhere.given_model import GivenModel
from sealwright.assurance.elsewhere.given_rows import GivenRows, arrow_column, given_rows
from sealwright.assurance.elsewhere.given_teaching import given_teaching
from sealwright.assurance.elsewhere.given_texts import GivenTexts, are_texts, given_texts
from sealwright.assurance.elsewhere.given_truth import classes_named, known_outcomes, outcomes_of, task_of
from sealwright.assurance.interface import Interface, NumberInput, StringInput
from sealwright.assurance.portable import Portable
from sealwright.assurance.predictor import Predictor
from sealwright.assurance.spec import AssuranceSpec, class_text
from sealwright.kernel import InvalidInput, digest_of, read_limited

__all__ = ["Given", "HeldModel", "held_model", "judged_things", "settings_of"]

Given = GivenRows | GivenTexts | GivenImages

_TARGET = "target"
_MOST_BYTES = 2 << 30


def judged_things(
    model: Any,
    rows: Any,
    truth: Any,
    *,
    groups: Any,
    learned_from: tuple[Any, Any] | None,
    task: str | None,
    positive: Any,
    classes: Sequence[Any] | None,
    settings: AssuranceSpec | Mapping[str, Any] | None,
    layout: str | None = None,
) -> dict[str, Any]:
    """What `judged_by` takes, from what somebody holds; arguments and errors as for `judge`."""
    if truth is None:
        raise InvalidInput("There is no truth to judge these rows by; give an outcome for each of them.")
    spec = settings_of(settings)
    held = held_model(model, rows, truth, task=task, positive=positive, classes=classes, layout=layout)
    assert held.outcomes is not None, "the truth was given"
    given, interface = held.given, held.interface
    beside = _groups(groups, given)
    return {
        "predictor": held.predictor,
        "test": _with(given, held.outcomes, beside),
        "train": _learned(learned_from, given, interface.classes, beside, held.model),
        "interface": interface,
        "spec": spec,
        "groups": tuple(beside.names),
        "model_digest": digest_of(held.model) if isinstance(held.model, bytes) else None,
        "teach": given_teaching(held.model, given, interface),
        "portable": held.portable,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldModel:
    """A model with the rows it was held beside, and how it is asked about such rows."""

    model: Any  # the bytes of a file, or the object as it came
    given: Given
    outcomes: pa.ChunkedArray | pa.Array | None  # of the rows, as they are judged; None where no truth was given
    interface: Interface
    predictor: Predictor
    portable: Portable | None


def held_model(
    model: Any,
    rows: Any,
    truth: Any | None,
    *,
    task: str | None,
    positive: Any,
    classes: Sequence[Any] | None,
    layout: str | None,
) -> HeldModel:
    """Model and rows in the form the suites take; without a truth, the model or `classes` must name the outcomes."""
    model = read_limited(Path(model), _MOST_BYTES) if isinstance(model, (str, Path)) else model
    given = _given(rows, layout, model)
    outcomes = None if truth is None else outcomes_of(truth, given.table.num_rows, "rows")
    found = task_of(task, model, outcomes, classes)
    names = classes_named(found, model, outcomes, classes)
    known = None if outcomes is None else known_outcomes(outcomes, names)
    interface = _interface(given, found, names, positive)
    portable = _portable(model, given)
    return HeldModel(
        model=model,
        given=given,
        outcomes=known,
        interface=interface,
        predictor=portable.predictor(interface) if portable else _asked(model, given, found, names),
        portable=portable,
    )


def _given(rows: Any, layout: str | None, model: Any) -> Given:
    """Rows as documents, images or a table, by what they look like."""
    if are_images(rows):
        return given_images(rows, layout, model)
    if layout is not None:
        raise InvalidInput("layout is about images: an array of shape (n, h, w), (n, h, w, c) or (n, c, h, w).")
    return given_texts(rows) if are_texts(rows) else given_rows(rows)


@dataclass(frozen=True, slots=True)
class _Beside:
    """The columns that say whose rows these are: `extra` are not given to the model."""

    names: tuple[str, ...]
    extra: Mapping[str, pa.ChunkedArray]


def settings_of(said: AssuranceSpec | Mapping[str, Any] | None) -> AssuranceSpec:
    """Settings as said, checked."""
    if isinstance(said, AssuranceSpec):
        return said
    try:
        return AssuranceSpec.model_validate(dict(said or {}))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(f"The settings cannot be used: {place}: {first['msg']}.") from None


def _interface(given: Given, task: str, classes: tuple[str, ...], positive: Any) -> Interface:
    chosen = class_text(positive) if positive is not None else (classes[-1] if task == "binary" else None)
    if task == "binary" and chosen not in classes:
        raise InvalidInput(f"positive is {chosen!r}, which is none of the outcomes {', '.join(classes)}.")
    return Interface(
        task=task,
        target=_target(given),
        classes=classes,
        positive=chosen if task == "binary" else None,
        numbers=tuple(
            NumberInput(name=one, type="number", nullable=True, least=None, most=None) for one in given.numbers
        ),
        strings=tuple(StringInput(name=one, nullable=True, categories=()) for one in given.strings),
        precision="float64",
        modality=given.modality,
    )


def _target(given: Given) -> str:
    """A name for the outcome that no column has."""
    name = _TARGET
    while name in given.table.column_names:
        name += "_"
    return name


def _portable(model: Any, given: Given) -> Portable | None:
    """An ONNX file over the columns of a table; None for anything else, which stays in this process."""
    tabular = isinstance(model, bytes) and not isinstance(given, GivenImages)
    return Portable(kind="file", model=model) if tabular else None


def _asked(model: Any, given: Given, task: str, classes: tuple[str, ...]) -> Predictor:
    """Code, or a model of images: asked in this process."""
    if isinstance(given, GivenImages):
        return image_predictor(model, given, task, classes)
    return GivenModel(model, given, task, classes)


def _groups(groups: Any, given: Given) -> _Beside:
    if groups is None:
        return _Beside((), {})
    if isinstance(groups, str):
        groups = [groups]
    if isinstance(groups, Sequence) and all(isinstance(one, str) for one in groups):
        absent = [one for one in groups if one not in given.table.column_names]
        if not absent:
            return _Beside(tuple(groups), {})
        if len(groups) != given.table.num_rows:
            raise InvalidInput(
                f"The rows have no column {', '.join(absent[:10])}; they have {', '.join(given.table.column_names[:40])}.\n"
                "Groups that the model is not given stand beside the rows: groups={'sex': values}."
            )
    if isinstance(groups, Mapping) or hasattr(groups, "columns") or isinstance(groups, pa.Table):
        table = given_rows(groups).table
        extra = {str(name): table.column(name) for name in table.column_names}
    else:
        extra = {str(getattr(groups, "name", None) or "group"): arrow_column(groups, "The groups")}
    wrong = [name for name, column in extra.items() if len(column) != given.table.num_rows]
    if wrong:
        raise InvalidInput(
            f"{', '.join(wrong)}: there must be one entry for each of the {given.table.num_rows:,} rows."
        )
    return _Beside(tuple(extra), {name: one for name, one in extra.items() if name not in given.table.column_names})


def _with(given: Given, outcomes: pa.Array, beside: _Beside) -> pa.Table:
    """Features, target and groups as one table."""
    table = given.table.append_column(_target(given), outcomes)
    for name, column in beside.extra.items():
        table = table.append_column(name, column)
    return table


def _learned(
    learned_from: tuple[Any, Any] | None, given: Given, classes: tuple[str, ...], beside: _Beside, model: Any
) -> pa.Table | None:
    if learned_from is None:
        return None
    rows, truth = learned_from
    learned: Given = (
        given_images(rows, None, model, given) if isinstance(given, GivenImages) else _given(rows, None, model)
    )
    if (learned.numbers, learned.strings) != (given.numbers, given.strings):
        raise InvalidInput("The rows the model learned from do not have the columns of the rows to judge it on.")
    outcomes = outcomes_of(truth, learned.table.num_rows, "training rows")
    table = _with(learned, known_outcomes(outcomes, classes), _Beside((), {}))
    for name in beside.extra:  # who the training rows are about was not said
        table = table.append_column(name, pa.nulls(table.num_rows, beside.extra[name].type))
    return table
