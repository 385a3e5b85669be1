"""What is counted about the data at the moment a model is made from it, as findings that a policy asks for.

Answers: has every column its basis and purpose, has nobody who stays out come in, is the data within its time, were enough
of each declared group there?
Does not answer: may the model go live. The gate does. Ingest and training stop by themselves at what must never be;
this is the record that they did, counted on the rows that were used, and it covers what they let through.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from sealwright.charter import RiskClass
from sealwright.data import Snapshot
from sealwright.data.basis import gaps_of, uncovered_by
from sealwright.data.diversity import State, measure_diversity, read_reference
from sealwright.data.retention import limit_of
from sealwright.evidence import fact, measured
from sealwright.kernel import from_rfc3339, hex_of
from sealwright.pipeline.data_basis import Cleared, basis_of_line, line_of
from sealwright.pipeline.desk import Desk
from sealwright.pipeline.snapshots import SnapshotIndex
from sealwright.pipeline.withholding import Withholding
from sealwright.trust import raw_pseudonym

__all__ = ["governance_predicate"]

_SHORT: tuple[State, ...] = ("absent", "under", "few")


@dataclass(frozen=True, slots=True)
class _Absent:
    """A fact there is none of, and why. `applicable`: it could be measured if the project said more."""

    check: str
    why: str
    applicable: bool


def governance_predicate(
    desk: Desk,
    snapshot: Snapshot,
    rows: pa.Table,
    *,
    model: str,
    cleared: Cleared,
    out: Withholding,
    at: datetime,
) -> dict[str, Any]:
    """A test result about the model and the rows it was made from.

    Parameters
    ----------
    rows : pa.Table
        As they were read for training: those who stay out are to be gone from it already; they are counted here.
    cleared, out
        What was asked before: the basis, and who stays out.
    """
    found = [*_basis(desk, cleared), *_persons(snapshot, rows, out), *_retention(desk, snapshot, at)]
    found += _groups(desk, snapshot, rows)
    findings = [one for one in found if not isinstance(one, _Absent)]
    gaps = [one for one in found if isinstance(one, _Absent)]
    block = measured(
        "governance",
        model=model,
        data=snapshot.digest,
        performed_at=at,
        findings=findings,
        not_performed=[(one.check, one.why) for one in gaps if one.applicable],
        not_applicable=[(one.check, one.why) for one in gaps if not one.applicable],
    )
    missed = [one.check for one in gaps if one.applicable]
    return {
        "result": "WARNED" if missed else "PASSED",
        "configuration": [{"name": "data", "digest": {"sha256": hex_of(snapshot.digest)}}],
        "passedTests": [one["check"] for one in findings],
        "warnedTests": missed,
        "failedTests": [],
        "sealwright": block,
    }


def _basis(desk: Desk, cleared: Cleared) -> Iterator[dict[str, Any] | _Absent]:
    """Control DG-01: a basis for each column about persons, and a purpose that is the model's."""
    spec, charter = desk.project.spec.data, desk.project.spec.charter
    high = charter.risk_class is RiskClass.HIGH
    gaps = gaps_of(spec.basis, spec.columns, high_risk=high)
    yield fact(
        "governance.columns_without_basis",
        sum(len(columns) for columns, _ in gaps),
        n=len(spec.columns),
        unit="count",
        definition="Columns about persons (of a high-risk project: all that are kept) for which the project states no"
        " lawful basis, or an incomplete one.",
    )
    check = "governance.columns_of_other_purpose"
    if charter.purpose_id is None:
        yield _Absent(check, "the charter names no purpose_id, so nothing can be held against it", applicable=True)
        return
    other = uncovered_by(charter.purpose_id, cleared.groups, spec.columns, high_risk=high)
    allowed = cleared.compatibility is not None
    yield fact(
        check,
        0 if allowed else sum(len(one.columns) for one in other),
        n=len(spec.columns),
        unit="count",
        definition="Columns that were collected for something else than the model's purpose, and that no signed record of"
        " compatibility allows.",
        note=f"allowed by the compatibility record {cleared.compatibility}" if allowed else "",
    )


def _persons(snapshot: Snapshot, rows: pa.Table, out: Withholding) -> Iterator[dict[str, Any] | _Absent]:
    """Controls DG-02 and DG-09: nobody in the rows who did not agree, withdrew, or opted out."""
    consent, suppressed = "governance.rows_without_consent", "governance.suppressed_rows"
    if snapshot.subject is None:
        why = "data.subject names no column that says whose row it is"
        yield _Absent(consent, why, applicable=False)
        yield _Absent(suppressed, why, applicable=False)
        return
    real = rows.slice(0, rows.num_rows - snapshot.synthetic)
    names = snapshot.names_in(real)
    if out.consent is None:
        yield _Absent(consent, "the data is not held on consent", applicable=False)
    else:
        yield fact(
            consent,
            len(names) - _count(names, out.consent.given),
            n=len(names),
            unit="count",
            definition="Rows used whose person has not agreed to the purpose, or has withdrawn.",
        )
    yield fact(
        suppressed,
        _count(names, out.suppressed),
        n=len(names),
        unit="count",
        definition="Rows used whose person objected, opted out, or had the use restricted.",
    )


def _count(names: Collection[bytes], of: Collection[str]) -> int:
    known = {raw_pseudonym(name) for name in of}
    return sum(name in known for name in names)


def _retention(desk: Desk, snapshot: Snapshot, at: datetime) -> Iterator[dict[str, Any] | _Absent]:
    """Control DG-08: the data is within the time it may be kept."""
    check = "governance.days_past_limit"
    index = {one.digest: one for one in SnapshotIndex(desk.workspace.db).all()}
    line = line_of(index[snapshot.digest], index)
    basis = basis_of_line(desk.workspace, line)
    if basis is None:
        about = any(one.data_class in {"personal", "special"} for one in desk.project.spec.data.columns.values())
        why = "no basis is on file, so nobody said how long the data may be kept"
        yield _Absent(check, why, applicable=about)
        return
    limit, why_not = limit_of(basis.groups, min(from_rfc3339(one.created_at) for one in line).date())
    if limit is None:
        yield _Absent(check, why_not, applicable=True)
        return
    yield fact(
        check,
        max(0, (at.date() - limit).days),
        n=len(line),
        unit="days",
        definition="Days by which the data was older, when the model was made, than the project says it may be kept.",
        note=f"may be kept until {limit.isoformat()}",
    )


def _groups(desk: Desk, snapshot: Snapshot, rows: pa.Table) -> Iterator[dict[str, Any] | _Absent]:
    """Control DG-12: of each declared group and intersection enough rows."""
    check, spec = "governance.groups_short", desk.project.spec.data
    if spec.diversity is None:
        yield _Absent(check, "data.diversity declares no groups to hold against a reference", applicable=True)
        return
    reference = read_reference(spec.diversity, desk.project.folder)
    report = measure_diversity(rows, spec.diversity, spec, reference=reference, synthetic=snapshot.synthetic)
    yield fact(
        check,
        sum(1 for _ in report.of_state(*_SHORT)),
        n=report.rows,
        unit="count",
        definition="Declared groups and intersections that are absent, under-represented beyond chance, or fewer than the"
        " project wants.",
    )
