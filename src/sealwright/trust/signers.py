"""Private keys in memory. They sign; they are not printed, compared or pickled."""

import secrets
from typing import NoReturn

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    derive_private_key,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sealwright.kernel import InvalidInput
from sealwright.trust.public_keys import ECDSA_P256, ED25519, ML_DSA_65, PublicKey, Signer

__all__ = ["LocalSigner", "new_secret"]

_SECRET = 32
_Private = Ed25519PrivateKey | EllipticCurvePrivateKey | MLDSA65PrivateKey


class LocalSigner:
    """A private key held by this process. Implements `Signer`."""

    __slots__ = ("_algorithm", "_beside", "_private", "_public")

    def __init__(self, algorithm: str, secret: bytes, *, beside: tuple[Signer, ...] = ()) -> None:
        """Take the 32-byte secret: the seed of Ed25519 (RFC 8032) or ML-DSA (FIPS 204), or the P-256 scalar, big-endian."""
        self._algorithm, self._beside = algorithm, beside
        self._private = _load(algorithm, secret)
        pem = self._private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        self._public = PublicKey.from_pem(pem)

    @property
    def key_id(self) -> str:
        return self._public.key_id

    @property
    def algorithm(self) -> str:
        return self._algorithm

    @property
    def beside(self) -> tuple[Signer, ...]:
        """Who signs every statement besides."""
        return self._beside

    def sign(self, data: bytes) -> bytes:
        """Sign `data`: 64 bytes for Ed25519, DER (r, s) for P-256, 3,309 bytes for ML-DSA-65."""
        if isinstance(self._private, EllipticCurvePrivateKey):
            return self._private.sign(data, ECDSA(SHA256()))
        return self._private.sign(data)

    def sign_together(self, data: bytes) -> tuple[bytes, ...]:
        """The signature over `data`, then those of `beside`."""
        return (self.sign(data), *(one.sign(data) for one in self._beside))

    def public(self) -> PublicKey:
        """The key to check signatures with."""
        return self._public

    def with_beside(self, *beside: Signer) -> "LocalSigner":
        """The same key, whose statements `beside` sign, too."""
        other = object.__new__(LocalSigner)
        other._algorithm, other._private, other._public = self._algorithm, self._private, self._public
        other._beside = beside
        return other

    def __repr__(self) -> str:
        return f"LocalSigner({self._algorithm}, {self.key_id[:16]}…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A private key is not written out.")


def new_secret(algorithm: str) -> bytes:
    """32 fresh secret bytes fit for `algorithm`."""
    if algorithm == ECDSA_P256:
        return generate_private_key(SECP256R1()).private_numbers().private_value.to_bytes(_SECRET, "big")
    return secrets.token_bytes(_SECRET)


def _load(algorithm: str, secret: bytes) -> _Private:
    if len(secret) != _SECRET:
        raise InvalidInput(f"A private key here is {_SECRET} bytes.")
    try:
        if algorithm == ED25519:
            return Ed25519PrivateKey.from_private_bytes(secret)
        if algorithm == ML_DSA_65:
            return MLDSA65PrivateKey.from_seed_bytes(secret)
        if algorithm == ECDSA_P256:
            return derive_private_key(int.from_bytes(secret, "big"), SECP256R1())
    except ValueError:
        raise InvalidInput("These 32 bytes are not a private key of that algorithm.") from None
    raise InvalidInput("Only Ed25519, P-256 and ML-DSA-65 keys sign here.")
