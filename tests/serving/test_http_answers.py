"""Over a real TLS connection to a real process: good requests are answered, recorded, and proven."""

import json
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sealwright import trust
from sealwright.kernel import VerificationFailed
from sealwright.serving import (
    DECISION_KEY_PURPOSE,
    Running,
    contract_of,
    decision_ledger_folder,
    decision_origin,
    example_row,
    read_decision,
)


def _decisions(house: Any) -> list[trust.LedgerEntry]:
    """What the decision ledger holds, read beside the process that writes it."""
    ledger = trust.Ledger.open(
        decision_ledger_folder(house.home, house.project, "live"),
        origin=decision_origin("ws_1", house.project, "live"),
        signer=None,
        keys=house.keyring.trust_root.keys_of("decision-checkpoints"),
    )
    try:
        return list(ledger.entries())
    finally:
        ledger.close()


def test_a_named_row_is_answered_with_label_probabilities_and_model(
    client: Any, house: Any, row: dict[str, Any]
) -> None:
    reply = client.predict(row)
    assert reply.status == 200
    answer = reply.json["answer"]
    assert answer["label"] == "good"
    assert answer["probabilities"]["good"] + answer["probabilities"]["bad"] == pytest.approx(1, abs=1e-5)
    assert answer["model"] == {
        "project": house.project,
        "number": 1,
        "package": house.registry.versions(house.project)[0].package,
    }
    assert answer["decision"].startswith("dec_")
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "server" not in reply.headers


def test_the_receipt_verifies_offline_and_only_for_its_answer_and_request_t70(
    client: Any, house: Any, row: dict[str, Any]
) -> None:
    body = json.dumps({"row": row}).encode()
    reply = client.ask("POST", f"/v1/models/{house.project}/predict", body).json
    receipt = json.dumps(reply["receipt"]).encode()
    keys = house.keyring.trust_root.keys_of("decision-checkpoints")
    report = trust.verify_receipt(receipt, keys, request=body)
    assert json.loads(report.answer) == reply["answer"]
    assert report.package == reply["answer"]["model"]["package"]
    with pytest.raises(VerificationFailed, match="request"):
        trust.verify_receipt(receipt, keys, request=body + b" ")
    forged = dict(reply["receipt"], answer=reply["receipt"]["answer"].replace("good", "bad", 1))
    with pytest.raises(VerificationFailed, match="answer"):
        trust.verify_receipt(json.dumps(forged).encode(), keys, request=body)


def test_the_decision_is_in_the_ledger_when_the_answer_arrives_and_opens_with_the_key_only(
    client: Any, house: Any, row: dict[str, Any], wait_until: Callable[..., None]
) -> None:
    reply = client.predict(row).json
    decision, index = reply["answer"]["decision"], json.loads(reply["receipt"]["entry"])["i"]
    entries = decision_ledger_folder(house.home, house.project, "live") / "entries.log"
    assert decision in entries.read_text()  # at once: the file is what was synced before the answer
    wait_until(lambda: len(_decisions(house)) > index)  # the checkpoint beside it may follow a second later
    entry = _decisions(house)[index]
    record = read_decision(entry, house.keyring.key("decisions", DECISION_KEY_PURPOSE))
    assert json.loads(record.request) == {"row": row}
    assert json.loads(record.answer) == reply["answer"]
    assert (record.subject, record.protocol, record.number) == ("bank-frontend", "named", 1)
    assert "1169.5" not in entries.read_text()
    assert "bank-frontend" not in entries.read_text()
    with pytest.raises(VerificationFailed, match="does not open"):
        read_decision(entry, bytes(32))


def test_several_rows_are_one_decision_with_one_receipt(client: Any, house: Any, row: dict[str, Any]) -> None:
    rows = [row, row | {"age": 99}, row | {"c2": "a14"}]
    reply = client.ask("POST", f"/v1/models/{house.project}/predict", json.dumps({"rows": rows}).encode()).json
    assert [line["label"] for line in reply["answer"]["rows"]] == ["good", "bad", "bad"]
    assert json.loads(reply["receipt"]["answer"]) == reply["answer"]


def test_a_thousand_rows_are_answered_and_one_more_is_not(client: Any, house: Any, row: dict[str, Any]) -> None:
    path = f"/v1/models/{house.project}/predict"
    assert len(client.ask("POST", path, json.dumps({"rows": [row] * 1000}).encode()).json["answer"]["rows"]) == 1000
    assert client.ask("POST", path, json.dumps({"rows": [row] * 1001}).encode()).status == 422


def test_a_stock_inference_client_is_answered(client: Any, house: Any, row: dict[str, Any]) -> None:
    kinds = {bool: "BOOL", int: "INT64", float: "FP64", str: "BYTES"}
    inputs = [
        {"name": name, "shape": [1, 1], "datatype": "FP64" if name == "rate" else kinds[type(value)], "data": [value]}
        for name, value in row.items()
    ]
    body = json.dumps({"id": "call-7", "inputs": inputs}).encode()
    reply = client.ask("POST", f"/v2/models/{house.project}/infer", body)
    assert reply.status == 200
    answer = reply.json
    assert (answer["model_name"], answer["model_version"], answer["id"]) == (house.project, "1", "call-7")
    assert {part["name"]: part["data"] for part in answer["outputs"]}["label"] == ["good"]
    receipt = answer["parameters"].pop("receipt")
    report = trust.verify_receipt(
        receipt.encode(), house.keyring.trust_root.keys_of("decision-checkpoints"), request=body
    )
    assert json.loads(report.answer) == answer
    assert client.ask("POST", f"/v2/models/{house.project}/versions/1/infer", body).status == 200
    assert client.ask("POST", f"/v2/models/{house.project}/versions/2/infer", body).status == 404


def test_both_protocols_give_the_same_answer(client: Any, house: Any, row: dict[str, Any]) -> None:
    named = client.predict(row).json["answer"]["probabilities"]
    numbers = [row[name] for name in ("age", "amount", "rate")] + [1, 18321, 0, 1, 2]
    inputs = [
        {"name": "numbers", "shape": [1, 8], "datatype": "FP32", "data": numbers},
        {"name": "strings", "shape": [1, 12], "datatype": "BYTES", "data": [row[f"c{at}"] for at in range(12)]},
    ]
    packed = client.ask("POST", f"/v2/models/{house.project}/infer", json.dumps({"inputs": inputs}).encode()).json
    assert packed["outputs"][1]["data"] == [named["good"], named["bad"]]


def test_the_descriptions_are_true(client: Any, house: Any) -> None:
    assert client.ask("GET", "/v2").json["name"] == "sealwright"
    told = client.ask("GET", f"/v2/models/{house.project}").json
    assert (told["name"], told["versions"], len(told["inputs"])) == (house.project, ["1"], 20)
    assert client.ask("GET", f"/v2/models/{house.project}/ready").json["ready"] is True
    document = client.ask("GET", f"/v1/models/{house.project}/openapi.json").json
    (path,) = document["paths"]
    examples = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["examples"]
    for form in ("row", "rows", "columns"):
        reply = client.ask("POST", path, json.dumps(examples[form]["value"]).encode())
        assert (reply.status, form in {*reply.json["answer"], "row"}) == (200, True)
    assert set(document["components"]["schemas"]["Row"]["required"]) == set(examples["row"]["value"]["row"])


def test_health_needs_no_token_and_says_nothing_else(client: Any) -> None:
    live, ready = (client.ask("GET", f"/v2/health/{name}", headers={}) for name in ("live", "ready"))
    assert (live.status, live.json) == (200, {"live": True})
    assert (ready.status, ready.json) == (200, {"ready": True})


def test_one_connection_carries_many_requests_also_sent_in_one_go(client: Any, house: Any, row: dict[str, Any]) -> None:
    body = json.dumps({"row": row}).encode()
    one = (
        f"POST /v1/models/{house.project}/predict HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {client.token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    last = one.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
    answers = client.raw(one * 4 + last)
    assert answers.count(b"HTTP/1.1 200 OK") == 5
    assert len({part[:28] for part in answers.split(b'"decision":"')[1::1]}) >= 5


def test_tls_1_3_is_the_least(client: Any) -> None:
    with client.connect() as link:
        assert link.version() == "TLSv1.3"
    old = ssl.create_default_context(cafile=str(client.house.tls.ca))
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    client.tls = old
    with pytest.raises(ssl.SSLError):
        client.connect()


def test_plain_http_on_the_tls_port_is_not_answered(server: Running) -> None:
    import socket

    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as link:
        link.sendall(b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        try:
            assert b"live" not in link.recv(1000)
        except ConnectionError:
            return


def test_the_example_row_of_a_contract_is_served(client: Any, interface: dict[str, Any]) -> None:
    assert client.predict(example_row(contract_of(interface))).status == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"lifetime": timedelta(seconds=1), "now": datetime.now(UTC) - timedelta(minutes=5)},
        {"now": datetime.now(UTC) + timedelta(hours=1)},
        {"issuer": "urn:sealwright:workspace:ws_2"},
        {"audience": "urn:sealwright:control:ws_1"},
    ],
    ids=["expired", "future", "other issuer", "other audience"],
)
def test_a_token_that_does_not_hold_is_unauthenticated(
    client: Any, house: Any, row: dict[str, Any], changes: dict[str, Any]
) -> None:
    reply = client.predict(row, Authorization=f"Bearer {house.token(signer=house.stolen('tokens'), **changes)}")
    assert (reply.status, reply.json["type"]) == (401, "urn:sealwright:problem:auth.required")
    assert reply.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "scopes",
    [["predict:other-project"], ["review:german-credit"], ["predict:german-credit2"], ["predict:german"], ["predict"]],
)
def test_a_token_for_something_else_is_forbidden(
    client: Any, house: Any, row: dict[str, Any], scopes: list[str]
) -> None:
    reply = client.predict(row, Authorization=f"Bearer {house.token(scopes=scopes)}")
    assert (reply.status, reply.json["type"]) == (403, "urn:sealwright:problem:auth.forbidden")


def test_another_projects_model_and_a_missing_one_look_the_same_t14(
    client: Any, house: Any, row: dict[str, Any]
) -> None:
    token = f"Bearer {house.token(scopes=['predict:german-credit', 'predict:other-project'])}"
    body = json.dumps({"row": row}).encode()
    replies = [
        client.ask("POST", f"/v1/models/{name}/predict", body, client.usual(Authorization=token))
        for name in ("other-project", "no-such-project")
    ]
    assert {(reply.status, reply.body) for reply in replies} == {(403, replies[0].body)}


def test_a_token_is_looked_at_again_when_its_time_is_over(
    client: Any, house: Any, row: dict[str, Any], wait_until: Callable[..., None]
) -> None:
    """The memory of good tokens must not outlive them."""
    token = house.token(lifetime=timedelta(seconds=3))
    assert client.predict(row, Authorization=f"Bearer {token}").status == 200
    wait_until(lambda: client.predict(row, Authorization=f"Bearer {token}").status == 401)


def test_a_decision_about_a_named_person_is_found_by_pseudonym_and_can_be_erased_while_serving(
    client: Any, house: Any, row: dict[str, Any]
) -> None:
    """T-56: the record goes, the receipt still verifies, the server goes on."""
    person = "Zoë Müller/77"
    reply = client.predict(row, **{"Sealwright-Person": "Zo%C3%AB%20M%C3%BCller/77"})
    assert reply.status == 200
    key = house.keyring.key("decisions", DECISION_KEY_PURPOSE)
    name = trust.pseudonym_of(house.keyring, house.project, person)
    house.settle()
    theirs = [
        entry
        for entry in _decisions(house)
        if entry.attachment is not None and entry.action == "decision" and read_decision(entry, key).person == name
    ]
    assert [entry.detail["decision"] for entry in theirs] == [reply.json["answer"]["decision"]]
    folder = decision_ledger_folder(house.home, house.project, "live")
    assert person.encode() not in (folder / "entries.log").read_bytes()
    assert trust.erase_attachments(folder, [entry.index for entry in theirs]) == 1
    assert client.predict(row).status == 200
    house.settle()
    left = {entry.index: entry.attachment for entry in _decisions(house)}
    assert left[theirs[0].index] is None
    keys = house.keyring.trust_root.keys_of("decision-checkpoints")
    trust.verify_ledger(folder, keys)
    trust.verify_receipt(json.dumps(reply.json["receipt"]).encode(), keys)


@pytest.mark.parametrize("value", ["%ff", "a%00b", "x" * 257, "line%0Abreak"])
def test_a_person_that_cannot_be_a_name_is_refused(client: Any, row: dict[str, Any], value: str) -> None:
    reply = client.predict(row, **{"Sealwright-Person": value})
    assert reply.status == 400
    assert "Sealwright-Person" in reply.json["detail"]
