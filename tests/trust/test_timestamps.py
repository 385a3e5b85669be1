"""Time stamps by a real authority: `openssl ts` behind a socket on this machine."""

import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from sealwright.kernel import FixedClock, InvalidInput, OperationFailed, VerificationFailed
from sealwright.trust import TimestampAuthority, request_timestamp, verify_timestamp

pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="openssl is not installed: nothing to stamp with"
)

NOTE = b"sealwright/ws_1/ledger\n3\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\xe2\x80\x94 x AAAAAAAA\n"
POLICY, OTHER_POLICY = "1.2.3.4.1", "1.2.3.4.5.7"
CONFIG = """
[ca]
[req]
distinguished_name = name
prompt = no
[name]
CN = {name}
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[stamping]
extendedKeyUsage = critical,timeStamping
[soft]
extendedKeyUsage = timeStamping
[server]
extendedKeyUsage = critical,serverAuth
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
certs = {folder}/root.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = {policy}
other_policies = 1.2.3.4.9
digests = sha256, sha512
accuracy = secs:1
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


class Authority:
    """A CA, an authority below it, and the program that stamps."""

    def __init__(
        self, folder: Path, name: str, *, policy: str = POLICY, section: str = "stamping", days: int = 30
    ) -> None:
        folder.mkdir()
        self.folder = folder
        (folder / "ts.cnf").write_text(CONFIG.format(folder=folder, name=name, policy=policy))
        self.openssl("req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", "root.key", "-out", "root.pem", "-days", "60",
                     "-config", "ts.cnf", "-extensions", "root", "-subj", f"/CN={name} root")  # fmt: skip
        self.openssl(
            "req", "-newkey", "rsa:2048", "-nodes", "-keyout", "tsa.key", "-out", "tsa.csr", "-config", "ts.cnf"
        )
        self.openssl("x509", "-req", "-in", "tsa.csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-out",
                     "tsa.pem", "-days", str(days), "-extfile", "ts.cnf", "-extensions", section)  # fmt: skip
        self.pem = (folder / "tsa.pem").read_bytes() + (folder / "root.pem").read_bytes()
        self.trusted = TimestampAuthority.from_pem(self.pem)
        self.change: Callable[[bytes], bytes] = lambda answer: answer

    def openssl(self, *arguments: str) -> None:
        done = subprocess.run(["openssl", *arguments], cwd=self.folder, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()

    def stamp(self, query: bytes) -> bytes:
        (self.folder / "query").write_bytes(query)
        self.openssl("ts", "-reply", "-queryfile", "query", "-out", "reply", "-config", "ts.cnf")
        return self.change((self.folder / "reply").read_bytes())


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Authority]:
    kept: dict[str, Authority] = {}

    def made(name: str = "one", **more: object) -> Authority:
        key = f"{name}{more}"
        if key not in kept:
            kept[key] = Authority(tmp_path_factory.mktemp("tsa") / "tsa", name, **more)  # type: ignore[arg-type]
        kept[key].change = lambda answer: answer
        return kept[key]

    return made


@pytest.fixture
def serve() -> Iterator[Callable[[Authority], str]]:
    servers = []

    def started(authority: Authority) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.headers["Content-Type"] == "application/timestamp-query"
                answer = authority.stamp(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None: ...

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}/tsr"

    yield started
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_checkpoint_is_stamped_and_the_token_holds_offline(make, serve) -> None:
    authority = make()
    token = request_timestamp(serve(authority), NOTE, authority.trusted)
    at = verify_timestamp(token, NOTE, authority.trusted)
    assert abs(at - datetime.now(UTC)) < timedelta(minutes=1)
    assert verify_timestamp(token, NOTE, TimestampAuthority.from_pem(authority.pem, POLICY)) == at


def test_openssl_finds_the_same_token_good(make, serve) -> None:
    authority = make()
    (authority.folder / "token").write_bytes(request_timestamp(serve(authority), NOTE, authority.trusted))
    (authority.folder / "note").write_bytes(NOTE)
    authority.openssl("ts", "-verify", "-data", "note", "-in", "token", "-CAfile", "root.pem", "-untrusted", "tsa.pem")


def test_a_changed_checkpoint_does_not_hold_t57(make, serve) -> None:
    authority = make()
    token = request_timestamp(serve(authority), NOTE, authority.trusted)
    for changed in (NOTE.replace(b"\n3\n", b"\n4\n"), NOTE + b"\n", NOTE[:-1], b""):
        with pytest.raises(VerificationFailed, match="does not hold"):
            verify_timestamp(token, changed, authority.trusted)


def test_an_answer_to_another_request_is_refused(make, serve) -> None:
    """Wrong nonce: an old answer over the same checkpoint is played again."""
    authority = make()
    address = serve(authority)
    old = request_timestamp(address, NOTE, authority.trusted)
    verify_timestamp(old, NOTE, authority.trusted)
    authority.change = lambda _answer: old
    with pytest.raises(VerificationFailed, match=r"[Nn]once"):
        request_timestamp(address, NOTE, authority.trusted)


def test_another_authority_of_the_same_name_is_refused(make, serve) -> None:
    ours, theirs = make(), make("one", days=29)
    address = serve(theirs)
    with pytest.raises(VerificationFailed, match="does not hold"):
        request_timestamp(address, NOTE, ours.trusted)
    token = request_timestamp(address, NOTE, theirs.trusted)
    with pytest.raises(VerificationFailed, match="does not hold"):
        verify_timestamp(token, NOTE, ours.trusted)
    mixed = TimestampAuthority(ours.trusted.certificate, theirs.trusted.above)
    with pytest.raises(VerificationFailed, match="does not hold"):
        verify_timestamp(token, NOTE, mixed)


@pytest.mark.parametrize("section", ["soft", "server"])
def test_a_certificate_that_may_not_stamp_is_refused(make, section: str) -> None:
    """openssl refuses to stamp with one, so its own check is turned aside: the certificate is exchanged afterwards."""
    good, bad = make(), make("other", section=section)
    query = good.folder / "q"
    good.openssl("ts", "-query", "-data", "ts.cnf", "-sha256", "-cert", "-out", "q")
    with pytest.raises(AssertionError):
        bad.stamp(query.read_bytes())
    token = good.stamp(query.read_bytes())
    with pytest.raises(VerificationFailed):
        verify_timestamp(token, (good.folder / "ts.cnf").read_bytes(), bad.trusted)


def test_a_certificate_that_had_run_out_is_refused(make) -> None:
    """A stamp of today under a certificate that ended in 2020, of the same key and the same CA."""
    authority = make()
    own = x509.load_pem_x509_certificate((authority.folder / "tsa.pem").read_bytes())
    root = x509.load_pem_x509_certificate((authority.folder / "root.pem").read_bytes())
    root_key = load_pem_private_key((authority.folder / "root.key").read_bytes(), None)
    old = x509.CertificateBuilder(
        root.subject,
        own.subject,
        own.public_key(),
        77,
        datetime(2020, 1, 1, tzinfo=UTC),
        datetime(2020, 2, 1, tzinfo=UTC),
    )
    for extension in own.extensions:
        old = old.add_extension(extension.value, extension.critical)
    (authority.folder / "old.pem").write_bytes(old.sign(root_key, None).public_bytes(Encoding.PEM))  # type: ignore[arg-type]
    (authority.folder / "old.cnf").write_text((authority.folder / "ts.cnf").read_text().replace("tsa.pem", "old.pem"))
    authority.openssl("ts", "-query", "-data", "ts.cnf", "-sha256", "-out", "q")
    authority.openssl("ts", "-reply", "-queryfile", "q", "-out", "late", "-config", "old.cnf")
    token, data = ((authority.folder / name).read_bytes() for name in ("late", "ts.cnf"))
    pem = (authority.folder / "old.pem").read_bytes() + (authority.folder / "root.pem").read_bytes()
    with pytest.raises(VerificationFailed, match=r"does not hold|outside the life"):
        verify_timestamp(token, data, TimestampAuthority.from_pem(pem))


def test_another_policy_is_refused(make, serve) -> None:
    authority = make("old policy", policy=OTHER_POLICY)
    asked = TimestampAuthority.from_pem(authority.pem, POLICY)
    with pytest.raises(VerificationFailed, match=r"[Pp]olicy"):
        request_timestamp(serve(authority), NOTE, asked)


def test_a_stamp_of_another_day_is_refused_when_it_is_made(make, serve) -> None:
    authority = make()
    with pytest.raises(VerificationFailed, match="five minutes"):
        request_timestamp(
            serve(authority), NOTE, authority.trusted, clock=FixedClock(datetime.now(UTC) + timedelta(days=1))
        )


def test_junk_is_refused_and_nothing_breaks(make, serve) -> None:
    authority = make()
    address = serve(authority)
    token = request_timestamp(address, NOTE, authority.trusted)
    for junk in (b"", b"0", token[:-1], token + b"\0", b"\x30\x84\xff\xff\xff\xff", token[:40], bytes(70_000)):
        with pytest.raises(VerificationFailed):
            verify_timestamp(junk, NOTE, authority.trusted)


def test_any_flipped_byte_of_the_token_fails_or_changes_nothing(make, serve) -> None:
    """The status text and the certificates beside the signature are signed by nobody; what holds still says the same."""
    authority = make()
    token = request_timestamp(serve(authority), NOTE, authority.trusted)
    at, held = verify_timestamp(token, NOTE, authority.trusted), 0
    for place in range(0, len(token), 7):
        flipped = token[:place] + bytes([token[place] ^ 1]) + token[place + 1 :]
        try:
            assert verify_timestamp(flipped, NOTE, authority.trusted) == at
            held += 1
        except VerificationFailed:
            continue
    assert held < len(token) / 7 / 2


def test_an_authority_that_declines_is_a_failure_to_try_again(make) -> None:
    authority = make()
    for answer in ((500, "text/html", b""), (200, "text/html", b""), (302, "application/timestamp-reply", b"")):
        with pytest.raises(OperationFailed, match="answered"):
            request_timestamp(
                "http://tsa.example", NOTE, authority.trusted, send=lambda _a, _k, _b, answer=answer: answer
            )


@pytest.mark.parametrize(("pem", "policy"), [(b"", None), (b"junk", None), (b"", "1.2")])
def test_a_file_without_certificates_is_refused(pem: bytes, policy: str | None) -> None:
    with pytest.raises(InvalidInput, match="PEM file"):
        TimestampAuthority.from_pem(pem, policy)


def test_a_policy_that_is_no_number_is_refused(make) -> None:
    with pytest.raises(InvalidInput, match="numbers with dots"):
        TimestampAuthority.from_pem(make().pem, "secure")
