"""An emergency as it is looked at: roles for one person in one project, for a short time."""

from dataclasses import dataclass, field
from datetime import datetime

from sealwright.kernel import canonical_json, digest_of
from sealwright.trust.permissions.roster import Member

__all__ = ["OpenGlass", "holder_of"]


def holder_of(glass: str, reason: str, member: Member) -> str:
    """Digest of the enrolment an emergency is for: a name that is enrolled anew, with another key, is somebody else.

    The reason keeps those who read the ledger without the database from trying names and keys.
    """
    return digest_of(canonical_json({"id": glass, "reason": reason, "name": member.name, "key": member.key_id}))


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenGlass:
    """Roles somebody holds for a while because two people said so."""

    id: str
    project: str
    beneficiary: str
    roles: frozenset[str]
    until: datetime
    reason: str = field(repr=False)
    holder: str  # `holder_of` whom it was agreed for, as the ledger has it

    def is_for(self, member: Member) -> bool:
        """Whether it was agreed for this enrolment."""
        return self.beneficiary == member.name and self.holder == holder_of(self.id, self.reason, member)
