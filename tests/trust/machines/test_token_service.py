"""The token endpoint answers as RFC 6749, 7009, 7662, 8414, 8705 and 8707 say, and every answer is on record."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from sealwright.kernel import Conflict, InvalidInput, NotFound
from sealwright.trust import (
    INTROSPECT,
    OAuthRequest,
    TokenRefused,
    TokenSettings,
    identify_service,
    jwks_document,
    metadata_document,
    verify_token,
)

AUDIENCE, ISSUER = "urn:sealwright:predict:ws_1", "urn:sealwright:workspace:ws_1"
BASE = "https://control.example.org"


def basic(name: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


def claims_of(desk: Any, raw: str, **more: Any) -> Any:
    keys = desk.keyring.trust_root.keys_of("tokens")
    return verify_token(raw, keys, issuer=ISSUER, audience=AUDIENCE, now=desk.clock(), **more)


# ---- a token


@pytest.mark.parametrize("method", ["basic", "post"])
def test_a_client_with_its_secret_gets_a_token(desk: Any, method: str) -> None:
    secret = desk.add()
    proof: dict[str, Any] = (
        {"authorization": basic("till", secret)}
        if method == "basic"
        else {"client_id": "till", "client_secret": secret}
    )
    status, headers, body = desk.ask(**proof)
    assert (status, headers["cache-control"], headers["pragma"]) == (200, "no-store", "no-cache")
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 300, "predict:credit predict:other")
    claims = claims_of(desk, body["access_token"])
    assert (claims.subject, claims.audience) == ("till", AUDIENCE)
    assert claims.expires_at - claims.issued_at == timedelta(minutes=5)
    (event,) = desk.events("token.issue")
    assert event.detail["outcome"] == "done"
    assert event.detail["token"] == claims.token_id
    assert desk.machines.clients()[0].last_used == desk.clock().replace(minute=0, second=0, microsecond=0)


def test_a_part_of_the_scopes_can_be_asked_for(desk: Any) -> None:
    _, _, body = desk.ask(authorization=basic("till", desk.add()), scope="predict:other")
    assert body["scope"] == "predict:other"
    assert claims_of(desk, body["access_token"]).scopes == {"predict:other"}


WRONG_REQUESTS: list[tuple[dict[str, str], int, str]] = [
    ({"scope": "predict:third"}, 400, "invalid_scope"),
    ({"scope": "predict:credit predict:third"}, 400, "invalid_scope"),
    ({"scope": "predict:credit predict:credit"}, 400, "invalid_scope"),
    ({"scope": "predict:credit  predict:other"}, 400, "invalid_scope"),
    ({"scope": "PREDICT:CREDIT"}, 400, "invalid_scope"),
    ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ({"grant_type": "authorization_code"}, 400, "unsupported_grant_type"),
    ({"grant_type": ""}, 400, "invalid_request"),
    ({"resource": "urn:sealwright:control:ws_1"}, 400, "invalid_target"),
    ({"client_id": "other"}, 400, "invalid_request"),
]


def test_a_wrong_request_is_refused_in_the_words_of_the_rfc(desk: Any) -> None:
    authorization = basic("till", desk.add())
    for form, status, error in WRONG_REQUESTS:
        found = desk.ask(authorization=authorization, **form)
        assert (found[0], found[2]["error"]) == (status, error), form
        assert found[1]["cache-control"] == "no-store"
        assert desk.events("token.issue")[-1].detail["outcome"] == "refused"


def test_a_resource_of_the_client_is_the_audience(desk: Any) -> None:
    control = "urn:sealwright:control:ws_1"
    secret = desk.add(audiences=[AUDIENCE, control])
    _, _, body = desk.ask(authorization=basic("till", secret), resource=control)
    with pytest.raises(TokenRefused):
        claims_of(desk, body["access_token"])
    keys = desk.keyring.trust_root.keys_of("tokens")
    assert verify_token(body["access_token"], keys, issuer=ISSUER, audience=control, now=desk.clock()).subject == "till"


WRONG_BODIES = [
    b"grant_type=client_credentials&grant_type=client_credentials",
    b"grant_type=%ff",
    b"a=" + b"x" * 20_000,
    b"&".join(b"p%d=1" % n for n in range(40)),
    b"client_id=a%00b&client_secret=c",
    b"client_id=a%0ab",
]


def test_a_body_two_readers_could_understand_differently_is_refused(desk: Any) -> None:
    for body in WRONG_BODIES:
        found = desk.service.token(OAuthRequest(body=body))
        assert (found.status, json.loads(found.body)["error"]) == (400, "invalid_request"), body


def test_another_content_type_is_refused(desk: Any) -> None:
    secret = desk.add()
    found = desk.service.token(
        OAuthRequest(
            body=b'{"grant_type":"client_credentials"}',
            content_type="application/json",
            authorization=basic("till", secret),
        )
    )
    assert (found.status, json.loads(found.body)["error"]) == (400, "invalid_request")


# ---- who asks


def test_every_failed_proof_gets_the_same_401_and_its_own_event(desk: Any) -> None:
    secret = desk.add()
    desk.add("gone")
    desk.machines.remove_client("gone", by="ada", reason="old")
    desk.add("mtls", proof="tls_client_auth")
    attempts: list[tuple[dict[str, Any], str]] = [
        ({"authorization": basic("till", "wrong")}, "client.wrong_secret"),
        ({"authorization": basic("till", secret + "x")}, "client.wrong_secret"),
        ({"authorization": basic("till", "")}, "client.wrong_secret"),
        ({"authorization": basic("nobody", secret)}, "client.unknown"),
        ({"authorization": basic("gone", secret)}, "client.unknown"),
        ({"authorization": basic("mtls", secret)}, "client.other_proof"),
        ({"authorization": basic("' OR 1=1 --", secret)}, "client.unknown"),
        ({"authorization": basic("a\0b", secret)}, "client.unknown"),
        ({"authorization": "Basic !!!"}, "client.basic_form"),
        ({"authorization": "Bearer x"}, "client.basic_form"),
        ({"authorization": "Basic " + base64.b64encode(b"till").decode()}, "client.basic_form"),
        ({"client_id": "till"}, "client.no_proof"),
        ({}, "client.no_proof"),
    ]
    bodies = set()
    for form, reason in attempts:
        status, headers, body = desk.ask(**form)
        assert (status, headers["www-authenticate"]) == (401, 'Basic realm="sealwright"')
        bodies.add(json.dumps(body))
        event = desk.events("token.issue")[-1]
        assert (event.detail["outcome"], event.detail["reason"]) == ("refused", reason), form
        assert event.actor == ""
    assert len(bodies) == 1
    assert json.loads(bodies.pop())["error"] == "invalid_client"


def test_two_proofs_at_once_are_refused(desk: Any) -> None:
    secret = desk.add()
    status, _, body = desk.ask(authorization=basic("till", secret), client_id="till", client_secret=secret)
    assert (status, body["error"]) == (400, "invalid_request")


def test_a_removed_client_gets_nothing_and_what_it_holds_is_revoked(desk: Any) -> None:
    secret = desk.add()
    _, _, body = desk.ask(authorization=basic("till", secret))
    raw = body["access_token"]
    keys = desk.keyring.trust_root.keys_of("tokens")

    def use() -> Any:
        return identify_service(f"Bearer {raw}", desk.machines, keys, issuer=ISSUER, audience=AUDIENCE)

    assert (use().name, use().proof) == ("till", "token")
    desk.machines.remove_client("till", by="ada", reason="left")
    with pytest.raises(TokenRefused, match="revoked"):
        use()
    assert desk.ask(authorization=basic("till", secret))[0] == 401
    with pytest.raises(NotFound):
        desk.machines.remove_client("till", by="ada", reason="again")
    again = desk.add()
    assert again != secret
    assert desk.ask(authorization=basic("till", secret))[0] == 401
    assert desk.ask(authorization=basic("till", again))[0] == 200


def test_a_name_is_taken_once(desk: Any) -> None:
    desk.add()
    with pytest.raises(Conflict):
        desk.add()
    assert len(desk.events("client.register")) == 1


def test_a_token_that_cannot_be_recorded_is_not_given(desk: Any) -> None:
    secret = desk.add()
    desk.ledger.close()
    with pytest.raises(Exception, match=r"ledger|closed"):
        desk.ask(authorization=basic("till", secret))


# ---- bound to a certificate


def shown(desk: Any, service: str, use: Any = "client") -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    folder = desk.folder / f"{service}-{use}"
    desk.certificates.issue(service, use, folder, by="ada", names=["localhost"] if use == "server" else ())
    found = x509.load_pem_x509_certificate((folder / f"{use}.pem").read_bytes())
    return found.public_bytes(Encoding.DER)


def test_a_certificate_of_the_service_is_its_proof_and_binds_the_token(desk: Any) -> None:
    from sealwright.trust import certificate_thumbprint

    desk.add("mtls", proof="tls_client_auth")
    certificate = shown(desk, "mtls")
    status, _, body = desk.ask(client_id="mtls", certificate=certificate)
    assert status == 200
    raw, thumbprint = body["access_token"], certificate_thumbprint(certificate)
    assert claims_of(desk, raw, thumbprint=thumbprint).thumbprint == thumbprint
    for other in ("", certificate_thumbprint(b"another")):
        with pytest.raises(TokenRefused) as refused:
            claims_of(desk, raw, thumbprint=other)
        assert refused.value.reason == "token.binding"


def test_a_certificate_of_another_service_or_use_or_a_revoked_one_is_no_proof(desk: Any) -> None:
    desk.add("mtls", proof="tls_client_auth")
    desk.add("till")
    good = shown(desk, "mtls")
    for certificate in (shown(desk, "other"), shown(desk, "mtls", "server"), b"", b"not a certificate"):
        assert desk.ask(client_id="mtls", certificate=certificate)[0] == 401
    assert desk.ask(client_id="till", certificate=good)[0] == 401
    assert desk.ask(client_id="mtls", certificate=good)[0] == 200
    serial = next(
        one.serial for one in desk.certificates.certificates() if one.service == "mtls" and one.use == "client"
    )
    desk.certificates.revoke(serial, by="ada", reason="lost")
    assert desk.ask(client_id="mtls", certificate=good)[0] == 401
    assert desk.events("token.issue")[-1].detail["reason"] == "client.wrong_certificate"


# ---- introspection and revocation


def test_a_resource_server_learns_about_tokens_for_it_and_about_no_others(desk: Any) -> None:
    secret = desk.add(audiences=[AUDIENCE, "urn:sealwright:control:ws_1"])
    keeper = basic("keeper", desk.add("keeper", scopes=[INTROSPECT]))
    _, _, body = desk.ask(authorization=basic("till", secret))
    status, headers, said = desk.ask("introspect", authorization=keeper, token=body["access_token"])
    assert (status, headers["cache-control"]) == (200, "no-store")
    assert (said["active"], said["client_id"], said["aud"], said["iss"]) == (True, "till", AUDIENCE, ISSUER)
    assert said["exp"] - said["iat"] == 300
    _, _, other = desk.ask(authorization=basic("till", secret), resource="urn:sealwright:control:ws_1")
    for raw in (other["access_token"], "x", body["access_token"][:-1], "sw_x"):
        assert desk.ask("introspect", authorization=keeper, token=raw)[2] == {"active": False}
    desk.clock.advance(timedelta(minutes=5))
    assert desk.ask("introspect", authorization=keeper, token=body["access_token"])[2] == {"active": False}


def test_introspection_is_for_resource_servers_only(desk: Any) -> None:
    mine = basic("till", desk.add())
    _, _, body = desk.ask(authorization=mine)
    assert desk.ask("introspect", token=body["access_token"])[0] == 401
    assert desk.ask("introspect", authorization=mine, token=body["access_token"])[2] == {"active": False}
    assert desk.events("token.introspect")[-1].detail["reason"] == "oauth.not_a_resource_server"


def test_introspection_knows_api_keys(desk: Any) -> None:
    keeper = basic("keeper", desk.add("keeper", scopes=[INTROSPECT]))
    key, raw = desk.machines.make_api_key(
        "till", project="credit", scopes=["predict:credit"], owner="ada", days=1, by="ada"
    )
    assert desk.ask("introspect", authorization=keeper, token=raw)[2]["client_id"] == "till"
    desk.machines.revoke_api_key(key.id, by="ada", reason="")
    assert desk.ask("introspect", authorization=keeper, token=raw)[2] == {"active": False}


def test_a_client_takes_its_own_token_back_and_no_other(desk: Any) -> None:
    mine, other = basic("till", desk.add()), basic("other", desk.add("other"))
    keeper = basic("keeper", desk.add("keeper", scopes=[INTROSPECT]))
    _, _, body = desk.ask(authorization=mine)
    raw = body["access_token"]
    status, _, said = desk.ask("revoke", authorization=other, token=raw)
    assert (status, said["error"]) == (400, "unauthorized_client")
    assert desk.ask("introspect", authorization=keeper, token=raw)[2]["active"]
    assert desk.ask("revoke", token=raw)[0] == 401
    assert desk.ask("revoke", authorization=mine, token=raw)[0] == 200
    assert desk.ask("introspect", authorization=keeper, token=raw)[2] == {"active": False}
    assert desk.ask("revoke", authorization=mine, token=raw)[0] == 200
    assert desk.ask("revoke", authorization=mine, token="no token")[0] == 200
    assert desk.ask("revoke", authorization=mine)[2]["error"] == "invalid_request"


# ---- keys and metadata


def test_tokens_of_the_key_before_the_last_hold_until_they_expire(desk: Any) -> None:
    """A rotation lists both keys; a verifier that knows the list takes both, and the JWKS publishes both."""
    from sealwright.trust import ED25519, LocalSigner, TrustRoot

    old, new = desk.keyring.signer("tokens"), LocalSigner(ED25519, b"\5" * 32)
    rotated = TrustRoot("ws_1", {**desk.keyring.trust_root.keys, "tokens": (old.public(), new.public())})
    _, _, body = desk.ask(authorization=basic("till", desk.add()))
    keys = rotated.keys_of("tokens")
    assert (
        verify_token(body["access_token"], keys, issuer=ISSUER, audience=AUDIENCE, now=desk.clock()).subject == "till"
    )
    assert [key["kid"] for key in jwks_document(keys)["keys"]] == [old.key_id, new.key_id]


def test_a_stock_library_verifies_a_token_with_the_published_keys(desk: Any) -> None:
    from joserfc import jwt
    from joserfc.jwk import KeySet

    _, _, body = desk.ask(authorization=basic("till", desk.add()))
    published = json.loads(json.dumps(jwks_document(desk.service.keys)))
    assert all(set(key) == {"kty", "crv", "x", "kid", "use", "alg"} for key in published["keys"])
    found = jwt.decode(body["access_token"], KeySet.import_key_set(published), algorithms=["Ed25519"])
    assert found.claims["sub"] == "till"


def test_the_metadata_names_what_is_really_offered() -> None:
    settings = TokenSettings(issuer=ISSUER, base_url=BASE)
    said = metadata_document(settings)
    assert said["token_endpoint"] == f"{BASE}/oauth/token"
    assert said["grant_types_supported"] == ["client_credentials"]
    assert "none" not in said["token_endpoint_auth_methods_supported"]


@pytest.mark.parametrize("minutes", [0, 0.1, 61, 1440])
def test_the_endpoint_gives_no_long_tokens(minutes: float) -> None:
    with pytest.raises(InvalidInput, match="60 minutes"):
        TokenSettings(issuer=ISSUER, base_url=BASE, lifetime=timedelta(minutes=minutes))
    with pytest.raises(InvalidInput, match="https"):
        TokenSettings(issuer=ISSUER, base_url="http://control.example.org")


def test_an_audience_is_an_absolute_uri(desk: Any) -> None:
    for audience in ("", "predict", "urn:x#part", "urn:x y", "URN:x", "https:"):
        with pytest.raises(InvalidInput, match="audience"):
            desk.add(audiences=[audience])
