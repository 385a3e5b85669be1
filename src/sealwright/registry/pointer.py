"""Pointers and revocations: signed, numbered statements of what serves where and what must not.

Answers: is this pointer ours, for this place, in force now, and not older than one seen before?
Does not answer: is the package it names whole? `verify_package` does.

The ideas are those of The Update Framework (rollback and freeze attacks, specification 1.0 section 1.5):
a number that only rises, an end that comes soon, and a reader that remembers the highest number.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sealwright.kernel import (
    InvalidInput,
    SealwrightError,
    VerificationFailed,
    canonical_json,
    check_name,
    digest_of,
    from_rfc3339,
    hex_of,
    rfc3339,
)
from sealwright.registry.model import PointerFacts, Revocation, RevocationList
from sealwright.trust import (
    PointerArm,
    Signer,
    Statement,
    TrustRoot,
    make_statement,
    read_arms,
    read_split,
    sign_statement,
    verify_statement,
)

__all__ = [
    "POINTER_TYPE",
    "REVOCATION_TYPE",
    "PointerExpired",
    "PointerOlder",
    "make_pointer",
    "make_revocations",
    "read_pointer",
    "verify_pointer",
    "verify_revocations",
]

POINTER_TYPE = "urn:sealwright:predicate:pointer:v1"
REVOCATION_TYPE = "urn:sealwright:predicate:revocation:v1"

_SKEW = timedelta(minutes=5)  # clocks of two machines may differ this much
_POINTER_FIELDS = frozenset(
    {"format", "project", "channel", "sequence", "number", "not_before", "expires", "previous"}
    | {"revocations", "reason", "by"}
)
_ARM_FIELDS = frozenset({"arms", "split"})  # of format 2, besides those of format 1
_LIST_FIELDS = frozenset({"format", "sequence", "issued_at", "revoked"})
_LARGEST = 2**31 - 1


class PointerOlder(VerificationFailed):
    """A pointer or revocation list was shown that is older than one seen before: a rollback."""

    code = "pointer.older"


class PointerExpired(VerificationFailed):
    """A pointer's time is over: nobody confirmed the release, or newer pointers are kept from us."""

    code = "pointer.expired"


def make_pointer(facts: Mapping[str, Any], package: str, signer: Signer) -> tuple[bytes, Statement]:
    """Sign a pointer with branch "releases"; the caller has decided that it may be.

    Parameters
    ----------
    facts : mapping
        project, channel, sequence, number, not_before and expires (datetime), previous, revocations, reason, by;
        for several packages also split, and arms (of PointerArm, the champion first).
    package : str
        Digest of the package that is to serve; of the champion, where there are arms.
    """
    arms: tuple[PointerArm, ...] = facts.get("arms", ())
    predicate = {
        **facts,
        "format": 2 if arms else 1,
        "not_before": rfc3339(facts["not_before"]),
        "expires": rfc3339(facts["expires"]),
    }
    if arms:
        predicate["arms"] = [arm.to_json() for arm in arms]
    place = f"{facts['project']}/{facts['channel']}"
    statement = make_statement(_subjects(place, package, arms), POINTER_TYPE, predicate)
    _facts_of(statement)
    return sign_statement(statement, signer), statement


def read_pointer(data: bytes, trust_root: TrustRoot) -> PointerFacts:
    """What a pointer says, whenever it was: its signature and form, not its time or place.

    Raises
    ------
    VerificationFailed
        Not signed by branch "releases", or not a pointer of ours.
    """
    try:
        statement = verify_statement(data, trust_root.keys_of("releases"), predicate_type=POINTER_TYPE)
        return _facts_of(statement)
    except SealwrightError as error:
        raise VerificationFailed(f"The pointer does not verify: {error}", link="pointer") from None


def verify_pointer(
    data: bytes, trust_root: TrustRoot, *, project: str, channel: str, now: datetime, at_least: int
) -> PointerFacts:
    """What serves at this place now, if this pointer may be believed.

    Parameters
    ----------
    data : bytes
        The pointer file.
    project, channel : str
        The place it must be for.
    now : datetime
        The moment to judge by.
    at_least : int
        The highest sequence seen before; 0 for none. Keep it in durable state and pass it always.

    Raises
    ------
    PointerOlder
        Its sequence is lower than `at_least`.
    PointerExpired
        Its time is over.
    VerificationFailed
        Not signed, for another place, or not in force yet.
    """
    facts = read_pointer(data, trust_root)
    if (facts.project, facts.channel) != (project, channel):
        raise VerificationFailed(
            f"This pointer is for {facts.project}/{facts.channel}, not for {project}/{channel}.\n"
            "Somebody put it in another place; promote a version of this project instead.",
            link="pointer",
        )
    if facts.sequence < at_least:
        raise PointerOlder(
            f"This pointer has sequence {facts.sequence}, and {at_least} was seen before: it is an old one shown again.\n"
            "To go back to an older version, use rollback, which signs a new pointer.",
            link="pointer",
        )
    if now < facts.not_before - _SKEW:
        raise VerificationFailed(
            f"This pointer holds only from {rfc3339(facts.not_before)}; check the clock of this machine.",
            link="pointer",
        )
    if now >= facts.expires:
        raise PointerExpired(
            f"This pointer expired at {rfc3339(facts.expires)}. Confirm the release by promoting the version again.",
            link="pointer",
        )
    return facts


def make_revocations(revoked: RevocationList, signer: Signer) -> tuple[bytes, Statement]:
    """Sign a list of revoked packages with branch "releases"."""
    listed = [
        {
            "package": item.package,
            "sequence": item.sequence,
            "reason": item.reason,
            "by": item.by,
            "at": rfc3339(item.at),
        }
        for item in sorted(revoked.packages.values(), key=lambda item: item.sequence)
    ]
    predicate = {
        "format": 1,
        "sequence": revoked.sequence,
        "issued_at": rfc3339(revoked.issued_at),
        "revoked": listed,
    }
    statement = make_statement([("revocations", digest_of(canonical_json(listed)))], REVOCATION_TYPE, predicate)
    return sign_statement(statement, signer), statement


def verify_revocations(data: bytes, trust_root: TrustRoot, *, at_least: int = 0) -> RevocationList:
    """The packages that must not be served.

    Parameters
    ----------
    at_least : int
        The highest list seen before, or the one the pointer names (`PointerFacts.revocations`).

    Raises
    ------
    PointerOlder
        The list is older than `at_least`.
    VerificationFailed
        Not signed by branch "releases", or not a list of ours.
    """
    try:
        keys = trust_root.keys_of("releases")
        found = _list_of(verify_statement(data, keys, predicate_type=REVOCATION_TYPE))
    except SealwrightError as error:
        raise VerificationFailed(f"The revocation list does not verify: {error}", link="revocations") from None
    if found.sequence < at_least:
        raise PointerOlder(
            f"This revocation list has sequence {found.sequence}, and {at_least} was seen before: it is an old one.\n"
            "Restore the newest revocations.json.",
            link="revocations",
        )
    return found


def _facts_of(statement: Statement) -> PointerFacts:
    said = statement.predicate
    several = said.get("format") == 2
    if set(said) != (_POINTER_FIELDS | _ARM_FIELDS if several else _POINTER_FIELDS) or said["format"] not in {1, 2}:
        raise InvalidInput("its fields are not those of format 1 or 2")
    previous = said["previous"]
    if previous is not None:
        hex_of(previous)
    facts = PointerFacts(
        project=check_name(said["project"], what="project"),
        channel=check_name(said["channel"], what="channel"),
        sequence=_count(said["sequence"], "sequence", least=1),
        package=statement.subject_digests[0],
        number=_count(said["number"], "number", least=1),
        not_before=from_rfc3339(said["not_before"]),
        expires=from_rfc3339(said["expires"]),
        previous=previous,
        revocations=_count(said["revocations"], "revocations", least=0),
        reason=_text(said["reason"]),
        by=check_name(said["by"], what="person"),
        digest=statement.digest,
        arms=read_arms(said["arms"]) if several else (),
        split=read_split(said["split"]) if several else "",
    )
    if list(statement.subjects) != _subjects(f"{facts.project}/{facts.channel}", facts.package, facts.arms):
        raise InvalidInput("it says another place, or other packages, than it is about")
    if facts.arms and (facts.arms[0].package, facts.arms[0].number) != (facts.package, facts.number):
        raise InvalidInput("its champion is another version than it names")
    if facts.expires <= facts.not_before or (previous is not None and facts.sequence == 1):
        raise InvalidInput("its times or its predecessor make no sense")
    return facts


def _subjects(place: str, package: str, arms: Sequence[PointerArm]) -> list[tuple[str, str]]:
    """Every package a pointer lets serve, the champion in front: whoever verifies one asks for all of them."""
    return [(place, package), *((f"{place}/{arm.name}", arm.package) for arm in arms[1:])]


def _list_of(statement: Statement) -> RevocationList:
    said = statement.predicate
    if set(said) != _LIST_FIELDS or said["format"] != 1 or not isinstance(said["revoked"], list):
        raise InvalidInput("its fields are not those of format 1")
    sequence = _count(said["sequence"], "sequence", least=0)
    packages: dict[str, Revocation] = {}
    for place, item in enumerate(said["revoked"], start=1):
        if not isinstance(item, dict) or set(item) != {"package", "sequence", "reason", "by", "at"}:
            raise InvalidInput("an entry does not have the fields of format 1")
        hex_of(item["package"])
        packages[item["package"]] = Revocation(
            package=item["package"],
            sequence=_count(item["sequence"], "sequence", least=place),
            reason=_text(item["reason"]),
            by=check_name(item["by"], what="person"),
            at=from_rfc3339(item["at"]),
        )
    if len(packages) != sequence or len(said["revoked"]) != sequence:
        raise InvalidInput("it does not name as many packages as its sequence says")
    if statement.subjects != (("revocations", digest_of(canonical_json(said["revoked"]))),):
        raise InvalidInput("it is about another list than it holds")
    return RevocationList(
        sequence=sequence, issued_at=from_rfc3339(said["issued_at"]), packages=packages, digest=statement.digest
    )


def _count(value: object, what: str, *, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= _LARGEST:
        raise InvalidInput(f"its {what} is not a whole number from {least}")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 2000 or not value.isprintable():
        raise InvalidInput("its reason is not readable text")
    return value
