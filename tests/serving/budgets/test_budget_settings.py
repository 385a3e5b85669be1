"""What a project file may say about its callers' limits, and how it reaches the server."""

from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from sealwright.kernel import InvalidInput
from sealwright.serving import Counting, ServingSpec
from sealwright.serving.budgets.limits import PER_CLIENT, PER_PRINCIPAL, BudgetLimits
from sealwright.serving.config import ModelConfig, ServeConfig


def test_a_project_that_says_nothing_is_limited() -> None:
    limits = ServingSpec().budgets()
    assert limits == BudgetLimits()
    assert (limits.of("anybody").per_client, limits.of("anybody").per_principal) == (PER_CLIENT, PER_PRINCIPAL)


def test_what_is_left_out_is_as_for_everybody() -> None:
    spec = ServingSpec.model_validate(
        {
            "limits": {
                "per_client": {"rows_per_second": 200, "concurrent": 16},
                "callers": {"batch": {"per_client": {"rows_per_second": 5000}}},
            }
        }
    )
    everybody, batch = spec.budgets().of("till"), spec.budgets().of("batch")
    assert (everybody.per_client.rows_per_second, everybody.per_client.burst_rows) == (200, PER_CLIENT.burst_rows)
    assert (batch.per_client.rows_per_second, batch.per_client.concurrent) == (5000, 16)
    assert batch.per_principal == everybody.per_principal == PER_PRINCIPAL


@pytest.mark.parametrize(
    "said",
    [
        {"per_client": {"rows_per_second": 0}},
        {"per_client": {"burst_rows": -1}},
        {"per_client": {"concurrent": 0}},
        {"per_principal": {"rows_per_day": 0}},
        {"per_principal": {"different_rows_per_day": None, "unlimited": True}},
        {"per_client": {"rows_per_second": float("inf")}},
        {"per_client": {"rows_per_second": float("nan")}},
        {"off": True},
        {"callers": {"": {}}},
        {"callers": {f"c{i}": {} for i in range(101)}},
    ],
)
def test_no_limit_can_be_switched_off_or_misspelt(said: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ServingSpec.model_validate({"limits": said})


@pytest.mark.parametrize(
    "limits",
    [
        {"per_client": {"burst_rows": 499}},
        {"per_principal": {"burst_rows": 499}},
        {"callers": {"batch": {"per_client": {"burst_rows": 499}}}},
    ],
)
def test_a_burst_that_no_whole_request_fits_in_is_refused(limits: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="could never be paid"):
        ServingSpec.model_validate({"most_rows": 500, "limits": limits})
    ServingSpec.model_validate({"most_rows": 499, "limits": limits})


def test_every_limit_is_described_for_editors() -> None:
    definitions = ServingSpec.model_json_schema()["$defs"]
    for name in ("LevelSpec", "LevelsSpec", "LimitsSpec"):
        assert all(part.get("description") for part in definitions[name]["properties"].values())


_NO_OTHER = BudgetLimits()


def config(*, budgets: BudgetLimits = _NO_OTHER, **said: Any) -> ServeConfig:
    return ServeConfig(
        workspace="ws_1", models=[ModelConfig(project="credit", channel="live", person_key="00" * 32, budgets=budgets)],
        home="/srv/ws", trust_root="{}", decision_key="00" * 32, token_issuer="i", token_audience="a", host="127.0.0.1", port=0,
        hosts=["localhost"], tls_certificate=None, tls_key=None, **said,
    )  # fmt: skip


def test_limits_of_a_hundred_callers_reach_the_server_over_its_pipe() -> None:
    own = {"per_client": {"rows_per_second": 123456.5, "burst_rows": 10**6}, "per_principal": {"rows_per_day": 10**11}}
    spec = ServingSpec.model_validate(
        {"limits": {"callers": {f"a-caller-with-a-long-name-{i}": own for i in range(100)}}}
    )
    sent = config(budgets=spec.budgets(), counting=Counting(where="redis", redis="/etc/sealwright/redis.json"))
    assert ServeConfig.from_bytes(sent.to_bytes()) == sent


@pytest.mark.parametrize(
    "counting",
    [Counting(where="redis"), Counting(where="redis", redis="redis.json"), Counting(redis="/etc/redis.json")],
)
def test_redis_is_named_by_an_absolute_path_and_only_then(counting: Counting) -> None:
    with pytest.raises(InvalidInput, match="says where Redis is"):
        config(counting=counting).checked()


def test_a_password_cannot_stand_in_the_settings() -> None:
    assert set(msgspec.json.decode(msgspec.json.encode(Counting()))) == {"where", "redis"}
