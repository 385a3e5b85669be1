"""What anybody may know about the token endpoint: its keys (RFC 7517, RFC 8037) and its metadata (RFC 8414)."""

from collections.abc import Sequence
from typing import Any

from sealwright.trust.machines.model import TokenSettings
from sealwright.trust.public_keys import ED25519, PublicKey
from sealwright.trust.strict_base64 import encode_base64url

__all__ = ["jwks_document", "metadata_document"]

_PROOFS = ["client_secret_basic", "client_secret_post", "private_key_jwt", "tls_client_auth"]


def jwks_document(keys: Sequence[PublicKey]) -> dict[str, Any]:
    """All keys that tokens may be signed with, the one in use last. `kid` is the key id that tokens name."""
    return {
        "keys": [
            {
                "kty": "OKP",
                "crv": "Ed25519",
                "x": encode_base64url(key.raw()),
                "kid": key.key_id,
                "use": "sig",
                "alg": "Ed25519",  # RFC 9864
            }
            for key in keys
            if key.algorithm == ED25519
        ]
    }


def metadata_document(settings: TokenSettings) -> dict[str, Any]:
    """The authorization server metadata."""
    base = settings.base_url
    return {
        "issuer": settings.issuer,
        "token_endpoint": settings.token_endpoint,
        "jwks_uri": f"{base}/oauth/jwks.json",
        "introspection_endpoint": f"{base}/oauth/introspect",
        "revocation_endpoint": f"{base}/oauth/revoke",
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": _PROOFS,
        "token_endpoint_auth_signing_alg_values_supported": ["Ed25519", "EdDSA", "ES256"],
        "introspection_endpoint_auth_methods_supported": _PROOFS,
        "revocation_endpoint_auth_methods_supported": _PROOFS,
        "tls_client_certificate_bound_access_tokens": True,
    }
