"""One ledger entry as a watcher sees it.

Answers: who tried what, on what, from where, and how did it end, as far as the entry says?
Does not answer: who is behind a pseudonym. Whoever holds the key can look it up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sealwright.kernel import from_rfc3339
from sealwright.trust import LedgerEntry

__all__ = ["Seen", "seen_in"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One event of one ledger."""

    origin: str
    index: int
    at: datetime
    action: str
    outcome: str  # "done", "refused" or "failed"
    actor: str  # pseudonym of a person or service, or the name of one of our own processes; "" nobody known
    subject: str  # digest or id
    reason: str  # stable code
    source: str  # pseudonym of a network address
    request: str
    policies: tuple[str, ...]
    detail: Mapping[str, Any]

    @property
    def uid(self) -> str:
        """Names the event for ever, so a receiver can tell what it has already."""
        return f"{self.origin}/{self.index}"

    @property
    def refused(self) -> bool:
        return self.outcome == "refused"


def seen_in(entry: LedgerEntry, origin: str) -> Seen:
    """An entry of the ledger `origin`. What says no outcome is a change that was made."""
    detail = entry.detail
    return Seen(
        origin=origin,
        index=entry.index,
        at=from_rfc3339(entry.at),
        action=entry.action,
        outcome=_text(detail, "outcome") or ("refused" if entry.action.endswith(("_refused", ".refused")) else "done"),
        actor=entry.actor,
        subject=entry.subject,
        reason=_text(detail, "reason"),
        source=_text(detail, "source"),
        request=_text(detail, "request"),
        policies=tuple(str(one) for one in detail.get("policies", ()) if isinstance(one, str)),
        detail=detail,
    )


def _text(detail: Mapping[str, Any], name: str) -> str:
    value = detail.get(name, "")
    return value if isinstance(value, str) else ""
