"""People whose signature counts: enrolled by the workspace, for some roles, for a year, unless revoked.

Answers: is this signature by a person the workspace vouches for, in a role they hold?
Does not answer: may this person approve this model? `approvals` decides that.

What a person signs carries their enrolment along, so that it can be checked years later with the trust
root alone. That somebody was revoked in the meantime only the workspace knows; its gate asks.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sealwright.kernel import (
    InvalidInput,
    Refused,
    SealwrightError,
    VerificationFailed,
    from_rfc3339,
    rfc3339,
    strict_json,
)
from sealwright.trust import (
    Enrolment,
    Person,
    PersonSigner,
    PublicKey,
    Statement,
    TrustRoot,
    make_statement,
    sign_statement,
    verify_person,
    verify_statement,
)

__all__ = [
    "REVOKED_PERSON_TYPE",
    "Standing",
    "end_of_enrolment",
    "kind_in",
    "read_end_of_enrolment",
    "sign_as_person",
    "standing_of",
    "verify_signed_by_person",
]

REVOKED_PERSON_TYPE = "urn:sealwright:predicate:person-revocation:v1"
LIFETIME = timedelta(days=366)  # a role is confirmed at least once a year, by enrolling again

_SKEW = timedelta(minutes=5)  # clocks of two machines may differ this much
_MOST_BYTES = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the workspace says about a person today."""

    person: Person
    enrolled_at: datetime
    revoked: str = ""  # why the enrolment was ended; empty while it stands

    @property
    def expires_at(self) -> datetime:
        return self.enrolled_at + LIFETIME

    def problem_at(self, moment: datetime) -> str:
        """Why the person's signature does not count at `moment`; empty where it does."""
        if self.revoked:
            return f"the enrolment of {self.person.name} was revoked: {self.revoked}"
        if moment < self.enrolled_at - _SKEW:
            return f"{self.person.name} was enrolled only on {rfc3339(self.enrolled_at)[:10]}"
        if moment >= self.expires_at:
            return f"the enrolment of {self.person.name} ran to {rfc3339(self.expires_at)[:10]}"
        return ""


def standing_of(enrolment: Enrolment) -> Standing:
    """The standing an enrolment gives, as long as nothing else is known."""
    return Standing(person=enrolment.person, enrolled_at=enrolment.enrolled_at)


def end_of_enrolment(person: Person, *, reason: str, now: datetime) -> Statement:
    """The statement that a person's key no longer counts, to be signed by branch "statements".

    Raises
    ------
    InvalidInput
        No reason is given.
    """
    words = " ".join(reason.split())
    if len(words) < 8:
        raise InvalidInput("Say in a few words why this enrolment ends. It goes on record.")
    said = {
        "format": 1,
        "name": person.name,
        "public_key": person.public.to_json(),
        "reason": words,
        "revoked_at": rfc3339(now),
    }
    return make_statement([(person.name, f"sha256:{person.public.key_id}")], REVOKED_PERSON_TYPE, said)


def read_end_of_enrolment(envelope: bytes, keys: Sequence[PublicKey]) -> str:
    """Why an enrolment ended, as its signed end says.

    Raises
    ------
    VerificationFailed
        Not signed by those keys, or not such a statement.
    """
    statement = verify_statement(envelope, keys, predicate_type=REVOKED_PERSON_TYPE)
    said = statement.predicate
    if set(said) != {"format", "name", "public_key", "reason", "revoked_at"} or said["format"] != 1:
        raise VerificationFailed("This end of an enrolment does not have the fields of format 1.", link="person")
    return str(said["reason"])


def sign_as_person(
    person: PersonSigner,
    subjects: Sequence[tuple[str, str]],
    predicate_type: str,
    said: Mapping[str, Any],
    *,
    role: str,
    enrolment: bytes,
    now: datetime,
) -> bytes:
    """A statement in which a person says something in a role, with their enrolment inside.

    Raises
    ------
    Refused
        The enrolment is another person's, has ended, or lacks the role: signing would be in vain.
    """
    enrolled = _enrolled_in(enrolment)
    if enrolled.get("name") != person.name or enrolled.get("public_key") != person.public().to_json():
        raise Refused(f"This enrolment is not that of {person.name} with the key that signs. Enrol again, then sign.")
    if role not in {held.partition("@")[0] for held in enrolled["roles"]}:
        raise Refused(
            f"{person.name} is not enrolled as {role}, but as {', '.join(enrolled['roles'])}.\n"
            "Sign in one of these roles, or enrol again with the role added."
        )
    if now >= from_rfc3339(enrolled["enrolled_at"]) + LIFETIME:
        raise Refused(f"The enrolment of {person.name} is more than a year old. Enrol again, then sign.")
    predicate = {
        **said,
        "format": 1,
        "by": person.name,
        "role": role,
        "at": rfc3339(now),
        "enrolment": enrolment.decode("utf-8"),
    }
    return sign_statement(make_statement(subjects, predicate_type, predicate), person)


def verify_signed_by_person(
    envelope: bytes, trust_root: TrustRoot, *, predicate_type: str, project: str | None = None
) -> tuple[Statement, Person]:
    """A statement a person signed, and that person.

    `project`: where their role has to count; None where whoever asks knows no project: then in any.

    Order of trust: (1) the enrolment inside is found, believing nothing; (2) it must be signed by the
    workspace; (3) the statement must be signed by exactly the key it vouches for; (4) name, role and time
    must be covered by it.

    Raises
    ------
    VerificationFailed
        Any of that does not hold.
    """
    try:
        carried = _inner(envelope)["enrolment"].encode("utf-8")
    except (KeyError, AttributeError, InvalidInput) as error:
        raise VerificationFailed(f"It carries no readable enrolment of its signer: {str(error)[:120]}.") from None
    enrolment = verify_person(carried, trust_root.keys_of("statements"))
    person = enrolment.person
    statement = verify_statement(envelope, (person.public,), predicate_type=predicate_type)
    said = statement.predicate
    try:
        at, name, role = from_rfc3339(said["at"]), said["by"], said["role"]
    except (KeyError, SealwrightError) as error:
        raise VerificationFailed(f"It does not say who signed in which role, and when: {str(error)[:120]}.") from None
    if name != person.name:
        raise VerificationFailed(f"It is signed with the key of {person.name} in the name of {str(name)[:64]}.")
    if not person.holds(str(role), project):
        where = f" in {project}" if project is not None else ""
        raise VerificationFailed(f"{person.name} signed as {str(role)[:64]}, a role they are not enrolled for{where}.")
    problem = standing_of(enrolment).problem_at(at)
    if problem:
        raise VerificationFailed(f"{person.name} signed on {rfc3339(at)[:10]}, but {problem}.")
    return statement, person


def kind_in(envelope: bytes) -> str:
    """The predicate type an envelope claims, unverified: only ever used to choose what to verify it with.

    Raises
    ------
    VerificationFailed
        This is not an envelope with a statement inside.
    """
    try:
        return str(_payload(envelope)["predicateType"])
    except (KeyError, InvalidInput):
        raise VerificationFailed("This is not a signed statement.") from None


def _enrolled_in(enrolment: bytes) -> Mapping[str, Any]:
    said = _inner(enrolment)
    if not {"name", "roles", "public_key", "enrolled_at"} <= set(said):
        raise InvalidInput("This is not the enrolment of a person.")
    return said


def _inner(envelope: bytes) -> Mapping[str, Any]:
    """The predicate inside an envelope, unverified: only ever used to find what to verify."""
    predicate = _payload(envelope).get("predicate")
    if not isinstance(predicate, Mapping):
        raise InvalidInput("This is not a signed statement.")
    return predicate


def _payload(envelope: bytes) -> Mapping[str, Any]:
    outer = strict_json(envelope, what="the envelope", most_bytes=_MOST_BYTES)
    try:
        inside = strict_json(
            base64.b64decode(outer["payload"], validate=True), what="the payload", most_bytes=_MOST_BYTES
        )
    except (KeyError, TypeError, ValueError, binascii.Error):
        raise InvalidInput("This is not a signed statement.") from None
    if not isinstance(inside, Mapping):
        raise InvalidInput("This is not a signed statement.")
    return inside
