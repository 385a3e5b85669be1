"""T-83: a transport that would be weaker than it looks does not start. Each case is one thing that is wrong."""

import os
import re
import subprocess
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from pki import DAY, NOW, Pki
from sealwright.kernel import InvalidInput, Refused
from sealwright.serving import read_transport


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    made = Pki(tmp_path_factory.mktemp("pki"))
    made.certificate("server")
    made.certificate("other")
    made.certificate("expired", begins=NOW - 90 * DAY, ends=NOW - DAY)
    made.certificate("future", begins=NOW + DAY)
    made.certificate("names", names=("somebody.example.org",))
    made.certificate("client", usage=ExtendedKeyUsageOID.CLIENT_AUTH)
    made.certificate("rsa1024", key=rsa.generate_private_key(65537, 1024))
    made.certificate("p192", key=ec.generate_private_key(ec.SECP192R1()))
    _sha1(made)
    made.certificate("locked", password=b"secret words")
    made.certificate("loose")
    (made.folder / "loose.key").chmod(0o644)
    made.certificate("group")
    (made.folder / "group.key").chmod(0o640)
    made.revocations("crl")
    made.revocations("stale", begins=NOW - 9 * DAY, ends=NOW - DAY)
    made.revocations("early", begins=NOW + DAY, ends=NOW + 9 * DAY)
    made.revocations("foreign", key=ec.generate_private_key(ec.SECP256R1()))
    made.write("empty.pem", b"")
    made.write("words.pem", b"not a certificate")
    made.write("others-write.pem", (made.folder / "crl.pem").read_bytes(), 0o666)
    made.write("ca-others-write.pem", (made.folder / "ca.pem").read_bytes(), 0o664)
    (made.folder / "another").mkdir()
    another = Pki(made.folder / "another")
    another.revocations("crl")
    made.write("two.pem", (made.folder / "ca.pem").read_bytes() + (another.folder / "ca.pem").read_bytes())
    made.write("two-lists.pem", (made.folder / "crl.pem").read_bytes() + (another.folder / "crl.pem").read_bytes())
    another.revocations("stale", begins=NOW - 9 * DAY, ends=NOW - DAY)
    made.write("one-stale.pem", (made.folder / "crl.pem").read_bytes() + (another.folder / "stale.pem").read_bytes())
    made.write("list-and-ca.pem", (made.folder / "crl.pem").read_bytes() + (another.folder / "ca.pem").read_bytes())
    (made.folder / "to-loose.key").symlink_to(made.folder / "loose.key")
    (made.folder / "to-nothing.key").symlink_to(made.folder / "nowhere")
    (made.folder / "to-device.key").symlink_to("/dev/zero")
    (made.folder / "to-device.pem").symlink_to("/dev/zero")
    os.mkfifo(made.folder / "pipe.key", 0o600)
    (made.folder / "folder.key").mkdir(mode=0o700)
    return made


def _sha1(pki: Pki) -> None:
    """Our library no longer signs with SHA-1; OpenSSL's program still does."""
    words = ["-nodes", "-days", "5", "-subj", "/CN=x", "-addext", "subjectAltName=DNS:control.example.org"]
    words += [
        "-addext",
        "basicConstraints=critical,CA:FALSE",
        "-keyout",
        pki.path("sha1.key"),
        "-out",
        pki.path("sha1.pem"),
    ]
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-sha1", *words]
    subprocess.run(made, check=True, capture_output=True)
    (pki.folder / "sha1.key").chmod(0o600)


def good(pki: Pki, **changes: Any) -> dict[str, Any]:
    """A transport that starts, changed. A value of "file:x" names a file of the PKI; None takes the setting away."""
    settings: dict[str, Any] = {
        "host": "0.0.0.0",
        "port": 0,
        "hosts": ["control.example.org"],
        "tls_certificate": "file:server.pem",
        "tls_key": "file:server.key",
        "client_certificates": "required",
        "client_ca": "file:ca.pem",
        "client_crl": "file:crl.pem",
    } | changes
    return {
        name: pki.path(value[5:]) if isinstance(value, str) and value.startswith("file:") else value
        for name, value in settings.items()
        if value is not None
    }


BAD: dict[str, tuple[str, dict[str, Any]]] = {
    # parts missing
    "client certificates without their CA": ("need TLS, the CA", {"client_ca": None}),
    "client certificates without a revocation list": ("need TLS, the CA", {"client_crl": None}),
    "client certificates without TLS": ("need TLS, the CA", {"tls_certificate": None, "tls_key": None, "host": "127.0.0.1"}),
    "a CA that nothing uses": ("client certificates are off", {"client_certificates": "off", "client_crl": None}),
    "a revocation list that nothing uses": ("client certificates are off", {"client_certificates": None, "client_ca": None}),
    "plain HTTP for others": ("Without TLS", {"tls_certificate": None, "tls_key": None, "client_certificates": None, "client_ca": None, "client_crl": None}),
    "a certificate without key": ("only one of them", {"tls_key": None}),
    "a key without certificate": ("only one of them", {"tls_certificate": None}),
    "no host names": ("No host name is allowed", {"hosts": []}),
    "no hosts setting": ("required field `hosts`", {"hosts": None}),
    # asked for less
    "TLS 1.2": ("tls", {"tls": "1.2"}),
    "TLS of any version": ("tls", {"tls": ""}),
    "client certificates when we like": ("client_certificates", {"client_certificates": "sometimes"}),
    "optional client certificates of nobody": ("need TLS, the CA", {"client_certificates": "optional", "client_ca": None}),
    "an option we do not know": ("unknown field", {"verify_hostname": False}),
    "an option of another server": ("unknown field", {"ssl_ciphers": "ALL"}),
    "a limit we do not know": ("unknown field", {"limits": {"requests": 5}}),
    "every host": ("no host name a caller", {"hosts": ["*"]}),
    "every host below": ("no host name a caller", {"hosts": ["*.example.org"]}),
    "a host with a port": ("no host name a caller", {"hosts": ["control.example.org:443"]}),
    "a host in capitals": ("no host name a caller", {"hosts": ["Control.example.org"]}),
    "a host that is every address": ("no host name a caller", {"hosts": ["0.0.0.0"]}),
    "a host that is an address in another spelling": ("no host name a caller", {"hosts": ["127.1"]}),
    "a host with a path": ("no host name a caller", {"hosts": ["control.example.org/x"]}),
    "the same host twice": ("each once", {"hosts": ["control.example.org", "control.example.org"]}),
    "no time limit": ("header_seconds", {"limits": {"header_seconds": 0}}),
    "a negative limit": ("body_seconds", {"limits": {"body_seconds": -1}}),
    "a limit beyond reason": ("idle_seconds", {"limits": {"idle_seconds": 1e9}}),
    "a limit that is no number": ("answer_seconds", {"limits": {"answer_seconds": "never"}}),
    "an unlimited body": ("body_bytes", {"limits": {"body_bytes": 1 << 40}}),
    "no connections": ("connections", {"limits": {"connections": 0}}),
    "headers without end": ("header_bytes", {"limits": {"header_bytes": 1 << 30}}),
    "a port that is none": ("port", {"port": 65_536}),
    "an address that is a name": ("no address to listen on", {"host": "control.example.org"}),
    "a relative path": ("absolute path", {"tls_key": "server.key"}),
    # files that are not good
    "a certificate that is missing": ("cannot be opened", {"tls_certificate": "file:nowhere.pem"}),
    "a key that is missing": ("cannot be opened", {"tls_key": "file:nowhere.key"}),
    "a key others can read": ("read by others", {"tls_certificate": "file:loose.pem", "tls_key": "file:loose.key"}),
    "a key the group can read": ("read by others", {"tls_certificate": "file:group.pem", "tls_key": "file:group.key"}),
    "a link to a key others can read": ("read by others", {"tls_certificate": "file:loose.pem", "tls_key": "file:to-loose.key"}),
    "a link to nothing": ("cannot be opened", {"tls_key": "file:to-nothing.key"}),
    "a link to a device": ("not a regular file", {"tls_key": "file:to-device.key"}),
    "a certificate that is a device": ("not a PEM certificate", {"tls_certificate": "file:to-device.pem"}),
    "a key that is a pipe": ("not a regular file", {"tls_key": "file:pipe.key"}),
    "a key that is a folder": ("not a regular file", {"tls_key": "file:folder.key"}),
    "a key under a passphrase": ("encrypted", {"tls_certificate": "file:locked.pem", "tls_key": "file:locked.key"}),
    "the key of another certificate": ("does not belong", {"tls_key": "file:other.key"}),
    "an expired certificate": ("expired at", {"tls_certificate": "file:expired.pem", "tls_key": "file:expired.key"}),
    "a certificate from the future": ("valid only from", {"tls_certificate": "file:future.pem", "tls_key": "file:future.key"}),
    "a certificate for other names": ("does not cover", {"tls_certificate": "file:names.pem", "tls_key": "file:names.key"}),
    "a certificate for clients": ("not for servers", {"tls_certificate": "file:client.pem", "tls_key": "file:client.key"}),
    "the certificate of a CA": ("starts with a CA", {"tls_certificate": "file:ca.pem", "tls_key": "file:ca.key"}),
    "RSA of 1024 bits": ("1024 bits", {"tls_certificate": "file:rsa1024.pem", "tls_key": "file:rsa1024.key"}),
    "a small curve": ("192 bits", {"tls_certificate": "file:p192.pem", "tls_key": "file:p192.key"}),
    "SHA-1": ("SHA1", {"tls_certificate": "file:sha1.pem", "tls_key": "file:sha1.key"}),
    "words instead of a certificate": ("not a PEM certificate", {"tls_certificate": "file:words.pem"}),
    "an empty trust list": ("no PEM certificate", {"client_ca": "file:empty.pem"}),
    "a trust list without a CA": ("is no CA", {"client_ca": "file:server.pem"}),
    "a trust list others may write": ("Others may write", {"client_ca": "file:ca-others-write.pem"}),
    "two CAs and one list": ("list of every CA", {"client_ca": "file:two.pem"}),
    "two CAs and a list that is stale": ("not in force", {"client_ca": "file:two.pem", "client_crl": "file:one-stale.pem"}),
    "a CA among the revocation lists": ("something besides", {"client_crl": "file:list-and-ca.pem"}),
    "a trust list that is missing": ("cannot be opened", {"client_ca": "file:nowhere.pem"}),
    "an empty revocation list file": ("not a PEM revocation list", {"client_crl": "file:empty.pem"}),
    "a revocation list that is stale": ("not in force", {"client_crl": "file:stale.pem"}),
    "a revocation list from the future": ("not in force", {"client_crl": "file:early.pem"}),
    "a revocation list of somebody else": ("list of every CA", {"client_crl": "file:foreign.pem"}),
    "a revocation list others may write": ("Others may write", {"client_crl": "file:others-write.pem"}),
    "a certificate as revocation list": ("not a PEM revocation list", {"client_crl": "file:ca.pem"}),
}  # fmt: skip


def test_the_transport_these_cases_are_made_of_starts(pki: Pki) -> None:
    made = read_transport(good(pki)).open(NOW)
    assert made is not None
    assert made.with_clients
    for changes in (
        {"host": "127.0.0.1"},
        {"hosts": ["control.example.org", "localhost"]},
        {"limits": {"idle_seconds": 5}},
        {"client_ca": "file:two.pem", "client_crl": "file:two-lists.pem"},
        {"client_crl": "file:two-lists.pem"},  # while CAs change, a list may be there before its CA
    ):
        assert read_transport(good(pki, **changes)).open(NOW) is not None
    plain = {"host": "127.0.0.1", "hosts": ["localhost"], "port": 0}
    assert read_transport(plain).open(NOW) is None  # plain HTTP, and only there


@pytest.mark.parametrize("name", sorted(BAD))
def test_a_transport_with_something_wrong_does_not_start_t83(pki: Pki, name: str) -> None:
    why, changes = BAD[name]
    with pytest.raises((InvalidInput, Refused), match=re.escape(why)):
        read_transport(good(pki, **changes)).open(NOW)


def test_there_are_many_such_cases_t83() -> None:
    assert len(BAD) >= 60


@pytest.mark.parametrize("later", [timedelta(days=31), timedelta(days=8)], ids=["certificate", "revocation list"])
def test_what_was_good_once_is_looked_at_again_each_time(pki: Pki, later: timedelta) -> None:
    transport = read_transport(good(pki))
    made = transport.open(NOW)
    assert made is not None
    with pytest.raises(Refused):
        made.renew(NOW + later)
