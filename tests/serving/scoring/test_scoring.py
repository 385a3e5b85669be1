"""A file is answered row by row as a server answers it, each row for itself, whatever kind of table it is."""

import csv
import json
import sqlite3
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from acting import operator, person
from sealwright.data import FileSource, SqlSource
from sealwright.kernel import Conflict, FixedClock, InvalidInput, NotFound
from sealwright.pipeline import RowRefused, score
from sealwright.pipeline.decision_records import decision_records
from sealwright.trust import PermissionDenied

PROJECT = "german-credit"


@pytest.fixture(scope="module")
def shared(house: Any) -> Iterator[Any]:
    """A bank whose ledger the tests of this module share."""
    made = sys.modules["scoring_bank"].as_bank(house, FixedClock(datetime.now(UTC)), Path())
    yield made
    made.workspace.close()


@pytest.fixture
def bank(shared: Any, tmp_path: Path) -> Any:
    return shared._replace(folder=tmp_path)


def told(lines: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """What was answered, without the ids."""
    return [(one["row"], one.get("label"), one.get("probabilities"), one.get("refused")) for one in lines]


def test_every_row_gets_the_answer_that_a_server_beside_gives(
    bank: Any, tables: Any, start: Any, client_of: Any
) -> None:
    rows = tables.rows(40, wrong=[7, 20])
    with start(bank.house) as running:
        client = client_of(bank.house, running)
        done = bank.score(tables.csv(bank.folder / "in.csv", rows), keys=["id"], batch_rows=15)
        served = [client.predict({name: cell for name, cell in row.items() if name != "id"}) for row in rows]
        records = [one for _, _, one in decision_records(bank.workspace, PROJECT, channel="live.scored")][-40:]
        again = [client.predict(json.loads(one.request)) for one in records]  # what is on record can be asked as it is
    assert (done.rows, done.answered, done.refused, done.batches) == (40, 38, 2, 3)
    assert dict(done.reasons) == {"age out_of_range": 2}
    lines = bank.lines()
    assert [one["key"] for one in lines] == [{"id": row["id"]} for row in rows]
    for at, (line, reply) in enumerate(zip(lines, served, strict=True), 1):
        if reply.status == 422:
            assert at in (7, 20)
            (problem,) = reply.json["errors"]
            assert line["refused"] == [{name: problem[name] for name in ("code", "field", "detail")}]
        else:
            answer = reply.json["answer"]
            assert (line["label"], line["probabilities"]) == (answer["label"], answer["probabilities"])
            assert again[at - 1].json["answer"]["probabilities"] == line["probabilities"]


def test_csv_json_lines_parquet_arrow_and_a_query_are_answered_alike(bank: Any, tables: Any) -> None:
    rows = tables.rows(30, wrong=[3])
    expected = None
    table = pa.Table.from_pylist(rows)
    days = pa.compute.cast(table.column("opened"), pa.date32())
    table = table.set_column(table.schema.get_field_index("opened"), "opened", days)
    pq.write_table(table, bank.folder / "in.parquet")
    with pa.ipc.new_file(bank.folder / "in.arrow", table.schema) as writer:
        writer.write_table(table)
    with sqlite3.connect(bank.folder / "bank.db") as db:
        db.execute(f"CREATE TABLE applications ({', '.join(rows[0])})")
        db.executemany(
            f"INSERT INTO applications VALUES ({', '.join('?' * len(rows[0]))})", [[*r.values()] for r in rows]
        )
    sources: dict[str, Any] = {
        "csv": str(tables.csv(bank.folder / "in.csv", rows)),
        "jsonl": str(tables.lines(bank.folder / "in.jsonl", rows)),
        "parquet": str(bank.folder / "in.parquet"),
        "arrow": str(bank.folder / "in.arrow"),
        "sql": SqlSource(sql="SELECT * FROM applications ORDER BY rowid", url_env="BANK_DB"),
    }
    for kind, source in sources.items():
        score(
            bank.workspace, source, project=PROJECT, out=bank.folder / f"{kind}.jsonl", by=operator(), person="id",
            environment={"BANK_DB": f"sqlite:///{bank.folder / 'bank.db'}"},
        )  # fmt: skip
        found = told(bank.lines(f"{kind}.jsonl"))
        expected = expected or found
        assert found == expected, kind
    assert [one[0] for one in expected or [] if one[3]] == [3]


def test_the_output_says_the_same_in_every_form(bank: Any, tables: Any) -> None:
    source = tables.csv(bank.folder / "in.csv", tables.rows(25, wrong=[2, 25]))
    for kind in ("jsonl", "csv", "parquet", "arrow"):
        bank.score(source, f"out.{kind}", keys=["id", "n1"], batch_rows=10)
    lines = bank.lines()
    with (bank.folder / "out.csv").open(newline="") as stream:
        from_csv = list(csv.DictReader(stream))
    tabled = [
        pq.read_table(bank.folder / "out.parquet").to_pylist(),
        pa.ipc.open_file(bank.folder / "out.arrow").read_all().to_pylist(),
    ]
    for at, line in enumerate(lines):
        label, shares = line.get("label"), line.get("probabilities", {})
        for row in (from_csv[at], *(table[at] for table in tabled)):
            assert (int(row["row"]), row["id"], row["label"] or None) == (at + 1, line["key"]["id"], label)
            assert [float(row[f"probability.{one}"] or 9) for one in ("good", "bad")] == [
                shares.get(one, 9) for one in ("good", "bad")
            ]
            assert row["status"] == ("refused" if at in (1, 24) else "answered")
            assert (row["codes"] or None) == ("out_of_range" if at in (1, 24) else None)
    assert tabled[0][0]["n1"] == from_csv[0]["n1"] == "1"  # text in a text file stays text
    assert all(path.stat().st_mode & 0o077 == 0 for path in bank.folder.glob("out.*"))
    assert sorted(path.name for path in bank.folder.glob("out*")) == [
        "out.arrow",
        "out.csv",
        "out.jsonl",
        "out.parquet",
    ]


def test_whole_numbers_stay_numbers_in_a_table(bank: Any, tables: Any) -> None:
    bank.score(tables.lines(bank.folder / "in.jsonl", tables.rows(3)), "out.parquet", keys=["n1", "id"])
    schema = pq.read_schema(bank.folder / "out.parquet")
    assert (schema.field("n1").type, schema.field("id").type) == (pa.int64(), pa.string())


def test_lines_that_are_no_rows_are_told_as_such_at_their_place(bank: Any, tables: Any) -> None:
    path = tables.csv(bank.folder / "in.csv", tables.rows(6))
    lines = path.read_text().split("\n")
    path.write_text("\n".join([*lines[:3], "one,two", *lines[3:5], "\n", *lines[5:-1], "a,b,c\n"]))
    done = bank.score(path, batch_rows=3)
    found = bank.lines()
    assert [one["row"] for one in found] == list(range(1, 9))
    assert [one["row"] for one in found if "refused" in one] == [3, 8]
    assert found[2]["refused"][0]["code"] == "ragged_row"
    assert dict(done.reasons) == {"ragged_row": 2}


WRONG = (
    ("age", "forty", "wrong_type"), ("age", "41.5", "wrong_type"), ("age", "", "not_nullable"), ("age", "101", "out_of_range"),
    ("amount", "1e400", "wrong_type"), ("opened", "2020-02-30", "wrong_type"), ("opened", "1999-12-31", "out_of_range"),
    ("foreign_worker", "yes", "wrong_type"), ("c2", "a99", "unknown_category"), ("c2", "", "not_nullable"),
)  # fmt: skip


def test_a_cell_outside_the_contract_refuses_its_row_alone_and_by_its_reason(bank: Any, tables: Any) -> None:
    rows = tables.rows(2 * len(WRONG))
    for at, (name, cell, _) in enumerate(WRONG):
        rows[2 * at][name] = cell
    bank.score(tables.csv(bank.folder / "in.csv", rows))
    found = bank.lines()
    assert [one["row"] for one in found if "refused" in one] == list(range(1, 2 * len(WRONG), 2))
    for at, (name, _, code) in enumerate(WRONG):
        assert [(one["field"], one["code"]) for one in found[2 * at]["refused"]] == [(name, code)]


def test_a_refusal_can_stop_it_before_anything_of_its_batch_is_answered(bank: Any, tables: Any) -> None:
    source = tables.csv(bank.folder / "in.csv", tables.rows(30, wrong=[25]))
    with pytest.raises(RowRefused, match="Row 25 is outside the contract") as refused:
        bank.score(source, batch_rows=10, stop_on_refused=True)
    assert "500" not in str(refused.value)
    assert not (bank.folder / "out.jsonl").exists()
    done = bank.score(source, batch_rows=10)
    assert (done.rows, done.refused, done.batches, done.before) == (30, 1, 3, 20)


def test_what_cannot_be_scored_is_said_before_anything_is_recorded(bank: Any, tables: Any) -> None:
    rows, before = tables.rows(3), bank.recorded()
    good = tables.csv(bank.folder / "in.csv", rows)
    for row in rows:
        del row["age"]
    with pytest.raises(InvalidInput, match="no column 'age'"):
        bank.score(tables.csv(bank.folder / "other.csv", rows))
    with pytest.raises(InvalidInput, match="no column 'customer'"):
        bank.score(good, person="customer")
    with pytest.raises(InvalidInput, match=r"ends in none of: \.jsonl"):
        bank.score(good, "out.xlsx")
    with pytest.raises(InvalidInput, match="cannot be repeated"):
        bank.score(good, keys=["id", "id"])
    with pytest.raises(NotFound, match="Nothing is released"):
        bank.score(good, channel="canary")
    (bank.folder / "out.jsonl").write_text("mine")
    with pytest.raises(Conflict, match="is there already"):
        bank.score(good)
    with pytest.raises(PermissionDenied):
        bank.score(good, "new.jsonl", by=person("rita", "reviewer"))
    assert (bank.folder / "out.jsonl").read_text() == "mine"
    assert bank.recorded() == before


def test_decimal_commas_are_read_where_they_are_asked_for(bank: Any, tables: Any) -> None:
    rows = tables.rows(4)
    usual = tables.csv(bank.folder / "in.csv", rows)
    bank.score(usual)
    for row in rows:
        row["amount"], row["rate"] = str(row["amount"]).replace(".", ","), str(row["rate"] or "").replace(".", ",")
    path = tables.csv(bank.folder / "comma.csv", rows)
    spec = FileSource(file=str(path), decimal=",")
    score(bank.workspace, spec, project=PROJECT, out=bank.folder / "comma.jsonl", by=operator())
    assert told(bank.lines("comma.jsonl")) == told(bank.lines())


def test_who_scored_what_stands_in_the_ledger_without_names(bank: Any, tables: Any) -> None:
    bank.score(tables.csv(bank.folder / "in.csv", tables.rows(3)), "first.csv")
    before = (bank.place / "ledger" / "entries.log").read_bytes().count(b"\n")
    bank.score(bank.folder / "in.csv", person="id")
    log = (bank.place / "ledger" / "entries.log").read_bytes().split(b"\n")[:-1]
    leaves = [line.partition(b"\t")[0] for line in log[before:]]
    entries = [json.loads(leaf) for leaf in leaves]
    assert [one["action"] for one in entries] == [
        "serving.release_taken", "scoring.begun", "decisions.scored", "scoring.ended",
    ]  # fmt: skip
    who = bank.workspace.discretion.name_of(operator().counts_as)
    assert {one["actor"] for one in entries[1:]} == {who}
    assert entries[2]["detail"]["permission"] == "model.score"
    assert b"p1" not in b"".join(leaves)


def test_a_folder_of_part_files_is_one_source(bank: Any, tables: Any) -> None:
    rows = tables.rows(9)
    (bank.folder / "parts").mkdir()
    for at in range(3):
        tables.csv(bank.folder / "parts" / f"{at}.csv", rows[3 * at : 3 * at + 3])
    bank.score(bank.folder / "parts", batch_rows=2)
    whole = tables.csv(bank.folder / "in.csv", rows)
    bank.score(Path(whole), "whole.jsonl")
    assert told(bank.lines()) == told(bank.lines("whole.jsonl"))
