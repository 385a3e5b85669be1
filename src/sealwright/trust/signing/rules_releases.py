"""What the branch "releases" signs: pointers that follow a passed gate, and lists of revoked packages.

Answers: may this pointer be signed after all that was signed before, and did the gate pass exactly this package?
Does not answer: who promotes it, and may they? The registry's caller was asked that before.

The signer remembers, so that no program that holds its socket can go back: a pointer's sequence is higher than every
sequence signed for its place, and a package once revoked stays on the list.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sealwright.kernel import SealwrightError, VerificationFailed, check_name, from_rfc3339, hex_of
from sealwright.trust.pointer_arms import gates_shown, read_arms, read_split
from sealwright.trust.public_keys import PublicKey
from sealwright.trust.signing.errors import SignerRefused
from sealwright.trust.signing.memory_releases import Released, ReleaseMemory
from sealwright.trust.signing.rules_statements import statement_in
from sealwright.trust.statements import Statement, verify_statement

__all__ = ["CLOCK_SKEW", "POINTER_TYPE", "REVOCATION_TYPE", "release_let_through"]

POINTER_TYPE = "urn:sealwright:predicate:pointer:v1"
REVOCATION_TYPE = "urn:sealwright:predicate:revocation:v1"
CLOCK_SKEW = timedelta(minutes=5)  # nothing is signed that begins later than this from now

_VSA_TYPE = "https://slsa.dev/verification_summary/v1"
_LONGEST = timedelta(days=90)
_LARGEST = 2**31 - 1


@contextmanager
def release_let_through(
    data: bytes, gate: bytes, *, keys: Sequence[PublicKey], memory: ReleaseMemory, now: datetime
) -> Iterator[None]:
    """Inside, `data` is signed if it may be. It is remembered, on disk, when the block ends; not if it could not be signed.

    Parameters
    ----------
    gate : bytes
        For a pointer: the envelope with the gate's decision on its package; with several arms, one for each package, in
        the order of the arms, as a JSON list of texts (`shown_for`).
    keys : sequence of PublicKey
        Of branch "statements": who signs the gate's decisions.

    Raises
    ------
    SignerRefused
        With the reason: "release.type", "pointer.…" or "revocation.…".
    """
    statement = statement_in(data)
    if statement.predicate_type == POINTER_TYPE:
        place, sequence = _pointer(statement, now)
        for package, decision in zip(statement.subject_digests, _gates(gate, statement), strict=True):
            _refuse_without_gate(decision, package, keys)
        with memory.change() as kept:
            _refuse_older(kept.pointers.get(place), sequence, statement, place)
            yield
            kept.pointers[place] = Released(sequence=sequence, statement=statement.digest)
    elif statement.predicate_type == REVOCATION_TYPE:
        packages = _revocations(statement)
        with memory.change() as kept:
            _refuse_dropped(kept.revoked, packages)
            yield
            kept.revoked = packages
    else:
        raise SignerRefused(
            "release.type",
            f"The branch 'releases' does not sign statements of type {statement.predicate_type[:100]!r}.",
        )


def _pointer(statement: Statement, now: datetime) -> tuple[str, int]:
    """Place and sequence of a pointer whose form and times are right."""
    said = statement.predicate
    try:
        place = f"{check_name(said['project'], what='project')}/{check_name(said['channel'], what='channel')}"
        begins, ends = from_rfc3339(said["not_before"]), from_rfc3339(said["expires"])
        sequence, form = said["sequence"], said["format"]
        subjects = _subjects_of_arms(said, place) if form == 2 else [(place, statement.subject_digests[0])]
    except (SealwrightError, KeyError, TypeError):
        raise _malformed_pointer() from None
    if type(sequence) is not int or not 1 <= sequence <= _LARGEST or form not in {1, 2}:
        raise _malformed_pointer()
    if list(statement.subjects) != subjects or (form == 1 and said.keys() & {"arms", "split"}):
        raise _malformed_pointer()
    if not timedelta(0) < ends - begins <= _LONGEST:
        raise SignerRefused("pointer.too_long", f"A pointer holds for at most {_LONGEST.days} days.")
    if begins > now + CLOCK_SKEW:
        raise SignerRefused("pointer.future", "This pointer begins later than now. Compare the clocks.")
    return place, sequence


def _subjects_of_arms(said: Mapping[str, Any], place: str) -> list[tuple[str, str]]:
    """What a pointer to these arms is about: each of their packages, and no other, under the name of its arm."""
    arms = read_arms(said["arms"])
    read_split(said["split"])
    if arms[0].number != said["number"]:
        raise _malformed_pointer()
    return [(place, arms[0].package), *((f"{place}/{arm.name}", arm.package) for arm in arms[1:])]


def _gates(shown: bytes, statement: Statement) -> list[bytes]:
    """The decisions that were shown, one for each package."""
    if statement.predicate["format"] == 1:
        return [shown]
    found = gates_shown(shown)
    if len(found) != len(statement.subjects):
        raise SignerRefused(
            "pointer.gate_missing",
            "A pointer with arms is signed only with the gate's decision on each of its packages.",
        )
    return found


def _malformed_pointer() -> SignerRefused:
    return SignerRefused("pointer.malformed", "This is not a pointer of ours.")


def _refuse_older(last: Released | None, sequence: int, statement: Statement, place: str) -> None:
    if last is None or sequence > last.sequence or (sequence, statement.digest) == (last.sequence, last.statement):
        return
    raise SignerRefused(
        "pointer.older",
        f"A pointer with sequence {last.sequence} was signed for {place} before; the next one is {last.sequence + 1}.",
        at=last.sequence,
    )


def _refuse_without_gate(gate: bytes, package: str, keys: Sequence[PublicKey]) -> None:
    """A pointer goes with the gate's decision on its package: passed, in every place that says so, and ours."""
    if not gate:
        raise SignerRefused("pointer.gate_missing", "A pointer is signed only with the gate's decision on its package.")
    try:
        decision = verify_statement(gate, keys, predicate_type=_VSA_TYPE)
    except VerificationFailed as error:
        raise SignerRefused("pointer.gate_not_ours", f"The gate's decision does not verify: {error}") from None
    if decision.subject_digests != (package,):
        raise SignerRefused("pointer.gate_of_another", "The gate's decision is about another package.")
    if not _passed(decision.predicate, package):
        raise SignerRefused("pointer.gate_failed", "The gate did not pass this package.")


def _passed(said: Mapping[str, Any], package: str) -> bool:
    ours, levels = said.get("sealwright"), said.get("verifiedLevels")
    return (
        said.get("verificationResult") == "PASSED"
        and isinstance(levels, list)
        and "FAILED" not in levels
        and isinstance(ours, dict)
        and ours.get("passed") is True
        and ours.get("package") == package
    )


def _revocations(statement: Statement) -> tuple[str, ...]:
    """The packages on a list whose form is right."""
    malformed = SignerRefused("revocation.malformed", "This is not a list of revoked packages of ours.")
    said = statement.predicate
    try:
        packages = tuple(sorted({item["package"] for item in said["revoked"]}))
        for package in packages:
            hex_of(package)
        sequence, count, form = said["sequence"], len(said["revoked"]), said["format"]
    except (SealwrightError, KeyError, TypeError):
        raise malformed from None
    if type(sequence) is not int or not sequence == count == len(packages) or form != 1:
        raise malformed
    if statement.subjects[0][0] != "revocations":
        raise malformed
    return packages


def _refuse_dropped(before: Sequence[str], packages: Sequence[str]) -> None:
    gone = sorted(set(before) - set(packages))
    if gone:
        raise SignerRefused(
            "revocation.dropped",
            f"{gone[0][:19]}… was signed as revoked before, and a revoked package stays revoked.\n"
            "Revoke it again first; then revoke the other.",
        )
