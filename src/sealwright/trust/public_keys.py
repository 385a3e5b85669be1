"""Public keys: what a signature is checked with. Ed25519 and ECDSA P-256, nothing else."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from sealwright.kernel import InvalidInput, VerificationFailed

__all__ = ["ECDSA_P256", "ED25519", "PublicKey", "Signer"]

ED25519 = "ed25519"
ECDSA_P256 = "ecdsa-p256-sha256"

_Loaded = Ed25519PublicKey | EllipticCurvePublicKey
_MOST_PEM = 1024


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One public key. The three fields agree, or the object does not exist.

    `key_id` is the SHA-256 of the DER SubjectPublicKeyInfo in hex, `pem` the one PEM spelling of it.
    """

    key_id: str
    algorithm: str  # "ed25519" or "ecdsa-p256-sha256"
    pem: str
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
            Not a PEM public key of Ed25519 or P-256.
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
        """The bare key: 32 bytes for Ed25519, the 65-byte uncompressed point for P-256."""
        if isinstance(self._loaded, Ed25519PublicKey):
            return self._loaded.public_bytes_raw()
        return self._loaded.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def verify(self, signature: bytes, data: bytes) -> None:
        """Return if `signature` is this key's signature over `data`.

        Raises
        ------
        VerificationFailed
            It is not.
        """
        try:
            if isinstance(self._loaded, Ed25519PublicKey):
                self._loaded.verify(signature, data)
            else:
                self._loaded.verify(signature, data, ECDSA(SHA256()))
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

    def sign(self, data: bytes) -> bytes:
        """The signature over `data`: 64 bytes for Ed25519, DER (r, s) for P-256."""

    def public(self) -> PublicKey:
        """The key to check it with."""


def _load(pem: str) -> _Loaded:
    if len(pem) > _MOST_PEM:
        raise InvalidInput("This is too long for a PEM public key of Ed25519 or P-256.")
    try:
        loaded = load_pem_public_key(pem.encode("ascii"))
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidInput("This is not a PEM public key.") from None
    if isinstance(loaded, Ed25519PublicKey):
        return loaded
    if isinstance(loaded, EllipticCurvePublicKey) and isinstance(loaded.curve, SECP256R1):
        return loaded
    raise InvalidInput("Only Ed25519 and P-256 public keys are used here.")


def _describe(loaded: _Loaded) -> tuple[str, str, str]:
    der = loaded.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    pem = loaded.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")
    return hashlib.sha256(der).hexdigest(), ED25519 if isinstance(loaded, Ed25519PublicKey) else ECDSA_P256, pem
