"""The CA gets a new key under a server that asks for client certificates: no request fails, and the old CA ends when it is revoked."""

import contextlib
import http.client
import json
import shutil
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import pytest

from sealwright import trust
from sealwright.serving import Limits

REFUSED = (ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)


class Nowhere:
    def record(self, event: trust.Event) -> None: ...


class Cas:
    """The CAs of a house, changed as `sealwright keys rotate tls` and `keys revoke` change them."""

    def __init__(self, house: Any, folder: Path) -> None:
        self.house, self.folder = house, folder
        self.certificates = trust.ServiceCertificates(
            house.db, trust.LedgerAudit(house.ledger, house.keyring), signer=house.keyring.ca_keys, workspace="ws_1",
            folder=house.tls.ca.parent, clock=house.clock,
        )  # fmt: skip

    def client(self, name: str) -> Path:
        """A client's certificate of the CA in use."""
        self.certificates.issue(name, "client", self.folder / name, by="ada")
        return self.folder / name

    def bundle(self, name: str) -> Path:
        """A copy of the CAs that are handed out now."""
        return Path(shutil.copy(self.house.tls.ca, self.folder / f"{name}.pem"))

    def rotate(self) -> None:
        self.certificates.prepare_rotation()
        unlock = trust.KeyFile(self.house.home / "key")
        trust.rotate_signing(self.house.keyring, self.house.home / "keys", unlock, "tls", audit=Nowhere(), by="ada")
        self.certificates.publish()

    def revoke(self, place: int, *, publish: bool = True) -> None:
        house, now = self.house, self.house.clock()
        root, file = house.keyring.trust_root, trust.KeyListFile(house.home)
        key = root.keys["tls"][place].key_id
        one = trust.RevokedKey(key_id=key, branch="tls", reason="compromised", since=0, at=now, by="ada")
        listed = trust.revoke(file.read(root, now=now), one, root, now=now)
        file.put(trust.make_key_revocations(listed, house.keyring.signer("authority")), root)
        if publish:
            self.certificates.publish()


class Caller:
    """A client with its own bundle and certificate, which makes a new connection for each request."""

    def __init__(self, client: Any, bundle: Path, own: Path) -> None:
        self.tls = ssl.create_default_context(cafile=str(bundle))
        self.tls.load_cert_chain(own / "client.pem", own / "client.key")
        self.client = client

    def ask(self, row: dict[str, Any]) -> int:
        body = json.dumps({"row": row}).encode()
        port = self.client.port
        with contextlib.closing(http.client.HTTPSConnection("localhost", port, context=self.tls, timeout=20)) as link:
            link.request("POST", f"/v1/models/{self.client.house.project}/predict", body, self.client.usual())
            return link.getresponse().status

    def issuer(self) -> str:
        """Who issued the certificate that the server shows."""
        link = http.client.HTTPSConnection("localhost", self.client.port, context=self.tls, timeout=20)
        with contextlib.closing(link):
            link.connect()
            assert isinstance(link.sock, ssl.SSLSocket)
            found: Any = link.sock.getpeercert()
            return str(found["issuer"][0][0][1])


class Load:
    """Callers that ask again and again, each on a thread; more may join."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.row, self.answers, self.failures = row, [0], list[str]()
        self._stop, self._threads = threading.Event(), list[threading.Thread]()

    def join(self, caller: Caller) -> None:
        self._threads.append(threading.Thread(target=self._go_on, args=(caller,)))
        self._threads[-1].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def more(self, count: int = 30) -> None:
        """Wait until that many more were answered."""
        wanted, end = self.answers[0] + count, time.monotonic() + 40
        while self.answers[0] < wanted and not self.failures:
            assert time.monotonic() < end, "the server answers no more"
            time.sleep(0.01)

    def _go_on(self, caller: Caller) -> None:
        while not self._stop.is_set():
            try:
                status = caller.ask(self.row)
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(f"{type(error).__name__}: {error}")
                return
            if status != 200:
                self.failures.append(str(status))
            self.answers[0] += 1


@pytest.fixture
def served(new_house: Callable[..., Any], start: Any, client_of: Any, tmp_path: Path) -> Any:
    """A server that lets in nobody without a certificate of the workspace, with the limits of production."""
    house = new_house()
    cas = Cas(house, tmp_path)
    cas.certificates.publish()
    running = start(
        house, limits=Limits(), client_certificates="required", client_ca=cas.certificates.ca,
        client_revocations=cas.certificates.revocations,
    )  # fmt: skip
    return cas, client_of(house, running), running


def refused(caller: Caller, row: dict[str, Any]) -> bool:
    try:
        return caller.ask(row) != 200
    except REFUSED:
        return True


def test_no_request_fails_while_the_ca_changes_twice_and_the_old_one_opens_nothing_once_revoked_t81(
    served: Any, row: dict[str, Any]
) -> None:
    cas, client, running = served
    old = Caller(client, cas.bundle("old"), cas.client("old"))
    first = old.issuer()
    with Load(row) as load:
        load.join(old)
        load.more()
        cas.rotate()
        both = cas.bundle("both")
        new = Caller(client, both, cas.client("new"))
        end = time.monotonic() + 2.0
        while refused(new, row):  # the first moment at which the server has read the files
            assert time.monotonic() < end
        load.join(new)
        load.join(Caller(client, both, cas.folder / "old"))
        load.join(Caller(client, cas.folder / "old.pem", cas.folder / "new"))
        load.more(60)
        assert old.issuer() == new.issuer() == first, "shown is what every client trusts"
        cas.rotate()
        load.more(60)
        time.sleep(1.2)  # and once more, after the server has looked
        load.more(60)
    assert load.failures == []
    assert load.answers[0] > 200
    assert len(cas.bundle("three").read_text().split("BEGIN CERTIFICATE")) == 4

    last = Caller(client, cas.bundle("newest"), cas.client("last"))
    cas.revoke(0)
    began = time.monotonic()
    while not refused(Caller(client, cas.folder / "three.pem", cas.folder / "old"), row):
        assert time.monotonic() - began < 2.0
        time.sleep(0.02)
    with pytest.raises(ssl.SSLCertVerificationError):  # who knows the revoked CA alone does not talk to us any more
        old.ask(row)
    assert last.ask(row) == 200
    between = Caller(client, cas.folder / "three.pem", cas.folder / "new")
    assert between.ask(row) == 200, "the CA in between still counts"
    assert last.issuer() != first
    assert running.wait(0) is None


def test_a_revoked_ca_is_out_within_two_seconds_even_if_nobody_writes_the_files_anew_t81(
    served: Any, row: dict[str, Any]
) -> None:
    cas, client, _ = served
    old = Caller(client, cas.bundle("old"), cas.client("old"))
    assert old.ask(row) == 200
    cas.rotate()
    cas.revoke(0, publish=False)
    began = time.monotonic()
    while not refused(old, row):
        assert time.monotonic() - began < 2.0
        time.sleep(0.02)
    time.sleep(1.5)
    assert refused(old, row)


@pytest.mark.parametrize("spoil", ["lists gone", "list of the new CA gone", "words for CAs"])
def test_files_that_are_spoilt_keep_no_revoked_ca_in_force_t81(served: Any, row: dict[str, Any], spoil: str) -> None:
    """Files that are not good leave what is in force, but not a CA that was withdrawn."""
    cas, client, _ = served
    old = Caller(client, cas.bundle("old"), cas.client("old"))
    cas.rotate()
    new = Caller(client, cas.bundle("both"), cas.client("new"))
    end = time.monotonic() + 2.0
    while refused(new, row):
        assert time.monotonic() < end
    ca, lists = cas.certificates.ca, cas.certificates.revocations
    good = ca.read_bytes(), lists.read_bytes()
    if spoil == "lists gone":
        lists.unlink()
    elif spoil == "words for CAs":
        ca.write_text("words")
    else:
        head, second = good[1].split(b"-----END X509 CRL-----\n", 1)
        assert head
        lists.write_bytes(second)
    time.sleep(1.5)
    assert not refused(old, row), "what is in force stays"
    cas.revoke(0, publish=False)
    began = time.monotonic()
    while not refused(old, row):
        assert time.monotonic() - began < 2.5
        time.sleep(0.02)
    ca.write_bytes(good[0])
    lists.write_bytes(good[1])
    end = time.monotonic() + 2.0
    while refused(new, row):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert refused(old, row)
