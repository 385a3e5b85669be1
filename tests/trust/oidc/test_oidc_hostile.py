"""A provider, or somebody in its place, misbehaves in one way at a time; nobody comes in (T-01 to T-04, T-21, T-33)."""

import base64
import hashlib
import hmac
import json
import shutil
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.jwk import ECKey, OctKey, RSAKey
from oidc_provider import CLIENT, KEY, OTHER_KEY, b64, signed

from loopback import answer
from sealwright.engines import Database, open_database
from sealwright.trust import OidcRefused, OidcUnavailable, Secret


@pytest.fixture(scope="module")
def empty_db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("oidc") / "empty.sqlite"
    open_database(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def db(empty_db: Path, tmp_path: Path) -> Iterator[Database]:
    """One engine is enough here: what is refused is refused before anything is kept."""
    shutil.copy(empty_db, tmp_path / "db.sqlite")
    database = open_database(f"sqlite:///{tmp_path / 'db.sqlite'}")
    yield database
    database.close()


def refused(desk, login=None) -> str:
    """The reason for which nobody came in; and that nobody did."""
    with pytest.raises(OidcRefused) as error:
        desk.arrive(login)
    assert desk.events() == [("oidc.login", "refused", error.value.reason)]
    with desk.db.read() as tx:
        assert tx.run("SELECT * FROM oidc_accounts") == []
    return error.value.reason


def unavailable(desk, login=None) -> str:
    with pytest.raises(OidcUnavailable) as error:
        desk.arrive(login)
    return error.value.reason


def test_the_provider_of_these_tests_is_believed_when_it_behaves(desk) -> None:
    assert desk.arrive().principal.grants


# ---- the algorithm and the key


def _parts(token: str) -> tuple[dict[str, Any], str, str]:
    head, body, signature = token.split(".")
    return json.loads(_bytes(head)), body, signature


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _with_header(token: str, **changes: object) -> str:
    """The same token with another header; the signature no longer fits."""
    header, body, signature = _parts(token)
    return f"{b64(json.dumps({**header, **changes}).encode())}.{body}.{signature}"


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "", None])
@pytest.mark.parametrize("keep", [True, False])
def test_no_algorithm_t01(desk, alg: object, keep: bool) -> None:
    def unsigned(token: str) -> str:
        head, body, signature = _with_header(token, alg=alg).split(".")
        return f"{head}.{body}.{signature if keep else ''}"

    desk.provider.change_id_token = unsigned
    assert refused(desk) == "oidc.token_form"


@pytest.mark.parametrize("form", ["pem", "pem without the last line break", "der", "modulus", "jwk"])
def test_the_public_key_as_a_shared_secret_t02(desk, form: str) -> None:
    """HS256 with what everybody can read: an old verifier that takes the algorithm from the header falls for it."""
    public = KEY.raw_value.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    secret = {
        "pem": pem,
        "pem without the last line break": pem.rstrip(b"\n"),
        "der": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "modulus": _bytes(str(KEY.as_dict(private=False)["n"])),
        "jwk": json.dumps(KEY.as_dict(private=False)).encode(),
    }[form]

    def forged(token: str) -> str:
        header, body, _ = _parts(token)
        message = f"{b64(json.dumps({**header, 'alg': 'HS256'}).encode())}.{body}"
        return f"{message}.{b64(hmac.digest(secret, message.encode(), hashlib.sha256))}"

    desk.provider.change_id_token = forged
    assert refused(desk) == "oidc.token_form"


def test_a_shared_secret_among_the_published_keys_t02(desk) -> None:
    shared = OctKey.import_key(b"k" * 32, {"kid": "k1"})
    desk.provider.change_keys = lambda _: {"keys": [shared.as_dict(private=True)]}
    desk.provider.key, desk.provider.algorithm = shared, "HS256"
    assert unavailable(desk) == "oidc.keys"


def test_an_algorithm_that_is_not_pinned_t01(desk) -> None:
    curve = ECKey.generate_key("P-256", parameters={"kid": "e1"})
    desk.provider.key, desk.provider.algorithm = curve, "ES256"
    desk.provider.published.append(curve)
    assert refused(desk) == "oidc.token_form"


def test_another_key_of_the_same_name_t03(desk) -> None:
    desk.provider.key = OTHER_KEY
    assert refused(desk) == "oidc.token_signature"


def test_a_key_for_another_algorithm_of_the_same_name_t03(desk) -> None:
    desk.provider.change_keys = lambda said: {"keys": [{**said["keys"][0], "alg": "RS512"}]}
    assert unavailable(desk) == "oidc.keys"


@pytest.mark.parametrize("use", ["enc", "", ["sig"]])
def test_a_key_that_is_not_for_signing_t03(desk, use: object) -> None:
    desk.provider.change_keys = lambda said: {"keys": [{**said["keys"][0], "use": use}]}
    assert unavailable(desk) == "oidc.keys"


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c", "crit", "b64", "zip", "enc", "cty", "exp", "unknown"])
def test_a_header_that_brings_or_names_a_key_t03(desk, canary, name: str) -> None:
    """Signed by the attacker's key, which the header brings; nothing it names is fetched."""
    there = f"https://127.0.0.1:{canary.port}/key"
    brought = {
        "jwk": OTHER_KEY.as_dict(private=False),
        "x5c": ["MIIB"],
        "crit": ["unknown"],
        "b64": False,
    }.get(name, there)

    def forged(token: str) -> str:
        if name in ("crit", "b64"):  # joserfc does not make such a token
            return _with_header(token, **{name: brought})
        header, body, _ = _parts(token)
        return signed({**header, name: brought}, json.loads(_bytes(body)), OTHER_KEY)

    desk.provider.change_id_token = forged
    assert refused(desk) == "oidc.token_form"


@pytest.mark.parametrize("kid", ["../../../../etc/passwd", "k1' OR '1'='1", "k1\x00", "K1", "", " k1", "k1\n", "file:///dev/null",
                                 7, None, ["k1"], {"k": 1}, "x" * 9000])  # fmt: skip
def test_a_key_name_that_tries_things_t03(desk, kid: object) -> None:
    desk.provider.key = OTHER_KEY
    desk.provider.change_id_token = lambda token: _with_header(token, kid=kid)
    assert refused(desk) in ("oidc.unknown_key", "oidc.token_form", "oidc.token_signature")


def test_a_token_without_a_key_name_is_for_a_provider_with_one_key(desk) -> None:
    def without(header: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in header.items() if name != "kid"}

    desk.provider.change_header = without
    desk.provider.published = [KEY, RSAKey.generate_key(2048, parameters={"kid": "k2"})]
    assert refused(desk) == "oidc.unknown_key"


@pytest.mark.parametrize("typ", ["at+jwt", "refresh+jwt", "logout+jwt", "JWS", "", 7])
def test_another_kind_of_token_t04(desk, typ: object) -> None:
    desk.provider.change_header = lambda header: {**header, "typ": typ}
    if typ == 7:
        desk.provider.change_header = lambda header: header
        desk.provider.change_id_token = lambda token: _with_header(token, typ=typ)
    assert refused(desk) == "oidc.token_form"


# ---- the claims


def claims(desk, **changes: object) -> None:
    def changed(said: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in {**said, **changes}.items() if value != "left out"}

    desk.provider.change_claims = changed


@pytest.mark.parametrize("change", ["https://evil.example.org", "", "http", "upper", "slash", "port", None, ["x"], 7])
def test_another_issuer_t04(desk, change: object) -> None:
    own = desk.provider.issuer
    said = {
        "upper": own.upper(),
        "slash": own + "/",
        "port": own.rpartition(":")[0],
        "http": own.replace("https", "http"),
    }
    claims(desk, iss=said.get(change, change) if isinstance(change, str) else change)
    assert refused(desk) == "oidc.token_issuer"


@pytest.mark.parametrize(
    ("aud", "azp"),
    [("other", "left out"), ("", "left out"), ([], "left out"), (["other"], "left out"), (["other"], CLIENT),
     ([CLIENT, "other"], "left out"), (["other", CLIENT], "left out"), ([CLIENT, "other"], "other"), (CLIENT, "other"),
     ([CLIENT], "other"), (CLIENT.upper(), "left out"), (f"{CLIENT} ", "left out"), ([CLIENT, CLIENT], "left out"),
     ([CLIENT, 7], CLIENT), (CLIENT, ""), (CLIENT, [CLIENT]), ({CLIENT: 1}, "other"), ({CLIENT: 1}, "left out"), (7, "left out"), (None, CLIENT), ("sealwrigh", "left out")],
)  # fmt: skip
def test_a_token_for_somebody_else_or_for_somebody_else_as_well_t04(desk, aud: object, azp: object) -> None:
    claims(desk, aud=aud, azp=azp)
    assert refused(desk) == "oidc.token_audience"


@pytest.mark.parametrize(("aud", "azp"), [([CLIENT], "left out"), ([CLIENT, "other"], CLIENT), (CLIENT, CLIENT)])
def test_a_token_that_is_for_us_in_another_spelling_is_good(desk, aud: object, azp: object) -> None:
    claims(desk, aud=aud, azp=azp)
    assert desk.arrive()


@pytest.mark.parametrize("by", [0, -1, -301, -86400])
def test_an_expired_token_t04(desk, by: int) -> None:
    claims(desk, exp=int(desk.clock().timestamp()) + by)
    assert refused(desk) == "oidc.token_time"


@pytest.mark.parametrize("change", [{"iat": 3600}, {"iat": -3600}, {"nbf": 3600}, {"iat": 61}, {"iat": -601}])
def test_a_token_from_another_time_t04(desk, change: dict[str, int]) -> None:
    now = int(desk.clock().timestamp())
    claims(desk, **{name: now + by for name, by in change.items()})
    assert refused(desk) == "oidc.token_time"


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("value", ["1795368281", True, None, [], {}])
def test_times_that_are_no_numbers_t04(desk, name: str, value: object) -> None:
    claims(desk, **{name: value})
    assert refused(desk) == "oidc.token_time"


@pytest.mark.parametrize("nonce", ["another", "", None, 7, ["x"]])
def test_a_token_for_another_login_t04(desk, nonce: object) -> None:
    claims(desk, nonce=nonce)
    assert refused(desk) == "oidc.token_nonce"


def test_a_token_of_an_earlier_login_of_the_same_person_t05(desk) -> None:
    """A real token, replayed into the next login: everything holds but the nonce."""
    tokens: list[str] = []
    desk.provider.change_id_token = lambda token: tokens.append(token) or tokens[0]
    desk.arrive()
    with pytest.raises(OidcRefused) as error:
        desk.arrive()
    assert error.value.reason == "oidc.token_nonce"


@pytest.mark.parametrize("value", ["AAAAAAAAAAAAAAAAAAAAAA", "", None, 7, ["x"], "ä", "AAAAAAAAAAAAAAAAAAAAAA=="])
def test_two_tokens_that_do_not_belong_together_t04(desk, value: object) -> None:
    """A wrong hash, and everything that a check that fails open would take for no hash."""
    claims(desk, at_hash=value)
    assert refused(desk) == "oidc.token_hash"


def test_an_access_token_that_was_swapped_t04(desk) -> None:
    desk.provider.change_tokens = lambda said: {**said, "access_token": "of-somebody-else"}
    assert refused(desk) == "oidc.token_hash"


@pytest.mark.parametrize("subject", ["", None, 7, ["x"], "x" * 256, "ädä"])
def test_a_token_that_names_nobody_t04(desk, subject: object) -> None:
    claims(desk, sub=subject)
    assert refused(desk) == "oidc.token_subject"


@pytest.mark.parametrize("name", ["iss", "aud", "exp", "iat", "nonce", "sub"])
def test_every_claim_is_needed_t04(desk, name: str) -> None:
    claims(desk, **{name: "left out"})
    assert refused(desk) == "oidc.token_form"


@pytest.mark.parametrize("said", [[], "x", 7, None, {}])
def test_claims_that_are_no_claims(desk, said: object) -> None:
    desk.provider.change_claims = lambda _: said
    assert refused(desk) == "oidc.token_form"


@pytest.mark.parametrize(
    "token",
    ["", "x", "a.b", "a.b.c", "..", "e30.e30.e30", "a.b.c.d.e", "x" * 70_000, ". . .", "\x00.\x00.\x00", "ä.ö.ü"],
)
def test_what_is_no_token(desk, token: str) -> None:
    desk.provider.change_id_token = lambda _: token
    assert refused(desk) == "oidc.token_form"


def test_any_changed_character_of_a_token(desk) -> None:
    state = {"at": 0}
    desk.provider.change_id_token = lambda token: _swapped(token, state["at"] % len(token))
    for at in range(0, 900, 37):
        state["at"] = at
        with pytest.raises(OidcRefused):
            desk.arrive()


def _swapped(token: str, at: int) -> str:
    return token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]


def test_claims_with_a_name_twice_t23(desk) -> None:
    def twice(token: str) -> str:
        header, body, _ = _parts(token)
        text = _bytes(body).decode()
        doubled = text[:-1] + ', "sub": "root"}'
        message = f"{b64(json.dumps(header).encode())}.{b64(doubled.encode())}"
        return f"{message}.{b64(KEY.raw_value.sign(message.encode(), PKCS1v15(), SHA256()))}"

    desk.provider.change_id_token = twice
    assert refused(desk) == "oidc.token_form"


# ---- the answer at the token endpoint


@pytest.mark.parametrize(
    "change",
    [{"token_type": "mac"}, {"token_type": None}, {"id_token": None}, {"id_token": 7}, {"access_token": None},
     {"access_token": "ä"}, {"expires_in": "soon"}, {"expires_at": []}, {"error": "x y"}, {"error": ["x"]}],
)  # fmt: skip
def test_an_answer_in_another_form(desk, change: dict[str, object]) -> None:
    desk.provider.change_tokens = lambda said: {**said, **change}
    assert refused(desk) == "oidc.code"


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"<html>", b"\xff", b'{"a":1,"a":2}', b"[" * 100_000])
def test_an_answer_that_is_no_json_object(desk, body: bytes) -> None:
    desk.provider.raw["/token"] = lambda: answer(200, body)
    assert refused(desk) == "oidc.code"


@pytest.mark.parametrize("status", [400, 401, 403, 429])
def test_a_provider_that_says_no_is_a_refusal(desk, status: int) -> None:
    desk.provider.raw["/token"] = lambda: answer(status, b'{"error": "invalid_grant"}')
    assert refused(desk) == "oidc.code"


def test_a_wrong_secret_of_ours_is_a_refusal_that_does_not_tell_it(desk) -> None:
    login = desk.made(client_secret=lambda: Secret("wrong-canary-5521"))
    with pytest.raises(OidcRefused, match="invalid_client") as error:
        desk.arrive(login)
    assert "canary" not in str(error.value)


@pytest.mark.parametrize("status", [500, 503])
def test_a_provider_that_falls_over_is_a_failure(desk, status: int) -> None:
    desk.provider.raw["/token"] = lambda: answer(status, b"oops")
    assert unavailable(desk) == "oidc.status"


def test_a_slow_token_endpoint_ends_at_the_deadline_t21(desk) -> None:
    stop = threading.Event()

    def drip() -> Iterator[bytes]:
        yield b"HTTP/1.1 200 x\r\nContent-Length: 9999\r\n\r\n"
        while not stop.wait(0.1):
            yield b" "

    desk.provider.raw["/token"] = drip
    before = time.monotonic()
    assert unavailable(desk) == "outbound.timeout"
    assert time.monotonic() - before < 4
    stop.set()


def test_a_token_endpoint_that_redirects_inside_t33(open_desk, canary) -> None:
    desk = open_desk(canary.port)
    desk.provider.raw["/token"] = lambda: answer(307, Location=f"https://127.0.0.1:{canary.port}/")
    assert unavailable(desk) == "outbound.redirect"


# ---- what the provider says about itself


@pytest.mark.parametrize("where", ["token_endpoint", "jwks_uri", "authorization_endpoint"])
@pytest.mark.parametrize(
    "address",
    ["https://169.254.169.254/latest/meta-data", "https://127.0.0.1:{port}/", "https://[::1]:{port}/", "http://{name}:{port}/",
     "https://localhost:{port}/", "https://0x7f.1:{port}/", "https://[::ffff:127.0.0.1]:{port}/", "file:///etc/passwd",
     "https://u:p@{name}/", "https://10.0.0.1/", "https://{name}:22/", "javascript:alert(1)", "//{name}/x"],
)  # fmt: skip
def test_an_endpoint_at_an_inner_address_t33(open_desk, canary, where: str, address: str) -> None:
    desk = open_desk(canary.port)
    there = address.format(port=canary.port, name=desk.provider.name)
    desk.provider.change_discovery = lambda said: {**said, where: there}
    assert unavailable(desk).startswith("outbound.")
    assert desk.provider.asked == ["/.well-known/openid-configuration"]


@pytest.mark.parametrize("where", ["token_endpoint", "jwks_uri"])
def test_an_endpoint_whose_name_leads_inside_t33(open_desk, canary, where: str) -> None:
    """A name of its own, not listed here, that the name server puts on loopback."""
    desk = open_desk(canary.port)
    desk.provider.change_discovery = lambda said: {**said, where: f"https://evil.example.net:{canary.port}/x"}
    assert unavailable(desk) == "outbound.address"


def test_a_description_that_redirects_t33(open_desk, canary) -> None:
    desk = open_desk(canary.port)
    there = f"https://127.0.0.1:{canary.port}/.well-known/openid-configuration"
    desk.provider.raw["/.well-known/openid-configuration"] = lambda: answer(302, Location=there)
    assert unavailable(desk) == "outbound.redirect"


@pytest.mark.parametrize(
    "change",
    [{"issuer": "https://evil.example.org"}, {"issuer": None}, {"issuer": ["x"]}, {"issuer": "with slash"},
     {"token_endpoint": None}, {"jwks_uri": 7}, {"authorization_endpoint": ["x"]},
     {"response_types_supported": ["token"]}, {"response_types_supported": None}, {"response_types_supported": "code"},
     {"code_challenge_methods_supported": ["plain"]}, {"code_challenge_methods_supported": []},
     {"id_token_signing_alg_values_supported": ["HS256", "none"]}, {"id_token_signing_alg_values_supported": None},
     {"token_endpoint_auth_methods_supported": ["private_key_jwt"]}],
)  # fmt: skip
def test_a_description_that_cannot_be_used(desk, change: dict[str, object]) -> None:
    if change == {"issuer": "with slash"}:
        change = {"issuer": desk.provider.issuer + "/"}
    desk.provider.change_discovery = lambda said: {**said, **change}
    assert unavailable(desk) == "oidc.metadata"


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/jwks"])
@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"<html>", b'{"keys": 7}', b'{"keys": []}', b'{"keys": [7]}', b"\xff"]
)
def test_descriptions_and_keys_that_are_none(desk, path: str, body: bytes) -> None:
    desk.provider.raw[path] = lambda: answer(200, body)
    assert unavailable(desk) in ("oidc.metadata", "oidc.keys")


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/jwks"])
def test_a_giant_description_or_key_set_t21(desk, path: str) -> None:
    sent = []

    def endless() -> Iterator[bytes]:
        yield b"HTTP/1.1 200 x\r\nContent-Type: application/json\r\n\r\n" + b'{"keys": [' + b" " * 1000
        while True:
            sent.append(65536)
            yield b" " * 65536

    desk.provider.raw[path] = endless
    assert unavailable(desk) == "outbound.too_large"
    assert sum(sent) < 8 << 20


@pytest.mark.parametrize("status", [201, 204, 404, 500])
def test_a_description_with_another_status(desk, status: int) -> None:
    desk.provider.raw["/.well-known/openid-configuration"] = lambda: answer(status, b"{}")
    assert unavailable(desk) == "oidc.status"


@pytest.mark.parametrize(
    "change",
    [lambda row: {**row, "d": "AQAB"}, lambda row: {**row, "n": "AQAB"}, lambda row: {**row, "e": "AQ"},
     lambda row: {**row, "e": "Ag"}, lambda row: {**row, "kid": 7}, lambda row: {**row, "n": 7},
     lambda row: {**row, "n": row["n"] + "="}, lambda _: {"kty": "RSA"}, lambda row: {**row, "kty": "oct", "k": "AAAA"},
     lambda row: {**row, "alg": []}, lambda row: {**row, "kty": []}, lambda row: {**row, "crv": {}}, lambda row: {**row, "use": 7},
     lambda _: {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, lambda _: {}],
)  # fmt: skip
def test_keys_that_are_weak_private_or_broken_t03(desk, change) -> None:
    desk.provider.change_keys = lambda said: {"keys": [change(said["keys"][0])]}
    assert unavailable(desk) == "oidc.keys"


def test_two_keys_of_one_name_and_too_many_keys_t03(desk) -> None:
    desk.provider.published = [OTHER_KEY, KEY]
    assert unavailable(desk) == "oidc.keys"
    desk.provider.change_keys = lambda said: {"keys": said["keys"][:1] * 33}
    assert unavailable(desk) == "oidc.keys"


# ---- two providers


def test_an_answer_of_another_provider_t04(desk) -> None:
    """Mix-up (RFC 9207): the answer names who gives it; it must be who was asked, and nobody's code is sent elsewhere."""
    begun = desk.login.start()
    query = dict(desk.provider.sign_in(begun.url))
    for iss in ("https://evil.example.org", desk.provider.issuer + "/", ""):
        begun = desk.login.start()
        query = dict(desk.provider.sign_in(begun.url))
        with pytest.raises(OidcRefused) as error:
            desk.login.finish([*{**query, "iss": iss}.items()], begun.browser.reveal())
        assert error.value.reason == "oidc.issuer"
    assert "/token" not in desk.provider.asked


def test_an_answer_that_does_not_say_whose_it_is_t04(desk) -> None:
    begun = desk.login.start()
    query = [pair for pair in desk.provider.sign_in(begun.url) if pair[0] != "iss"]
    with pytest.raises(OidcRefused) as error:
        desk.login.finish(query, begun.browser.reveal())
    assert error.value.reason == "oidc.issuer"


def test_a_provider_that_never_says_it_is_accepted_without(desk) -> None:
    desk.provider.change_discovery = lambda said: {
        name: value for name, value in said.items() if name != "authorization_response_iss_parameter_supported"
    }
    begun = desk.login.start()
    query = [pair for pair in desk.provider.sign_in(begun.url) if pair[0] != "iss"]
    assert desk.login.finish(query, begun.browser.reveal())


def test_a_login_begun_with_one_provider_and_finished_with_another_t04(desk) -> None:
    """Two providers share the tables here; a state of one is worth nothing at the other."""
    other = desk.made(issuer=f"https://other.example.org:{desk.provider.port}")
    desk.provider.change_discovery = lambda said: {
        **said, "issuer": f"https://other.example.org:{desk.provider.port}", "authorization_response_iss_parameter_supported": False
    }  # fmt: skip
    begun_there = other.start()
    desk.provider.change_discovery = lambda said: {**said, "authorization_response_iss_parameter_supported": False}
    asked = dict(pair.split("=") for pair in begun_there.url.partition("?")[2].split("&"))
    with pytest.raises(OidcRefused) as error:
        desk.login.finish([("code", "x"), ("state", asked["state"])], begun_there.browser.reveal())
    assert error.value.reason == "oidc.issuer"
    assert "/token" not in desk.provider.asked


def test_a_late_token_after_the_login_began_long_ago(desk) -> None:
    begun = desk.login.start()
    query = desk.provider.sign_in(begun.url)
    desk.clock.advance(timedelta(minutes=9, seconds=59))
    assert desk.login.finish(query, begun.browser.reveal())
