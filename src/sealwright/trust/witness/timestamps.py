"""RFC 3161 time stamps of checkpoints: a time-stamping authority says that a checkpoint existed, and when.

Answers: was this very checkpoint there at that time, by the word of an authority we pinned?
Does not answer: was it the only one? A time stamp on each of two forks shows both; only a witness refuses the second.

The authority's certificate is pinned, not found: whoever verifies brings the same PEM file. A token is judged at the
time it states (RFC 3161, section 4), so it goes on holding after the certificate has run out.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sealwright.kernel import (
    Clock,
    InvalidInput,
    OperationFailed,
    SealwrightError,
    VerificationFailed,
    rfc3339,
    system_clock,
)
from sealwright.trust.witness.client import Post, post

__all__ = ["TimestampAuthority", "request_timestamp", "verify_timestamp"]

_QUERY, _REPLY = "application/timestamp-query", "application/timestamp-reply"
_MOST_TOKEN, _MOST_PEM = 64 * 1024, 256 * 1024
_SKEW = timedelta(minutes=5)
_SHA256 = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1")


@dataclass(frozen=True, slots=True)
class TimestampAuthority:
    """An authority whose word counts: its own certificate, those above it, and the policy it must stamp under."""

    certificate: x509.Certificate
    above: tuple[x509.Certificate, ...]
    policy: x509.ObjectIdentifier | None = None

    @classmethod
    def from_pem(cls, pem: bytes, policy: str | None = None) -> "TimestampAuthority":
        """Read a PEM file: the authority's own certificate first, then those above it up to the root.

        Parameters
        ----------
        policy : str, optional
            The object identifier of the policy, such as "1.3.6.1.4.1.13762.3". Left out: any policy.

        Raises
        ------
        InvalidInput
            No certificates, or no such identifier.
        """
        try:
            first, *above = x509.load_pem_x509_certificates(pem[:_MOST_PEM])
            wanted = x509.ObjectIdentifier(policy) if policy else None
        except ValueError:
            raise InvalidInput(
                "Give a PEM file with the certificate of the time-stamping authority first, then those above it;"
                " and a policy as numbers with dots, if any."
            ) from None
        return cls(first, tuple(above), wanted)

    @property
    def fingerprint(self) -> str:
        """Digest of the authority's own certificate: what two people compare."""
        return f"sha256:{hashlib.sha256(self.certificate.public_bytes(Encoding.DER)).hexdigest()}"


def request_timestamp(
    address: str,
    note: bytes,
    authority: TimestampAuthority,
    *,
    clock: Clock = system_clock,
    send: Post | None = None,
) -> bytes:
    """Have a checkpoint stamped; returns the answer as it came (DER), to be kept beside the checkpoint.

    Parameters
    ----------
    address : str
        Where the authority answers, e.g. "http://timestamp.example/tsr".
    note : bytes
        The signed checkpoint, byte for byte as it is kept.

    Raises
    ------
    OperationFailed
        It cannot be reached, or declines.
    VerificationFailed
        The answer is not the pinned authority's over this checkpoint and this request, or is not of now.
    """
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    # No certificates are asked for: ours is pinned, and `openssl ts` sends several in an order that strict DER refuses.
    asked = (
        TimestampRequestBuilder()
        .data(note)
        .hash_algorithm(HashAlgorithm.SHA256)
        .nonce()
        .cert_request(cert_request=False)
        .build()
    )
    status, kind, body = (send or post)(address, _QUERY, asked.as_bytes())
    if status != 200 or kind.partition(";")[0].strip() != _REPLY:
        raise OperationFailed(f"The time-stamping authority answered {status} {kind[:80]!r} instead of a time stamp.")
    at = _verified(body, note, authority, nonce=asked.nonce)
    if abs(at - clock()) > _SKEW:
        raise VerificationFailed(
            f"The time stamp is dated {rfc3339(at)}, more than five minutes from this machine's clock. One of them is wrong.",
            link="timestamp",
        )
    return body


def verify_timestamp(token: bytes, note: bytes, authority: TimestampAuthority) -> datetime:
    """The time at which the authority saw exactly this checkpoint.

    Raises
    ------
    VerificationFailed
        The token is malformed, another authority's, over something else, under another policy, or was made with a
        certificate that was not valid at the time it states.
    """
    return _verified(token, note, authority, nonce=None)


def _verified(token: bytes, note: bytes, authority: TimestampAuthority, *, nonce: int | None) -> datetime:
    from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

    try:
        if len(token) > _MOST_TOKEN:
            raise VerificationError("it is too long")
        answer = decode_timestamp_response(token)
        verifier = VerifierBuilder(
            policy_id=authority.policy,
            tsa_certificate=authority.certificate,
            roots=list(authority.above) or [authority.certificate],
            nonce=nonce,
        ).build()
        if answer.tst_info.message_imprint.hash_algorithm != _SHA256:
            raise VerificationError("it is not over SHA-256")
        verifier.verify_message(answer, note)
        return _within_validity(answer, authority)
    except SealwrightError:
        raise
    except Exception as error:  # noqa: BLE001 - a token is hostile input, and the parser has many ways to say no
        raise VerificationFailed(
            f"The time stamp does not hold: {str(error)[:200] or type(error).__name__}.", link="timestamp"
        ) from None


def _within_validity(answer: Any, authority: TimestampAuthority) -> datetime:
    """The time it states, which lies in the life of the authority's certificate."""
    at: datetime = answer.tst_info.gen_time
    own = authority.certificate
    if not own.not_valid_before_utc <= at <= own.not_valid_after_utc:
        raise VerificationFailed(
            f"The time stamp is dated {rfc3339(at)}, outside the life of the authority's certificate.", link="timestamp"
        )
    return at
