"""What the ledger knows about filed statements, whatever the database says.

Answers: which statements were ever filed, in which order, and whose enrolment ended?
Does not answer: what they say. That is in the statements; the ledger holds their digests.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sealwright.evidence.people import REVOKED_PERSON_TYPE
from sealwright.evidence.store import FILED
from sealwright.trust import PERSON, Ledger

__all__ = ["LedgerView", "Place", "view_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a statement stands in the ledger, and what the entry says about it."""

    index: int
    about: str  # digest of its first subject
    kind: str  # predicate type
    project: str
    actor: str = ""  # who filed it


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerView:
    """The filed statements of a ledger: digest -> first place."""

    places: Mapping[str, Place]

    def of_kind(self, kind: str) -> dict[str, Place]:
        return {digest: place for digest, place in self.places.items() if place.kind == kind}

    def ended_keys(self) -> set[str]:
        """Digests of personal keys whose enrolment was ended."""
        return {place.about for place in self.of_kind(REVOKED_PERSON_TYPE).values()}

    def latest_enrolments(self) -> dict[str, str]:
        """Digest of a personal key -> digest of the enrolment that counts."""
        ordered = sorted(self.of_kind(PERSON).items(), key=lambda one: one[1].index)
        return {place.about: digest for digest, place in ordered}


def view_of(ledger: Ledger) -> LedgerView:
    """Read the ledger through, once."""
    places: dict[str, Place] = {}
    for entry in ledger.entries():
        if entry.action == FILED:
            said = entry.detail
            place = Place(
                index=entry.index,
                about=str(said["about"]),
                kind=str(said["type"]),
                project=str(said["project"]),
                actor=entry.actor,
            )
            places.setdefault(entry.subject, place)
    return LedgerView(places=places)
