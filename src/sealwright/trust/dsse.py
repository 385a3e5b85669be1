"""DSSE v1: what exactly is signed, and an envelope that holds payload and signatures.

https://github.com/secure-systems-lab/dsse/blob/v1.0.0/protocol.md
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sealwright.kernel import InvalidInput, VerificationFailed
from sealwright.trust.public_keys import PublicKey, Signer
from sealwright.trust.strict_base64 import decode_base64, encode_base64

__all__ = ["IN_TOTO_PAYLOAD", "envelope_of", "pae", "payload_of"]

IN_TOTO_PAYLOAD = "application/vnd.in-toto+json"


def pae(payload_type: str, payload: bytes) -> bytes:
    """The pre-authentication encoding: the bytes a DSSE signature is over."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def envelope_of(payload: bytes, signers: Sequence[Signer], payload_type: str = IN_TOTO_PAYLOAD) -> dict[str, Any]:
    """An envelope with one signature per signer, then one by each that signs besides, as a JSON object.

    Raises
    ------
    InvalidInput
        No signer, or the same key twice.
    """
    if not signers:
        raise InvalidInput("A statement is signed by at least one key.")
    second = {one.key_id: b"" for signer in signers for one in signer.beside}
    names = [signer.key_id for signer in signers]
    if len({*names, *second}) != len(names) + len(second):
        raise InvalidInput("A statement is signed by no key twice.")
    message, first = pae(payload_type, payload), []
    for signer in signers:
        own, *others = signer.sign_together(message)
        first.append(own)
        second |= zip((one.key_id for one in signer.beside), others, strict=True)
    together = [*zip(names, first, strict=True), *second.items()]
    signatures = [{"keyid": name, "sig": encode_base64(signature)} for name, signature in together]
    return {"payload": encode_base64(payload), "payloadType": payload_type, "signatures": signatures}


def payload_of(
    envelope: object, keys: Sequence[PublicKey], *, threshold: int = 1, payload_type: str = IN_TOTO_PAYLOAD
) -> bytes:
    """The payload, if every signature is good, by a known key, and there are enough of them.

    A key that names others `beside` it counts only together with a signature by one of those, which stands after
    the first ones. The DSSE protocol skips signatures that do not verify. We refuse them: a signature nobody
    can check is either a mistake or an attempt to look better signed than one is.

    Raises
    ------
    VerificationFailed
        Any field missing or unknown, another payload type, any signature unknown, repeated or wrong, or a second one
        missing.
    """
    known = {key.key_id: key for key in keys}
    second = {key.key_id: key for first in keys for key in first.beside}
    if not known or not 1 <= threshold <= len(known):
        raise VerificationFailed(
            f"{threshold} signature(s) are needed, and {len(known)} key(s) were given to check them."
        )
    if not isinstance(envelope, Mapping) or set(envelope) != {"payload", "payloadType", "signatures"}:
        raise VerificationFailed("A DSSE envelope has exactly the fields payload, payloadType and signatures.")
    if envelope["payloadType"] != payload_type:
        raise VerificationFailed(
            f"The payload type is {str(envelope['payloadType'])[:80]!r}; expected {payload_type!r}."
        )
    payload = decode_base64(envelope["payload"], what="The payload")
    signatures, most = envelope["signatures"], len(known) + len(second)
    if not isinstance(signatures, list) or not threshold <= len(signatures) <= most:
        found = len(signatures) if isinstance(signatures, list) else 0
        raise VerificationFailed(
            f"Expected {threshold} to {most} signatures, each by another known key; found {found}."
        )
    message = pae(payload_type, payload)
    seen: list[str] = []
    for signature in signatures:
        seen.append(_check(signature, message, known | second, seen))
    _enough(seen, known, second, threshold)
    return payload


def _enough(
    seen: Sequence[str], known: Mapping[str, PublicKey], second: Mapping[str, PublicKey], threshold: int
) -> None:
    """Enough first signatures, then the second ones that those keys do not stand without."""
    first = [known[key_id] for key_id in seen if key_id not in second]
    if len(first) < threshold or any(key_id in second for key_id in seen[: len(first)]):
        raise VerificationFailed(
            f"Expected {threshold} or more first signatures, then the second ones; found {len(first)}."
        )
    for key in first:
        if key.beside and not {one.key_id for one in key.beside} & set(seen):
            raise VerificationFailed(
                f"The second signature ({key.beside[-1].algorithm}) is missing: key {key.key_id[:16]}… does not sign alone."
            )


def _check(signature: object, message: bytes, known: Mapping[str, PublicKey], seen: Sequence[str]) -> str:
    """The key id of one good signature."""
    if not isinstance(signature, Mapping) or set(signature) != {"keyid", "sig"}:
        raise VerificationFailed("A signature has exactly the fields keyid and sig.")
    key_id = signature["keyid"]
    key = known.get(key_id) if isinstance(key_id, str) else None
    if key is None:
        raise VerificationFailed(f"There is a signature by the unknown key {str(key_id)[:16]!r}.")
    if key.key_id in seen:
        raise VerificationFailed(f"Key {key.key_id[:16]}… signed twice; a second signature adds nothing.")
    key.verify(decode_base64(signature["sig"], what="A signature"), message)
    return key.key_id
