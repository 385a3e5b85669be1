"""What was taken back stops working in a running server within a second, and API keys work there (T-05)."""

import contextlib
import http.client
import json
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sealwright import trust
from sealwright.kernel import FixedClock, VerificationFailed, system_clock
from sealwright.serving import (
    Running,
    access_file,
    decision_ledger_folder,
    decision_origin,
    predict_scope,
    token_audience,
)
from sealwright.serving.access import GRACE_SECONDS, AccessWatch
from sealwright.serving.problems import NotReady, Unauthenticated
from sealwright.serving.state import StateFile
from sealwright.serving.tokens import TokenCheck


def machines_of(house: Any) -> trust.Machines:
    return trust.Machines(
        house.db,
        trust.LedgerAudit(house.ledger, house.keyring),
        signer=house.keyring.signer("tokens"),
        workspace="ws_1",
        access_file=access_file(house.home),
        clock=house.clock,
    )


def api_key(house: Any, **changes: Any) -> tuple[Any, str]:
    values = {
        "project": house.project,
        "scopes": [predict_scope(house.project)],
        "owner": "ada",
        "days": 1,
        "by": "ada",
    }
    return machines_of(house).make_api_key("till", **(values | changes))  # type: ignore[arg-type]


def refused_within_a_second(client: Any, row: Any, **headers: str) -> None:
    began = time.monotonic()
    while client.predict(row, **headers).status == 200:
        assert time.monotonic() - began < 1.0, "it still worked a second after it was taken back"
        time.sleep(0.02)
    assert client.predict(row, **headers).status == 401


def entries(house: Any) -> list[trust.LedgerEntry]:
    """The server's ledger as it is, while it writes on."""
    ledger = trust.Ledger.open(
        decision_ledger_folder(house.home, house.project, "live"),
        origin=decision_origin("ws_1", house.project, "live"),
        signer=None,
        keys=house.keyring.trust_root.keys_of("decision-checkpoints"),
    )
    with contextlib.closing(ledger):
        return list(ledger.entries())


# ---- over sockets, with the limits a server starts with


@pytest.fixture
def running(new_house: Any, start: Any, client_of: Any) -> Any:
    from sealwright.serving import Limits

    house = new_house()
    machines_of(house).publish()
    return house, client_of(house, start(house, limits=Limits()))


def test_a_token_revoked_in_use_is_refused_within_a_second_t05(running: Any, row: dict[str, Any]) -> None:
    house, client = running
    assert client.predict(row).status == 200
    claims = trust.verify_token(
        client.token,
        house.keyring.trust_root.keys_of("tokens"),
        issuer="urn:sealwright:workspace:ws_1",
        audience=token_audience("ws_1"),
        now=datetime.now(UTC),
    )
    machines_of(house).revoke_token(claims, by="ada", reason="leaked")
    refused_within_a_second(client, row)


def test_every_token_of_a_client_revoked_in_use_is_refused_within_a_second_t05(
    running: Any, row: dict[str, Any]
) -> None:
    house, client = running
    assert client.predict(row).status == 200
    machines_of(house).revoke_tokens_of("bank-frontend", by="ada", reason="stolen laptop")
    refused_within_a_second(client, row)
    other = house.token(subject="branch-office")
    assert client.predict(row, Authorization=f"Bearer {other}").status == 200


def test_an_api_key_works_until_it_is_revoked_within_a_second_t05(
    running: Any, row: dict[str, Any], wait_until: Any
) -> None:
    house, client = running
    key, raw = api_key(house)
    use = {"Authorization": f"Bearer {raw}"}
    wait_until(lambda: client.predict(row, **use).status == 200, 2.0)
    machines_of(house).revoke_api_key(key.id, by="ada", reason="leaked")
    refused_within_a_second(client, row, **use)
    assert client.predict(row).status == 200


def test_an_api_key_of_another_project_is_forbidden(running: Any, row: dict[str, Any], wait_until: Any) -> None:
    house, client = running
    _, raw = api_key(house, project="other", scopes=["predict:other"])
    wait_until(lambda: client.predict(row, Authorization=f"Bearer {raw}").status == 403, 2.0)


def test_a_decision_says_which_key_asked_and_never_the_key(running: Any, row: dict[str, Any], wait_until: Any) -> None:
    from sealwright.serving import DECISION_KEY_PURPOSE, read_decision

    house, client = running
    key, raw = api_key(house)
    wait_until(lambda: client.predict(row, Authorization=f"Bearer {raw}").status == 200, 2.0)
    folder = decision_ledger_folder(house.home, house.project, "live")
    wait_until(lambda: any(entry.action == "decision" for entry in entries(house)), 2.0)
    found = [entry for entry in entries(house) if entry.action == "decision"][-1]
    record = read_decision(found, house.keyring.key("decisions", DECISION_KEY_PURPOSE))
    assert (record.subject, record.token) == ("till", key.id)
    assert raw.encode() not in b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())


# ---- the list itself is attacked


def test_an_older_list_is_refused_by_a_running_server_and_by_the_next_one(
    new_house: Any, start: Any, client_of: Any, row: dict[str, Any], wait_until: Any
) -> None:
    """Whoever can write the file brings an old one back, so that a revoked key would work again."""
    house = new_house()
    key, raw = api_key(house)
    old = access_file(house.home).read_bytes()
    machines_of(house).revoke_api_key(key.id, by="ada", reason="leaked")
    running = start(house)
    client = client_of(house, running)
    assert client.predict(row, Authorization=f"Bearer {raw}").status == 401
    access_file(house.home).write_bytes(old)
    wait_until(lambda: client.ask("GET", "/v2/health/ready", headers={}).status == 503, 5.0)
    assert client.predict(row, Authorization=f"Bearer {raw}").status == 401
    assert client.predict(row).status == 200  # the list in force was verified: the grace
    running.stop()
    for spoil in (lambda: None, lambda: access_file(house.home).unlink()):
        spoil()
        with pytest.raises(VerificationFailed) as refused:
            start(house)
        assert refused.value.link == "access"
    machines_of(house).publish()
    assert client_of(house, start(house)).predict(row).status == 200


def test_who_starts_the_server_says_how_new_the_list_must_be(new_house: Any, start: Any) -> None:
    """Even where the server's own memory is gone, with its decisions, an old list does not pass."""
    house = new_house()
    api_key(house)
    old = access_file(house.home).read_bytes()
    listed = machines_of(house)
    listed.revoke_tokens_of("till", by="ada", reason="")
    newest = listed.publish().sequence
    access_file(house.home).write_bytes(old)
    with pytest.raises(VerificationFailed, match="was seen before"):
        start(house, access_at_least=newest)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Any]:
    """A watch over a real signed file, with clocks that stand still, and what it noted."""
    signer = trust.LocalSigner(trust.ED25519, b"\1" * 32)
    clock, moment, noted = FixedClock(datetime(2026, 11, 26, tzinfo=UTC)), [0.0], []  # type: ignore[var-annotated]
    path = tmp_path / "access.json"

    def write(sequence: int, **more: Any) -> None:
        found = trust.AccessList(sequence=sequence, issued_at=clock(), **more)
        path.write_bytes(trust.sign_access_list(found, "ws_1", signer))

    write(3)
    watch = AccessWatch(
        path,
        lambda: [signer.public()],
        "ws_1",
        state=StateFile(tmp_path / "state.json", "credit", "live"),
        clock=clock,
        note=lambda action, _, detail: noted.append((action, detail)),
        monotonic=lambda: moment[0],
    )
    watch.start()
    return watch, path, write, moment, noted


@pytest.mark.parametrize("how", ["gone", "garbage", "older", "link"])
def test_a_bad_list_is_told_at_once_and_ends_service_after_the_grace(watched: Any, how: str, tmp_path: Path) -> None:
    watch, path, write, moment, noted = watched
    assert watch.current().sequence == 3
    if how == "gone":
        path.unlink()
    elif how == "garbage":
        path.write_bytes(b"{}")
    elif how == "older":
        write(2)
    else:
        path.rename(tmp_path / "moved")
        path.symlink_to(tmp_path / "moved")
    assert watch.changed()
    watch.refresh()
    assert watch.not_ready()
    assert watch.current().sequence == 3
    assert [action for action, _ in noted] == ["serving.access_refused"]
    moment[0] = GRACE_SECONDS
    watch.refresh()
    assert watch.current().sequence == 3
    moment[0] = GRACE_SECONDS + 0.1
    with pytest.raises(NotReady):
        watch.current()
    path.unlink(missing_ok=True)
    write(4)
    watch.refresh()
    assert (watch.current().sequence, watch.not_ready()) == (4, "")


def test_a_look_at_an_unchanged_file_reads_nothing(watched: Any) -> None:
    watch, path, _, _, _ = watched
    assert not watch.changed()
    path.chmod(0)
    assert not watch.changed()


def test_a_new_list_forgets_every_remembered_credential(watched: Any) -> None:
    watch, _, write, _, _ = watched
    from sealwright.trust.machines.access_list import ListedKey
    from sealwright.trust.machines.api_keys import api_key_digest, make_api_key

    identity, raw = make_api_key()
    digest = bytes.fromhex(api_key_digest(raw))
    listed = ListedKey(subject="till", digest=digest, scopes=frozenset({"predict:credit"}), expires=2**33)
    check = TokenCheck(
        lambda: [trust.LocalSigner(trust.ED25519, b"\1" * 32).public()],
        issuer="i:i",
        audience="a:a",
        access=watch,
        clock=FixedClock(datetime(2026, 11, 26, tzinfo=UTC)),
        cache_seconds=60,
    )
    header = f"Bearer {raw}".encode()
    with pytest.raises(Unauthenticated):
        check.caller(header)
    write(4, keys={identity: listed})
    watch.refresh()
    assert check.caller(header).subject == "till"
    assert check.caller(header).token == identity
    write(5)
    watch.refresh()
    with pytest.raises(Unauthenticated) as refused:
        check.caller(header)
    assert refused.value.reason == "api_key.unknown"


# ---- client certificates in front of a prediction server


@pytest.fixture
def mutual(new_house: Any, tmp_path: Path) -> Any:
    house = new_house()
    services = trust.ServiceCertificates(
        house.db,
        trust.LedgerAudit(house.ledger, house.keyring),
        signer=house.keyring.signer("tls"),
        workspace="ws_1",
        folder=house.tls.ca.parent,
        clock=system_clock,
    )
    services.issue("till", "client", tmp_path / "till", by="ada")
    services.issue("other", "client", tmp_path / "other", by="ada")
    return house, services


def ask_with(client: Any, row: Any, own: Path | None, token: str) -> int:
    """The status a client gets that shows this certificate, or none."""
    tls = ssl.create_default_context(cafile=str(client.house.tls.ca))
    if own is not None:
        tls.load_cert_chain(own / "client.pem", own / "client.key")
    with contextlib.closing(http.client.HTTPSConnection("localhost", client.port, context=tls, timeout=10)) as link:
        body = json.dumps({"row": row}).encode()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        link.request("POST", f"/v1/models/{client.house.project}/predict", body, headers)
        return link.getresponse().status


def thumbprint(own: Path) -> str:
    return trust.certificate_thumbprint(ssl.PEM_cert_to_DER_cert((own / "client.pem").read_text()))


def test_a_token_bound_to_a_certificate_is_worth_nothing_without_it(
    mutual: Any, start: Any, client_of: Any, row: dict[str, Any], tmp_path: Path
) -> None:
    house, services = mutual
    settings = {
        "client_certificates": "optional",
        "client_ca": services.ca,
        "client_revocations": services.revocations,
    }
    client = client_of(house, start(house, **settings))
    bound = house.token(subject="till", thumbprint=thumbprint(tmp_path / "till"))
    assert ask_with(client, row, tmp_path / "till", bound) == 200
    assert ask_with(client, row, None, bound) == 401  # remembered, and still bound
    assert ask_with(client, row, tmp_path / "other", bound) == 401
    assert ask_with(client, row, None, client.token) == 200


def test_a_server_that_asks_for_no_certificate_takes_no_bound_token(client: Any, row: dict[str, Any]) -> None:
    bound = client.house.token(thumbprint="A" * 43)
    assert client.predict(row, Authorization=f"Bearer {bound}").status == 401


def test_a_server_that_requires_certificates_answers_nobody_without_one_and_no_revoked_one(
    mutual: Any, start: Any, client_of: Any, row: dict[str, Any], tmp_path: Path, wait_until: Callable[..., None]
) -> None:
    house, services = mutual
    settings = {
        "client_certificates": "required",
        "client_ca": services.ca,
        "client_revocations": services.revocations,
    }
    running: Running = start(house, **settings)
    client = client_of(house, running)
    assert ask_with(client, row, tmp_path / "till", client.token) == 200
    with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
        ask_with(client, row, None, client.token)
    serial = next(one.serial for one in services.certificates() if one.service == "till")
    services.revoke(serial, by="ada", reason="lost")

    def refused() -> bool:
        try:
            ask_with(client, row, tmp_path / "till", client.token)
        except (ssl.SSLError, ConnectionError, http.client.RemoteDisconnected):
            return True
        return False

    wait_until(refused, 3.0)
    assert ask_with(client, row, tmp_path / "other", client.token) == 200


def test_half_of_mutual_tls_does_not_start(new_house: Any) -> None:
    from sealwright.kernel import Refused

    house = new_house()
    for missing in ({"client_ca": house.tls.ca}, {"client_revocations": house.tls.ca}, {}):
        with pytest.raises(Refused, match="Client certificates need"):
            house.config(client_certificates="required", **missing)
    with pytest.raises(Refused, match="Client certificates need"):
        house.config(tls=False, client_certificates="optional", client_ca=house.tls.ca, client_revocations=house.tls.ca)


def test_a_bearer_token_is_reusable_by_design(client: Any, row: Any) -> None:
    """A plain access token is no one-time proof: RFC 6750. What bounds its theft is five minutes and revocation."""
    token = client.house.token(lifetime=timedelta(minutes=5))
    assert [client.predict(row, Authorization=f"Bearer {token}").status for _ in range(3)] == [200] * 3
