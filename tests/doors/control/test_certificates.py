"""TLS as clients meet it: which version, whose certificates, and what happens when they are renewed under load."""

import contextlib
import http.client
import os
import signal
import socket
import ssl
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from pki import DAY, NOW, Pki

_CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    folder = tmp_path / "pki"
    folder.mkdir()
    made = Pki(folder)
    made.certificate("server", names=("localhost",))
    made.revocations("crl")
    return made


def options(pki: Pki, *, clients: bool) -> dict[str, Any]:
    settings = {"tls_certificate": pki.path("server.pem"), "tls_key": pki.path("server.key")}
    if clients:
        settings |= {
            "client_certificates": "required",
            "client_ca": pki.path("ca.pem"),
            "client_crl": pki.path("crl.pem"),
        }
    return settings


def context(pki: Pki, name: str = "") -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=pki.path("ca.pem"))
    if name:
        made.load_cert_chain(pki.path(f"{name}.pem"), pki.path(f"{name}.key"))
    return made


def asked(port: int, tls: ssl.SSLContext) -> int:
    """The status of one request on a new connection."""
    with contextlib.closing(http.client.HTTPSConnection("localhost", port, context=tls, timeout=10)) as link:
        link.request("GET", "/health/live")
        return link.getresponse().status


@pytest.fixture
def served(new_place: Any, start: Any, pki: Pki) -> Iterator[Any]:
    """A server that asks for client certificates; two are good, everything else is not."""
    for name in ("good", "revoked"):
        pki.certificate(name, usage=_CLIENT, names=(f"{name}.clients.example",))
    place = new_place()
    with start(place, **_facts(pki, clients=True)) as control:
        yield control


def _facts(pki: Pki, *, clients: bool) -> dict[str, Any]:
    return options(pki, clients=clients)


def test_nothing_older_than_tls_1_3_is_spoken_t81(control: Any) -> None:
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1):
        old = ssl.create_default_context(cafile=None)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        with warnings.catch_warnings(action="ignore"):  # it is deprecated, which is the point
            old.maximum_version = version
        with pytest.raises(ssl.SSLError), socket.create_connection(("127.0.0.1", control.port), timeout=10) as link:
            old.wrap_socket(link, server_hostname="localhost")
    with control.connect() as link:
        assert link.version() == "TLSv1.3"


def test_only_http_1_1_is_agreed_on(control: Any) -> None:
    control.tls.set_alpn_protocols(["h2", "http/1.1"])
    with control.connect() as link:
        assert link.selected_alpn_protocol() == "http/1.1"


def test_only_certificates_of_our_ca_for_clients_in_force_open_t81(served: Any, pki: Pki, tmp_path: Path) -> None:
    pki.certificate("expired", usage=_CLIENT, begins=NOW - 9 * DAY, ends=NOW - DAY)
    pki.certificate("future", usage=_CLIENT, begins=NOW + DAY)
    pki.certificate("server-purpose", usage=ExtendedKeyUsageOID.SERVER_AUTH)
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    other = Pki(foreign)
    other.certificate("stranger", usage=_CLIENT)
    own = ec.generate_private_key(ec.SECP256R1())
    pki.certificate("self", key=own, ca=True)
    assert asked(served.port, context(pki, "good")) == 200
    stranger = context(pki)
    stranger.load_cert_chain(other.path("stranger.pem"), other.path("stranger.key"))
    for refused in (
        context(pki),
        *(context(pki, name) for name in ("expired", "future", "server-purpose", "self")),
        stranger,
    ):
        with pytest.raises((ssl.SSLError, ConnectionError, http.client.BadStatusLine)):
            asked(served.port, refused)


def test_a_certificate_taken_back_opens_nothing_from_the_next_list_on_t81(
    served: Any, pki: Pki, wait_until: Any
) -> None:
    """Nor by a ticket of a session that began before it was taken back."""
    from cryptography import x509

    tls = context(pki, "revoked")
    with tls.wrap_socket(socket.create_connection(("127.0.0.1", served.port)), server_hostname="localhost") as link:
        link.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert link.recv(65_536).startswith(b"HTTP/1.1 200")
        ticket = link.session
        revoked = x509.load_pem_x509_certificate((pki.folder / "revoked.pem").read_bytes())
        pki.revocations("crl", revoked)
        os.kill(served.process.pid, signal.SIGHUP)

        def refused() -> bool:
            try:
                return asked(served.port, tls) != 200
            except (ssl.SSLError, ConnectionError, http.client.BadStatusLine):
                return True

        wait_until(refused)
        assert asked(served.port, context(pki, "good")) == 200
    with (
        pytest.raises((ssl.SSLError, ConnectionError, AssertionError)),
        socket.create_connection(("127.0.0.1", served.port)) as plain,
        tls.wrap_socket(plain, server_hostname="localhost", session=ticket) as again,
    ):
        again.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert again.recv(65_536).startswith(b"HTTP/1.1 200")


def test_renewing_under_load_drops_no_request_t82(new_place: Any, start: Any, pki: Pki) -> None:
    """Ten renewals of certificate and revocation list while callers keep asking, on old connections and new ones."""
    pki.certificate("good", usage=_CLIENT)
    with start(new_place(), **options(pki, clients=True)) as control:
        tls, stop = context(pki, "good"), threading.Event()
        counts, failed, serials = [0, 0], [], set()

        def keep_asking(kind: int) -> None:
            link = http.client.HTTPSConnection("localhost", control.port, context=tls, timeout=10)
            while not stop.is_set():
                try:
                    link.request("GET", "/health/live")
                    answer = link.getresponse()
                    answer.read()
                    if answer.status != 200:
                        failed.append(answer.status)
                    counts[kind] += 1
                    if kind:
                        shown = link.sock.getpeercert()  # type: ignore[attr-defined]
                        serials.add(shown["serialNumber"])
                        link.close()
                except (OSError, http.client.HTTPException) as error:
                    failed.append(repr(error))
                    link.close()
            link.close()

        callers = [threading.Thread(target=keep_asking, args=(at % 2,)) for at in range(4)]
        for caller in callers:
            caller.start()
        for _ in range(10):
            pki.certificate("next", names=("localhost",))
            Path(pki.path("next.key")).replace(
                pki.path("server.key")
            )  # a moment in which the two do not fit is part of it
            os.kill(control.process.pid, signal.SIGHUP)
            Path(pki.path("next.pem")).replace(pki.path("server.pem"))
            pki.revocations("crl")
            os.kill(control.process.pid, signal.SIGHUP)
            time.sleep(0.15)
        stop.set()
        for caller in callers:
            caller.join()
    print(
        f"{counts[0]} on kept connections, {counts[1]} on new ones, {len(serials)} certificates seen, {len(failed)} failed"
    )
    assert failed == []
    assert min(counts) > 50
    assert len(serials) >= 5


def test_files_that_are_not_good_leave_the_old_ones_in_force(
    new_place: Any, start: Any, pki: Pki, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    pki.certificate("good", usage=_CLIENT)
    with start(new_place(), log, **options(pki, clients=True)) as control:
        before = log.read_text().count("certificate_refused")
        for name, data in (("server.key", b"not a key"), ("crl.pem", b""), ("ca.pem", b"")):
            path = pki.folder / name
            good, tls = path.read_bytes(), context(pki, "good")
            path.write_bytes(data)
            os.kill(control.process.pid, signal.SIGHUP)
            end = time.monotonic() + 10
            while log.read_text().count("certificate_refused") == before:
                assert time.monotonic() < end
                time.sleep(0.02)
            before += 1
            assert asked(control.port, tls) == 200
            path.write_bytes(good)
