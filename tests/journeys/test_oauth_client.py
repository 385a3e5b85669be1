"""A service gets access the way any OAuth client does: stock libraries, the real endpoints, the real prediction server.

The token endpoint runs as uvicorn over mutual-capable TLS in a thread; the prediction server is a process of its own.
Commands are the program's own. Nothing stands in for any of our parts.
"""

import contextlib
import importlib.util
import json
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
import uvicorn
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from oauthlib.oauth2 import BackendApplicationClient
from oauthlib.oauth2.rfc6749.errors import InvalidClientError, InvalidScopeError
from requests_oauthlib import OAuth2Session

from sealwright import trust
from sealwright.doors.control.oauth import CertificateProtocol, oauth_app
from sealwright.serving import Running, access_file, predict_scope, token_audience, token_issuer

_spec = importlib.util.spec_from_file_location(
    "serving_house", Path(__file__).resolve().parents[1] / "serving" / "house.py"
)
assert _spec is not None
assert _spec.loader is not None
house_module = sys.modules.get("serving_house") or importlib.util.module_from_spec(_spec)
if "serving_house" not in sys.modules:
    sys.modules["serving_house"] = house_module
    _spec.loader.exec_module(house_module)


class Place:
    """One workspace with both servers running."""

    def __init__(self, house: Any, machines: trust.Machines, services: trust.ServiceCertificates) -> None:
        self.house, self.machines, self.services = house, machines, services
        self.base, self.predict = "", ""

    @property
    def ca(self) -> str:
        return str(self.house.tls.ca)

    @property
    def endpoint(self) -> str:
        return f"{self.base}/oauth/token"

    def trusting(self, session: Any) -> Any:
        """The session, with our CA and nothing from the environment."""
        session.verify, session.trust_env = self.ca, False
        return session

    def ask(self, session: Any, **more: Any) -> Any:
        path = f"{self.predict}/v1/models/{self.house.project}/predict"
        return session.post(path, json={"row": house_module.credit_row()}, **more)

    def add(self, name: str, **more: Any) -> str:
        values: dict[str, Any] = {
            "owner": "ada",
            "audiences": [token_audience("ws_1")],
            "scopes": [predict_scope(self.house.project)],
            "by": "ada",
        }
        return self.machines.add_client(name, **(values | more)) or ""


@contextlib.contextmanager
def answering(app: Any, context: ssl.SSLContext) -> Iterator[int]:
    """uvicorn in a thread; the port it answers on."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_config=None, lifespan="off", http=CertificateProtocol, ws="none", workers=1
    )
    config.load()
    config.ssl = context
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    end = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < end
        time.sleep(0.02)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    from sealwright.kernel import system_clock

    house = house_module.House(tmp_path_factory.mktemp("oauth") / "home")
    house.release()
    audit = trust.LedgerAudit(house.ledger, house.keyring)
    machines = trust.Machines(
        house.db,
        audit,
        signer=house.keyring.signer("tokens"),
        workspace="ws_1",
        access_file=access_file(house.home),
        clock=system_clock,
    )
    services = trust.ServiceCertificates(
        house.db,
        audit,
        signer=house.keyring.signer("tls"),
        workspace="ws_1",
        folder=house.tls.ca.parent,
        clock=system_clock,
    )
    services.publish()
    machines.publish()
    made = Place(house, machines, services)
    context = trust.mutual_server_context(
        house.tls.certificate, house.tls.key, services.ca, services.revocations, now=system_clock()
    )
    context.verify_mode = ssl.CERT_OPTIONAL  # clients with a secret show none

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await oauth_app(made.service)(scope, receive, send)  # type: ignore[attr-defined]

    settings = {"client_certificates": "optional", "client_ca": services.ca, "client_revocations": services.revocations}
    with contextlib.ExitStack() as stack:
        stack.callback(house.close)
        port = stack.enter_context(answering(app, context))
        made.base = f"https://localhost:{port}"
        made.service = trust.TokenService(  # type: ignore[attr-defined]
            machines,
            trust.TokenSettings(issuer=token_issuer("ws_1"), base_url=made.base),
            house.keyring.trust_root.keys_of("tokens"),
            peer=trust.PeerVerifier(services.ca, services.revocations, "ws_1"),
        )
        running: Running = stack.enter_context(house.launch(**settings))
        made.predict = f"https://localhost:{running.port}"
        yield made


def test_requests_oauthlib_gets_a_token_and_a_prediction(place: Place) -> None:
    secret = place.add("stock")
    session = place.trusting(OAuth2Session(client=BackendApplicationClient("stock")))
    token = session.fetch_token(place.endpoint, client_id="stock", client_secret=secret)
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 300)
    reply = place.ask(session)
    assert reply.status_code == 200
    assert reply.json()["answer"]["decision"].startswith("dec_")
    again = place.trusting(OAuth2Session(client=BackendApplicationClient("stock", scope="predict:other")))
    with pytest.raises(InvalidScopeError):
        again.fetch_token(place.endpoint, client_id="stock", client_secret=secret)
    with pytest.raises(InvalidClientError):
        session.fetch_token(place.endpoint, client_id="stock", client_secret="wrong")


def test_requests_oauthlib_with_the_secret_in_the_body(place: Place) -> None:
    secret = place.add("in-body")
    session = place.trusting(OAuth2Session(client=BackendApplicationClient("in-body")))
    session.fetch_token(place.endpoint, client_secret=secret, include_client_id=True)
    assert place.ask(session).status_code == 200


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_authlib_gets_a_token_finds_it_good_and_takes_it_back(place: Place, method: str) -> None:
    name = method.replace("_", "-")
    secret = place.add(name)
    session = place.trusting(AuthlibSession(name, secret, token_endpoint_auth_method=method))
    session.fetch_token(place.endpoint, grant_type="client_credentials")
    assert place.ask(session).status_code == 200
    keeper = place.trusting(AuthlibSession(f"keeper-{name}", place.add(f"keeper-{name}", scopes=[trust.INTROSPECT])))
    raw = session.token["access_token"]
    assert keeper.introspect_token(f"{place.base}/oauth/introspect", token=raw).json()["active"] is True
    assert session.revoke_token(f"{place.base}/oauth/revoke", token=raw).status_code == 200
    assert keeper.introspect_token(f"{place.base}/oauth/introspect", token=raw).json() == {"active": False}
    end = time.monotonic() + 1.0
    while place.ask(session).status_code == 200:
        assert time.monotonic() < end, "it still worked a second after it was taken back"
        time.sleep(0.02)
    assert place.ask(session).status_code == 401


def test_authlib_with_a_key_of_its_own(place: Place) -> None:
    """private_key_jwt as a stock library signs it."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
    from joserfc.jwk import ECKey

    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    place.add("robot", proof="private_key_jwt", public_key=trust.PublicKey.from_pem(public))
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    session = place.trusting(
        AuthlibSession("robot", ECKey.import_key(pem), token_endpoint_auth_method="private_key_jwt")
    )
    session.register_client_auth_method(PrivateKeyJWT(place.endpoint, alg="ES256"))
    session.fetch_token(place.endpoint, grant_type="client_credentials")
    assert place.ask(session).status_code == 200


def test_a_service_certificate_gets_a_bound_token_that_works_with_it_only(place: Place, tmp_path: Path) -> None:
    place.add("mtls", proof="tls_client_auth")
    place.services.issue("mtls", "client", tmp_path / "mtls", by="ada")
    own = (str(tmp_path / "mtls" / "client.pem"), str(tmp_path / "mtls" / "client.key"))
    form = {"grant_type": "client_credentials", "client_id": "mtls"}
    reply = requests.post(place.endpoint, form, verify=place.ca, cert=own, timeout=10)
    assert reply.status_code == 200, reply.text
    headers = {"Authorization": f"Bearer {reply.json()['access_token']}"}
    assert place.ask(requests, headers=headers, verify=place.ca, cert=own, timeout=10).status_code == 200
    assert place.ask(requests, headers=headers, verify=place.ca, timeout=10).status_code == 401
    assert requests.post(place.endpoint, form, verify=place.ca, timeout=10).status_code == 401


def test_a_header_that_claims_a_certificate_is_worth_nothing(place: Place) -> None:
    place.add("claimed", proof="tls_client_auth")
    pem = place.house.tls.certificate.read_text().replace("\n", " ")
    headers = {"X-Client-Cert": pem, "X-SSL-Client-Cert": pem, "X-Forwarded-Client-Cert": pem, "Client-Cert": pem}
    form = {"grant_type": "client_credentials", "client_id": "claimed"}
    assert requests.post(place.endpoint, form, headers=headers, verify=place.ca, timeout=10).status_code == 401


def test_keys_and_metadata_are_public_and_lead_to_each_other(place: Place) -> None:
    from joserfc import jwt
    from joserfc.jwk import KeySet

    with httpx.Client(verify=ssl.create_default_context(cafile=place.ca)) as plain:
        about = plain.get(f"{place.base}/.well-known/oauth-authorization-server").json()
        assert about["token_endpoint"] == place.endpoint
        keys = plain.get(about["jwks_uri"])
        assert keys.headers["content-type"] == "application/jwk-set+json"
        secret = place.add("reader")
        token = plain.post(about["token_endpoint"], data={"grant_type": "client_credentials"}, auth=("reader", secret))
        assert token.headers["cache-control"] == "no-store"
        found = jwt.decode(token.json()["access_token"], KeySet.import_key_set(keys.json()), algorithms=["Ed25519"])
        assert (found.header["typ"], found.claims["iss"]) == ("at+jwt", about["issuer"])
        for path in ("/oauth/token", "/oauth/introspect", "/oauth/revoke"):
            assert plain.get(f"{place.base}{path}").status_code == 405
        large = plain.post(f"{place.base}/oauth/token", content=b"a=" + b"x" * 100_000)
        assert (large.status_code, large.json()["error"]) == (400, "invalid_request")


def test_two_authorization_headers_are_refused(place: Place) -> None:
    secret = place.add("twice")
    import base64

    value = "Basic " + base64.b64encode(f"twice:{secret}".encode()).decode()
    with httpx.Client(verify=ssl.create_default_context(cafile=place.ca)) as plain:
        reply = plain.post(
            place.endpoint,
            headers=[("Authorization", value), ("Authorization", value)],
            data={"grant_type": "client_credentials"},
        )
    assert (reply.status_code, json.loads(reply.content)["error"]) == (400, "invalid_request")
