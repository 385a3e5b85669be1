"""What an authenticator sends, checked strictly. Web Authentication Level 3, sections 7.1 and 7.2.

Answers: did the authenticator that holds this key sign this challenge, for this site, after checking the person?
Does not answer: whose key is it, and was the challenge ours? `passkeys` knows.
Pure functions: no database, no time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers import parse_attestation_object
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import AttestationFormat

from sealwright.kernel import SealwrightError, strict_json
from sealwright.trust.identity.errors import ProofRefused
from sealwright.trust.strict_base64 import decode_base64url

__all__ = ["ALGORITHMS", "Registered", "challenge_in", "check_assertion", "check_registration"]

ALGORITHMS = [
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,  # the only one many Windows machines have
]
_FORMATS = (
    AttestationFormat.NONE,
    AttestationFormat.PACKED,
)  # no attestation is asked for; others parse much for nothing
_MOST_BYTES = 16 * 1024
_CLIENT_DATA = {"type", "challenge", "origin"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A new credential: its id, its COSE public key, and the authenticator's count of signatures."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


def challenge_in(response: Mapping[str, Any]) -> bytes:
    """The challenge the browser says it answered: only ever used to find the question we asked.

    Raises
    ------
    ProofRefused
        Not such an answer.
    """
    try:
        return decode_base64url(_client_data(response)["challenge"], what="the challenge")
    except (SealwrightError, AttributeError):
        raise _refused() from None


def check_registration(response: Mapping[str, Any], *, challenge: bytes, rp_id: str, origin: str) -> Registered:
    """The credential in the answer to `navigator.credentials.create()`.

    Raises
    ------
    ProofRefused
        Another challenge, site or kind of answer, or the person was not verified.
    """
    _client_data(response)
    try:
        attested = parse_attestation_object(_bytes(response["response"]["attestationObject"]))
        if attested.fmt not in _FORMATS:
            raise _refused()
        found = verify_registration_response(
            credential=dict(response),
            expected_challenge=challenge,
            expected_rp_id=rp_id,
            expected_origin=origin,
            require_user_verification=True,
            supported_pub_key_algs=ALGORITHMS,
        )
    except ProofRefused:
        raise
    except Exception:  # noqa: BLE001 - whatever a parser of strangers' bytes raises, the answer is no
        raise _refused() from None
    return Registered(
        credential_id=found.credential_id, public_key=found.credential_public_key, sign_count=found.sign_count
    )


def check_assertion(
    response: Mapping[str, Any], *, challenge: bytes, rp_id: str, origin: str, public_key: bytes
) -> int:
    """The count of signatures in the answer to `navigator.credentials.get()`, if everything else holds.

    Raises
    ------
    ProofRefused
        Another key, challenge, site or kind of answer, changed bytes, or the person was not verified.
    """
    _client_data(response)
    try:
        verify_authentication_response(
            credential=dict(response),
            expected_challenge=challenge,
            expected_rp_id=rp_id,
            expected_origin=origin,
            credential_public_key=public_key,
            credential_current_sign_count=0,  # the caller compares it with what is kept, in one statement
            require_user_verification=True,
        )
        data = _bytes(response["response"]["authenticatorData"])
    except Exception:  # noqa: BLE001 - as above
        raise _refused() from None
    return int.from_bytes(data[33:37], "big")


def _client_data(response: Mapping[str, Any]) -> Mapping[str, Any]:
    """The client data: no key twice, no frame of another site."""
    try:
        raw = _bytes(response["response"]["clientDataJSON"])
        said = strict_json(raw, what="the client data", most_bytes=_MOST_BYTES)
    except (SealwrightError, KeyError, TypeError):
        raise _refused() from None
    if not isinstance(said, dict) or not set(said) >= _CLIENT_DATA or said.get("crossOrigin", False) is not False:
        raise _refused()
    return said


def _bytes(text: object) -> bytes:
    if not isinstance(text, str) or len(text) > 2 * _MOST_BYTES:
        raise _refused()
    return decode_base64url(text, what="an answer of an authenticator")


def _refused() -> ProofRefused:
    return ProofRefused("The answer of the passkey is not right for this place and question. Try again.")
