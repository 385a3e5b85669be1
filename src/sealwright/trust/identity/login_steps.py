"""What signing in hands out, and what it remembers between its two halves."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sealwright.trust.audit import Event
from sealwright.trust.identity.session_row import NewSession
from sealwright.trust.unlock import Secret

__all__ = ["FirstHalf", "SecondFactorNeeded", "SignedIn", "login_event"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorNeeded:
    """What `begin` answers to everybody. The ticket goes back to `complete`, within five minutes and five tries."""

    ticket: Secret
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A session, and a cookie by which this browser is known next time (90 days)."""

    new: NewSession
    device: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstHalf:
    """What is known after the password. Kept sealed with the ticket."""

    name: str  # "" for what cannot be a name
    right: bool  # the password
    barred: bool  # locked, not enrolled, or a row that was tampered with
    bucket: str  # where tries of codes are counted
    counted: str  # the bucket this try was taken from; it is given back at the end

    def to_json(self) -> dict[str, object]:
        """A JSON object the constructor takes."""
        return {field: getattr(self, field) for field in self.__dataclass_fields__}


def login_event(
    name: str,
    source: str,
    outcome: Literal["done", "refused"],
    reason: str = "",
    *,
    action: str = "login",
    factor: str = "",
) -> Event:
    """The event of one half of a login."""
    return Event(
        action=action,
        outcome=outcome,
        actor=name,
        resource=f"person:{name}" if name else "",
        reason=reason,
        source=source,
        detail={"factor": factor} if factor else {},
    )
