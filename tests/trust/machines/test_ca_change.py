"""While the key of the CA changes there are two CAs: both are handed out, each says what it took back, and the old one ends."""

import contextlib
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sealwright.engines import open_database
from sealwright.kernel import InvalidInput, VerificationFailed, system_clock
from sealwright.trust import (
    CaKeys,
    KeyFile,
    KeyListFile,
    Keyring,
    PeerVerifier,
    RevokedKey,
    ServiceCertificates,
    SignerRefused,
    TlsFiles,
    create_key_file,
    create_keyring,
    heed,
    load_client_trust,
    make_key_revocations,
    mutual_server_context,
    open_keyring,
    revoke,
    rotate_signing,
    server_certificate,
    standing_cas,
    take_revocations,
)
from sealwright.trust.certificate_form import ca_name
from sealwright.trust.tls_clients import read_lists


class Nowhere:
    def record(self, event: Any) -> None: ...


class Workspace:
    """Keys with a real signer, a database, and the certificates that hang on them."""

    def __init__(self, home: Path) -> None:
        self.home, self.tls = home, home / "tls"
        self.ring = open_keyring(home / "keys", KeyFile(home / "root.key"))
        self.db = open_database(f"sqlite:///{home / 'db.sqlite'}")
        self.late = timedelta()
        self.certificates = ServiceCertificates(
            self.db, Nowhere(), signer=self.ring.ca_keys, workspace="ws_1", folder=self.tls, clock=self.clock
        )

    def clock(self) -> Any:
        return system_clock() + self.late

    def issue(self, service: str, days: float = 90) -> Path:
        to = self.home / service
        self.certificates.issue(service, "client", to, by="ada", days=days)
        return to

    def rotate(self) -> None:
        """As `sealwright keys rotate tls` does it."""
        self.certificates.prepare_rotation()
        rotate_signing(self.ring, self.home / "keys", KeyFile(self.home / "root.key"), "tls", audit=Nowhere(), by="ada")
        self.certificates.publish()

    def withdraw(self, place: int, reason: str = "compromised", *, publish: bool = True) -> None:
        """As `sealwright keys revoke` does it."""
        root, now = self.ring.trust_root, self.clock()
        one = RevokedKey(key_id=root.keys["tls"][place].key_id, branch="tls", reason=reason, since=0, at=now, by="ada")
        listed = revoke(KeyListFile(self.home).read(root, now=now), one, root, now=now)
        KeyListFile(self.home).put(make_key_revocations(listed, self.ring.signer("authority")), root)
        if publish:
            self.certificates.publish()

    def server(self, name: str = "server") -> TlsFiles:
        return server_certificate(self.ring, self.tls, ["localhost"], self.clock(), name=name)

    @property
    def handed_out(self) -> list[str]:
        """The CAs in ca.pem, by their names; crl.pem has a list of each, in the same order."""
        cas = x509.load_pem_x509_certificates((self.tls / "ca.pem").read_bytes())
        lists = read_lists((self.tls / "crl.pem").read_bytes())
        assert [one.issuer for one in lists] == [one.subject for one in cas]
        return [one.subject.rfc4514_string() for one in cas]

    def names(self, *places: int) -> list[str]:
        keys = self.ring.trust_root.keys["tls"]
        return [ca_name(keys[place].key_id).rfc4514_string() for place in places]

    def peers(self) -> PeerVerifier:
        def count() -> frozenset[str]:
            root = self.ring.trust_root
            return standing_cas(heed(root, KeyListFile(self.home).read(root, now=self.clock())))

        return PeerVerifier(self.tls / "ca.pem", self.tls / "crl.pem", "ws_1", count)

    def known(self, own: Path, now: Any = None) -> str:
        """Whom the application takes a certificate for."""
        der = ssl.PEM_cert_to_DER_cert((own / "client.pem").read_text())
        return self.peers().identity(der, now or self.clock(), use="client").name


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("stocked") / "home"
    home.mkdir(mode=0o700)
    create_keyring(home / "keys", "ws_1", create_key_file(home / "root.key")).close()
    return home


@pytest.fixture
def place(tmp_path: Path, stocked: Path) -> Iterator[Workspace]:
    made = Workspace(Path(shutil.copytree(stocked, tmp_path / "home")))
    yield made
    made.db.close()
    made.ring.close()


def issuer(files: TlsFiles) -> str:
    return x509.load_pem_x509_certificate(files.certificate.read_bytes()).issuer.rfc4514_string()


def test_both_cas_are_handed_out_the_new_one_first_each_with_a_list(place: Workspace) -> None:
    old = place.issue("till")
    assert place.handed_out == place.names(0)
    place.rotate()
    new = place.issue("desk")
    assert place.handed_out == place.names(1, 0)
    assert [place.known(old), place.known(new)] == ["till", "desk"]
    for one in (old, new):
        assert openssl(place, one) == 0


def openssl(place: Workspace, own: Path) -> int:
    """A second implementation: `openssl verify` with our files."""
    command = ["openssl", "verify", "-x509_strict", "-crl_check", "-purpose", "sslclient"]
    files = ["-CAfile", str(place.tls / "ca.pem"), "-CRLfile", str(place.tls / "crl.pem"), str(own / "client.pem")]
    return subprocess.run(command + files, capture_output=True, check=False, timeout=20).returncode


def test_a_certificate_of_the_old_ca_is_taken_back_after_the_change_t81(place: Workspace) -> None:
    """The new CA cannot say so: the list of the old one has to be signed with the old key."""
    place.issue("till")
    kept = place.issue("kept")
    place.rotate()
    place.certificates.revoke(place.certificates.certificates()[0].serial, by="ada", reason="lost")
    with pytest.raises(VerificationFailed, match="it was revoked"):
        place.known(place.home / "till")
    assert openssl(place, place.home / "till") != 0
    assert place.known(kept) == "kept"


@pytest.mark.parametrize("reason", ["compromised", "superseded", "destroyed"])
def test_a_revoked_ca_is_gone_from_both_files_and_its_certificates_open_nothing_t81(
    place: Workspace, reason: str
) -> None:
    old = place.issue("till")
    place.rotate()
    new = place.issue("desk")
    place.withdraw(0, reason)
    assert place.handed_out == place.names(1)
    with pytest.raises(VerificationFailed, match="not issued by this workspace"):
        place.known(old)
    assert place.known(new) == "desk"
    assert openssl(place, old) != 0
    place.certificates.publish()
    assert place.handed_out == place.names(1)


def test_a_revoked_ca_counts_for_nothing_before_the_files_say_so_and_when_somebody_puts_them_back_t81(
    place: Workspace,
) -> None:
    old = place.issue("till")
    place.rotate()
    before = {name: (place.tls / name).read_bytes() for name in ("ca.pem", "crl.pem")}
    place.withdraw(0, publish=False)
    with pytest.raises(VerificationFailed, match="not issued by this workspace"):
        place.known(old)
    place.certificates.publish()
    for name, data in before.items():
        (place.tls / name).write_bytes(data)
    with pytest.raises(VerificationFailed, match="not issued by this workspace"):
        place.known(old)
    place.certificates.publish()
    assert place.handed_out == place.names(1)


def test_an_older_ca_leaves_by_itself_when_its_last_certificate_has_ended(place: Workspace) -> None:
    place.issue("till", days=2)
    place.rotate()
    place.certificates.publish()
    assert place.handed_out == place.names(1, 0)
    place.ring.close()
    place.ring = open_keyring(place.home / "keys", KeyFile(place.home / "root.key"))
    memory = place.home / "keys" / "signed" / "certificates.json"
    soon = system_clock() - timedelta(seconds=1)
    memory.write_text(memory.read_text().replace(ends_in(memory), f"{soon:%Y-%m-%dT%H:%M:%SZ}"))
    place.certificates._keys = place.ring.ca_keys
    place.certificates.publish()
    assert place.handed_out == place.names(1)


def ends_in(memory: Path) -> str:
    import json

    (found,) = json.loads(memory.read_text())["ends"].values()
    return str(found)


def test_three_cas_at_once_and_the_middle_one_revoked(place: Workspace) -> None:
    own = []
    for service in ("a", "b", "c"):
        own.append(place.issue(service))
        place.rotate()
    assert place.handed_out == place.names(3, 2, 1, 0)
    place.withdraw(1)
    assert place.handed_out == place.names(3, 2, 0)
    assert [place.known(own[0]), place.known(own[2])] == ["a", "c"]
    with pytest.raises(VerificationFailed, match="not issued"):
        place.known(own[1])


def test_a_server_shows_the_old_ca_until_it_ends_or_is_revoked(place: Workspace) -> None:
    """Clients that hold only the old CA go on; those with both go on in any case."""
    first = place.server()
    place.rotate()
    kept = place.server()
    assert issuer(kept) == issuer(first) == place.names(0)[0]
    assert kept.fingerprint != first.fingerprint, "it was made anew just before, so that it lasts"
    assert place.server().fingerprint == kept.fingerprint, "a start changes nothing"
    place.certificates.publish()
    assert place.server().fingerprint == kept.fingerprint
    assert issuer(place.server("new")) == place.names(1)[0], "a server that is new has no clients yet"
    place.withdraw(0)
    assert issuer(place.server()) == place.names(1)[0]


def test_a_servers_certificate_is_renewed_before_it_ends(place: Workspace) -> None:
    for days, renewed in ((75, False), (77, True)):
        place.late = -timedelta(days=days)
        first = place.server(f"made-{days}")
        place.late = timedelta()
        place.certificates.publish()
        found = x509.load_pem_x509_certificate(first.certificate.read_bytes())
        assert (found.not_valid_after_utc > first.expires_at) == renewed
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == ["localhost"]


def test_a_renewal_touches_only_certificates_of_servers_that_we_made(place: Workspace, tmp_path: Path) -> None:
    place.certificates.issue("till", "client", place.tls, by="ada")  # into the same folder
    place.certificates.issue("signer", "server", place.tls / "x", by="ada", names=["localhost"])
    shutil.copy(place.tls / "x" / "server.pem", place.tls / "signer.pem")
    shutil.copy(place.tls / "x" / "server.key", place.tls / "signer.key")
    place.server("own")
    other = {name: (place.tls / name).read_bytes() for name in ("client.pem", "client.key", "signer.pem", "signer.key")}
    (place.tls / "words.pem").write_text("nothing")
    (place.tls / "words.key").write_text("nothing")
    place.rotate()
    place.withdraw(0)
    assert {name: (place.tls / name).read_bytes() for name in other} == other
    assert issuer(place.server("own")) == place.names(1)[0]


def test_a_ca_without_a_list_lets_nobody_in_t81(place: Workspace) -> None:
    place.issue("till")
    place.rotate()
    files, now = (place.tls / "ca.pem", place.tls / "crl.pem"), system_clock()
    assert len(load_client_trust(*files, now=now).lists) == 2
    for kept in read_lists(files[1].read_bytes()):
        files[1].write_bytes(kept.public_bytes(Encoding.PEM))
        with pytest.raises(InvalidInput, match="list of every CA"):
            load_client_trust(*files, now=now)
        own = place.server()
        with pytest.raises(VerificationFailed, match="cannot be relied on"):
            mutual_server_context(own.certificate, own.key, *files, now=now)
        with pytest.raises(VerificationFailed, match="cannot be relied on"):
            take_revocations(ssl.create_default_context(), *files, now=now)


def test_a_change_that_died_in_between_is_finished_by_whoever_comes_next(place: Workspace) -> None:
    old = place.issue("till")
    unlock = KeyFile(place.home / "root.key")
    rotate_signing(place.ring, place.home / "keys", unlock, "tls", audit=Nowhere(), by="ada")  # and nothing more
    assert place.handed_out == place.names(0)
    assert place.known(old) == "till"
    place.issue("desk")
    assert place.handed_out == place.names(1, 0)


def test_at_no_moment_is_a_ca_handed_out_without_its_list(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    from sealwright.trust import tls_authority
    from sealwright.trust.machines import ca_files

    seen: list[int] = []

    def watched(path: Path, data: bytes, *, mode: int = 0o600) -> None:
        real(path, data, mode=mode)
        if (place.tls / "crl.pem").exists():
            trust = load_client_trust(place.tls / "ca.pem", place.tls / "crl.pem", now=place.clock())
            seen.append(len(trust.authorities))

    real = ca_files.write_atomically
    monkeypatch.setattr(ca_files, "write_atomically", watched)
    monkeypatch.setattr(tls_authority, "write_atomically", watched)
    place.issue("till")
    place.rotate()
    place.issue("desk")
    place.rotate()
    place.withdraw(0)
    place.withdraw(1)
    assert {1, 2, 3} <= set(seen)


def test_a_signer_that_refuses_for_another_reason_takes_no_ca_away(place: Workspace) -> None:
    place.issue("till")
    place.rotate()
    before = (place.tls / "ca.pem").read_bytes(), (place.tls / "crl.pem").read_bytes()
    memory = place.home / "keys" / "signed" / "certificates.json"
    good = memory.read_bytes()
    memory.write_bytes(b"{}x")
    with pytest.raises(SignerRefused, match="not as the signer wrote it"):
        place.certificates.publish()
    assert ((place.tls / "ca.pem").read_bytes(), (place.tls / "crl.pem").read_bytes()) == before
    memory.write_bytes(good)
    place.certificates.publish()
    assert place.handed_out == place.names(1, 0)


def test_the_signer_of_the_newest_ca_must_have_it(place: Workspace) -> None:
    """Only an older CA may be over: without the newest there would be none."""
    place.issue("till")
    place.rotate()
    older = place.ring.ca_keys().older[0]
    place.withdraw(0)
    place.certificates._keys = lambda: CaKeys(older)
    with contextlib.suppress(OSError):
        (place.tls / "ca.pem").unlink()
    with pytest.raises(SignerRefused):
        place.certificates.publish()


def test_keys_of_a_ring(place: Workspace) -> None:
    ring: Keyring = place.ring
    assert ring.ca_keys().older == ()
    place.issue("till")
    place.rotate()
    keys = ring.trust_root.keys["tls"]
    assert [one.key_id for one in ring.ca_keys().signers] == [keys[1].key_id, keys[0].key_id]
