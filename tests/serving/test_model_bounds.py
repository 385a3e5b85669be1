"""A model that takes too long or too much for some request fails for that one: nobody else, no other answer, not the process.

The attacker is a caller who sends as many rows at once as hurt most. The models are real ones, and greedy (`greedy_models`).
"""

import contextlib
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

sys.path.insert(0, str(Path(__file__).parent))
from greedy_models import greedy

from sealwright import trust
from sealwright.kernel import VerificationFailed
from sealwright.serving import Contract, Limits, Running, decision_ledger_folder
from sealwright.serving.adapters.bounded import ModelRuns
from sealwright.serving.adapters.onnx import OnnxEngine
from sealwright.serving.deciding import LARGE_BODY
from sealwright.serving.problems import ModelTooSlow
from sealwright.serving.protocol_named import NamedProtocol

_SECONDS = 0.5
_LIMITS = Limits(model_seconds=_SECONDS, model_mb=64, wait_seconds=30, watch_seconds=0.1, drain_seconds=1.0)
_LARGER = replace(_LIMITS, model_seconds=0.1, model_mb=512)
_MANY = 200
_POISON = {"c2": "a14"}  # for the model that loops


@pytest.fixture
def serving(
    new_house: Callable[..., Any], start: Callable[..., Running], client_of: Any, model_bytes: bytes, tmp_path: Path
) -> Iterator[Callable[[str], tuple[Any, Running, Path]]]:
    """Starts a server of a greedy model; a client, the process, and its log."""
    with contextlib.ExitStack() as stack:

        def make(kind: str) -> tuple[Any, Running, Path]:
            house = new_house(released=False)
            house.release(greedy(model_bytes, kind))
            stream = stack.enter_context((tmp_path / "stderr").open("wb"))
            running = start(house, limits=_LARGER if kind == "operator" else _LIMITS, stderr=stream)
            return client_of(house, running), running, tmp_path / "stderr"

        yield make


def _many(client: Any, row: dict[str, Any], rows: int = _MANY) -> Any:
    """Many rows at once, in a small body: it is decided on the event loop."""
    body = json.dumps({"columns": {name: [value] * rows for name, value in row.items()}}).encode()
    assert len(body) <= LARGE_BODY or rows > _MANY
    return client.ask("POST", f"/v1/models/{client.house.project}/predict", body)


def _recorded(house: Any) -> int:
    entries = decision_ledger_folder(house.home, house.project, "live") / "entries.log"
    return entries.read_bytes().count(f'"action":"{trust.DECISION}"'.encode())


def _memory(pid: int) -> int:
    return int(Path(f"/proc/{pid}/status").read_text().split("VmRSS:")[1].split()[0]) * 1024


def test_a_request_over_which_the_model_takes_too_long_is_stopped_and_everybody_else_is_answered(
    serving: Any, row: dict[str, Any]
) -> None:
    client, running, _ = serving("time")
    assert client.predict(row).status == 200
    begun = time.monotonic()
    reply = _many(client, row)
    assert (reply.status, reply.json["type"]) == (503, "urn:sealwright:problem:model.too_slow")
    assert time.monotonic() - begun < 20 * _SECONDS
    assert len(reply.body) < 300
    with ThreadPoolExecutor(8) as callers:
        asked = [partial(_many, client, row) if at % 4 == 0 else partial(client.predict, row) for at in range(8)]
        replies = list(callers.map(lambda ask: ask(), asked))
    assert [reply.status for reply in replies] == [503 if at % 4 == 0 else 200 for at in range(8)]
    assert client.ask("GET", "/v2/health/ready").status == 200
    assert running.wait(0) is None
    assert running.stop() == 0
    assert _recorded(client.house) == 1 + 6  # a run that was stopped decided nothing


def test_a_request_for_which_the_model_wants_too_much_memory_fails_alone(serving: Any, row: dict[str, Any]) -> None:
    client, running, _ = serving("memory")
    assert client.predict(row).status == 200
    before = _memory(running.pid)
    for rows in (_MANY, _MANY, 1000):
        reply = _many(client, row, rows)
        assert (reply.status, reply.json["type"]) == (503, "urn:sealwright:problem:model.too_large")
        assert client.predict(row).status == 200
    assert _memory(running.pid) - before < 32 << 20
    assert running.wait(0) is None


def test_a_model_that_takes_too_much_to_run_at_all_is_not_taken_into_service(serving: Any) -> None:
    with pytest.raises(VerificationFailed, match="too much memory"):
        serving("load")


@pytest.mark.parametrize("rows", [_MANY, 1000], ids=["on the loop", "beside it"])
def test_a_process_in_which_a_run_never_ends_says_so_and_ends(
    serving: Any, row: dict[str, Any], wait_until: Any, rows: int
) -> None:
    """Nobody can stop one operator, so its supervisor has to start another process: it must not look well meanwhile, nor hang."""
    client, running, log = serving("operator")

    def attack() -> None:
        with contextlib.suppress(OSError):
            _many(client, row, rows)

    attacker = threading.Thread(target=attack)
    attacker.start()
    if rows > _MANY:
        wait_until(lambda: client.ask("GET", "/v2/health/ready").status == 503)
        assert client.ask("GET", "/v2/models/german-credit/ready").json["reason"] == "a model run does not end"
    assert running.wait(20) == 1
    attacker.join()
    told = [json.loads(line)["event"] for line in log.read_text().splitlines()]
    assert [event for event in told if "model_run" in event] == ["model_run_stuck", "model_run_lost"]
    assert "fault" not in told


# ---- the watch itself, on real sessions


def _engine(model: bytes, contract: Contract, runs: ModelRuns) -> Callable[[list[dict[str, Any]]], Any]:
    engine, protocol = OnnxEngine(model, contract, runs), NamedProtocol(contract, most_rows=1000)
    return lambda rows: engine.run(contract.pack(protocol.read(json.dumps({"rows": rows}).encode()).rows))


def test_a_run_of_a_challenger_that_never_ends_does_not_end_the_process(
    contract: Contract, model_bytes: bytes, row: dict[str, Any]
) -> None:
    ended, told = [], []
    runs = ModelRuns(0.1, 64, tell=lambda event, **_: told.append(event), end=ended.append)
    ask = _engine(greedy(model_bytes, "operator", size=2000), contract, runs)
    with ThreadPoolExecutor(1, thread_name_prefix="challengers") as beside:
        lasting = beside.submit(ask, [row] * 800)
        while "model_run_stuck" not in told:
            assert not lasting.done()
            time.sleep(0.01)
        assert (runs.not_ready(), runs.stuck(aside=True)) == ("", True)
        with pytest.raises(ModelTooSlow):
            lasting.result()
    assert not ended
    assert not runs.stuck(aside=True)


def test_nothing_watches_while_nothing_lasts_and_the_next_long_run_is_stopped_all_the_same(
    contract: Contract, model_bytes: bytes, row: dict[str, Any]
) -> None:
    runs = ModelRuns(0.05, 64, tell=lambda *_: None, end=lambda _: None)
    ask = _engine(greedy(model_bytes, "loop"), contract, runs)
    for _ in range(3):
        ask([row])
        while not runs._asleep:
            time.sleep(0.005)
        begun = time.monotonic()
        with pytest.raises(ModelTooSlow):
            ask([row | _POISON])
        assert time.monotonic() - begun < 2


def test_a_stop_that_comes_too_late_does_not_hit_the_run_after(
    contract: Contract, model_bytes: bytes, row: dict[str, Any]
) -> None:
    runs = ModelRuns(5.0, 64, tell=lambda *_: None, end=lambda _: None)
    ask = _engine(model_bytes, contract, runs)
    (handle,) = runs._free
    handle.options.terminate = True
    assert ask([row]).shape == (1, 2)
    assert handle not in runs._free
