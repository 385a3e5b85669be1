"""How much callers ask is on record, and the detector notices who copies the model: against a real server."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sealwright import trust
from sealwright.kernel import system_clock
from sealwright.serving import Running, decision_ledger_folder, decision_origin
from sealwright.serving.tokens import Caller
from sealwright.serving.usage import Asked, Usage
from sealwright.watch import raise_alerts

CONTROL = "sealwright/ws_1/control"  # the signer knows the other ledger, and lets none begin anew


def _decisions(house: Any) -> tuple[str, trust.Ledger]:
    origin = decision_origin("ws_1", house.project, "live")
    keys = house.keyring.trust_root.keys_of("decision-checkpoints")
    folder = decision_ledger_folder(house.home, house.project, "live")
    return origin, trust.Ledger.open(folder, origin=origin, signer=None, keys=keys)


def caller(name: str) -> Caller:
    return Caller(subject=name, token=f"tok_{name}", scopes=frozenset())


def _ask(client: Any, house: Any, rows: list[dict[str, Any]]) -> None:
    reply = client.ask(
        "POST", f"/v1/models/{house.project}/predict", json.dumps({"rows": rows}).encode(), client.usual()
    )
    assert reply.status == 200


def test_what_a_caller_asked_stands_in_the_ledger_by_pseudonym(
    new_house: Callable[..., Any], start: Callable[..., Running], client_of: Any, row: dict[str, Any]
) -> None:
    house = new_house()
    running = start(house)
    client = client_of(house, running)
    for amount in (1000, 1000, 2000):
        assert client.predict({**row, "amount": amount}).status == 200
    running.stop()
    _, ledger = _decisions(house)
    with ledger:
        told = [dict(entry.detail) for entry in ledger.entries() if entry.action == "predict.usage"]
    assert [(one["rows"], one["different"]) for one in told] == [(3, 2)]
    assert told[0]["caller"].startswith("sub_")
    ((source, requests),) = told[0]["sources"].items()
    assert (source[:4], requests) == ("sub_", 3)
    assert "bank-frontend" not in str(told)
    assert "127.0.0.1" not in str(told)


def test_copying_a_model_by_asking_it_raises_an_alert_t65(
    new_house: Callable[..., Any],
    start: Callable[..., Running],
    client_of: Any,
    row: dict[str, Any],
    tmp_path: Path,
) -> None:
    house = new_house()
    running = start(house)
    client = client_of(house, running)
    for batch in range(21):
        _ask(client, house, [{**row, "amount": 1000 + batch} for _ in range(1000)])
    running.stop()
    origin, ledger = _decisions(house)
    with (
        ledger,
        trust.Ledger.open(
            tmp_path / "control", origin=CONTROL, signer=house.keyring.signer("checkpoints"), create=True
        ) as control,
    ):
        audit = trust.LedgerAudit(control, house.keyring)
        raised = raise_alerts({origin: ledger, CONTROL: control}, audit, now=system_clock())
        again = raise_alerts({origin: ledger, CONTROL: control}, audit, now=system_clock())
    assert [(alert.rule, alert.last.rpartition("/")[0]) for alert in raised] == [("intrusion.extraction", origin)]
    assert raised[0].about.startswith("sub_")
    assert again == []


@pytest.mark.parametrize("addresses", [3, 4])
def test_one_token_from_four_addresses_raises_an_alert_t65(
    new_house: Callable[..., Any],
    start: Callable[..., Running],
    client_of: Any,
    row: dict[str, Any],
    tmp_path: Path,
    addresses: int,
) -> None:
    house = new_house()
    running = start(house)
    client = client_of(house, running)
    for number in range(addresses):
        client.source = (f"127.0.0.{number + 2}", 0)
        assert client.predict(row).status == 200
    running.stop()
    origin, ledger = _decisions(house)
    with (
        ledger,
        trust.Ledger.open(
            tmp_path / "control", origin=CONTROL, signer=house.keyring.signer("checkpoints"), create=True
        ) as control,
    ):
        audit = trust.LedgerAudit(control, house.keyring)
        raised = raise_alerts({origin: ledger, CONTROL: control}, audit, now=system_clock())
    assert [alert.rule for alert in raised] == ["intrusion.impossible_token"] * (addresses == 4)


def test_what_the_ledger_did_not_take_is_counted_on() -> None:
    written: list[Any] = []

    def note(action: str, subject: str, detail: Any) -> None:
        if len(written) == 1:
            raise OSError
        written.append(detail)

    usage = Usage(note, lambda name: f"sub_{name}")
    usage.add(caller("a"), "192.0.2.1", b"1", 10)
    usage.add(caller("b"), "192.0.2.1", b"2", 5)
    found = usage.take()
    try:
        usage.write(found)
    except OSError:
        usage.give_back(found)
    usage.add(caller("b"), "192.0.2.2", b"2", 5)
    assert written == [{"caller": "sub_a", "rows": 10, "different": 10, "sources": {"sub_192.0.2.1": 1}}]
    assert usage.take() == {("b", "tok_b"): Asked(10, 5, Counter({"192.0.2.1": 1, "192.0.2.2": 1}))}


def test_callers_without_end_fill_no_memory() -> None:
    usage = Usage(lambda *_: None, str)
    for number in range(1_000):
        usage.add(caller(f"caller-{number}"), "192.0.2.1", b"x", 1)
    for number in range(20_000):
        usage.add(caller("one"), f"192.0.2.{number % 250}", str(number).encode(), 1)
    assert len(usage._known._known) == 200
    assert len(usage._known._known["one"]) == 10_000
    asked = usage.take()["one", "tok_one"]
    assert (asked.rows, asked.different, len(asked.sources)) == (20_000, 20_000, 8)
