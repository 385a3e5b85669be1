"""Public keys: what a signature is checked with. Ed25519, ECDSA P-256 and ML-DSA-65, nothing else.

ML-DSA-65 (FIPS 204) withstands quantum computers as far as is known; it signs beside another key, never alone
(`second_signature`).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from sealwright.kernel import InvalidInput, VerificationFailed

__all__ = ["ECDSA_P256", "ED25519", "ML_DSA_65", "PublicKey", "Signer"]

ED25519 = "ed25519"
ECDSA_P256 = "ecdsa-p256-sha256"
ML_DSA_65 = "ml-dsa-65"

_Loaded = Ed25519PublicKey | EllipticCurvePublicKey | MLDSA65PublicKey
_MOST_PEM = 4096  # an ML-DSA-65 key is 1,952 bytes, its PEM text 2,726


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One public key. The three fields agree, or the object does not exist.

    `key_id` is the SHA-256 of the DER SubjectPublicKeyInfo in hex, `pem` the one PEM spelling of it.
    A key with `beside` does not sign statements alone: one of those keys must sign, too. `TrustRoot.keys_of`
    sets it, so that whoever verifies a statement with the key cannot forget to ask for the second signature.
    """

    key_id: str
    algorithm: str  # "ed25519", "ecdsa-p256-sha256" or "ml-dsa-65"
    pem: str
    beside: tuple["PublicKey", ...] = field(default=(), repr=False, compare=False)
    _loaded: _Loaded = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        loaded = _load(self.pem)
        if (self.key_id, self.algorithm, self.pem) != _describe(loaded):
            raise InvalidInput("A public key whose id, algorithm and PEM do not belong together. It was changed.")
        object.__setattr__(self, "_loaded", loaded)

    @classmethod
    def from_pem(cls, pem: str | bytes) -> "PublicKey":
        """The key of a PEM text.

        Raises
        ------
        InvalidInput
            Not a PEM public key of Ed25519, P-256 or ML-DSA-65.
        """
        text = pem.decode("ascii", "replace") if isinstance(pem, bytes) else pem
        return cls(*_describe(_load(text)))

    @classmethod
    def from_json(cls, value: object) -> "PublicKey":
        """The key `to_json` wrote.

        Raises
        ------
        InvalidInput
            Fields missing, unknown, or not belonging together.
        """
        if not isinstance(value, Mapping) or set(value) != {"key_id", "algorithm", "pem"}:
            raise InvalidInput("A public key has exactly the fields key_id, algorithm and pem.")
        if not all(isinstance(item, str) for item in value.values()):
            raise InvalidInput("The fields of a public key are text.")
        return cls(value["key_id"], value["algorithm"], value["pem"])

    def to_json(self) -> dict[str, Any]:
        """The three fields, as a JSON object."""
        return {"key_id": self.key_id, "algorithm": self.algorithm, "pem": self.pem}

    def raw(self) -> bytes:
        """The bare key: 32 bytes for Ed25519, the 65-byte uncompressed point for P-256, 1,952 bytes for ML-DSA-65."""
        if isinstance(self._loaded, EllipticCurvePublicKey):
            return self._loaded.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return self._loaded.public_bytes_raw()

    def verify(self, signature: bytes, data: bytes) -> None:
        """Return if `signature` is this key's signature over `data`.

        Raises
        ------
        VerificationFailed
            It is not.
        """
        try:
            if isinstance(self._loaded, EllipticCurvePublicKey):
                self._loaded.verify(signature, data, ECDSA(SHA256()))
            else:
                self._loaded.verify(signature, data)
        except InvalidSignature:
            raise VerificationFailed(
                f"The signature is not by key {self.key_id[:16]}…, or what it signs was changed."
            ) from None


class Signer(Protocol):
    """Something that signs and says with which key: a key in memory, a signer process, a hardware module."""

    @property
    def key_id(self) -> str: ...

    @property
    def algorithm(self) -> str: ...

    @property
    def beside(self) -> tuple["Signer", ...]:
        """Who signs every statement besides; () where one signature is enough."""

    def sign(self, data: bytes) -> bytes:
        """The signature over `data`: 64 bytes for Ed25519, DER (r, s) for P-256, 3,309 bytes for ML-DSA-65."""

    def sign_together(self, data: bytes) -> tuple[bytes, ...]:
        """The signature over `data`, then those of `beside`, in their order: asked for at once, so that all are of one mind."""

    def public(self) -> PublicKey:
        """The key to check it with."""


def _load(pem: str) -> _Loaded:
    if len(pem) > _MOST_PEM:
        raise InvalidInput("This is too long for a PEM public key of Ed25519, P-256 or ML-DSA-65.")
    try:
        loaded = load_pem_public_key(pem.encode("ascii"))
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidInput("This is not a PEM public key.") from None
    if isinstance(loaded, Ed25519PublicKey | MLDSA65PublicKey):
        return loaded
    if isinstance(loaded, EllipticCurvePublicKey) and isinstance(loaded.curve, SECP256R1):
        return loaded
    raise InvalidInput("Only Ed25519, P-256 and ML-DSA-65 public keys are used here.")


def _describe(loaded: _Loaded) -> tuple[str, str, str]:
    der = loaded.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    pem = loaded.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")
    return hashlib.sha256(der).hexdigest(), _algorithm(loaded), pem


def _algorithm(loaded: _Loaded) -> str:
    if isinstance(loaded, Ed25519PublicKey):
        return ED25519
    return ECDSA_P256 if isinstance(loaded, EllipticCurvePublicKey) else ML_DSA_65
