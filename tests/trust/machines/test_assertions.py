"""A client that signs its own proof (RFC 7523): by its registered key, for our endpoint, once."""

import json
from datetime import timedelta
from typing import Any

import pytest
from authlib.oauth2.rfc7523 import ClientSecretJWT, private_key_jwt_sign
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc.jwk import ECKey

from sealwright.trust import PublicKey
from sealwright.trust.machines.assertions import ASSERTION_TYPE
from sealwright.trust.strict_base64 import encode_base64url

ENDPOINT = "https://control.example.org/oauth/token"
ED, EC = ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1())


def public(key: Any) -> PublicKey:
    return PublicKey.from_pem(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def assertion(desk: Any, key: Any = ED, header: dict[str, Any] | None = None, **changes: Any) -> str:
    now = int(desk.clock().timestamp())
    claims = {"iss": "robot", "sub": "robot", "aud": ENDPOINT, "iat": now, "exp": now + 60, "jti": "jti-0001"} | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    alg = "Ed25519" if isinstance(key, ed25519.Ed25519PrivateKey) else "ES256"
    head = {"alg": alg, "typ": "JWT"} | (header or {})
    message = ".".join(encode_base64url(json.dumps(part).encode()) for part in (head, claims))
    if isinstance(key, ed25519.Ed25519PrivateKey):
        signature = key.sign(message.encode())
    else:
        r, s = decode_dss_signature(key.sign(message.encode(), ec.ECDSA(SHA256())))
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return f"{message}.{encode_base64url(signature)}"


def ask(desk: Any, raw: str, **form: str) -> Any:
    values = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": raw} | form
    return desk.ask(**values)


def reason(desk: Any) -> Any:
    return desk.events("token.issue")[-1].detail["reason"]


@pytest.fixture(params=["Ed25519", "ES256"])
def key(request: pytest.FixtureRequest) -> Any:
    return ED if request.param == "Ed25519" else EC


def test_its_own_key_is_its_proof_once(desk: Any, key: Any) -> None:
    desk.add("robot", proof="private_key_jwt", public_key=public(key))
    raw = assertion(desk, key)
    assert ask(desk, raw)[0] == 200
    assert ask(desk, raw)[0] == 401
    assert reason(desk) == "client.assertion_replayed"
    assert ask(desk, assertion(desk, key, jti="jti-0002"), client_id="robot")[0] == 200


def test_an_assertion_replayed_after_a_restart_and_side_by_side_is_refused_t05(desk: Any) -> None:
    """The memory is in the database, so that it survives a restart and is shared by all who answer."""
    from concurrent.futures import ThreadPoolExecutor

    desk.add("robot", proof="private_key_jwt", public_key=public(ED))
    raw = assertion(desk)
    with ThreadPoolExecutor(8) as threads:
        statuses = sorted(threads.map(lambda _: ask(desk, raw)[0], range(16)))
    assert statuses == [200] + [401] * 15


def test_what_authlib_signs_is_accepted(desk: Any) -> None:
    """The clock of the desk stands; Authlib uses the real one, so this endpoint gets the real time."""
    from sealwright.kernel import system_clock

    desk.machines.clock = system_clock
    desk.add("robot", proof="private_key_jwt", public_key=public(EC))
    pem = EC.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    raw = private_key_jwt_sign(ECKey.import_key(pem), client_id="robot", token_endpoint=ENDPOINT, alg="ES256")
    assert ask(desk, raw if isinstance(raw, str) else raw.decode())[0] == 200


WRONG_CLAIMS: list[dict[str, Any]] = [
    {"aud": "https://evil.example/oauth/token"},
    {"aud": [ENDPOINT]},
    {"aud": "https://control.example.org/oauth/introspect"},
    {"iss": "other"},
    {"sub": "other"},
    {"jti": None},
    {"jti": "short"},
    {"jti": 7},
    {"exp": None},
    {"exp": 1},
    {"exp": "9999999999"},
    {"exp": 9_999_999_999},
    {"iat": 9_999_999_999},
    {"nbf": 9_999_999_999},
    {"admin": True},
]


def test_a_wrong_claim_is_refused(desk: Any) -> None:
    desk.add("robot", proof="private_key_jwt", public_key=public(ED))
    for changes in WRONG_CLAIMS:
        assert ask(desk, assertion(desk, **changes))[0] == 401, changes


def test_an_expired_assertion_is_refused_at_the_second(desk: Any) -> None:
    desk.add("robot", proof="private_key_jwt", public_key=public(ED))
    raw = assertion(desk)
    desk.clock.advance(timedelta(seconds=61))
    assert ask(desk, raw)[0] == 401


WRONG_HEADERS: list[dict[str, Any]] = [
    {"alg": "none"},
    {"alg": "HS256"},
    {"alg": "ES256"},
    {"alg": "RS256"},
    {"typ": "at+jwt"},
    {"jwk": {"kty": "OKP"}},
    {"jku": "https://evil.example/keys"},
    {"x5u": "https://evil.example/cert"},
    {"crit": ["exp"]},
    {"b64": False},
]


def test_nothing_in_the_header_chooses_key_or_algorithm_t03(desk: Any) -> None:
    desk.add("robot", proof="private_key_jwt", public_key=public(ED))
    for header in WRONG_HEADERS:
        assert ask(desk, assertion(desk, header=header))[0] == 401, header


def test_another_key_and_an_access_token_are_no_proof(desk: Any) -> None:
    desk.add("robot", proof="private_key_jwt", public_key=public(ED))
    assert ask(desk, assertion(desk, ed25519.Ed25519PrivateKey.generate()))[0] == 401
    assert ask(desk, assertion(desk, EC))[0] == 401
    _, _, body = ask(desk, assertion(desk, jti="jti-0009"))
    assert ask(desk, body["access_token"])[0] == 401
    for raw in ("", "x", "a.b.c", assertion(desk).rsplit(".", 1)[0] + ".", "." * 9000):
        assert ask(desk, raw)[0] == 401
    assert ask(desk, assertion(desk), client_assertion_type="urn:other")[0] == 401


def test_a_secret_as_hmac_key_is_no_proof_t02(desk: Any) -> None:
    """The attacker knows the public key and signs HS256 with its PEM."""
    desk.add("robot", proof="private_key_jwt", public_key=public(ED))
    import hmac as mac

    head, body, _ = assertion(desk, header={"alg": "HS256"}).split(".")
    tag = mac.digest(public(ED).pem.encode(), f"{head}.{body}".encode(), "sha256")
    assert ask(desk, f"{head}.{body}.{encode_base64url(tag)}")[0] == 401
    assert ClientSecretJWT.alg == "HS256"  # what a library would send; it is not offered
