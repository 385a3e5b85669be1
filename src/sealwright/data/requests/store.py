"""Where requests are kept: one row each, with its deadline beside it so that a list is quick."""

from collections.abc import Sequence
from datetime import datetime

from sealwright.data.requests.model import SubjectRequest
from sealwright.engines import Row, Tx
from sealwright.kernel import canonical_json, rfc3339, strict_json

__all__ = ["delete", "every", "find", "insert", "of_subject", "update"]


def insert(tx: Tx, request: SubjectRequest, now: datetime) -> None:
    tx.run(
        "INSERT INTO subject_requests (id, subject, state, due_at, detail, received_at, updated_at)"
        " VALUES (:id, :subject, :state, :due_at, :detail, :received_at, :now)",
        id=request.id,
        subject=request.subject,
        state=request.state,
        due_at=request.due.isoformat(),
        detail=_text(request),
        received_at=rfc3339(request.received_at),
        now=rfc3339(now),
    )


def update(tx: Tx, request: SubjectRequest, now: datetime) -> None:
    tx.run(
        "UPDATE subject_requests SET state = :state, due_at = :due_at, detail = :detail, updated_at = :now"
        " WHERE id = :id",
        id=request.id,
        state=request.state,
        due_at=request.due.isoformat(),
        detail=_text(request),
        now=rfc3339(now),
    )


def find(tx: Tx, request: str) -> SubjectRequest | None:
    rows = tx.run("SELECT detail FROM subject_requests WHERE id = :id", id=request)
    return _request(rows[0]) if rows else None


def every(tx: Tx) -> list[SubjectRequest]:
    """All requests, the next due first."""
    return _requests(tx.run("SELECT detail FROM subject_requests ORDER BY due_at, id"))


def of_subject(tx: Tx, subject: str) -> list[SubjectRequest]:
    return _requests(
        tx.run("SELECT detail FROM subject_requests WHERE subject = :subject ORDER BY received_at, id", subject=subject)
    )


def delete(tx: Tx, request: str) -> None:
    tx.run("DELETE FROM subject_requests WHERE id = :id", id=request)


def _requests(rows: Sequence[Row]) -> list[SubjectRequest]:
    return [_request(row) for row in rows]


def _request(row: Row) -> SubjectRequest:
    value = strict_json(str(row["detail"]), what="request")
    return SubjectRequest.from_json(value if isinstance(value, dict) else {})


def _text(request: SubjectRequest) -> str:
    return canonical_json(request.to_json()).decode()
