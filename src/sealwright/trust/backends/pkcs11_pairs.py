"""Key pairs in a PKCS#11 session: found by their label, read as public keys, and asked to sign."""

import hashlib
from typing import Any

from sealwright.kernel import NotFound
from sealwright.trust.backends.errors import BackendRefused
from sealwright.trust.public_keys import ED25519, PublicKey

__all__ = ["private_of", "public_of", "signature_of"]


def private_of(session: Any, name: str) -> Any:
    return _object(session, name, "PRIVATE_KEY")


def _object(session: Any, name: str, kind: str) -> Any:
    from pkcs11 import Attribute, ObjectClass

    found = list(session.get_objects({Attribute.CLASS: ObjectClass[kind], Attribute.LABEL: name}))
    if len(found) > 1:
        raise BackendRefused(f"The token has {len(found)} keys called {name!r}; which one is it?")
    return found[0] if found else None


def public_of(session: Any, name: str) -> PublicKey:
    """The public half of a key pair, from the token."""
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from pkcs11 import Attribute, KeyType

    key, private = _object(session, name, "PUBLIC_KEY"), private_of(session, name)
    if key is None or private is None:
        raise NotFound(f"The token has no key pair {name!r}.")
    if private[Attribute.EXTRACTABLE] or not private[Attribute.SENSITIVE]:
        raise BackendRefused(
            f"The private key {name!r} can be taken out of the token, so it is no safer there than in a file.\n"
            "Make another one that is sensitive and not extractable."
        )
    tag, length, *point = key[Attribute.EC_POINT]  # DER octet string around the point
    if tag != 4 or length != len(point):
        raise BackendRefused(f"The token describes the key {name!r} in a way we do not know.")
    loaded: EllipticCurvePublicKey | Ed25519PublicKey
    if key.key_type == KeyType.EC_EDWARDS:
        loaded = Ed25519PublicKey.from_public_bytes(bytes(point))
    else:
        loaded = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), bytes(point))
    return PublicKey.from_pem(loaded.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def signature_of(session: Any, name: str, public: PublicKey, data: bytes) -> bytes:
    from pkcs11 import Mechanism
    from pkcs11.util.ec import encode_ecdsa_signature

    key = private_of(session, name)
    if key is None:
        raise BackendRefused(f"The token has no key {name!r} any more.")
    if public.algorithm == ED25519:
        return bytes(key.sign(data, mechanism=Mechanism.EDDSA))
    return encode_ecdsa_signature(key.sign(hashlib.sha256(data).digest(), mechanism=Mechanism.ECDSA))
