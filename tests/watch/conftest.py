"""A ledger with a clock that can be moved, and a receiver of syslog over TLS on a real socket."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from sealwright.trust import Audit, InsecurePassphraseForTests, Keyring, Ledger, LedgerAudit, Secret, create_keyring

ORIGIN = "sealwright/ws_test/ledger"
DOOR_ORIGIN = "sealwright/ws_test/control"


@dataclass
class Clock:
    now: datetime = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass
class Watched:
    """A ledger, what writes events into it, and its clock."""

    ledger: Ledger
    audit: Audit
    clock: Clock
    keyring: Keyring


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with _watched(tmp_path, "ledger", ORIGIN, _ring(tmp_path), Clock()) as made:
        yield made


@pytest.fixture
def door(tmp_path: Path, watched: Watched) -> Iterator[Watched]:
    """The ledger of what was refused at the door, in the same workspace."""
    with _watched(tmp_path, "door", DOOR_ORIGIN, watched.keyring, watched.clock) as made:
        yield made


def _ring(folder: Path) -> Keyring:
    return create_keyring(folder / "keys", "ws_test", InsecurePassphraseForTests(Secret("a passphrase for tests")))


@contextlib.contextmanager
def _watched(folder: Path, name: str, origin: str, ring: Keyring, clock: Clock) -> Iterator[Watched]:
    with Ledger.open(
        folder / name, origin=origin, signer=ring.signer("checkpoints"), clock=clock, create=True
    ) as ledger:
        yield Watched(ledger, LedgerAudit(ledger, ring), clock, ring)


# ---- a receiver


def issue(
    folder: Path, name: str, authority: "tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None"
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """A key and a certificate in `folder`, signed by `authority` or by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(authority[0].subject if authority else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if authority is None:
        builder = builder.add_extension(
            x509.KeyUsage(False, False, False, False, False, True, True, False, False), critical=True
        )
    else:
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority[1].public_key()), critical=False
        ).add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    made = builder.sign(authority[1] if authority else key, SHA256())
    (folder / f"{name}.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / f"{name}.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return made, key


@dataclass
class Collector:
    """Receives frames until it is told to stop; `after` drops the connection without a farewell after that many bytes."""

    folder: Path
    after: int | None = None
    farewell: bool = True
    messages: list[bytes] = field(default_factory=list)
    exchanges: int = 0

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(0.1)
        self.port = self._listening.getsockname()[1]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "receiver.pem", self.folder / "receiver.key")
        context.load_verify_locations(self.folder / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        self._context = context
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError, OSError, ssl.SSLError):
                plain, _ = self._listening.accept()
                plain.settimeout(5)
                with self._context.wrap_socket(plain, server_side=True) as connection:
                    self._receive(connection)

    def _receive(self, connection: ssl.SSLSocket) -> None:
        data = b""
        while chunk := connection.recv(65536):
            data += chunk
            if self.after is not None and len(data) > self.after:
                self.after = None
                return  # as a receiver that dies: what it read last is lost
        self.exchanges += 1
        while data:
            length, _, data = data.partition(b" ")
            self.messages.append(data[: int(length)])
            data = data[int(length) :]
        if self.farewell:
            connection.unwrap()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        self._listening.close()


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    folder = tmp_path / "tls"
    folder.mkdir()
    authority = issue(folder, "ca", None)
    issue(folder, "receiver", authority)
    issue(folder, "sender", authority)
    issue(folder, "stranger", issue(folder, "other-ca", None))
    return folder
