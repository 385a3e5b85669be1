"""An emergency as it is looked at: roles for one person in one project, for a short time."""

from dataclasses import dataclass
from datetime import datetime

__all__ = ["OpenGlass"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenGlass:
    """Roles somebody holds for a while because two people said so."""

    id: str
    project: str
    beneficiary: str
    roles: frozenset[str]
    until: datetime
