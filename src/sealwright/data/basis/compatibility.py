"""The compatibility record: a person's signature that data may be used for a purpose it was not collected for.

Answers: who weighed the five questions of Article 6(4) of the GDPR for exactly this data and this purpose, and how?
Does not answer: were they right. Their words are on record for whoever asks.

It binds the digest of the whole `data.basis` block with the columns it speaks of, and the words of the purpose: when
either changes, what was weighed has changed, and the record no longer counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sealwright.data.basis.model import BasisSpec
from sealwright.data.basis.rules import ColumnLike
from sealwright.evidence import COMPATIBILITY_TYPE, sign_as_person, verify_signed_by_person
from sealwright.kernel import (
    InvalidInput,
    VerificationFailed,
    canonical_json,
    check_name,
    digest_of,
    from_rfc3339,
    rfc3339,
)
from sealwright.trust import PersonSigner, TrustRoot

__all__ = [
    "COMPATIBILITY_TYPE",
    "FACTORS",
    "OFFICER",
    "Compatibility",
    "Weighed",
    "dataset_digest",
    "make_compatibility",
    "purpose_digest",
    "verify_compatibility",
]

OFFICER = "compliance_officer"
"""The only role in which such a record counts: those who answer for data protection are enrolled in it."""

FACTORS: Mapping[str, str] = {
    "link": "what links the purposes it was collected for with this one, Article 6(4)(a)",
    "context": "the context of collection, and what the persons may expect, Article 6(4)(b)",
    "nature": "the nature of the data, special data above all, Article 6(4)(c)",
    "consequences": "what it may mean for the persons, Article 6(4)(d)",
    "safeguards": "what protects them, e.g. encryption or pseudonyms, Article 6(4)(e)",
}

_LONGEST = timedelta(days=3 * 366)
_FIELDS = {"project", "dataset", "purpose", "purpose_words", "compatible", "until", *FACTORS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """The five answers, each 8 to 2,000 characters, and the conclusion."""

    link: str
    context: str
    nature: str
    consequences: str
    safeguards: str
    compatible: bool

    def __post_init__(self) -> None:
        for name in FACTORS:
            words = " ".join(getattr(self, name).split())
            if not 8 <= len(words) <= 2000:
                raise InvalidInput(f"Say in 8 to 2,000 characters {FACTORS[name]} (--{name}).")
            object.__setattr__(self, name, words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compatibility:
    """A verified record. Whether it counts depends on what it is brought to."""

    statement: str  # digest
    project: str
    dataset: str
    about: str  # digest of dataset, from `dataset_digest`
    purpose: str
    purpose_words: str
    weighed: Weighed
    until: datetime
    by: str
    key_id: str
    role: str
    at: datetime

    def problem_at(self, moment: datetime, *, about: str, purpose: str, purpose_words: str) -> str:
        """Why the record does not allow this use of this data at `moment`; empty where it does."""
        if self.about != about:
            return f"the record of {self.by} is about the data as it was described before data.basis changed"
        if (self.purpose, self.purpose_words) != (purpose, purpose_words):
            return f"the record of {self.by} is for another purpose, or one that was worded otherwise"
        if self.role != OFFICER:
            return f"{self.by} signed as {self.role}; it takes a {OFFICER}"
        if moment >= self.until:
            return f"the record of {self.by} ran to {rfc3339(self.until)[:10]}"
        return "" if self.weighed.compatible else f"{self.by} found the purposes not compatible"


def dataset_digest(project: str, basis: BasisSpec, columns: Mapping[str, ColumnLike]) -> str:
    """The data as it is described: the block, and class and role of each column."""
    described = {name: {"class": column.data_class, "role": column.role} for name, column in sorted(columns.items())}
    return digest_of(canonical_json({"format": 1, "project": project, "basis": basis.plain(), "columns": described}))


def purpose_digest(purpose: str, words: str) -> str:
    """A purpose: its id, and what the charter says it is."""
    return digest_of(canonical_json({"format": 1, "purpose": purpose, "words": words}))


def make_compatibility(
    person: PersonSigner,
    weighed: Weighed,
    *,
    project: str,
    basis: BasisSpec,
    columns: Mapping[str, ColumnLike],
    purpose: str,
    purpose_words: str,
    role: str,
    until: datetime,
    now: datetime,
    enrolment: bytes,
) -> bytes:
    """Sign what was weighed for this data and this purpose.

    Parameters
    ----------
    purpose, purpose_words : str
        `charter.purpose_id` and `charter.purpose`.
    until : datetime
        After that it must be weighed again; at most three years ahead.

    Raises
    ------
    InvalidInput
        An answer is missing or too short, or `until` is not in the next three years.
    Refused
        The person may not sign in this role.
    """
    if role != OFFICER:
        raise InvalidInput(f"A compatibility record is signed by a {OFFICER}, not by a {role[:40]}.")
    if not now < until <= now + _LONGEST:
        raise InvalidInput("A compatibility record runs to a day within the next three years (--until 2027-12-31).")
    said = {
        "project": project,
        "dataset": basis.dataset,
        "purpose": check_name(purpose, what="purpose"),
        "purpose_words": purpose_words,
        "compatible": weighed.compatible,
        "until": rfc3339(until),
        **{name: getattr(weighed, name) for name in FACTORS},
    }
    subjects = [
        ("dataset", dataset_digest(project, basis, columns)),
        ("purpose", purpose_digest(purpose, purpose_words)),
    ]
    return sign_as_person(person, subjects, COMPATIBILITY_TYPE, said, role=role, enrolment=enrolment, now=now)


def verify_compatibility(envelope: bytes, trust_root: TrustRoot) -> Compatibility:
    """The record in `envelope`, checked with the trust root alone.

    Raises
    ------
    VerificationFailed
        A signature, enrolment, role, date or digest does not hold.
    """
    statement, person = verify_signed_by_person(envelope, trust_root, predicate_type=COMPATIBILITY_TYPE)
    said = statement.predicate
    if not person.holds(str(said.get("role")), str(said.get("project"))):
        raise _broken(f"{person.name} has no such role there")
    if set(said) != _FIELDS | {"format", "by", "role", "at", "enrolment"} or said["format"] != 1:
        raise _broken("its fields are not those of format 1")
    names = tuple(name for name, _ in statement.subjects)
    try:
        matches = statement.subject_digests[1] == purpose_digest(said["purpose"], said["purpose_words"])
        if names != ("dataset", "purpose") or not matches or not isinstance(said["compatible"], bool):
            raise _broken("it is about another purpose than it names")
        return Compatibility(
            statement=statement.digest,
            project=_text(said["project"]),
            dataset=_text(said["dataset"]),
            about=statement.subject_digests[0],
            purpose=_text(said["purpose"]),
            purpose_words=_text(said["purpose_words"]),
            weighed=Weighed(compatible=said["compatible"], **{name: _text(said[name]) for name in FACTORS}),
            until=from_rfc3339(said["until"]),
            by=person.name,
            key_id=person.public.key_id,
            role=_text(said["role"]),
            at=from_rfc3339(said["at"]),
        )
    except (InvalidInput, IndexError, TypeError) as error:
        raise _broken(str(error)[:120]) from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, got {type(value).__name__}")
    return value


def _broken(reason: str) -> VerificationFailed:
    return VerificationFailed(f"The compatibility record cannot be read: {reason}.", link="compatibility")
