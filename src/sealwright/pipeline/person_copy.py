"""What is held about a person, in a form they can take with them.

Answers: which rows, decisions, consents and requests are theirs, on what basis, for how long, and how are decisions made?
Does not answer: are they who they say? Whoever takes the request checks that.

Access (GDPR Article 15) is everything and what belongs to it; a portable copy (Article 20) is the rows alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

import msgspec
import pyarrow as pa

from sealwright.charter import CHARTER_TYPE
from sealwright.data import Snapshot, quarantine_of
from sealwright.kernel import rfc3339
from sealwright.pipeline.data_basis import basis_of_snapshot
from sealwright.pipeline.data_consent import consents_of, suppressions_of
from sealwright.pipeline.data_requests import requests_of
from sealwright.pipeline.decision_records import decision_records, shadow_records
from sealwright.pipeline.desk import evidence_of
from sealwright.pipeline.person_search import FoundPerson, find_person, is_theirs
from sealwright.pipeline.snapshots import opened
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import raw_pseudonym

__all__ = ["access_copy", "portable_copy"]


def access_copy(
    workspace: Workspace, project: str, person: str, *, by: str, found: FoundPerson | None = None
) -> tuple[FoundPerson, dict[str, Any]]:
    """Everything held about a person in a project, and what Article 15 wants said with it; plain JSON values.

    Parameters
    ----------
    found : FoundPerson, optional
        What `find_person` gave a moment ago; left out: it is asked now.

    Raises
    ------
    InvalidInput
        As `find_person`.
    """
    found = found or find_person(workspace, project, person, by=by, purpose="subject access")
    copy = {
        "type": "urn:sealwright:subject-access:v1",
        "project": project,
        "made_at": rfc3339(workspace.clock()),
        "held": list(_held(workspace, found, person, by)),
        "decisions": list(_decisions(workspace, found)),
        "consents": [asdict(one) for one in consents_of(workspace).history(project, found.subject)],
        "requests": [one.to_json() for one in requests_of(workspace).of_subject(found.subject)],
        "left_out_as": [one.kind for one in suppressions_of(workspace).of_subject(project, found.subject)],
        "basis": _basis(workspace, found),
        "how_decisions_are_made": _logic(workspace, found),
        "not_included": [
            "Copies in backups, until these are overwritten.",
            "Decisions whose request did not name the person.",
        ],
    }
    return found, copy


def portable_copy(
    workspace: Workspace, project: str, person: str, *, by: str, found: FoundPerson | None = None
) -> tuple[FoundPerson, dict[str, Any]]:
    """The person's rows of the newest snapshot they are in, as plain JSON values, column by column name."""
    found = found or find_person(workspace, project, person, by=by, purpose="subject export")
    newest = [one for one in found.snapshots if one.rows][-1:]
    rows = [row for one in newest for row in _rows(workspace, project, one.known.digest, found.subject, by)]
    return found, {"type": "urn:sealwright:subject-export:v1", "project": project, "rows": rows}


def _held(workspace: Workspace, found: FoundPerson, person: str, by: str) -> Iterator[dict[str, Any]]:
    for one in found.snapshots:
        snapshot = opened(workspace, one.known.digest, found.project, by=by, purpose="subject access")
        aside = quarantine_of(snapshot, workspace.keyring) if one.set_aside else []
        yield {
            "snapshot": one.known.digest,
            "kind": one.known.kind,
            "taken_in_at": one.known.created_at,
            "source": snapshot.signed.source.name,
            "rows": _theirs(snapshot, found.subject),
            "set_aside": [
                {"row": row.row, "as_it_came": row.cells if row.cells is not None else row.line}
                for row in aside
                if is_theirs(row, snapshot.subject or "", person)
            ],
        }


def _rows(workspace: Workspace, project: str, digest: str, subject: str, by: str) -> list[dict[str, Any]]:
    return _theirs(opened(workspace, digest, project, by=by, purpose="subject export"), subject)


def _theirs(snapshot: Snapshot, subject: str) -> list[dict[str, Any]]:
    """The person's rows as plain values; only their rows are opened."""
    layout, name = snapshot.signed.layout, raw_pseudonym(subject)
    found: list[dict[str, Any]] = []
    for entry in snapshot.signed.of_kind("rows"):
        mask = snapshot.persons_in(entry, [name])
        if mask.any():
            table = snapshot.physical(entry, layout.physical(list(layout.columns))).filter(pa.array(mask))
            found += [{key: _plain(value) for key, value in row.items()} for row in snapshot.logical(table).to_pylist()]
    return found


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _decisions(workspace: Workspace, found: FoundPerson) -> Iterator[Mapping[str, Any]]:
    if not found.decisions:
        return
    shadows: dict[str, list[dict[str, Any]]] = {}
    for one in shadow_records(workspace, found.project, {known.decision for known in found.decisions}):
        said = {"version": one.number, "package": one.package, "would_have_said": msgspec.to_builtins(one.shadow)}
        shadows.setdefault(one.decision, []).append(said)
    for channel, entry, record in decision_records(workspace, found.project):
        if record.person == found.subject:
            yield {
                "decision": record.decision,
                "at": entry.at,
                "channel": channel,
                "version": record.number,
                "package": record.package,
                "arm": record.arm,
                "shadows": shadows.get(record.decision, []),
                "request": record.request.decode("utf-8", "replace"),
                "answer": record.answer.decode("utf-8", "replace"),
            }


def _basis(workspace: Workspace, found: FoundPerson) -> list[Mapping[str, Any]]:
    stated = {}
    for one in found.snapshots:
        filed = basis_of_snapshot(workspace, found.project, one.known.digest)
        if filed is not None and filed.spec is not None:
            stated[filed.spec.dataset] = filed.spec.model_dump(mode="json")
    return list(stated.values())


def _logic(workspace: Workspace, found: FoundPerson) -> Mapping[str, Any]:
    """What Article 15(1)(h) asks about automated decisions, from the signed charter."""
    from sealwright.evidence import verify_any

    latest = evidence_of(workspace).statements.latest(found.project, CHARTER_TYPE)
    if latest is None:
        return {}
    charter = verify_any(latest.envelope, workspace.trust_root).predicate.get("charter", {})
    known = ("purpose", "owner", "risk_class", "affected", "intended_use", "out_of_scope")
    return {
        "stated_in": latest.digest,
        **{name: charter[name] for name in known if name in charter},
        "models": [{"version": one.number, "package": one.package} for one in found.models],
        "more": "The report of a version says which columns weigh most, and by how much.",
    }
