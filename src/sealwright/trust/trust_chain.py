"""How one trust root becomes the next: each change is signed by the keys of the old one and of the new one.

Answers: I trust this trust.json; is that newer one its lawful successor?
Does not answer: is the first one really that workspace's? Compare its fingerprint over another channel.

The idea is that of root rotation in The Update Framework (specification 1.0, section 5.3): whoever holds any earlier
root can walk to the newest, number by number, and refuses to go back.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from sealwright.kernel import (
    InvalidInput,
    SealwrightError,
    VerificationFailed,
    canonical_json,
    read_limited,
    strict_json,
)
from sealwright.trust.public_keys import PublicKey, Signer
from sealwright.trust.statements import Statement, make_statement, sign_statement, verify_statement
from sealwright.trust.strict_base64 import decode_base64
from sealwright.trust.trust_root import TrustRoot

__all__ = [
    "TRUST_CHAIN",
    "TRUST_ROOT_TYPE",
    "TrustRootOlder",
    "chain_bytes",
    "follow_chain",
    "make_link",
    "read_chain",
]

TRUST_ROOT_TYPE = "urn:sealwright:predicate:trust-root:v1"
_LARGEST = 2**31 - 1
TRUST_CHAIN = "trust-chain.json"
_MOST_CHAIN = 64 << 20  # some 400 steps: each repeats the whole trust root
_LINK = TRUST_CHAIN


class TrustRootOlder(VerificationFailed):
    """A chain was shown that ends before a trust root seen earlier: a rollback."""

    code = "keys.trust_root_older"


def make_link(old: TrustRoot, new: TrustRoot, sequence: int, signers: Sequence[Signer]) -> bytes:
    """The signed step from `old` to `new`.

    Parameters
    ----------
    sequence : int
        1 for the first change of a workspace, then one more each time.
    signers : sequence of Signer
        The "authority" of the old root, and that of the new one where it is another key.
    """
    predicate = {
        "format": 1,
        "sequence": sequence,
        "previous": old.fingerprint,
        "trust_root": new.to_bytes().decode("utf-8"),
    }
    statement = make_statement([("trust.json", new.fingerprint)], TRUST_ROOT_TYPE, predicate)
    envelope = sign_statement(statement, *signers)
    _step(envelope, old)
    return envelope


def follow_chain(known: TrustRoot, links: Sequence[bytes], *, at_least: int = 0) -> tuple[TrustRoot, int]:
    """The newest trust root and its number, from one that is trusted already.

    Parameters
    ----------
    links : sequence of bytes
        Every step from the first on, as the workspace hands them out. Those before `known` are not looked into.
    at_least : int
        The highest number seen before.

    Raises
    ------
    TrustRootOlder
        The chain ends before that.
    VerificationFailed
        A step is missing, out of order, or not signed by the keys of both sides; or `known` is on no step.
    """
    claimed = [_claims(data) for data in links]
    for place, one in enumerate(claimed):
        before = claimed[place - 1].new if place else one.previous
        if one.sequence != place + 1 or one.previous != before:
            raise VerificationFailed(f"Step {place + 1} of the chain of trust roots is missing or moved.", link=_LINK)
    roots = [*(one.previous for one in claimed), *(one.new for one in claimed[-1:])]
    if links and known.fingerprint not in roots:
        raise VerificationFailed(
            "The trust root you hold is on no step of this chain: it is of another workspace, or a forgery.", link=_LINK
        )
    current = known
    for data in links[roots.index(known.fingerprint) :] if links else ():
        current = _step(data, current)
    if len(links) < at_least:
        raise TrustRootOlder(
            f"This chain ends at trust root {len(links)}, and {at_least} was seen before: it is an old one. Get the newest.",
            link=_LINK,
        )
    return current, len(links)


def read_chain(file: Path) -> list[bytes]:
    """Every signed step from the first trust root of a workspace to its newest; none before the first rotation.

    Raises
    ------
    InvalidInput
        It is not a list of steps.
    """
    if not file.exists():
        return []
    found = strict_json(read_limited(file, _MOST_CHAIN), what=TRUST_CHAIN, most_bytes=_MOST_CHAIN)
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise InvalidInput(f"{TRUST_CHAIN} is not a list of signed steps. Restore it from your backup.")
    return [one.encode("utf-8") for one in found]


def chain_bytes(chain: Sequence[bytes]) -> bytes:
    """What `read_chain` reads."""
    return canonical_json([one.decode("utf-8") for one in chain])


class _Claim(NamedTuple):
    """What a step says it is. Believed only after `_step`."""

    previous: str  # fingerprint
    new: str
    sequence: int


def _step(data: bytes, old: TrustRoot) -> TrustRoot:
    """The trust root a step leads to, if the authority of both sides signed it."""
    try:
        new = _root_in(Statement(_payload(data)))
        first, second = old.keys_of("authority")[-1], new.keys_of("authority")[-1]
        keys: list[PublicKey] = [first] if first.key_id == second.key_id else [first, second]
        verify_statement(data, keys, predicate_type=TRUST_ROOT_TYPE, threshold=len(keys))
    except SealwrightError as error:
        raise VerificationFailed(f"A step of the chain of trust roots does not verify: {error}", link=_LINK) from None
    if new.workspace != old.workspace:
        raise VerificationFailed("A step leads to the trust root of another workspace.", link=_LINK)
    for branch, keys_before in old.keys.items():
        if new.keys.get(branch, ())[: len(keys_before)] != keys_before:
            raise VerificationFailed(f"A step drops or changes a key of {branch!r}; keys are only added.", link=_LINK)
    return new


def _claims(data: bytes) -> _Claim:
    try:
        statement = Statement(_payload(data))
        _root_in(statement)
        said = statement.predicate
        return _Claim(said["previous"], statement.subject_digests[0], said["sequence"])
    except SealwrightError as error:
        raise VerificationFailed(f"A step of the chain of trust roots cannot be read: {error}", link=_LINK) from None


def _root_in(statement: Statement) -> TrustRoot:
    said = statement.predicate
    if set(said) != {"format", "sequence", "previous", "trust_root"} or said["format"] != 1:
        raise InvalidInput("its fields are not those of format 1")
    sequence = said["sequence"]
    if type(sequence) is not int or not 1 <= sequence <= _LARGEST or not isinstance(said["trust_root"], str):
        raise InvalidInput("its number or its trust root has another form")
    new = TrustRoot.from_bytes(said["trust_root"].encode("utf-8"))
    if statement.subjects != (("trust.json", new.fingerprint),) or not isinstance(said["previous"], str):
        raise InvalidInput("it is about another trust root than it holds")
    return new


def _payload(data: bytes) -> bytes:
    """The payload of an envelope, before it is verified: only to learn which keys must have signed it."""
    value = strict_json(data, what="a step of the chain", most_bytes=1 << 20)
    if not isinstance(value, dict) or "payload" not in value:
        raise InvalidInput("it is no signed statement")
    return decode_base64(value["payload"], what="The payload")
