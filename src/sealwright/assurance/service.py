"""The verb of this room: run suites on a model and its held-out rows."""

import hashlib
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import pyarrow as pa

from sealwright.assurance.attributes import read_attributes, refuse_absent
from sealwright.assurance.case import Case, Sample
from sealwright.assurance.check import Check, Outcome
from sealwright.assurance.features import Features
from sealwright.assurance.interface import Interface, read_interface
from sealwright.assurance.model import NotPerformed, SuiteResult, names_of
from sealwright.assurance.predictor import FunctionPredictor, Predictor
from sealwright.assurance.rows import in_fixed_order, table_digest
from sealwright.assurance.slices import read_slices
from sealwright.assurance.spec import AssuranceSpec
from sealwright.assurance.suites import checks_of
from sealwright.kernel import Clock, InvalidInput, Progress, digest_of, silent, system_clock

__all__ = ["run_suites"]

_PACKAGES = ("sealwright", "numpy", "scipy", "pyarrow", "onnxruntime")
_FEWEST_ROWS = 2


def run_suites(
    names: Sequence[str],
    model: bytes | Callable[[Features], Any],
    test: pa.Table,
    train: pa.Table,
    interface: Mapping[str, Any],
    spec: AssuranceSpec,
    groups: Sequence[str] = (),
    seed: int = 0,
    progress: Progress = silent,
    *,
    clock: Clock = system_clock,
    model_digest: str | None = None,
    data_digest: str | None = None,
    quarantined: int | None = None,
) -> list[SuiteResult]:
    """Judge a model on rows it has not learned from.

    The same inputs and seed give the same result, in any order of rows and whichever suites run together.

    Parameters
    ----------
    names : sequence of str
        Suites: quality, performance, fairness, robustness, stress, slices, explanation.
    model : bytes or callable
        Verified ONNX bytes, or a function from `Features` to probabilities (n, classes) or values (n,).
    test, train : pyarrow.Table
        Held-out and training rows with features, target and the columns that form groups.
    interface : mapping
        The interface document of the package (format 1).
    groups : sequence of str
        Columns the contract calls sensitive: compared besides those `spec.groups` names.
    model_digest : str, optional
        Digest of a model given as a function. Bytes bring their own.
    data_digest : str, optional
        Digest of the snapshot both tables come from; left out: a digest of their content.
    quarantined : int, optional
        Rows the contract set aside when the snapshot was made.

    Returns
    -------
    list of SuiteResult
        One per suite, in the order of `names`. Every check of a suite is in it, as findings or as not performed.

    Raises
    ------
    InvalidInput
        Unknown suite, empty table, missing column, target outside the classes, unknown group or favourable outcome.
    UnusablePredictions
        The model's answers for the unchanged rows are no predictions (shape, NaN, not probabilities).
    """
    chosen = [(name, checks_of(name)) for name in dict.fromkeys(names)]
    if isinstance(seed, bool) or not 0 <= seed < 2**53:
        raise InvalidInput(f"A seed is a whole number from 0 to 2**53 - 1; got {seed}.")
    progress("reading the rows to judge", 0.0)
    case = _case(model, test, train, read_interface(interface), spec, groups, seed, quarantined)
    digest = digest_of(model) if isinstance(model, bytes) else model_digest
    blank = SuiteResult(
        suite="",
        task=case.task,
        model=digest,
        data=data_digest or table_digest(case.test_table, case.train_table),
        seed=seed,
        settings=_settings(spec, case, interface),
        packages=_packages(),
        rows={
            "test": case.test_table.num_rows,
            "test_judged": len(case.test),
            "train": case.train_table.num_rows,
            "train_judged": len(case.train),
        },
        performed_at=clock(),
        findings=(),
    )
    steps, done = sum(len(checks) for _, checks in chosen), 0
    results = []
    for name, checks in chosen:
        outcomes = []
        for check in checks:
            progress(f"{name}: {check.name.partition('.')[2].replace('_', ' ')}", done / steps)
            outcomes.append(_run(check, case, seed))
            done += 1
        results.append(
            replace(
                blank,
                suite=name,
                findings=tuple(item for outcome in outcomes for item in outcome.findings),
                figures=tuple(item for outcome in outcomes for item in outcome.figures),
                not_performed=tuple(item for outcome in outcomes for item in outcome.not_performed),
            )
        )
    progress("suites done", 1.0)
    return results


def _case(
    model: bytes | Callable[[Features], Any],
    test: pa.Table,
    train: pa.Table,
    interface: Interface,
    spec: AssuranceSpec,
    groups: Sequence[str],
    seed: int,
    quarantined: int | None,
) -> Case:
    for table, what in ((test, "test"), (train, "training")):
        if table.num_rows < _FEWEST_ROWS:
            raise InvalidInput(
                f"There are {table.num_rows} {what} rows; judging a model needs at least {_FEWEST_ROWS}."
            )
    _refuse_favourable(spec, interface)
    declared = spec.cut_points()
    cuts = dict.fromkeys(groups) | (declared or {})
    refuse_absent(list(cuts), test, train)
    predictor = _predictor(model, interface)
    wanted = {*interface.names, interface.target, *cuts, *(name for one in spec.slices for name in one.where)}
    test, train = (
        in_fixed_order(table.select([name for name in table.column_names if name in wanted])) for table in (test, train)
    )
    judged = _sampled(test, spec.budget.rows, _generator(seed, "sample/test"))
    learned = _sampled(train, spec.budget.rows, _generator(seed, "sample/train"))
    return Case(
        interface=interface,
        spec=spec,
        predictor=predictor,
        test_table=test,
        train_table=train,
        test=Sample(judged, interface, predictor),
        train=Sample(learned, interface, predictor),
        attributes=read_attributes(judged, train, cuts),
        quarantined=quarantined,
        slices=read_slices(judged, spec.slices),
    )


def _predictor(model: bytes | Callable[[Features], Any], interface: Interface) -> Predictor:
    if not isinstance(model, bytes):
        return FunctionPredictor(model)
    from sealwright.assurance.adapters.onnx import OnnxPredictor  # only when there is an ONNX model to run

    return OnnxPredictor(model, interface)


def _run(check: Check, case: Case, seed: int) -> Outcome:
    """Run one check; every name it files comes back, as a finding or with a reason."""
    other = tuple(
        NotPerformed(check=name, why=f"there is no such thing for a {case.task} model", applicable=False)
        for name, tasks in check.files.items()
        if case.task not in tasks
    )
    if not check.applies(case.task):
        return Outcome(not_performed=other)
    outcome = check.run(case, _generator(seed, check.name))
    filed = {*names_of(outcome.findings), *names_of(outcome.not_performed), *names_of(other)}
    if filed != set(check.files):
        raise AssertionError(f"{check.name} must account for {sorted(check.files)}; it filed {sorted(filed)}")
    return replace(outcome, not_performed=(*outcome.not_performed, *other))


def _generator(seed: int, purpose: str) -> np.random.Generator:
    """A generator of its own for every purpose, so that one check never moves another's numbers."""
    words = np.frombuffer(hashlib.sha256(purpose.encode()).digest()[:16], dtype="<u4")
    return np.random.default_rng(np.random.SeedSequence([seed, *words.tolist()]))


def _sampled(table: pa.Table, most: int, rng: np.random.Generator) -> pa.Table:
    if table.num_rows <= most:
        return table
    return table.take(pa.array(np.sort(rng.choice(table.num_rows, most, replace=False))))


def _refuse_favourable(spec: AssuranceSpec, interface: Interface) -> None:
    if spec.favourable is None:
        return
    if interface.task == "regression":
        raise InvalidInput("assurance.favourable names a class, but this model predicts numbers. Remove the line.")
    if spec.favourable not in interface.classes:
        raise InvalidInput(
            f"assurance.favourable is {spec.favourable!r}, which is none of the outcomes {', '.join(interface.classes)}."
        )


def _settings(spec: AssuranceSpec, case: Case, interface: Mapping[str, Any]) -> dict[str, Any]:
    """What the numbers depend on besides model and data: the same digest means the same question was asked."""
    return {
        "spec": spec.model_dump(mode="json", exclude={"suites"}),
        "groups": [{"attribute": one.name, "how": one.how} for one in case.attributes],
        "interface": dict(interface),
        "quarantined": case.quarantined,
    }


def _packages() -> dict[str, str]:
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed as a package"
    return found
