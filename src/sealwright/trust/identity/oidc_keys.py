"""The keys an identity provider publishes (JWK Set, RFC 7517), read strictly.

Answers: which of them may have signed an ID token, and with which algorithm each?
Does not answer: are these the provider's keys? `oidc_provider` fetched them from where the provider says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from sealwright.kernel import InvalidInput, SealwrightError, strict_json
from sealwright.trust.strict_base64 import decode_base64url

__all__ = ["ProviderKey", "read_key_set"]

_MOST_KEYS = 32
_RSA_BITS = range(2048, 8193)
_SECRET_PARTS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
_CURVES = {("EC", "P-256"): "ES256", ("EC", "P-384"): "ES384", ("OKP", "Ed25519"): "Ed25519"}
_RSA = ("RS256", "RS384", "RS512", "PS256")


@dataclass(frozen=True, slots=True)
class ProviderKey:
    """One public key and the algorithms it may be used with here."""

    kid: str | None
    algorithms: frozenset[str]
    key: RSAKey | ECKey | OKPKey


def read_key_set(data: bytes, algorithms: Sequence[str]) -> tuple[ProviderKey, ...]:
    """The keys for the pinned algorithms. Keys for encryption, symmetric keys and unknown kinds are left out.

    Raises
    ------
    InvalidInput
        Not a key set, more than 32 keys, a private key among them, two of one name, an RSA key shorter than 2048 bits, or
        none that can be used.
    """
    said = strict_json(data, what="The key set")
    rows = said.get("keys") if isinstance(said, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows) or len(rows) > _MOST_KEYS:
        raise InvalidInput(f"The key set is not a list of at most {_MOST_KEYS} keys.")
    found = [key for row in rows if (key := _read(row, algorithms)) is not None]
    names = [(key.kid, algorithm) for key in found for algorithm in key.algorithms]
    if not found or len(set(names)) != len(names):
        raise InvalidInput("The key set holds no key for the pinned algorithms, or two of one name.")
    return tuple(found)


def _read(row: Mapping[str, Any], pinned: Sequence[str]) -> ProviderKey | None:
    """One key, if it may sign for us."""
    kind, kid, use, named = (row.get(name) for name in ("kty", "kid", "use", "alg"))
    if not isinstance(kind, str) or kind == "oct":
        return None  # never a shared secret: whoever verifies with it can also sign
    if _SECRET_PARTS & set(row):
        raise InvalidInput("The key set publishes a private key. Whoever read it can sign.")
    if not all(value is None or isinstance(value, str) for value in (kid, use, named, row.get("crv"))):
        raise InvalidInput("A key of the key set is described in another form than text.")
    fitting = _RSA if kind == "RSA" else (_CURVES.get((kind, row.get("crv", "")), ""),)
    usable = frozenset(name for name in fitting if name in pinned and named in (None, name))
    if not usable or use not in (None, "sig"):
        return None
    public = {name: row[name] for name in ("kty", "crv", "n", "e", "x", "y") if name in row}
    try:
        if kind == "RSA":
            _check_size(public)
            return ProviderKey(kid, usable, RSAKey.import_key(public))
        return ProviderKey(kid, usable, (ECKey if kind == "EC" else OKPKey).import_key(public))
    except (JoseError, SealwrightError, ValueError, TypeError, KeyError, AttributeError):
        raise InvalidInput("A key of the key set cannot be read, or is too weak.") from None


def _check_size(public: Mapping[str, Any]) -> None:
    if int.from_bytes(decode_base64url(public["n"], what="n")).bit_length() not in _RSA_BITS:
        raise InvalidInput("size")
