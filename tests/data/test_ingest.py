"""Every row of a source is in the snapshot or in the quarantine, with its reason. None is lost, none is bent."""

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sealwright.data import (
    ContractMismatch,
    DataSpec,
    QuarantineFull,
    Snapshot,
    SqlSource,
    infer_contract,
    ingest,
    open_snapshot,
    open_source,
    quarantine_of,
)
from sealwright.data.column_spec import ColumnSpec
from sealwright.kernel import FixedClock
from sealwright.trust import Keyring, verify_statement

TakeIn = Callable[..., Snapshot]
Contract = Callable[..., DataSpec]

AGES = {
    "age": {"type": "integer", "min": 18, "max": 99},
    "n": {"type": "number", "nullable": True, "role": "sensitive"},
}


def test_german_credit_comes_back_as_it_was(take_in: TakeIn, german: Path, keyring: Keyring) -> None:
    snapshot = take_in(german, infer_contract(german, "outcome").spec)
    with german.open(encoding="utf-8", newline="") as stream:
        expected = list(csv.DictReader(stream))
    found = [{name: str(cell) for name, cell in row.items()} for row in snapshot.read().to_pylist()]
    assert found == expected
    assert (snapshot.rows, snapshot.quarantined) == (1000, 0)
    statement = verify_statement(snapshot.statement, keyring.trust_root.keys_of("statements"))
    assert statement.subject_digests == (snapshot.digest,)
    assert statement.predicate["source"]["kind"] == "csv"


def test_employment_comes_back_as_it_was(take_in: TakeIn, employment: Path) -> None:
    snapshot = take_in(employment, infer_contract(employment, "employed").spec)
    expected = pq.read_table(employment)
    assert snapshot.rows == 5000
    for name in snapshot.columns:
        wanted = expected.column(name).to_pylist()
        found = snapshot.read([name]).column(name).to_pylist()
        assert found == wanted or [str(cell) for cell in wanted] == found


def test_flight_delays_come_back_with_their_gaps(take_in: TakeIn, flights: Path) -> None:
    snapshot = take_in(flights, infer_contract(flights, "CANCELLED").spec)
    expected = pcsv.read_csv(flights)
    for name in ("AIR_TIME", "TAXI_OUT", "DATE", "DISTANCE"):
        assert snapshot.read([name]).column(name).to_pylist() == expected.column(name).to_pylist()


def test_a_bad_row_is_set_aside_with_every_reason_and_as_it_came(
    take_in: TakeIn, contract: Contract, keyring: Keyring
) -> None:
    spec = contract(AGES, quarantine={"at_most_share": 0.9})
    snapshot = take_in('age,n,y\n30,1.5,true\nx,1e999,false\n\n17,,maybe\n40\n" 50 ",NA,true\n', spec)
    assert snapshot.read().to_pylist() == [{"age": 30, "n": 1.5, "y": True}]
    found = quarantine_of(snapshot, keyring)
    assert [(row.row, [(p.column, p.reason) for p in row.problems]) for row in found] == [
        (2, [("age", "not_an_integer"), ("n", "beyond_double")]),
        (3, [("y", "not_a_boolean"), ("age", "below_min")]),
        (4, [("", "ragged_row")]),
        (5, [("n", "not_a_number")]),
    ]
    assert found[0].cells == {"y": "false", "age": "x", "n": "1e999"}
    assert (found[2].line, found[2].cells) == ("40", None)
    assert found[3].cells == {"y": "true", "age": " 50 ", "n": "NA"}
    assert (snapshot.rows, snapshot.quarantined) == (1, 4)


def test_the_manifest_counts_reasons_and_holds_no_cell(take_in: TakeIn, contract: Contract) -> None:
    spec = contract(AGES, quarantine={"at_most_share": 0.9})
    snapshot = take_in("age,n,y\n30,1,true\nplanted-cell,1,true\nplanted-cell,1,true\n", spec)
    assert snapshot.reasons == {"not_an_integer": 2}
    assert list(snapshot.manifest["quarantine_reasons"]) == [{"column": "age", "reason": "not_an_integer", "cells": 2}]
    assert b"planted-cell" not in snapshot.statement


def test_too_many_bad_rows_stop_the_ingest_and_nothing_is_kept(
    take_in: TakeIn, contract: Contract, snapshots: Path
) -> None:
    text = "age,n,y\n" + "30,1,true\n" * 97 + "planted-cell,1,true\n" * 2 + "12,1,true\n"
    with pytest.raises(QuarantineFull) as stopped:
        take_in(text, contract(AGES, quarantine={"at_most_share": 0.02}))
    error = stopped.value
    assert (error.quarantined, error.rows, error.exit_code) == (3, 100, 3)
    assert [(r.column, r.reason, r.cells, r.first_rows) for r in error.reasons] == [
        ("age", "not_an_integer", 2, (98, 99)),
        ("age", "below_min", 1, (100,)),
    ]
    assert "planted-cell" not in str(error)
    assert "at_most_share" in str(error)
    assert list(snapshots.iterdir()) == []
    assert take_in(text, contract(AGES, quarantine={"at_most_share": 0.03})).quarantined == 3


def test_a_source_without_one_good_row_is_stopped_whatever_the_limit(take_in: TakeIn, contract: Contract) -> None:
    with pytest.raises(QuarantineFull, match="2 of 2 rows"):
        take_in("age,n,y\nx,1,true\nx,1,true\n", contract(AGES, quarantine={"at_most_share": 1}))


@pytest.mark.parametrize(
    ("header", "match"),
    [
        ("age,y", "'n' is missing"),
        ("Age,n,y", r"'age' is missing. Did you mean 'Age'\?(.|\n)*'Age' is not in the contract"),
        ("age,n,y,more", "'more' is not in the contract(.|\n)*role: ignore"),
    ],
)
def test_columns_that_differ_from_the_contract_are_named(
    take_in: TakeIn, contract: Contract, header: str, match: str
) -> None:
    with pytest.raises(ContractMismatch, match=match):
        take_in(f"{header}\n" + ",".join(["1"] * header.count(",")) + ",1\n", contract(AGES))


def test_an_ignored_column_is_not_even_read(take_in: TakeIn, contract: Contract, keyring: Keyring) -> None:
    spec = contract({**AGES, "note": {"type": "text", "role": "ignore"}}, quarantine={"at_most_share": 0.9})
    snapshot = take_in("age,note,n,y\n30,planted,1,true\nx,planted,1,true\n", spec)
    assert snapshot.columns == ("y", "age", "n")
    assert "note" not in (quarantine_of(snapshot, keyring)[0].cells or {})


def test_the_same_input_twice_is_one_snapshot(take_in: TakeIn, contract: Contract, snapshots: Path) -> None:
    text = "age,n,y\n30,1.5,true\nx,1,true\n40,,false\n"
    spec = contract(AGES, quarantine={"at_most_share": 0.5})
    first = take_in(text, spec, clock=FixedClock(datetime(2026, 1, 1, tzinfo=UTC)))
    again = take_in(text, spec, clock=FixedClock(datetime(2027, 1, 1, tzinfo=UTC)))
    assert again == first
    assert [path.name for path in snapshots.iterdir()] == [first.digest.removeprefix("sha256:")]


def test_another_value_row_order_class_or_limit_is_another_snapshot(take_in: TakeIn, contract: Contract) -> None:
    text = "age,n,y\n30,1.5,true\n40,2,false\n"
    specs = [
        contract(AGES),
        contract({**AGES, "age": {**AGES["age"], "class": "personal"}}),
        contract({**AGES, "age": {"type": "integer"}}),
    ]
    digests = {take_in(text, spec).digest for spec in specs}
    digests |= {
        take_in(other, specs[0]).digest for other in ("age,n,y\n40,2,false\n30,1.5,true\n", text.replace("1.5", "1.25"))
    }
    digests.add(take_in(text + "x,1,true\n", contract(AGES, quarantine={"at_most_share": 0.5})).digest)
    assert len(digests) == 6


def test_format_column_order_and_dress_of_the_file_do_not_matter(
    take_in: TakeIn, contract: Contract, tmp_path: Path
) -> None:
    columns = {
        "i": {"type": "integer", "nullable": True},
        "n": {"type": "number"},
        "d": {"type": "date"},
        "c": {"type": "category", "categories": ["a", "b"], "nullable": True},
    }
    spec = contract(columns)
    texts = [
        "i,n,d,c,y\n1,0.5,2015-01-02,a,true\n,1,2015-01-03,,false\n",
        "y;c;d;n;i\n1;a;2015-01-02 00:00;.5;1.0\nFALSE;;2015-01-03;1e0;\n",
    ]
    digests = {take_in(text, spec).digest for text in texts}
    import datetime as dt

    table = pa.table(
        {
            "c": pa.array(["a", None]).dictionary_encode(),
            "n": pa.array([0.5, 1.0], pa.float32()),
            "y": [True, False],
            "i": pa.array([1.0, None]),
            "d": pa.array([dt.date(2015, 1, 2), dt.date(2015, 1, 3)]),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    digests.add(take_in(tmp_path / "t.parquet", spec).digest)
    with pa.ipc.new_file(str(tmp_path / "t.arrow"), table.schema) as writer:
        writer.write_table(table)
    digests.add(take_in(tmp_path / "t.arrow", spec).digest)
    assert len(digests) == 1


def test_a_query_is_taken_in_and_its_address_is_not_recorded(
    tmp_path: Path, contract: Contract, snapshots: Path, keyring: Keyring
) -> None:
    import sqlite3

    with sqlite3.connect(tmp_path / "credit.db") as db:
        db.execute("CREATE TABLE t (age, n, y)")
        db.executemany("INSERT INTO t VALUES (?, ?, ?)", [(30, 1.5, 1), (40, None, 0)])
    db.close()
    spec = contract(AGES)
    said = SqlSource(sql="SELECT age, n, y FROM t ORDER BY age", url_env="U")
    source = open_source(said, tmp_path, environment={"U": f"sqlite:///{tmp_path / 'credit.db'}"})
    snapshot = ingest(source, spec, snapshots=snapshots, keyring=keyring)
    assert snapshot.read().to_pylist() == [{"y": True, "age": 30, "n": 1.5}, {"y": False, "age": 40, "n": None}]
    assert str(tmp_path) not in json.dumps(dict(snapshot.manifest))
    assert snapshot.manifest["source"]["digest_of"] == "query text"
    assert source.digest == "", "what a query gives is not known before it is read"


def test_progress_rises_to_one(take_in: TakeIn, contract: Contract) -> None:
    seen: list[float] = []
    take_in("age,n,y\n" + "30,1.5,true\n" * 900_000, contract(AGES), progress=lambda _line, share: seen.append(share))
    assert len(seen) > 2
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


CELLS = {
    "integer": st.integers(-(2**53), 2**53).map(str) | st.sampled_from(["", "x", "1.5", "99999999999999999999"]),
    "number": st.floats(allow_nan=False).map(str) | st.sampled_from(["", "x", "nan"]),
    "category": st.sampled_from(["a", "b", "", "c"]),
    "date": st.dates().map(str) | st.sampled_from(["", "2015-02-30", "x"]),
    "boolean": st.sampled_from(["true", "false", "", "2"]),
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[dict[str, Any], list[list[str]], list[int]]:
    kinds = draw(st.lists(st.sampled_from(list(CELLS)), min_size=1, max_size=4))
    columns = {
        f"k{place}": {
            "type": kind,
            "nullable": draw(st.booleans()),
            **({"categories": ["a", "b"]} if kind == "category" else {}),
        }
        for place, kind in enumerate(kinds)
    }
    rows = draw(st.lists(st.tuples(*(CELLS[kind] for kind in kinds)).map(list), min_size=1, max_size=10))
    ragged = draw(st.sets(st.integers(0, len(rows)), max_size=2))
    return columns, rows, sorted(ragged)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(tables())
def test_snapshot_rows_and_quarantined_rows_are_the_source_rows(
    take_in: TakeIn, contract: Contract, keyring: Keyring, table: tuple[dict[str, Any], list[list[str]], list[int]]
) -> None:
    columns, rows, ragged = table
    lines: list[list[str]] = [["true", *row] for row in rows]
    for place in ragged:
        lines.insert(place, ["true"] * (len(columns) + 3))
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["y", *columns], ["true", *rows_of_good(columns)], *lines])
    snapshot = take_in(text.getvalue().encode(), contract(columns, quarantine={"at_most_share": 1}))
    aside = quarantine_of(snapshot, keyring)
    assert snapshot.rows + len(aside) == len(lines) + 1
    kept = [place for place in range(1, len(lines) + 2) if place not in {row.row for row in aside}]
    source = [["true", *rows_of_good(columns)], *lines]
    for place, row in zip(kept, snapshot.read().to_pylist(), strict=True):
        for name, written in zip(columns, source[place - 1][1:], strict=True):
            assert same(row[name], written, columns[name]["type"])
    for bad in aside:
        assert bad.problems
        if bad.cells is not None:
            assert [cell or "" for cell in bad.cells.values()] == source[bad.row - 1]


def rows_of_good(columns: dict[str, Any]) -> list[str]:
    good = {"integer": "1", "number": "0.5", "category": "a", "date": "2015-01-01", "boolean": "true"}
    return [good[column["type"]] for column in columns.values()]


def same(value: Any, written: str, kind: str) -> bool:
    """Whether a snapshot's value is exactly what the text says."""
    if value is None:
        return written == ""
    match kind:
        case "integer":
            return bool(value == int(written))
        case "number":
            return bool(value == float(written))
        case "boolean":
            return bool(value == (written == "true"))
    return str(value) == written


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(tables(), st.randoms(use_true_random=False))
def test_the_order_of_columns_in_the_file_does_not_change_the_snapshot(
    take_in: TakeIn, contract: Contract, table: tuple[dict[str, Any], list[list[str]], list[int]], random: Any
) -> None:
    columns, rows, _ = table
    spec = contract(columns, quarantine={"at_most_share": 1})
    names = ["y", *columns]
    whole = [dict(zip(names, ["true", *row], strict=True)) for row in [rows_of_good(columns), *rows]]
    digests = set()
    for _ in range(2):
        random.shuffle(names)
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, names)
        writer.writeheader()
        writer.writerows(whole)
        digests.add(take_in(text.getvalue().encode(), spec).digest)
    assert len(digests) == 1


def test_a_column_named_like_a_key_map_entry_is_encrypted_like_any_other(
    take_in: TakeIn, contract: Contract, snapshots: Path, keyring: Keyring
) -> None:
    """Arrow hands its key map on as text "key:column,column;key:…": such names must never reach it."""
    odd = {
        "a,b": {"type": "number"},
        "c;d:e": {"type": "number", "class": "special"},
        "x.y": {"type": "number"},
        " ; ".strip(): {"type": "number"},
    }
    snapshot = take_in('"a,b","c;d:e",x.y,;,y\n1,2,3,4,true\n5,6,7,8,false\n', contract(odd))
    assert snapshot.read().to_pylist()[0] == {"y": True, "a,b": 1.0, "c;d:e": 2.0, "x.y": 3.0, ";": 4.0}
    again = open_snapshot(snapshot.digest, snapshots=snapshots, trust_root=keyring.trust_root, keyring=keyring)
    assert again.read(["c;d:e"]).to_pylist() == [{"c;d:e": 2.0}, {"c;d:e": 6.0}]


def test_every_type_is_kept_in_the_one_arrow_type_of_it(take_in: TakeIn, contract: Contract) -> None:
    columns = {
        "i": {"type": "integer"},
        "n": {"type": "number"},
        "c": {"type": "category", "categories": ["a"]},
        "d": {"type": "date"},
        "t": {"type": "text", "role": "identifier"},
    }
    schema = take_in("i,n,c,d,t,y\n1,1,a,2015-01-01,t,true\n", contract(columns)).read().schema
    assert [str(field.type) for field in schema] == ["bool", "int64", "double", "string", "date32[day]", "string"]
    assert not any(field.nullable for field in schema)
    assert ColumnSpec(type="integer").nullable is False
