"""Between our own processes both sides show who they are: real sockets, real certificates, one good and many bad (T-81)."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sealwright.engines import open_database
from sealwright.kernel import OperationFailed, VerificationFailed, system_clock
from sealwright.trust import (
    ECDSA_P256,
    CallRefused,
    LocalSigner,
    PeerVerifier,
    ServiceCalls,
    ServiceCertificates,
    mutual_client_context,
    mutual_server_context,
    take_revocations,
)

CALLS = ServiceCalls({"pointer.sign": ["control"], "health": ["control", "predict"]})


class Recorder:
    """Keeps events."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def record(self, event: Any) -> None:
        self.events.append(event)


class Authority:
    """One workspace's CA with its database, on the real clock, because OpenSSL uses that one."""

    def __init__(self, folder: Path, seed: int = 1, workspace: str = "ws_1", clock: Any = system_clock) -> None:
        folder.mkdir(mode=0o700)
        self.folder, self.audit = folder, Recorder()
        self.db = open_database(f"sqlite:///{folder / 'db.sqlite'}")
        signer = LocalSigner(ECDSA_P256, bytes([seed]) * 32)
        self.certificates = ServiceCertificates(
            self.db, self.audit, signer=signer, workspace=workspace, folder=folder / "tls", clock=clock
        )
        self.workspace = workspace

    def issue(self, service: str, use: Any = "client", **more: Any) -> Path:
        to = self.folder / f"{service}-{use}-{len(list(self.folder.iterdir()))}"
        names = ["localhost", "127.0.0.1"] if use == "server" else []
        self.certificates.issue(service, use, to, by="ada", names=names, **more)
        return to

    def peers(self) -> PeerVerifier:
        return PeerVerifier(self.certificates.ca, self.certificates.revocations, self.workspace)


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    made = Authority(tmp_path / "ours")
    yield made
    made.db.close()


class Server:
    """A process of ours in small: says "yes <name>" to who may call what the first line names."""

    def __init__(self, authority: Authority) -> None:
        own = authority.issue("signer", "server")
        found = authority.certificates
        self.context = mutual_server_context(
            own / "server.pem", own / "server.key", found.ca, found.revocations, now=system_clock()
        )
        self.peers = authority.peers()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.served = 0
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                link, _ = self.socket.accept()
                with contextlib.suppress(OSError, ssl.SSLError), link:
                    link.settimeout(5)
                    self._answer(link)

    def _answer(self, link: socket.socket) -> None:
        with self.context.wrap_socket(link, server_side=True) as secured:
            action = secured.recv(100).decode()
            try:
                who = self.peers.identity(secured.getpeercert(binary_form=True) or b"", system_clock(), use="client")
                CALLS.check(who, action)
            except (VerificationFailed, CallRefused) as error:
                secured.sendall(f"no {error.code}".encode())
                return
            self.served += 1
            secured.sendall(f"yes {who.principal().name}".encode())


@pytest.fixture
def server(authority: Authority) -> Iterator[Server]:
    made = Server(authority)
    yield made
    made.socket.close()


def call(server: Server, context: ssl.SSLContext, action: str = "health") -> str:
    """What the server says; in TLS 1.3 a client learns of its refusal at the first read."""
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=5) as link,
        context.wrap_socket(link, server_hostname="localhost") as secured,
    ):
        secured.sendall(action.encode())
        return secured.recv(100).decode()


def client(authority: Authority, own: Path) -> ssl.SSLContext:
    found = authority.certificates
    return mutual_client_context(
        own / "client.pem", own / "client.key", found.ca, found.revocations, now=system_clock()
    )


def plain(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority.certificates.ca))


def refused(server: Server, context: ssl.SSLContext) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        answer = call(server, context)
        assert answer == "", "it was answered"
        raise ConnectionError
    assert server.served == 0


def test_a_service_of_ours_is_known_by_its_name(authority: Authority, server: Server) -> None:
    context = client(authority, authority.issue("control"))
    assert call(server, context) == "yes control"
    assert call(server, context, "pointer.sign") == "yes control"


def test_no_certificate_is_refused_t81(authority: Authority, server: Server) -> None:
    refused(server, plain(authority))


def test_an_expired_certificate_is_refused_t81(authority: Authority, server: Server, tmp_path: Path) -> None:
    past = datetime.now(UTC) - timedelta(days=10)
    old = Authority(tmp_path / "old", clock=lambda: past)
    own = old.issue("control", days=1.0)
    context = plain(authority)
    context.load_cert_chain(own / "client.pem", own / "client.key")
    refused(server, context)
    der = x509.load_pem_x509_certificate((own / "client.pem").read_bytes()).public_bytes(Encoding.DER)
    with pytest.raises(VerificationFailed, match="not valid now"):
        authority.peers().identity(der, system_clock(), use="client")


def test_a_foreign_ca_is_refused_t81(authority: Authority, server: Server, tmp_path: Path) -> None:
    foreign = Authority(tmp_path / "foreign", seed=2)
    own = foreign.issue("control")
    context = plain(authority)
    context.load_cert_chain(own / "client.pem", own / "client.key")
    refused(server, context)


def test_a_servers_certificate_is_no_clients_t81(authority: Authority, server: Server) -> None:
    own = authority.issue("control", "server")
    context = plain(authority)
    context.load_cert_chain(own / "server.pem", own / "server.key")
    refused(server, context)


def test_a_clients_certificate_is_no_servers_t81(authority: Authority) -> None:
    """The other way round: a client does not talk to who only has a client's certificate."""
    own, found = authority.issue("signer"), authority.certificates
    fake = mutual_server_context(
        own / "client.pem", own / "client.key", found.ca, found.revocations, now=system_clock()
    )
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    caller = client(authority, authority.issue("control"))
    one = caller.wrap_bio(back, there, server_hostname="localhost")
    two = fake.wrap_bio(there, back, server_side=True)
    with pytest.raises(ssl.SSLCertVerificationError):
        for _ in range(6):
            for side in (one, two):
                with contextlib.suppress(ssl.SSLWantReadError):
                    side.do_handshake()


def test_a_revoked_certificate_is_refused_t81(authority: Authority, tmp_path: Path) -> None:
    own = authority.issue("control")
    serial = authority.certificates.certificates()[0].serial
    authority.certificates.revoke(serial.lower(), by="ada", reason="lost")
    server = Server(authority)
    context = plain(authority)
    context.load_cert_chain(own / "client.pem", own / "client.key")
    refused(server, context)
    server.socket.close()


def test_a_certificate_revoked_while_serving_is_refused_after_a_reload(authority: Authority, server: Server) -> None:
    """Twice in one second: the newer list must win although dates in it are whole seconds."""
    first, second = authority.issue("control"), authority.issue("predict")
    contexts = [client(authority, own) for own in (first, second)]
    assert call(server, contexts[0]) == "yes control"
    found = authority.certificates
    for at, name in enumerate(("control", "predict")):
        serial = next(one.serial for one in found.certificates() if one.service == name)
        found.revoke(serial, by="ada", reason="lost")
        take_revocations(server.context, found.ca, found.revocations, now=system_clock())
        server.served = 0
        refused(server, contexts[at])


def test_the_application_refuses_a_revoked_one_even_on_an_old_connection(authority: Authority, server: Server) -> None:
    """The handshake was before the revocation; the check behind it reads the newest list."""
    context = client(authority, authority.issue("control"))
    serial = next(one.serial for one in authority.certificates.certificates() if one.service == "control")
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=5) as link,
        context.wrap_socket(link, server_hostname="localhost") as secured,
    ):
        authority.certificates.revoke(serial, by="ada", reason="lost")
        secured.sendall(b"health")
        assert secured.recv(100) == b"no verification.failed"


def test_tls_12_and_older_are_refused_t81(authority: Authority, server: Server) -> None:
    own = authority.issue("control")
    context = plain(authority)
    context.load_cert_chain(own / "client.pem", own / "client.key")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    refused(server, context)


def test_another_service_may_not_call_this_t81(authority: Authority, server: Server) -> None:
    context = client(authority, authority.issue("predict"))
    assert call(server, context) == "yes predict"
    assert call(server, context, "pointer.sign") == "no service.not_allowed"
    assert call(server, context, "what.nobody.listed") == "no service.not_allowed"


def test_a_service_of_another_workspace_under_the_same_ca_is_refused_t81(
    authority: Authority, server: Server, tmp_path: Path
) -> None:
    other = Authority(tmp_path / "other", seed=1, workspace="ws_2")
    own = other.issue("control")
    context = plain(authority)
    context.load_cert_chain(own / "client.pem", own / "client.key")
    assert call(server, context) == "no verification.failed"


def test_a_session_is_not_resumed(authority: Authority, server: Server) -> None:
    """A resumed session would skip the certificate check: the server hands out no ticket."""
    context = client(authority, authority.issue("control"))
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=5) as link,
        context.wrap_socket(link, server_hostname="localhost") as secured,
    ):
        secured.sendall(b"health")
        assert secured.recv(100) == b"yes control"
        with contextlib.suppress(OSError):
            secured.recv(100)
        assert secured.session is None or not secured.session.has_ticket


# ---- what a server is started with


def _missing_list(found: ServiceCertificates) -> None:
    found.revocations.unlink()


def _foreign_list(found: ServiceCertificates) -> None:
    folder = found.ca.parent.parent / "elsewhere"
    other = Authority(folder, seed=3)
    other.certificates.publish()
    found.revocations.write_bytes(other.certificates.revocations.read_bytes())


def _no_list(found: ServiceCertificates) -> None:
    found.revocations.write_bytes(b"")


@pytest.mark.parametrize("spoil", [_missing_list, _foreign_list, _no_list])
def test_without_a_good_revocation_list_no_server_starts(
    authority: Authority, spoil: Callable[[ServiceCertificates], None]
) -> None:
    own, found = authority.issue("signer", "server"), authority.certificates
    spoil(found)
    with pytest.raises((OperationFailed, VerificationFailed), match=r"cannot be relied on|missing or unreadable"):
        mutual_server_context(own / "server.pem", own / "server.key", found.ca, found.revocations, now=system_clock())


def test_a_revocation_list_that_ended_stops_everything(authority: Authority) -> None:
    own, found = authority.issue("signer", "server"), authority.certificates
    late = system_clock() + timedelta(days=31)
    with pytest.raises(VerificationFailed, match="has ended"):
        mutual_server_context(own / "server.pem", own / "server.key", found.ca, found.revocations, now=late)


def test_what_is_issued_is_short_named_and_recorded(authority: Authority) -> None:
    own = authority.issue("control")
    found = x509.load_pem_x509_certificate((own / "client.pem").read_bytes())
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == ["sealwright://ws_1/service/control"]
    assert found.not_valid_after_utc - system_clock() <= timedelta(days=90)
    assert (own / "client.key").stat().st_mode & 0o777 == 0o600
    authority.certificates.revoke(authority.certificates.certificates()[0].serial, by="ada", reason="lost")
    assert [(one.action, one.outcome, one.resource) for one in authority.audit.events] == [
        ("certificate.issue", "done", "service:control"),
        ("certificate.revoke", "done", "service:control"),
    ]


def test_openssl_agrees_about_certificate_and_list(authority: Authority) -> None:
    """A second implementation: `openssl verify` with our list."""
    import subprocess

    own, found = authority.issue("control"), authority.certificates

    def verify() -> "subprocess.CompletedProcess[str]":
        command = ["openssl", "verify", "-x509_strict", "-crl_check", "-purpose", "sslclient", "-CAfile", str(found.ca)]
        command += ["-CRLfile", str(found.revocations), str(own / "client.pem")]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)

    assert verify().returncode == 0, verify().stderr
    found.revoke(found.certificates()[0].serial, by="ada", reason="lost")
    assert "certificate revoked" in verify().stderr
