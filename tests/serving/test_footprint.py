"""What a serving process carries: nothing that it does not answer with, nothing of what was answered, and little memory."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from sealwright.serving import starting

_UNNEEDED = {
    # of settings, databases, doors and training
    "pydantic", "yaml", "sqlalchemy", "alembic", "fastapi", "starlette", "typer", "rich", "jinja2", "authlib", "cedarpy",
    "webauthn", "pyotp", "pyarrow", "pandas", "scipy", "sklearn", "skl2onnx", "onnx",
    # of servers that were asked for more
    "redis", "granian", "google.protobuf.json_format", "sealwright.serving.grpc", "sealwright.serving.arrow",
    # what only whoever decides, signs or keeps keys needs
    "sealwright.charter.model", "sealwright.evidence.policy", "sealwright.evidence.rules", "sealwright.trust.keyring",
    "sealwright.trust.signing.server", "sealwright.trust.signing.vault", "sealwright.engines.database",
}  # fmt: skip
_MOST_BYTES = 100_000_000
# Nothing is collected while it runs; at its end it says what a collector would have had to find.
_UNCOLLECTED = """
import atexit, gc, sys
def tell():
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    kinds = [type(one).__name__ for one in gc.garbage if type(one).__module__.startswith("sealwright.serving")]
    sys.stderr.write("left: " + repr(sorted(kinds)) + "\\n")
atexit.register(tell)
gc.disable()
"""


def test_a_server_that_answers_loaded_nothing_it_does_not_answer_with(
    new_house: Any, start: Any, client_of: Any, row: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = starting.command
    monkeypatch.setattr(starting, "command", lambda *to: [usual(*to)[0], "-X", "importtime", *usual(*to)[1:]])
    house = new_house()
    with (tmp_path / "imports").open("wb") as stream:
        client = client_of(house, start(house, stderr=stream))
        _asked_in_every_usual_form(client, row)
    lines = (tmp_path / "imports").read_text().splitlines()
    loaded = {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}
    assert "sealwright.serving.server" in loaded
    assert not {name for name in loaded if any(name == one or name.startswith(f"{one}.") for one in _UNNEEDED)}


def test_a_server_at_rest_after_large_requests_holds_less_than_100_mb(
    new_house: Any, start: Any, client_of: Any, row: dict[str, Any]
) -> None:
    house = new_house()
    running = start(house)
    client = client_of(house, running)
    many = json.dumps({"rows": [row] * 1000}).encode()
    for _ in range(8):
        assert client.ask("POST", f"/v1/models/{house.project}/predict", many, client.usual()).status == 200
    time.sleep(0.6)  # what is free is given back four times a second
    rollup = Path(f"/proc/{running.pid}/smaps_rollup").read_text().splitlines()
    used = next(int(line.split()[1]) for line in rollup if line.startswith("Pss:")) * 1024
    assert used < _MOST_BYTES, f"{used / 1e6:.0f} MB"


def test_what_was_asked_is_gone_with_its_answer_and_waits_for_no_collector(
    new_house: Any, start: Any, client_of: Any, row: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = starting.command
    monkeypatch.setattr(
        starting, "command", lambda *to: [part if "runpy" not in part else _UNCOLLECTED + part for part in usual(*to)]
    )
    house = new_house()
    with (tmp_path / "said").open("wb") as stream:
        running = start(house, stderr=stream)
        client = client_of(house, running)
        for _ in range(5):
            _asked_in_every_usual_form(client, row)
        assert running.stop() == 0
    (left,) = (line for line in (tmp_path / "said").read_text().splitlines() if line.startswith("left: "))
    assert "_Reply" not in left
    assert "Inquiry" not in left


def _asked_in_every_usual_form(client: Any, row: dict[str, Any]) -> None:
    of = client.house.project
    columns = json.dumps({"columns": {name: [value] for name, value in row.items()}}).encode()
    assert client.predict(row).status == 200
    assert client.ask("POST", f"/v1/models/{of}/predict", columns, client.usual()).status == 200
    for path in ("/v2/health/ready", f"/v2/models/{of}", f"/v1/models/{of}/openapi.json"):
        assert client.ask("GET", path, None, client.usual()).status == 200
