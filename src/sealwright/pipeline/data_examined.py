"""A snapshot examined: quality, groups, risk; one signed statement, made once and read ever after.

Answers: what is known about this data, by whom and when, in numbers that a page may print?
Does not answer: may it be used. Policies ask for findings; people read the page.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from sealwright.charter import RiskClass
from sealwright.data import Snapshot, rows_for_testing
from sealwright.data.basis import gaps_of
from sealwright.data.deidentify import measure, risk_of
from sealwright.data.diversity import measure_diversity, read_reference
from sealwright.data.personal import scan, unclassified
from sealwright.data.quality import examine
from sealwright.data.relevance import RelevanceReport, assess_relevance
from sealwright.evidence import fact, measured, verify_any
from sealwright.kernel import InvalidInput, Progress, rfc3339, silent
from sealwright.pipeline.data_card import snapshot_named
from sealwright.pipeline.desk import Desk
from sealwright.pipeline.permission import allow
from sealwright.pipeline.project import Project
from sealwright.pipeline.snapshots import Known
from sealwright.pipeline.take_in import snapshot_of
from sealwright.pipeline.version_facts import data_of
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import Principal

__all__ = ["EXAMINATION_TYPE", "Examined", "examine_data"]

EXAMINATION_TYPE = "urn:sealwright:predicate:data-examination:v1"
_MOST_QUASI = 8
_MOST_DRIFTS = 40
_SEVERITIES = ("high", "medium", "low")


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """An examination on file."""

    known: Known
    statement: str
    said: Mapping[str, Any]  # the predicate

    def to_json(self) -> dict[str, Any]:
        return {"snapshot": self.known.digest, "statement": self.statement, **self.said}


def examine_data(
    workspace: Workspace,
    project: Project,
    *,
    by: Principal,
    snapshot: str | None = None,
    fresh: bool = False,
    progress: Progress = silent,
) -> Examined:
    """Examine a snapshot of a project, unless that was done before; the result is signed and filed.

    Parameters
    ----------
    snapshot : str, optional
        Its digest or the beginning of it; left out: the newest.
    fresh : bool
        Examine again although a statement is on file.

    Raises
    ------
    NotFound
        Nothing was ingested yet.
    VerificationFailed
        A statement on file was changed.
    """
    allow(workspace, by, "data.examine", data_of(project))
    desk = Desk(workspace, project)
    desk.last()
    known = snapshot_named(workspace, project.name, snapshot)
    on_file = desk.evidence.statements.about(known.digest, EXAMINATION_TYPE)
    if on_file and not fresh:
        statement = verify_any(on_file[-1].envelope, workspace.trust_root)
        return Examined(known=known, statement=statement.digest, said=statement.predicate)
    said = _examination(desk, known, by.counts_as, progress)
    digest = desk.state([("snapshot", known.digest)], EXAMINATION_TYPE, said, by=by.counts_as)
    return Examined(known=known, statement=digest, said=said)


def _examination(desk: Desk, known: Known, by: str, progress: Progress) -> dict[str, Any]:
    spec, now = desk.project.spec.data, desk.workspace.clock()
    snapshot = snapshot_of(desk, known.digest, by=by, purpose="examination")
    progress("decrypting the rows", 0.0)
    table = snapshot.read()
    report = examine(
        table,
        spec,
        seed=desk.project.spec.training.seed,
        test_rows=_test_rows(desk, snapshot, table),
        progress=lambda line, share: progress(line, 0.05 + 0.75 * share),
    )
    progress("looking for personal data", 0.8)
    personal = scan(table, contract=spec, seed=desk.project.spec.training.seed)
    progress("counting groups", 0.87)
    diversity = _diversity(desk, snapshot, table)
    progress("measuring the risk of re-identification", 0.92)
    high = desk.project.spec.charter.risk_class is RiskClass.HIGH
    relevance = assess_relevance(table, spec, now) if spec.relevance is not None else None
    quality = _with_faults(report.to_json(), [fault.to_json() for fault in relevance.faults] if relevance else [])
    counts = quality["findings"]
    return {
        "format": 1,
        "snapshot": known.digest,
        "performed_at": rfc3339(now),
        "software": {"sealwright": version("sealwright")},
        "seed": desk.project.spec.training.seed,
        "quality": quality,
        "relevance": _relevance(relevance),
        "diversity": diversity,
        "risk": _risk(desk, table),
        "personal": personal.to_json(),
        "basis_missing": [
            {"columns": list(columns), "what": what}
            for columns, what in gaps_of(spec.basis, spec.columns, high_risk=high)
        ],
        "sealwright": measured(
            "data",
            model=None,
            data=known.digest,
            performed_at=now,
            findings=[
                fact(
                    f"data.faults_{severity}",
                    counts[severity],
                    n=report.rows,
                    unit="count",
                    definition=f"Findings of {severity} severity in the examination of the snapshot.",
                )
                for severity in _SEVERITIES
            ]
            + [
                fact(
                    "data.unclassified_columns",
                    len(unclassified(personal, spec)),
                    n=len(personal.columns),
                    unit="count",
                    definition="Columns that look personal and whose contract says nothing of it.",
                )
            ],
            not_performed=[(f"data.{one.check}", one.not_performed) for one in report.checks if one.not_performed],
        ),
    }


def _with_faults(quality: dict[str, Any], more: list[dict[str, Any]]) -> dict[str, Any]:
    """The findings of the checks and of the periods in one list, the most severe first."""
    faults = sorted([*quality["faults"], *more], key=lambda one: _SEVERITIES.index(one["severity"]))
    counts = {name: sum(one["severity"] == name for one in faults) for name in _SEVERITIES}
    return {**quality, "faults": faults, "findings": counts}


def _relevance(found: RelevanceReport | None) -> dict[str, Any] | None:
    if found is None:
        return None
    said = found.to_json()
    return {**said, "drifts": said["drifts"][:_MOST_DRIFTS], "faults": []}  # the faults stand with the others


def _test_rows(desk: Desk, snapshot: Snapshot, table: Any) -> Any:
    """Which rows the project keeps apart to test; None where its target cannot be divided."""
    try:
        return rows_for_testing(
            table, desk.project.spec.data, desk.project.spec.training.seed, synthetic=snapshot.synthetic
        )
    except InvalidInput:
        return None


def _diversity(desk: Desk, snapshot: Snapshot, table: Any) -> dict[str, Any] | None:
    spec = desk.project.spec.data
    if spec.diversity is None:
        return None
    reference = read_reference(spec.diversity, desk.project.folder)
    return measure_diversity(table, spec.diversity, spec, reference=reference, synthetic=snapshot.synthetic).to_json()


def _risk(desk: Desk, table: Any) -> dict[str, Any] | None:
    """Risk by the columns about persons that somebody could know of them; None where there are none."""
    spec = desk.project.spec.data
    quasi = [
        name
        for name, column in spec.columns.items()
        if column.data_class in {"personal", "special"} and column.role in {"feature", "sensitive"}
    ][:_MOST_QUASI]
    if not quasi:
        return None
    risk = risk_of(table.select(quasi), quasi)
    return {"measured": measure(table.select(quasi), quasi, ()).to_json(), "risk": risk.to_json()}
