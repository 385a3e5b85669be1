"""A bearer token is ours, for one audience, of one type and algorithm, and still valid; or it is refused."""

import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from sealwright.kernel import InvalidInput
from sealwright.trust import ECDSA_P256, ED25519, Claims, LocalSigner, TokenRefused, issue_token, verify_token
from sealwright.trust.strict_base64 import decode_base64url, encode_base64url

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
ONE, TWO, EVIL = (LocalSigner(ED25519, bytes([n]) * 32) for n in (1, 2, 3))
KEYS = (ONE.public(), TWO.public())
HEADER = {"alg": "Ed25519", "typ": "at+jwt", "kid": ONE.key_id}
CLAIMS: dict[str, Any] = {
    "iss": "ws_1",
    "aud": "predict",
    "sub": "app",
    "client_id": "app",
    "scope": "predict:credit",
    "iat": int(NOW.timestamp()),
    "exp": int(NOW.timestamp()) + 3600,
    "jti": "tok_1",
}


def issued(signer: LocalSigner = ONE, **changes: Any) -> str:
    options: dict[str, Any] = {
        "issuer": "ws_1",
        "audience": "predict",
        "subject": "app",
        "scopes": ["predict:credit"],
        "lifetime": timedelta(hours=1),
        "now": NOW,
    }
    return issue_token(signer, **{**options, **changes})


def verified(raw: str, now: datetime = NOW, issuer: str = "ws_1", audience: str = "predict") -> Claims:
    return verify_token(raw, KEYS, issuer=issuer, audience=audience, now=now)


def handmade(header: object, claims: object, signer: LocalSigner = ONE) -> str:
    """Honestly signed, whatever it says."""
    parts = [
        json.dumps(part, separators=(",", ":")).encode() if not isinstance(part, bytes) else part
        for part in (header, claims)
    ]
    message = ".".join(encode_base64url(part) for part in parts)
    return f"{message}.{encode_base64url(signer.sign(message.encode()))}"


def test_a_token_says_what_it_was_issued_for() -> None:
    claims = verified(issued(scopes=["predict:credit", "read"], lifetime=timedelta(minutes=5)))
    assert (claims.subject, claims.scopes) == ("app", {"predict:credit", "read"})
    assert claims.expires_at == NOW + timedelta(minutes=5)
    assert claims.token_id.startswith("tok_")
    assert verified(issued()).token_id != verified(issued()).token_id


def test_each_trusted_key_may_issue() -> None:
    assert verified(issued(TWO)).subject == "app"


def test_a_token_made_by_hand_in_our_shape_is_accepted() -> None:
    """So that every refusal below is for the one thing it changes."""
    assert verified(handmade(HEADER, CLAIMS)).token_id == "tok_1"


def test_another_implementation_reads_our_tokens() -> None:
    token = jwt.decode(issued(), OKPKey.import_key(ONE.public().pem), algorithms=["Ed25519"])
    assert (token.header["typ"], token.claims["aud"]) == ("at+jwt", "predict")


# ---- algorithm and key


@pytest.mark.parametrize(
    "alg", ["none", "None", "NONE", "nOnE", "", "EdDSA", "HS256", "RS256", "ES256", "ed25519", None]
)
def test_another_algorithm_in_the_header_is_refused(alg: object) -> None:
    with pytest.raises(TokenRefused, match="algorithm Ed25519"):
        verified(handmade({**HEADER, "alg": alg}, CLAIMS))


def test_alg_none_without_a_signature_is_refused() -> None:
    header = encode_base64url(json.dumps({**HEADER, "alg": "none"}).encode())
    body = issued().split(".")[1]
    for raw in (f"{header}.{body}.", f"{header}.{body}", issued().rsplit(".", 1)[0] + "."):
        with pytest.raises(TokenRefused):
            verified(raw)


def test_our_public_key_as_an_hmac_secret_is_refused() -> None:
    """Key confusion: the attacker knows the public key and signs with it."""
    for secret in (ONE.public().pem.encode(), ONE.public().raw()):
        for header in ({**HEADER, "alg": "HS256"}, HEADER):
            message = ".".join(encode_base64url(json.dumps(part).encode()) for part in (header, CLAIMS))
            tag = hmac.digest(secret, message.encode(), "sha256")
            with pytest.raises(TokenRefused):
                verified(f"{message}.{encode_base64url(tag)}")


@pytest.mark.parametrize(
    ("alg", "key"),
    [
        ("RS256", RSAKey.generate_key(2048)),
        ("ES256", ECKey.generate_key("P-256")),
        ("HS256", OctKey.generate_key(256)),
        ("EdDSA", OKPKey.generate_key("Ed25519")),
        ("Ed25519", OKPKey.generate_key("Ed25519")),
    ],
)
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_a_token_signed_by_another_key_is_refused(alg: str, key: Any) -> None:
    raw = jwt.encode({**HEADER, "alg": alg}, CLAIMS, key, algorithms=[alg])
    with pytest.raises(TokenRefused):
        verified(raw)


def test_a_key_inside_the_token_is_not_used() -> None:
    key = OKPKey.generate_key("Ed25519")
    for extra in (
        {"jwk": key.as_dict(private=False)},
        {"jku": "https://evil.example/keys"},
        {"x5c": ["AA=="]},
        {"crit": ["b64"], "b64": False},
    ):
        raw = handmade({**HEADER, **extra}, CLAIMS)
        with pytest.raises(TokenRefused, match="say nothing else"):
            verified(raw)


def test_an_unknown_key_is_refused_even_under_a_known_name() -> None:
    with pytest.raises(TokenRefused, match="key we do not know"):
        verified(issued(EVIL))
    with pytest.raises(TokenRefused):
        verified(handmade(HEADER, CLAIMS, EVIL))
    for kid in ("", None, 7, ["x"], {}):
        with pytest.raises(TokenRefused):
            verified(handmade({**HEADER, "kid": kid}, CLAIMS))


def test_a_p256_key_of_the_workspace_issues_no_token() -> None:
    curve = LocalSigner(ECDSA_P256, b"\1" * 32)
    with pytest.raises(InvalidInput, match="Ed25519"):
        issued(curve)
    raw = handmade({**HEADER, "kid": curve.key_id}, CLAIMS, curve)
    with pytest.raises(TokenRefused, match="do not know"):
        verify_token(raw, [curve.public()], issuer="ws_1", audience="predict", now=NOW)


def test_no_keys_accept_no_token() -> None:
    with pytest.raises(TokenRefused):
        verify_token(issued(), [], issuer="ws_1", audience="predict", now=NOW)


# ---- type, audience, time


@pytest.mark.parametrize("typ", ["refresh+jwt", "JWT", "jwt", "AT+JWT", "application/at+jwt", "", None])
def test_another_type_of_token_is_refused(typ: object) -> None:
    """joserfc alone accepts a refresh token where an access token is expected."""
    raw = handmade({**HEADER, "typ": typ}, CLAIMS)
    with pytest.raises(TokenRefused, match="type at"):
        verified(raw)


def test_a_header_without_a_type_is_refused() -> None:
    with pytest.raises(TokenRefused):
        verified(handmade({"alg": "Ed25519", "kid": ONE.key_id}, CLAIMS))


@pytest.mark.parametrize("aud", [["predict"], ["predict", "control"], [], "control", "", None, "predict ", "PREDICT"])
def test_a_list_of_audiences_or_another_audience_is_refused(aud: object) -> None:
    """joserfc alone accepts a list that contains ours."""
    with pytest.raises(TokenRefused):
        verified(handmade(HEADER, {**CLAIMS, "aud": aud}))


def test_another_issuer_is_refused() -> None:
    with pytest.raises(TokenRefused, match="another issuer"):
        verified(issued(issuer="ws_2"))


def test_an_expired_token_is_refused_at_the_second() -> None:
    raw = issued(lifetime=timedelta(minutes=5))
    verified(raw, NOW + timedelta(minutes=4, seconds=59))
    for late in (timedelta(minutes=5), timedelta(minutes=5, seconds=1), timedelta(days=9)):
        with pytest.raises(TokenRefused, match="expired"):
            verified(raw, NOW + late)


def test_a_token_from_the_future_is_refused_beyond_a_minute() -> None:
    verified(issued(), NOW - timedelta(seconds=60))
    with pytest.raises(TokenRefused, match="future"):
        verified(issued(), NOW - timedelta(seconds=62))


@pytest.mark.parametrize("name", ["iat", "exp"])
@pytest.mark.parametrize("value", ["1795368281", 1795368281.5, True, None, [], -(10**30), 10**30, {}])
def test_times_that_are_not_whole_seconds_are_refused(name: str, value: object) -> None:
    with pytest.raises(TokenRefused):
        verified(handmade(HEADER, {**CLAIMS, name: value}))


def test_a_token_that_lives_too_long_is_refused() -> None:
    with pytest.raises(TokenRefused, match="24 hours"):
        verified(handmade(HEADER, {**CLAIMS, "exp": CLAIMS["iat"] + 25 * 3600}))
    with pytest.raises(TokenRefused, match="24 hours"):
        verified(handmade(HEADER, {**CLAIMS, "iat": CLAIMS["iat"] - 25 * 3600}))


@pytest.mark.parametrize("name", sorted(CLAIMS))
def test_every_claim_is_needed(name: str) -> None:
    with pytest.raises(TokenRefused, match="exactly the claims"):
        verified(handmade(HEADER, {key: value for key, value in CLAIMS.items() if key != name}))


def test_unknown_claims_and_empty_ones_are_refused() -> None:
    with pytest.raises(TokenRefused):
        verified(handmade(HEADER, {**CLAIMS, "admin": True}))
    for name in ("sub", "jti", "scope", "iss"):
        for value in ("", 7, None):
            with pytest.raises(TokenRefused):
                verified(handmade(HEADER, {**CLAIMS, name: value}))
    for scope in ("a  b", " a", "a a", "A", "a,b", "a\tb"):
        with pytest.raises(TokenRefused, match="scopes"):
            verified(handmade(HEADER, {**CLAIMS, "scope": scope}))


def test_duplicate_keys_are_refused() -> None:
    claims = json.dumps(CLAIMS).encode().replace(b'{"iss"', b'{"aud": "control", "iss"')
    header = json.dumps(HEADER).encode().replace(b'{"alg"', b'{"alg": "none", "alg"')
    for raw in (handmade(HEADER, claims), handmade(header, CLAIMS)):
        with pytest.raises(TokenRefused):
            verified(raw)


# ---- bytes


def test_every_character_of_a_token_counts() -> None:
    raw = issued()
    for at in range(len(raw)):
        for other in ("A", "B", "_", ".", "="):
            if raw[at] != other:
                with pytest.raises(TokenRefused):
                    verified(raw[:at] + other + raw[at + 1 :])


def test_a_signature_has_one_spelling() -> None:
    """The last character of 64 bytes in base64url carries two unused bits."""
    raw = issued()
    head, signature = raw.rsplit(".", 1)
    data = decode_base64url(signature, what="x")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twins = [signature[:-1] + c for c in alphabet if c != signature[-1]]
    for twin in [*twins, signature + "=", signature + "\n", " " + signature]:
        with pytest.raises(TokenRefused):
            verified(f"{head}.{twin}")
    assert len(data) == 64


@pytest.mark.parametrize(
    "raw",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "a.b",
        "a.b.c.d.e",
        "\x00.\x00.\x00",
        "ä.ö.ü",
        "." * 5000,
        "a" * 9000,
        "e30.e30.e30",
        "bnVsbA.bnVsbA.AAAA",
    ],
)
def test_what_is_no_token_is_refused(raw: str) -> None:
    with pytest.raises(TokenRefused) as error:
        verified(raw)
    assert (error.value.status, error.value.code) == (401, "token.refused")


def test_a_refusal_never_repeats_the_token() -> None:
    raw = issued(audience="control")
    with pytest.raises(TokenRefused) as error:
        verified(raw)
    assert not any(part in str(error.value) for part in (*raw.split("."), "app"))


def test_a_detached_or_unencoded_payload_is_refused() -> None:
    key = OKPKey.import_key(
        {"kty": "OKP", "crv": "Ed25519", "x": encode_base64url(ONE.public().raw()), "d": encode_base64url(b"\1" * 32)}
    )
    whole = jws.serialize_compact({**HEADER}, json.dumps(CLAIMS), key, algorithms=["Ed25519"])
    verified(whole)
    head, _, tail = whole.split(".")
    with pytest.raises(TokenRefused):
        verified(f"{head}..{tail}")


# ---- issuing


@pytest.mark.parametrize(
    "lifetime", [timedelta(0), timedelta(seconds=-1), timedelta(hours=24, seconds=1), timedelta(milliseconds=500)]
)
def test_no_token_lives_forever_or_not_at_all(lifetime: timedelta) -> None:
    with pytest.raises(InvalidInput, match="24 hours"):
        issued(lifetime=lifetime)


@pytest.mark.parametrize("scopes", [[], [""], ["a b"], ["A"], ["a", "a"], ["a\n"], ["*"]])
def test_scopes_are_plain_words(scopes: list[str]) -> None:
    with pytest.raises(InvalidInput, match="scope"):
        issued(scopes=scopes)


@pytest.mark.parametrize("field", ["issuer", "audience", "subject"])
@pytest.mark.parametrize("text", ["", "a b", "a\n", "ä", "x" * 257])
def test_names_in_a_token_are_visible_text(field: str, text: str) -> None:
    with pytest.raises(InvalidInput, match=field):
        issued(**{field: text})
