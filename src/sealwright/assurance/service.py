"""The verb of this room: run suites on a model and its held-out rows."""

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import pyarrow as pa

from sealwright.assurance.case import Case
from sealwright.assurance.case_making import generator_for, make_case
from sealwright.assurance.check import Check, Outcome, skipped
from sealwright.assurance.features import Features
from sealwright.assurance.interface import Interface, read_interface
from sealwright.assurance.model import NotPerformed, SuiteResult, names_of
from sealwright.assurance.predictor import FunctionPredictor, Predictor
from sealwright.assurance.rows import table_digest
from sealwright.assurance.spec import AssuranceSpec
from sealwright.assurance.suites import checks_of
from sealwright.assurance.teaching import Teach
from sealwright.kernel import Clock, InvalidInput, Progress, digest_of, silent, system_clock

__all__ = ["judged_by", "predictor_of", "run_suites"]

_PACKAGES = ("sealwright", "numpy", "pyarrow", "onnxruntime", "scikit-learn", "scipy")


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
    previous: bytes | Callable[[Features], Any] | None = None,
    teach: Teach | None = None,
) -> list[SuiteResult]:
    """Judge a model on rows it has not learned from.

    The same inputs and seed give the same result, in any order of rows and whichever suites run together.

    Parameters
    ----------
    names : sequence of str
        Suites: quality, performance, fairness, robustness, stress, slices, privacy, explanation.
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
    previous : bytes or callable, optional
        The version before, to compare with on the same test rows; it must take the same features.
    teach : Teach, optional
        How a model like this one is trained on other rows. Without it, checks that train are not performed.

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
    shape = read_interface(interface)
    return judged_by(
        names,
        predictor_of(model, shape),
        test=test,
        train=train,
        interface=shape,
        described=interface,
        spec=spec,
        groups=groups,
        seed=seed,
        progress=progress,
        clock=clock,
        model_digest=digest_of(model) if isinstance(model, bytes) else model_digest,
        data_digest=data_digest,
        quarantined=quarantined,
        previous=None if previous is None else predictor_of(previous, shape),
        teach=teach,
        also=_named(previous),
    )


def judged_by(
    names: Sequence[str],
    predictor: Predictor,
    *,
    test: pa.Table,
    train: pa.Table | None,
    interface: Interface,
    spec: AssuranceSpec,
    groups: Sequence[str] = (),
    seed: int = 0,
    progress: Progress = silent,
    clock: Clock = system_clock,
    model_digest: str | None = None,
    data_digest: str | None = None,
    quarantined: int | None = None,
    previous: Predictor | None = None,
    teach: Teach | None = None,
    described: Mapping[str, Any] | None = None,
    also: Mapping[str, Any] | None = None,
) -> list[SuiteResult]:
    """As `run_suites`, for anything that predicts.

    Parameters
    ----------
    train : pyarrow.Table or None
        None where the rows the model learned from are not known: what compares with them is not performed, and where
        only a scale is wanted (a standard deviation, the levels of a column) the rows judged give it.
    described : mapping, optional
        The interface as it goes into the settings; left out: as it is.
    also : mapping, optional
        What else the numbers depend on, for the settings.
    """
    chosen = [(name, checks_of(name)) for name in dict.fromkeys(names)]
    if isinstance(seed, bool) or not 0 <= seed < 2**53:
        raise InvalidInput(f"A seed is a whole number from 0 to 2**53 - 1; got {seed}.")
    progress("reading the rows to judge", 0.0)
    case = make_case(predictor, test, train, interface, spec, groups, seed, quarantined, previous, teach)
    blank = SuiteResult(
        suite="",
        task=case.task,
        model=model_digest,
        data=data_digest or table_digest(case.test_table, case.train_table),
        seed=seed,
        settings=_settings(spec, case, asdict(interface) if described is None else described) | dict(also or {}),
        packages=_packages(),
        rows=_rows(case),
        performed_at=clock(),
        findings=(),
    )
    steps, done, results = sum(len(checks) for _, checks in chosen), 0, []
    for name, checks in chosen:
        outcomes = []
        for check in checks:
            progress(f"{name}: {check.name.partition('.')[2].replace('_', ' ')}", done / steps)
            outcomes.append(_run(check, case, seed))
            done += 1
        results.append(_filled(blank, name, outcomes))
    progress("suites done", 1.0)
    return results


def _rows(case: Case) -> dict[str, int]:
    """How many rows there were, and how many were looked at."""
    return {
        "test": case.test_table.num_rows,
        "test_judged": len(case.test),
        "train": case.train_table.num_rows,
        "train_judged": len(case.train) if case.knows_training else 0,
    }


def _filled(blank: SuiteResult, suite: str, outcomes: Sequence[Outcome]) -> SuiteResult:
    return replace(
        blank,
        suite=suite,
        findings=tuple(item for outcome in outcomes for item in outcome.findings),
        figures=tuple(item for outcome in outcomes for item in outcome.figures),
        not_performed=tuple(item for outcome in outcomes for item in outcome.not_performed),
    )


def predictor_of(model: bytes | Callable[[Features], Any], interface: Interface) -> Predictor:
    """Bytes as an ONNX model with our interface, anything else as a function of `Features`."""
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
    if why := _left_out(check, case):
        names = [name for name, tasks in check.files.items() if case.task in tasks]
        outcome = skipped(names, why)
    else:
        outcome = check.run(case, generator_for(seed, check.name))
    filed = {*names_of(outcome.findings), *names_of(outcome.not_performed), *names_of(other)}
    if filed != set(check.files):
        raise AssertionError(f"{check.name} must account for {sorted(check.files)}; it filed {sorted(filed)}")
    return replace(outcome, not_performed=(*outcome.not_performed, *other))


def _left_out(check: Check, case: Case) -> str:
    """Why a check is not carried out on this case; "" where it is."""
    if check.thorough and case.spec.depth != "full":
        return "it belongs to the full assessment (assurance.depth: full)"
    if (check.needs_training or check.needs_teaching) and not case.knows_training:
        return "it compares with the rows the model learned from, which were not given"
    if check.needs_teaching and case.teach is None:
        return "it trains models like this one, and how this one is trained is not known here"
    return ""


def _settings(spec: AssuranceSpec, case: Case, interface: Mapping[str, Any]) -> dict[str, Any]:
    """What the numbers depend on besides model and data: the same digest means the same question was asked."""
    return {
        "spec": spec.model_dump(mode="json", exclude={"suites"}),
        "groups": [{"attribute": one.name, "how": one.how} for one in case.attributes],
        "interface": dict(interface),
        "quarantined": case.quarantined,
    }


def _named(previous: bytes | Callable[[Features], Any] | None) -> dict[str, Any]:
    """The version before, where there is one: comparing with another asks another question."""
    if previous is None:
        return {}
    return {"previous": digest_of(previous) if isinstance(previous, bytes) else "a function"}


def _packages() -> dict[str, str]:
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed as a package"
    return found
