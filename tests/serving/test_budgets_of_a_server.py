"""A server keeps its callers' budgets: over requests and over a restart; and says so on every answer."""

import json
from collections.abc import Callable
from typing import Any

from sealwright.serving import Running, ServingSpec

SPEC = ServingSpec.model_validate(
    {
        "most_rows": 60,
        "limits": {
            "per_principal": {"rows_per_second": 0.01, "burst_rows": 100},
        },
    }
)


def _ask(client: Any, house: Any, rows: list[dict[str, Any]]) -> Any:
    return client.ask(
        "POST", f"/v1/models/{house.project}/predict", json.dumps({"rows": rows}).encode(), client.usual()
    )


def test_what_a_caller_asked_still_counts_after_a_restart_and_with_another_token_t68(
    new_house: Callable[..., Any], start: Callable[..., Running], client_of: Any, row: dict[str, Any]
) -> None:
    house = new_house()
    first = start(house, spec=SPEC)
    reply = _ask(client_of(house, first), house, [row] * 50)
    assert reply.status == 200
    assert reply.headers["ratelimit"].startswith('"principal";r=50;t=')
    assert _ask(client_of(house, first), house, [row] * 40).status == 200
    first.stop()
    client = client_of(house, start(house, spec=SPEC))
    refused = _ask(client, house, [row] * 20)
    assert (refused.status, refused.json["type"]) == (429, "urn:sealwright:problem:limits.rate")
    assert int(refused.headers["retry-after"]) > 100
    assert '"principal";q=100' in refused.headers["ratelimit-policy"]
    assert client.predict(row).status == 200  # there is still something left


def test_different_rows_end_and_the_same_ones_go_on_t65(
    new_house: Callable[..., Any], start: Callable[..., Running], client_of: Any, row: dict[str, Any]
) -> None:
    house = new_house()
    spec = ServingSpec.model_validate({"limits": {"per_principal": {"different_rows_per_day": 150}}})
    client = client_of(house, start(house, spec=spec))
    rows = [{**row, "amount": 1000 + number} for number in range(200)]
    assert _ask(client, house, rows[:100]).status == 200
    assert _ask(client, house, rows[:100]).status == 200
    refused = _ask(client, house, rows[100:])
    assert refused.json["type"] == "urn:sealwright:problem:limits.different_rows"
    assert _ask(client, house, rows[100:150]).status == 200


def test_every_refusal_after_the_credential_says_what_is_left(
    new_house: Callable[..., Any], start: Callable[..., Running], client_of: Any, row: dict[str, Any]
) -> None:
    house = new_house()
    client = client_of(house, start(house, spec=SPEC))
    for reply in (client.predict({**row, "age": -5}), _ask(client, house, [row] * 61), client.predict(row)):
        assert "ratelimit" in reply.headers
    assert client.ask("GET", "/v2/health/ready").headers.get("ratelimit") is None
