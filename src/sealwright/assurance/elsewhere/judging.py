"""Judge a model that was made elsewhere, on rows somebody holds, without a workspace.

Answers: the same suites, with the same definitions, as for a model made here.
Does not answer: is it what was trained, or may it be served. Nothing is signed; a digest names only what has bytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import ValidationError

from sealwright.assurance.elsewhere.given_model import GivenModel, classes_of, is_regressor
from sealwright.assurance.elsewhere.given_rows import GivenRows, arrow_column, given_rows
from sealwright.assurance.elsewhere.given_teaching import given_teaching
from sealwright.assurance.interface import TASKS, Interface, NumberInput, StringInput
from sealwright.assurance.model import SuiteResult
from sealwright.assurance.predictor import Predictor
from sealwright.assurance.service import judged_by
from sealwright.assurance.spec import AssuranceSpec, class_text
from sealwright.kernel import Clock, InvalidInput, Progress, digest_of, read_limited, silent, system_clock

__all__ = ["judge", "judged_things"]

_TARGET = "target"
_MOST_BYTES = 2 << 30
_MOST_CLASSES = 100
_FEW = 20  # a column of whole numbers with more values than this is a quantity, not a class


def judge(
    model: Any,
    rows: Any,
    truth: Any,
    *,
    groups: Any = None,
    learned_from: tuple[Any, Any] | None = None,
    task: str | None = None,
    positive: Any = None,
    classes: Sequence[Any] | None = None,
    settings: AssuranceSpec | Mapping[str, Any] | None = None,
    seed: int = 0,
    progress: Progress = silent,
    clock: Clock = system_clock,
) -> list[SuiteResult]:
    """Run the suites on any model and any rows.

    Parameters
    ----------
    model : object
        An estimator with predict_proba or predict, a torch module, a function of the rows that returns probabilities or
        values, the path of an ONNX file, or its bytes.
    rows : array of shape (n, features), data frame, pa.Table, or mapping of columns
        Rows the model did not learn from, as it takes them.
    truth : sequence of n outcomes
    groups : optional
        Whose rows these are: names of columns of `rows`, or a data frame or mapping of columns beside them.
    learned_from : (rows, truth), optional
        What the model was trained on. Without it, checks that compare with it are not performed.
    task : str, optional
        binary, multiclass or regression; left out: what the model says it is, else what the truth looks like.
    positive : optional
        Binary: the outcome whose probability ranks the rows; left out: the second in order.
    classes : sequence, optional
        Outcomes in the order of the model's answers, for a function or a file that does not name them.
    settings : AssuranceSpec or mapping, optional
        As the `assurance:` section of a project file.

    Returns
    -------
    list of SuiteResult

    Raises
    ------
    InvalidInput
        The rows, the truth, the groups or the model cannot be read, or do not fit together.
    UnusablePredictions
        What the model answers is no prediction.
    """
    asked = judged_things(
        model,
        rows,
        truth,
        groups=groups,
        learned_from=learned_from,
        task=task,
        positive=positive,
        classes=classes,
        settings=settings,
    )
    return judged_by(asked["spec"].suites, **asked, seed=seed, progress=progress, clock=clock)


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
) -> dict[str, Any]:
    """What `judged_by` takes, from what somebody holds; arguments and errors as for `judge`."""
    spec = _settings(settings)
    given = given_rows(rows)
    outcomes = _outcomes(truth, given.table.num_rows, "rows")
    found = _task(task, model, outcomes)
    names = _classes(found, model, outcomes, classes)
    known = _known(outcomes, names)
    interface = _interface(given, found, names, positive)
    predictor, digest = _predictor(model, given, found, names)
    beside = _groups(groups, given)
    return {
        "predictor": predictor,
        "test": _with(given, known, beside),
        "train": _learned(learned_from, given, names, beside),
        "interface": interface,
        "spec": spec,
        "groups": tuple(beside.names),
        "model_digest": digest,
        "teach": given_teaching(model, given, interface),
    }


@dataclass(frozen=True, slots=True)
class _Beside:
    """The columns that say whose rows these are: `extra` are not given to the model."""

    names: tuple[str, ...]
    extra: Mapping[str, pa.ChunkedArray]


def _settings(said: AssuranceSpec | Mapping[str, Any] | None) -> AssuranceSpec:
    if isinstance(said, AssuranceSpec):
        return said
    try:
        return AssuranceSpec.model_validate(dict(said or {}))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(f"The settings cannot be used: {place}: {first['msg']}.") from None


def _outcomes(truth: Any, rows: int, what: str) -> pa.ChunkedArray:
    column = arrow_column(truth, "The truth")
    if len(column) != rows:
        raise InvalidInput(f"There are {rows:,} {what} and {len(column):,} outcomes; there must be one for each row.")
    return column


def _task(task: str | None, model: Any, outcomes: pa.ChunkedArray) -> str:
    if task is not None:
        if task not in TASKS:
            raise InvalidInput(f"A task is one of {', '.join(TASKS)}; got {task!r}.")
        return task
    said = is_regressor(model)
    values = pc.unique(pc.drop_null(outcomes))
    fractions = pa.types.is_floating(values.type) and not pc.all(pc.equal(pc.floor(values), values)).as_py()
    many = len(values) > _FEW and (pa.types.is_floating(values.type) or pa.types.is_integer(values.type))
    if said is True or (said is None and (fractions or many)):
        return "regression"
    return "binary" if len(values) <= 2 else "multiclass"


def _classes(task: str, model: Any, outcomes: pa.ChunkedArray, named: Sequence[Any] | None) -> tuple[str, ...]:
    if task == "regression":
        return ()
    own = [class_text(one) for one in named] if named is not None else classes_of(model)
    if own is None:
        values = [one for one in pc.unique(pc.drop_null(outcomes)).to_pylist() if one is not None]
        own = [class_text(one) for one in sorted(values, key=lambda one: (str(type(one)), one))]
    if not 2 <= len(own) <= _MOST_CLASSES:
        raise InvalidInput(
            f"The truth has {len(own)} different outcomes; a {task} model is judged on 2 to {_MOST_CLASSES}.\n"
            "Give classes=[...] if some are not among these rows, or task='regression' if it is a number."
        )
    return tuple(own)


def _interface(given: GivenRows, task: str, classes: tuple[str, ...], positive: Any) -> Interface:
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
    )


def _target(given: GivenRows) -> str:
    """A name for the outcome that no column has."""
    name = _TARGET
    while name in given.table.column_names:
        name += "_"
    return name


def _predictor(model: Any, given: GivenRows, task: str, classes: tuple[str, ...]) -> tuple[Predictor, str | None]:
    if isinstance(model, (str, Path)):
        model = read_limited(Path(model), _MOST_BYTES)
    if isinstance(model, bytes):
        from sealwright.assurance.adapters.onnx_file import OnnxFile  # only when there is a file to run

        return OnnxFile(model, given.numbers, given.strings, task, classes), digest_of(model)
    return GivenModel(model, given, task, classes), None


def _groups(groups: Any, given: GivenRows) -> _Beside:
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


def _with(given: GivenRows, outcomes: pa.Array, beside: _Beside) -> pa.Table:
    """Features, target and groups as one table."""
    table = given.table.append_column(_target(given), outcomes)
    for name, column in beside.extra.items():
        table = table.append_column(name, column)
    return table


def _known(outcomes: pa.ChunkedArray, classes: tuple[str, ...]) -> pa.ChunkedArray | pa.Array:
    """Outcomes as they are judged: numbers, or texts that are classes."""
    missing = outcomes.null_count
    if missing:
        raise InvalidInput(f"{missing:,} of {len(outcomes):,} rows have no outcome; leave them out.")
    if not classes:
        return outcomes
    named = _named(outcomes)
    unknown = sorted(set(pc.unique(named).to_pylist()) - set(classes))
    if unknown:
        raise InvalidInput(
            f"The rows have the outcomes {', '.join(unknown[:20])}; the model knows {', '.join(classes[:20])}.\n"
            "They must be the same. If it names none, give them in the order of its answers: classes=[...]."
        )
    return named


def _named(outcomes: pa.ChunkedArray) -> pa.Array:
    """Outcomes as the texts classes have: 1.0 and 1 are one class."""
    encoded = outcomes.combine_chunks().dictionary_encode() if outcomes.num_chunks != 1 else outcomes.chunk(0)
    encoded = encoded if pa.types.is_dictionary(encoded.type) else encoded.dictionary_encode()
    names = [None if one is None else class_text(one) for one in encoded.dictionary.to_pylist()]
    return pa.array(names, pa.string()).take(encoded.indices)


def _learned(
    learned_from: tuple[Any, Any] | None, given: GivenRows, classes: tuple[str, ...], beside: _Beside
) -> pa.Table | None:
    if learned_from is None:
        return None
    rows, truth = learned_from
    learned = given_rows(rows)
    if (learned.numbers, learned.strings) != (given.numbers, given.strings):
        raise InvalidInput("The rows the model learned from do not have the columns of the rows to judge it on.")
    outcomes = _outcomes(truth, learned.table.num_rows, "training rows")
    table = _with(learned, _known(outcomes, classes), _Beside((), {}))
    for name in beside.extra:  # who the training rows are about was not said
        table = table.append_column(name, pa.nulls(table.num_rows, beside.extra[name].type))
    return table
