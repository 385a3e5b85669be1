"""The verb of this room: run suites on a model and its held-out rows."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import pyarrow as pa

from sealwright.assurance.carrying_out import Errand, Kept, Spread, carry_out
from sealwright.assurance.case import Case
from sealwright.assurance.case_making import make_case
from sealwright.assurance.done import Done
from sealwright.assurance.environment import packages_here
from sealwright.assurance.features import Features
from sealwright.assurance.interface import Interface, read_interface
from sealwright.assurance.model import SuiteResult
from sealwright.assurance.portable import Portable
from sealwright.assurance.predictor import FunctionPredictor, Predictor
from sealwright.assurance.rows import table_digest
from sealwright.assurance.spec import AssuranceSpec
from sealwright.assurance.suites import checks_of
from sealwright.assurance.teaching import Teach
from sealwright.kernel import Clock, InvalidInput, Progress, canonical_json, digest_of, silent, system_clock

__all__ = ["judged_by", "predictor_of", "run_suites"]


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
    spread: Spread | None = None,
    kept: Kept | None = None,
) -> list[SuiteResult]:
    """Judge a model on rows it has not learned from.

    The same inputs and seed give the same result, in any order of rows, whichever suites run together, and wherever the
    checks are carried out.

    Parameters
    ----------
    names : sequence of str
        Suites: quality, performance, fairness, robustness, stress, slices, uncertainty, privacy, explanation.
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
    spread : Spread, optional
        Workers for the checks of a model given as bytes; left out, and for a function: this process.
    kept : Kept, optional
        Where outcomes are kept until all are there, so that an assessment that was cut short goes on.

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
        portable=Portable(kind="package", model=model) if isinstance(model, bytes) else None,
        spread=spread,
        kept=kept,
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
    portable: Portable | None = None,
    spread: Spread | None = None,
    kept: Kept | None = None,
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
    portable : Portable, optional
        The same model for other processes; left out: it cannot leave this one.
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
        packages=packages_here(),
        rows=_rows(case),
        performed_at=clock(),
        findings=(),
    )
    checks = [check for _, of_suite in chosen for check in of_suite]
    errand = Errand(
        case=case,
        groups=groups,
        progress=progress,
        now=time.time,
        model=portable,
        spread=spread,
        kept=kept if model_digest is not None else None,  # what is judged has no name by which it could be known again
        key_of=_key_of(blank, case) if kept is not None else str,
    )
    done = iter(carry_out(errand, checks))
    results = [_filled(blank, name, [next(done) for _ in of_suite]) for name, of_suite in chosen]
    progress("suites done", 1.0)
    return results


def _key_of(blank: SuiteResult, case: Case) -> Callable[[str], str]:
    """A digest for each check: of the rows themselves, and of everything else its outcome depends on."""
    base = {
        "model": blank.model,
        "rows": table_digest(case.test_table, case.train_table),
        "data": blank.data,
        "settings": blank.settings_digest,
        "environment": blank.environment,
        "seed": blank.seed,
        "previous": None if case.previous is None else digest_of(case.previous.tobytes()),
        "teach": None if case.teach is None else [case.teach.words, dict(case.teach.told or {})],
    }
    whole = digest_of(canonical_json(base))
    return lambda check: digest_of(canonical_json({"assessment": whole, "check": check}))


def _rows(case: Case) -> dict[str, int]:
    """How many rows there were, and how many were looked at."""
    return {
        "test": case.test_table.num_rows,
        "test_judged": len(case.test),
        "train": case.train_table.num_rows,
        "train_judged": len(case.train) if case.knows_training else 0,
    }


def _filled(blank: SuiteResult, suite: str, done: Sequence[Done]) -> SuiteResult:
    return replace(
        blank,
        suite=suite,
        rows={**blank.rows, "queries": sum(one.queries for one in done)},
        findings=tuple(item for one in done for item in one.outcome.findings),
        figures=tuple(item for one in done for item in one.outcome.figures),
        not_performed=tuple(item for one in done for item in one.outcome.not_performed),
    )


def predictor_of(model: bytes | Callable[[Features], Any], interface: Interface) -> Predictor:
    """Bytes as an ONNX model with our interface, anything else as a function of `Features`."""
    if not isinstance(model, bytes):
        return FunctionPredictor(model)
    from sealwright.assurance.adapters.onnx import OnnxPredictor  # only when there is an ONNX model to run

    return OnnxPredictor(model, interface)


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
