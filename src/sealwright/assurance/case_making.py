"""The case made ready: rows in a fixed order, sampled within the budget, groups and slices read, settings that fit.

Answers: what exactly is judged, and do the settings speak of things that are there?
Does not answer: anything about the model; it is asked for the first time by a check.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from sealwright.assurance.asked import Asked
from sealwright.assurance.attributes import Attribute, read_attributes, refuse_absent
from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case, Sample
from sealwright.assurance.features import Features
from sealwright.assurance.interface import Interface
from sealwright.assurance.predictor import Predictor, answers
from sealwright.assurance.rows import in_fixed_order
from sealwright.assurance.slices import read_slices
from sealwright.assurance.spec import AssuranceSpec
from sealwright.assurance.teaching import Teach
from sealwright.kernel import InvalidInput

__all__ = ["assemble", "case_without_rows", "generator_for", "make_case", "without_rows_judged"]

_FEWEST_ROWS = 2


def make_case(
    predictor: Predictor,
    test: pa.Table,
    train: pa.Table | None,
    interface: Interface,
    spec: AssuranceSpec,
    groups: Sequence[str],
    seed: int,
    quarantined: int | None,
    previous: Predictor | None = None,
    teach: Teach | None = None,
) -> Case:
    knows_training = train is not None
    train = test.slice(0, 0) if train is None else train
    for table, what in ((test, "test"), (train, "training"))[: 1 + knows_training]:
        if table.num_rows < _FEWEST_ROWS:
            raise InvalidInput(
                f"There are {table.num_rows} {what} rows; judging a model needs at least {_FEWEST_ROWS}."
            )
    _refuse_favourable(spec, interface)
    _refuse_legitimate(spec, interface)
    _refuse_costs(spec, interface)
    cuts = _cuts(spec, groups)
    refuse_absent(list(cuts), test, train)
    _refuse_reference(spec, list(cuts))
    wanted = {*interface.names, interface.target, *cuts, *(name for one in spec.slices for name in one.where)}
    test, train = (
        in_fixed_order(table.select([name for name in table.column_names if name in wanted])) for table in (test, train)
    )
    return assemble(
        predictor,
        test,
        train,
        interface,
        spec,
        groups,
        seed,
        quarantined,
        before=None if previous is None else lambda rows: answers(previous, rows, interface),
        teach=teach,
        knows_training=knows_training,
    )


def case_without_rows(predictor: Predictor, interface: Interface, spec: AssuranceSpec, seed: int) -> Case:
    """A case with nothing to judge, for rows that are explained by themselves."""
    none = pa.table({name: pa.array([], pa.string()) for name in (*interface.names, interface.target)})
    alone = without_rows_judged(spec, ())
    return assemble(
        predictor, none, none, interface, alone, (), seed, None, before=None, teach=None, knows_training=False
    )


def without_rows_judged(spec: AssuranceSpec, columns: Sequence[str]) -> AssuranceSpec:
    """Settings for explaining: without slices and shares of the rows judged, and with groups by `columns` only."""
    kept = tuple(one for one in spec.groups or () if (one if isinstance(one, str) else next(iter(one))) in columns)
    return spec.model_copy(update={"slices": (), "reference": {}, "groups": kept or None})


def assemble(
    predictor: Predictor,
    test: pa.Table,
    train: pa.Table,
    interface: Interface,
    spec: AssuranceSpec,
    groups: Sequence[str],
    seed: int,
    quarantined: int | None,
    *,
    before: Callable[[Features], Floats] | None,
    teach: Teach | None,
    knows_training: bool,
    outputs: Floats | None = None,
) -> Case:
    """The case from tables in a fixed order that were found fit: here, or in a process that was handed them.

    `before` gives the answers of the version before, `outputs` those of the model for the rows of `test`, if known.
    """
    cuts = _cuts(spec, groups)
    judged = _sampled(test, spec.budget.rows, generator_for(seed, "sample/test"))
    learned = _sampled(train, spec.budget.rows, generator_for(seed, "sample/train")) if knows_training else judged
    counted = Asked(predictor)
    sample = Sample(judged, interface, predictor, outputs)
    return Case(
        interface=interface,
        spec=spec,
        predictor=counted,
        test_table=test,
        train_table=train,
        test=sample,
        train=Sample(learned, interface, predictor),
        attributes=read_attributes(judged, train, cuts),
        train_attributes=tuple(
            map(_if_known, read_attributes(learned, train, cuts), (learned.column(one) for one in cuts))
        ),
        quarantined=quarantined,
        knows_training=knows_training,
        previous=None if before is None else before(sample.features),
        teach=teach,
        seed=seed,
        slices=read_slices(judged, spec.slices),
        asked=counted,
    )


def _cuts(spec: AssuranceSpec, groups: Sequence[str]) -> dict[str, tuple[float, ...] | None]:
    """Columns whose groups are compared, with their cut points."""
    return {**dict.fromkeys(groups), **(spec.cut_points() or {})}


def generator_for(seed: int, purpose: str) -> np.random.Generator:
    """A generator of its own for every purpose, so that one check never moves another's numbers."""
    words = np.frombuffer(hashlib.sha256(purpose.encode()).digest()[:16], dtype="<u4")
    return np.random.default_rng(np.random.SeedSequence([seed, *words.tolist()]))


def _sampled(table: pa.Table, most: int, rng: np.random.Generator) -> pa.Table:
    if table.num_rows <= most:
        return table
    return table.take(pa.array(np.sort(rng.choice(table.num_rows, most, replace=False))))


def _if_known(attribute: Attribute, column: pa.ChunkedArray) -> Attribute:
    """The attribute over training rows, with a problem where nobody said whose rows they are."""
    if column.null_count < len(column):
        return attribute
    return replace(attribute, levels=(), problem="whose rows the model learned from is not known")


def _refuse_favourable(spec: AssuranceSpec, interface: Interface) -> None:
    if spec.favourable is None:
        return
    if interface.task == "regression":
        raise InvalidInput("assurance.favourable names a class, but this model predicts numbers. Remove the line.")
    if spec.favourable not in interface.classes:
        raise InvalidInput(
            f"assurance.favourable is {spec.favourable!r}, which is none of the outcomes {', '.join(interface.classes)}."
        )


def _refuse_legitimate(spec: AssuranceSpec, interface: Interface) -> None:
    if spec.legitimate is not None and spec.legitimate not in interface.names:
        raise InvalidInput(
            f"assurance.legitimate is {spec.legitimate!r}, which is no feature of the model.\n"
            f"Its features are: {', '.join(interface.names[:40])}."
        )


def _refuse_reference(spec: AssuranceSpec, attributes: Sequence[str]) -> None:
    unknown = [name for name in spec.reference if name not in attributes]
    if unknown:
        raise InvalidInput(
            f"assurance.reference gives shares for {', '.join(unknown)}, whose groups are not compared.\n"
            f"Name them under assurance.groups. Compared are: {', '.join(attributes) or 'none'}."
        )


def _refuse_costs(spec: AssuranceSpec, interface: Interface) -> None:
    if spec.costs is None:
        return
    if interface.task == "regression":
        raise InvalidInput("assurance.costs prices decisions, but this model predicts numbers. Remove the lines.")
    named = {*spec.costs, *(decided for row in spec.costs.values() for decided in row)}
    if unknown := sorted(named - set(interface.classes)):
        raise InvalidInput(
            f"assurance.costs names {', '.join(map(repr, unknown[:10]))}, which is none of the outcomes"
            f" {', '.join(interface.classes)}."
        )
