"""Many models in one process: each has its own ledger, budgets and fate, and no caller reaches one that is not theirs."""

import contextlib
import itertools
import json
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from grpc_wire import Wire

from sealwright.serving import (
    Limits,
    Running,
    ServingSpec,
    decision_ledger_folder,
    decision_origin,
    launch,
    predict_scope,
    prepare,
    read_decision,
)
from sealwright.trust import Ledger

MANY = ("german-credit", "cards", "loans", "rent")
_SLOW = 2_200  # the size of a matrix that is multiplied on the way, and makes a model of 19 MB


class Street:
    """A workspace with several released projects, and servers for all of them."""

    def __init__(self, house: Any, **slow: int) -> None:
        self.house, module = house, sys.modules["serving_house"]
        for at, project in enumerate(MANY[1:], start=1):
            house.project = project
            house.release(
                module.credit_model(module.credit_interface(project), middle=3.0 + at, slow=slow.get(project, 0))
            )
        house.project = MANY[0]

    def serve(self, *, stderr: Any = None, **more: Any) -> Running:
        pair = {"certificate": self.house.tls.certificate, "key": self.house.tls.key}
        models = [(one, ServingSpec()) for one in MANY]
        config = prepare(self.house.keyring, home=self.house.home, models=models, port=0, **pair, **more)
        return launch(config, self.house.keyring.lend_signer(*config.origins), stderr=stderr)

    def token(self, *projects: str) -> str:
        token: str = self.house.token(scopes=[predict_scope(one) for one in projects])
        return token

    def decisions(self, project: str) -> list[Any]:
        origin = decision_origin("ws_1", project, "live")
        folder = decision_ledger_folder(self.house.home, project, "live")
        with Ledger.open(folder, origin=origin, signer=None) as ledger:
            return [entry for entry in ledger.entries() if entry.action == "decision"]


@pytest.fixture(scope="module")
def street(house: Any) -> Street:
    return Street(house)


@pytest.fixture(scope="module")
def server(street: Street) -> Iterator[Running]:
    with street.serve(grpc_port=0, limits=Limits(watch_seconds=0.1)) as running:
        yield running


def ask(client: Any, project: str, row: dict[str, Any], token: str, path: str = "/v1/models/{}/predict") -> Any:
    body = json.dumps({"row": row}).encode()
    return client.ask("POST", path.format(project), body, client.usual(Authorization=f"Bearer {token}"))


def test_each_model_answers_for_itself_and_is_written_down_in_its_own_ledger(
    client: Any, street: Street, row: dict[str, Any], wait_until: Callable[..., None]
) -> None:
    token = street.token(*MANY)
    told = {one: ask(client, one, row, token).json for one in MANY}
    assert {one: answer["answer"]["model"]["project"] for one, answer in told.items()} == dict(
        zip(MANY, MANY, strict=True)
    )
    bad = [told[one]["answer"]["probabilities"]["bad"] for one in MANY]
    assert bad == sorted(set(bad), reverse=True)  # each by its own package
    wait_until(lambda: all(street.decisions(one) for one in MANY))
    key = street.house.keyring.key("decisions", "sealwright/decision-record/v1")
    for one in MANY:
        records = [read_decision(entry, key) for entry in street.decisions(one)]
        assert {record.project for record in records} == {one}
        assert told[one]["answer"]["decision"] in {record.decision for record in records}


def test_a_token_for_one_project_reaches_no_other_t14(client: Any, street: Street, row: dict[str, Any]) -> None:
    """By every address, and in the same words whether the other project is served here or does not exist."""
    token = street.token("cards")
    assert ask(client, "cards", row, token).status == 200
    paths = ["/v1/models/{}/predict", "/v2/models/{}/infer", "/v2/models/{}/versions/1/infer"]
    refused = [
        ask(client, other, row, token, path) for other in ("loans", "german-credit", "nothing") for path in paths
    ]
    read = ["/v2/models/{}", "/v2/models/{}/ready", "/v1/models/{}/openapi.json", "/v1/models/{}/proofs/0"]
    headers = client.usual(Authorization=f"Bearer {token}")
    refused += [client.ask("GET", path.format(other), None, headers) for other in ("loans", "nothing") for path in read]
    assert {reply.status for reply in refused} == {403}
    named = {json.dumps({**reply.json, "error": ""}, sort_keys=True).replace("loans", "nothing") for reply in refused}
    assert len(named) <= 2  # with and without the field of the Open Inference Protocol
    assert not any(b"loans" in reply.body for reply in refused)


def test_over_grpc_a_token_for_one_project_reaches_no_other_t14(street: Street, server: Running) -> None:
    """Nor by a message that names two: protobuf takes the last, and whoever is let in by the first is not answered by another."""
    asked = [b"\n\x05cards", b"\n\x05loans", b"\n\x07nothing", b"\n\x05cards\n\x05loans", b"\n\x05loans\n\x05cards"]
    codes, bodies = [], []
    wire = Wire(street.house, server.grpc_port or 0)
    with contextlib.closing(wire.link):
        wire.token = street.token("cards")
        for at, (message, method) in enumerate(itertools.product(asked, ("ModelMetadata", "ModelReady", "ModelInfer"))):
            wire.call(1 + 2 * at, message, method)
            headers, body = wire.answer(1 + 2 * at)
            codes.append(headers["grpc-status"])
            bodies.append(body)
    assert codes[:3] == ["0", "0", "3"]  # the last one has no inputs
    assert set(codes[3:]) == {"7"}  # PERMISSION_DENIED
    assert not any(bodies[3:])


def test_a_caller_sees_the_models_they_may_ask(client: Any, street: Street) -> None:
    told = client.ask("GET", "/v1/models", None, client.usual(Authorization=f"Bearer {street.token('loans', 'rent')}"))
    assert told.json == {"models": [{"name": one, "ready": True, "reason": ""} for one in ("loans", "rent")]}
    assert (
        client.ask("GET", "/v1/models", None, client.usual(Authorization=f"Bearer {street.token('other')}")).status
        == 403
    )


def test_one_broken_model_is_refused_alone_and_answers_when_it_is_mended(
    new_house: Callable[..., Any], row: dict[str, Any], client_of: Callable[..., Any], wait_until: Callable[..., None]
) -> None:
    street = Street(new_house())
    pointer = street.house.home / "pointers" / "loans" / "live.json"
    whole = pointer.read_bytes()
    pointer.write_bytes(whole[:-40])
    with street.serve(limits=Limits(watch_seconds=0.1)) as running:
        client = client_of(street.house, running)
        token = street.token(*MANY)
        assert [ask(client, one, row, token).status for one in MANY] == [200, 200, 503, 200]
        assert ask(client, "loans", row, token).status == 503
        told = client.ask("GET", "/v1/models", None, client.usual(Authorization=f"Bearer {token}")).json["models"]
        assert [one["name"] for one in told if not one["ready"]] == ["loans"]
        assert client.ask("GET", "/v2/health/ready", None, {}).status == 200
        pointer.write_bytes(whole)
        wait_until(lambda: ask(client, "loans", row, token).status == 200)


def test_what_was_not_asked_for_longest_makes_room_and_answers_again(
    new_house: Callable[..., Any], row: dict[str, Any], client_of: Callable[..., Any], tmp_path: Path
) -> None:
    street = Street(new_house(), cards=_SLOW, loans=_SLOW)
    log = tmp_path / "log"
    with (
        log.open("wb") as stream,
        street.serve(stderr=stream, limits=Limits(models_mb=30, watch_seconds=0.1)) as running,
    ):
        client, token = client_of(street.house, running), street.token(*MANY)
        for _ in range(2):
            assert [ask(client, one, row, token).status for one in ("cards", "rent", "loans")] == [200] * 3
    told = [json.loads(line) for line in log.read_text().splitlines()]
    put_away = [one["project"] for one in told if one["event"] == "model_put_away"]
    assert put_away[0] == "cards"  # as soon as both large ones were open
    assert "loans" in put_away
    assert [len(street.decisions(one)) for one in ("cards", "rent", "loans")] == [2, 2, 2]


def test_a_model_that_answers_is_not_put_away(
    new_house: Callable[..., Any], row: dict[str, Any], client_of: Callable[..., Any], tmp_path: Path
) -> None:
    street = Street(new_house(), cards=_SLOW)
    log = tmp_path / "log"
    rows = json.dumps({"rows": [row] * 60}).encode()  # large enough to be decided beside the event loop
    with (
        log.open("wb") as stream,
        street.serve(stderr=stream, limits=Limits(models_mb=1, watch_seconds=0.1)) as running,
    ):
        client, token = client_of(street.house, running), street.token(*MANY)
        statuses: list[int] = []

        def slowly() -> None:
            headers = client.usual(Authorization=f"Bearer {token}")
            statuses.extend(client.ask("POST", "/v1/models/cards/predict", rows, headers).status for _ in range(3))

        asking = threading.Thread(target=slowly)
        asking.start()
        while asking.is_alive():
            statuses += [ask(client, one, row, token).status for one in ("rent", "loans", "german-credit")]
        asking.join()
    assert set(statuses) == {200}
    assert len(street.decisions("cards")) == 3
