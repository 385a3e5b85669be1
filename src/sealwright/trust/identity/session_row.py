"""What a session is, and how its row is bound to our key."""

from dataclasses import dataclass
from datetime import datetime

from sealwright.engines import Row
from sealwright.kernel import canonical_json, from_rfc3339
from sealwright.trust.unlock import Secret

__all__ = ["PROVIDER", "NewSession", "Session", "bound_bytes", "kept_factor", "session_of"]

PROVIDER = "provider"

_BOUND = ("id", "handle", "name", "factor", "started_at", "strong_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session as lists and pages show it. The handle names it; nobody signs in with a handle."""

    handle: str  # "ses_…"
    name: str  # of the person
    factor: str  # what was shown last: "totp", "passkey", "recovery_code" or "provider"
    by_provider: bool  # it began at the identity provider, and stays one by the provider whatever is shown later
    started_at: datetime
    strong_at: datetime  # when the second factor was shown last
    seen_at: datetime  # last use, to the minute


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session and its id, which goes into the cookie and nowhere else."""

    id: Secret
    session: Session


def bound_bytes(row: Row) -> bytes:
    """What the tag of a row covers: everything but its last use."""
    return canonical_json({field: row[field] for field in _BOUND})


def kept_factor(session: Session, factor: str) -> str:
    """What a row says once `factor` was shown: "totp", or "provider+totp" where the session began at the provider."""
    return f"{PROVIDER}+{factor}" if session.by_provider else factor


def session_of(row: Row) -> Session:
    """The session of a row."""
    first, _, later = str(row["factor"]).partition("+")
    return Session(
        handle=row["handle"],
        name=row["name"],
        factor=later or first,
        by_provider=first == PROVIDER,
        started_at=from_rfc3339(row["started_at"]),
        strong_at=from_rfc3339(row["strong_at"]),
        seen_at=from_rfc3339(row["seen_at"]),
    )
