"""A workspace with a released model (house.py) whose files are scored, and tables to score."""

import csv
import json
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from acting import operator
from sealwright.kernel import FixedClock, canonical_json
from sealwright.pipeline import Scored, Workspace, score

PROJECT = "german-credit"


class Bank(NamedTuple):
    """A house as a workspace, and what its people do with it."""

    house: Any
    workspace: Workspace
    clock: FixedClock
    folder: Path

    def score(self, source: Any, out: str = "out.jsonl", **more: Any) -> Scored:
        by = more.pop("by", operator())
        return score(self.workspace, str(source), project=PROJECT, out=self.folder / out, by=by, **more)

    def lines(self, out: str = "out.jsonl") -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / out).read_text().splitlines()]

    def recorded(self) -> int:
        """How many batches are on record."""
        log = self.place / "ledger" / "entries.log"
        return log.read_bytes().count(b'"action":"decisions.scored"') if log.exists() else 0

    @property
    def place(self) -> Path:
        return self.house.home / "serving" / PROJECT / "live.scored"


def as_bank(house: Any, clock: FixedClock, folder: Path) -> Bank:
    house.ledger.close()  # one program writes it
    about = {"format": 1, "id": "ws_1", "name": "Bank", "database": ""}
    (house.home / "workspace.json").write_bytes(canonical_json(about))
    workspace = Workspace(home=house.home, id="ws_1", name="Bank", keyring=house.keyring, db=house.db, clock=clock)
    return Bank(house, workspace, clock, folder)


@pytest.fixture
def bank(new_house: Callable[..., Any], tmp_path: Path) -> Iterator[Bank]:
    clock = FixedClock(datetime.now(UTC))  # a server beside has the time of the machine
    made = as_bank(new_house(clock=clock), clock, tmp_path)
    yield made
    made.workspace.close()


def rows_of(count: int, *, wrong: Sequence[int] = ()) -> list[dict[str, Any]]:
    """Different rows the contract accepts, but those numbered in `wrong`, whose age it does not."""
    rng, usual = random.Random(7), sys.modules["serving_house"].credit_row()
    return [
        {
            "id": f"p{at}",
            **usual,
            "age": 500 if at in wrong else rng.randint(18, 100),
            "amount": round(rng.uniform(250, 20_000), 2),
            "rate": None if at % 3 else round(rng.random(), 3),
            "foreign_worker": at % 2 == 0,
        }
        for at in range(1, count + 1)
    ]


def write_csv(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    told = {None: "", True: "true", False: "false"}
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(rows[0])
        writer.writerows([told.get(cell, cell) if not isinstance(cell, (int, float)) or isinstance(cell, bool) else cell
                          for cell in row.values()] for row in rows)  # fmt: skip
    return path


def write_lines(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
    return path


class Tables(NamedTuple):
    """What tests make tables with."""

    rows: Callable[..., list[dict[str, Any]]] = rows_of
    csv: Callable[..., Path] = write_csv
    lines: Callable[..., Path] = write_lines


@pytest.fixture
def tables() -> Tables:
    return Tables()


sys.modules["scoring_bank"] = sys.modules[__name__]
