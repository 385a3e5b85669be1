"""An attempt is on record when `record` returns, and the record names nobody."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from sealwright.kernel import InvalidInput, Refused
from sealwright.trust import (
    Event,
    InsecurePassphraseForTests,
    Ledger,
    LedgerAudit,
    Principal,
    RoleGrant,
    Secret,
    create_keyring,
    digest_of_resource,
)


@pytest.fixture
def audited(tmp_path: Path):
    ring = create_keyring(tmp_path / "keys", "ws_test", InsecurePassphraseForTests(Secret("a passphrase for tests")))
    ledger = Ledger.open(
        tmp_path / "ledger",
        origin="sealwright/ws_test/ledger",
        signer=ring.signer("checkpoints"),
        clock=lambda: datetime(2026, 11, 26, tzinfo=UTC),
        create=True,
    )
    yield LedgerAudit(ledger, ring), ledger, tmp_path / "ledger"
    ledger.close()


def test_a_refusal_is_an_entry_with_reason_policies_and_request(audited) -> None:
    audit, ledger, _ = audited
    audit.record(
        Event(
            action="model.promote",
            outcome="refused",
            actor="ada",
            resource="model:credit/3",
            reason="permission.denied",
            policies=("duties.trainer",),
            request="req_1",
            source="192.0.2.7",
        )
    )
    (entry,) = ledger.entries()
    assert (entry.action, entry.subject) == ("model.promote", digest_of_resource("model:credit/3"))
    assert entry.detail["outcome"] == "refused"
    assert entry.detail["policies"] == ["duties.trainer"]
    assert entry.actor == audit.name_of("ada") != audit.name_of("bob")


def test_no_name_and_no_address_stands_in_the_ledger_file(audited) -> None:
    audit, ledger, folder = audited
    audit.record(
        Event(action="login", outcome="done", actor="margarethe", source="192.0.2.77", resource="person:margarethe")
    )
    ledger.close()
    written = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"login" in written
    assert b"margarethe" not in written
    assert b"192.0.2.77" not in written


def test_an_event_that_could_not_be_written_raises(audited) -> None:
    audit, ledger, _ = audited
    ledger.close()
    with pytest.raises(Refused, match="closed"):
        audit.record(Event(action="login", outcome="done", actor="ada"))


def test_detail_cannot_overwrite_what_the_event_says() -> None:
    with pytest.raises(InvalidInput, match="does not use"):
        Event(action="login", outcome="refused", detail={"outcome": "done"})


def test_a_service_holds_no_roles() -> None:
    with pytest.raises(InvalidInput, match="scopes, not roles"):
        Principal(kind="service", name="scorer", proof="token", grants=frozenset({RoleGrant("auditor")}))


def test_a_role_in_one_project_does_not_reach_another() -> None:
    grants = frozenset({RoleGrant("ml_engineer", "credit"), RoleGrant("auditor")})
    ada = Principal(kind="person", name="ada", proof="key", grants=grants)
    assert ada.roles_in("credit") == {"ml_engineer", "auditor"}
    assert ada.roles_in("hiring") == {"auditor"}
