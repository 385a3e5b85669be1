"""JSON lines are read strictly: each cell in its own type, each line a row or set aside with its reason."""

import gzip
import json
import math
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sealwright.data import (
    DataSpec,
    FileSource,
    Snapshot,
    SourceUnreadable,
    check_batch,
    infer_contract,
    open_source,
    quarantine_of,
)
from sealwright.data.cells import REASONS
from sealwright.data.errors import ColumnsUnusable, ContractMismatch
from sealwright.data.sources.text_bytes import BLOCK
from sealwright.kernel import SealwrightError, digest_of
from sealwright.trust import Keyring

Read = Callable[..., tuple[list[dict[str, Any]], list[int], list[tuple[int, str, str]]]]
TakeIn = Callable[..., Snapshot]
Contract = Callable[..., DataSpec]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write bytes to a file and read them as a source: rows, their numbers, and the rejected lines."""

    def run(data: bytes, name: str = "x.jsonl", only: Any = None, **said: Any) -> Any:
        (tmp_path / name).write_bytes(data)
        source = open_source(FileSource(file=name, **said) if said else name, tmp_path)
        rows, numbers, rejected = [], [], []
        for batch in source.batches(only):
            rows += batch.rows.to_pylist()
            numbers += batch.numbers.tolist()
            rejected += [(row.row, row.reason, row.text) for row in batch.rejected]
        assert source.digest == digest_of(data)
        return rows, numbers, rejected

    return run


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"b":"x"}\n',
        b'{"a":1,"b":"x"}',
        b'{"a":1,"b":"x"}\r\n',
        b'\xef\xbb\xbf{"a":1,"b":"x"}\n',
        b'\n\n  \n {"b" : "x" , "a"\t:\t1 } \n\n',
        b'{"\\u0061":1,"b":"\\u0078"}\n',
    ],
)
def test_the_usual_ways_to_write_a_row_are_all_the_same_row(read: Read, data: bytes) -> None:
    assert read(data) == ([{"a": 1, "b": "x"}], [1], [])


def test_cells_keep_their_types(read: Read) -> None:
    rows, _, _ = read(b'{"t":"7","i":7,"n":7.5,"b":true,"z":null}\n{"t":"","i":-7,"n":1e3,"b":false}\n')
    assert rows == [
        {"t": "7", "i": 7, "n": 7.5, "b": True, "z": None},
        {"t": "", "i": -7, "n": 1000.0, "b": False, "z": None},
    ]


def test_a_missing_key_is_a_missing_value(read: Read) -> None:
    assert read(b'{"a":1}\n{"b":2}\n{}\n')[0] == [{"a": 1, "b": None}, {"a": None, "b": 2}, {"a": None, "b": None}]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"a":1', "not_json"),
        (b'{"a":1}}', "not_json"),
        (b'{"a":1}{"a":2}', "not_json"),
        (b"{'a':1}", "not_json"),
        (b'{"a":01}', "not_json"),
        (b'{"a":1.}', "not_json"),
        (b'{"a":+1}', "not_json"),
        (b'{"a":NaN}', "not_json"),
        (b'{"a":-Infinity}', "not_json"),
        (b'{"a":"\\ud800"}', "not_json"),
        (b'{"a":"\t"}', "not_json"),
        (b'{"a":"x"y"}', "not_json"),
        (b"a,b", "not_json"),
        (b"[1]", "not_an_object"),
        (b"null", "not_an_object"),
        (b'"a"', "not_an_object"),
        (b'{"a":1,"a":1}', "repeated_key"),
        (b'{"a" :1 , "a"\t:2}', "repeated_key"),
        (b'{"a":1,"\\u0061":2}', "repeated_key"),
        (b'{"t":"\\u003a","a":1,"a":2}', "repeated_key"),
        (b'{"t":"x:y","a":1,"a":2}', "repeated_key"),
        (b'{"a":{"x":1}}', "nested_value"),
        (b'{"a":[]}', "nested_value"),
        (b'{"a":' + b"[" * 90_000 + b"]" * 90_000 + b"}", "nested_too_deep"),
    ],
)
def test_a_line_that_is_no_row_is_handed_on_with_its_reason(read: Read, line: bytes, reason: str) -> None:
    good = b'{"a":1,"t":"a:b"}\n'
    rows, numbers, rejected = read(good + good + line + b"\n" + good)
    assert (len(rows), numbers) == (3, [1, 2, 4])
    assert rejected == [(3, reason, line.decode())]
    assert reason in REASONS


def test_a_twin_is_found_in_a_block_where_the_colons_happen_to_come_out(read: Read) -> None:
    """One key too many in one line and one too few in the next: the sums agree, the lines do not."""
    rows, numbers, rejected = read(b'{"a":1,"b":2}\n{"a":1,"a":2,"b":3}\n{"b":1}\n')
    assert (numbers, [row[:2] for row in rejected]) == ([1, 3], [(2, "repeated_key")])
    assert rows == [{"a": 1, "b": 2}, {"a": None, "b": 1}]


def test_nested_columns_are_named_and_left_out(tmp_path: Path, read: Read) -> None:
    data = b'{"a":1,"o":{"x:y":1},"l":[1,2]}\n{"a":2,"o":null,"l":[{"x":1,"x":2}]}\n'
    assert read(data)[0] == [{"a": 1}, {"a": 2}]
    source = open_source("x.jsonl", tmp_path)
    assert dict(source.unreadable) == {"o": "object", "l": "list"}
    with pytest.raises(SourceUnreadable, match=r"o \(object\)"):
        next(source.batches(["a", "o"]))


def test_columns_that_are_not_wanted_are_not_looked_at(read: Read) -> None:
    data = b'{"a":1,"b":2}\n{"a":2,"b":{"x":1}}\n'
    assert read(data, only=["a"]) == ([{"a": 1}, {"a": 2}], [1, 2], [])
    assert [row[:2] for row in read(data, only=["a", "b"])[2]] == [(2, "nested_value")]


def test_a_key_that_comes_late_is_known_if_it_is_named(read: Read) -> None:
    early, late = b'{"a":1}\n' * 12_000, b'{"a":2,"late":"x"}\n'
    rows, _, rejected = read(early + late)
    assert (len(rows), rejected) == (12_000, [(12_001, "unknown_key", late.decode().strip())])
    rows, _, rejected = read(early + late, keys=("late",))
    assert (rows[0], rows[-1], rejected) == ({"a": 1, "late": None}, {"a": 2, "late": "x"}, [])


@pytest.mark.parametrize("name", ['say "hi"', "back\\slash", "co:lon", "é", "f0", "a b"])
def test_any_name_that_prints_can_be_a_key(read: Read, name: str) -> None:
    lines = [json.dumps({name: place, "x": "a:b"}) for place in range(3)]
    twice = json.dumps({name: 1})[:-1] + "," + json.dumps({name: 2})[1:]
    rows, _, rejected = read("\n".join([*lines, twice]).encode())
    assert [row[name] for row in rows] == [0, 1, 2]
    assert [row[:2] for row in rejected] == [(4, "repeated_key")]


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "is empty"),
        (b"\n \r\n", "no rows"),
        (b"a,b\n1,2\n", "None of the first lines"),
        (b'[{"a":1},{"a":2}]', "one array"),
        (b'{\n  "a": 1\n}\n', "None of the first lines"),
        (b'{"a":"\xe9"}\n', "not utf-8 text"),
        ('{"a":1}\n'.encode("utf-16"), "UTF-16"),
        (b'{"a":1}\n\0', "NUL byte"),
        (b"PK\x03\x04rest", "not JSON lines text but a ZIP"),
        (gzip.compress(b'{"a":1}\n', mtime=0), r"\.jsonl\.gz"),
        (b'{"a":"' + b"x" * (BLOCK + 1) + b'"}\n', "longer than"),
        (b'{"a":1}\n\n{"a":"' + b"x" * (3 * BLOCK) + b'"}\n', "After data row 1.*longer than"),
    ],
)
def test_a_file_that_is_no_json_lines_is_refused_in_words(read: Read, data: bytes, match: str) -> None:
    with pytest.raises(SourceUnreadable, match=match):
        read(data)


@pytest.mark.parametrize("key", ["", " a", "a\\u0007", "a\\u202e", "x" * 201])
def test_keys_nobody_could_use_are_refused(read: Read, key: str) -> None:
    with pytest.raises(ColumnsUnusable):
        read(f'{{"{key}":1}}\n'.encode())


def test_gzip_and_other_encodings_are_read(read: Read) -> None:
    line = '{"a":"é"}\n'
    assert read(gzip.compress(line.encode()), "x.ndjson.gz")[0] == [{"a": "é"}]
    assert read(line.encode("utf-16"), encoding="utf-16")[0] == [{"a": "é"}]
    assert read(line.encode("cp1252"), encoding="cp1252")[0] == [{"a": "é"}]
    with pytest.raises(SourceUnreadable, match="delimiter are for CSV"):
        read(line.encode(), delimiter=";")


TYPES = {
    "i": {"type": "integer", "nullable": True},
    "n": {"type": "number", "nullable": True},
    "b": {"type": "boolean", "nullable": True},
    "d": {"type": "date", "nullable": True},
    "c": {"type": "category", "categories": ["1", "true", "x"], "nullable": True},
    "t": {"type": "text", "nullable": True, "role": "identifier"},
}


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("i", "9007199254740993", "beyond_2_53"),
        ("i", "-9007199254740993", "beyond_2_53"),
        ("i", "123456789012345678901234567890", "beyond_2_53"),
        ("i", "9" * 500, "beyond_2_53"),
        ("i", "true", "not_an_integer"),
        ("i", "1.5", "not_an_integer"),
        ("n", "false", "not_a_number"),
        ("n", "1e400", "beyond_double"),
        ("n", "-1e-400", "beyond_double"),
        ("n", "9007199254740993", "beyond_2_53"),
        ("b", "2", "not_a_boolean"),
        ("d", "20260102", "not_a_date"),
        ("c", "2", "not_in_categories"),
        ("c", "false", "not_in_categories"),
    ],
)
@pytest.mark.parametrize("beside", ["null", '"text"', "1", "0.5", "true"])
def test_a_cell_of_a_wrong_type_is_set_aside_whatever_stands_beside_it(
    take_in: TakeIn,
    contract: Contract,
    keyring: Keyring,
    tmp_path: Path,
    column: str,
    cell: str,
    reason: str,
    beside: str,
) -> None:
    keys = ", ".join(f'"{name}": null' for name in TYPES if name != column)
    lines = [f'{{"y": true, "{column}": {value}, {keys}}}' for value in ("null", cell, beside)]
    (path := tmp_path / "x.jsonl").write_text("\n".join(lines), encoding="utf-8")
    snapshot = take_in(path, contract(TYPES, quarantine={"at_most_share": 0.9}))
    found = {row.row: [(p.column, p.reason) for p in row.problems] for row in quarantine_of(snapshot, keyring)}
    assert found[2] == [(column, reason)]


@pytest.mark.parametrize("beside", ["null", '"x"', "2", "0.5", "true"])
def test_a_cell_means_the_same_whatever_stands_beside_it(tmp_path: Path, contract: Contract, beside: str) -> None:
    spec = contract({**TYPES, "w": {"type": "number", "nullable": True, "nulls": ["-9"]}})
    cells = {"i": "1.0", "n": "3", "b": "1", "d": '"2026-01-02"', "c": "1.0", "t": "1.0", "w": "-9.0"}
    for name, cell in cells.items():
        others = ", ".join(f'"{other}": null' for other in cells if other != name)
        lines = [f'{{"y": true, "{name}": {value}, {others}}}\n' for value in (cell, beside)]
        (tmp_path / "x.jsonl").write_text("".join(lines), encoding="utf-8")
        (batch,) = open_source("x.jsonl", tmp_path).batches()
        good = check_batch(batch, spec).good.to_pylist()[0]
        want = {"i": 1, "n": 3.0, "b": True, "c": "1", "t": "1", "w": None}
        assert good[name] == want[name] if name in want else str(good[name]) == "2026-01-02"


def test_unknown_and_missing_columns_are_refused_like_those_of_other_files(
    take_in: TakeIn, contract: Contract, tmp_path: Path
) -> None:
    (path := tmp_path / "x.jsonl").write_text('{"y": true, "age": 1, "agee": 2}\n', encoding="utf-8")
    with pytest.raises(ContractMismatch, match="'agee' is not in the contract"):
        take_in(path, contract({"age": {"type": "integer"}}))


def test_rejected_lines_are_in_the_quarantine_as_they_came(
    take_in: TakeIn, contract: Contract, keyring: Keyring, tmp_path: Path
) -> None:
    lines = ['{"y": true, "age": 30}', '{"y": true, "age": 30, "age": 31}', '{"y": true, "age": {"x": 1}}', "{oops"]
    (path := tmp_path / "x.jsonl").write_text("\n".join(lines), encoding="utf-8")
    snapshot = take_in(path, contract({"age": {"type": "integer"}}, quarantine={"at_most_share": 0.9}))
    assert snapshot.read().to_pylist() == [{"y": True, "age": 30}]
    assert [
        (row.row, row.line, row.problems[0].column, row.problems[0].reason) for row in quarantine_of(snapshot, keyring)
    ] == [
        (2, lines[1], "", "repeated_key"),
        (3, lines[2], "age", "nested_value"),
        (4, lines[3], "", "not_json"),
    ]


# --- the same table, however it is written


def _rows() -> st.SearchStrategy[list[dict[str, Any]]]:
    row = st.fixed_dictionaries(
        {
            "y": st.booleans(),
            "i": st.none() | st.integers(-(2**53), 2**53),
            "n": st.none() | st.floats(allow_nan=False, allow_infinity=False).map(lambda v: v + 0.0),
            "d": st.none() | st.dates(),
            "c": st.none() | st.sampled_from(["1", "true", "x"]),
            "t": st.none() | st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=9),
        }
    )
    return st.lists(row, min_size=1, max_size=9)


def _write(rows: list[dict[str, Any]], folder: Path) -> list[Path]:
    schema = pa.schema(
        [
            ("y", pa.bool_()),
            ("i", pa.int64()),
            ("n", pa.float64()),
            ("d", pa.date32()),
            ("c", pa.string()),
            ("t", pa.string()),
        ]
    )
    table = pa.Table.from_pylist(rows, schema)
    paths = [folder / name for name in ("x.csv", "x.parquet", "x.arrow", "x.jsonl")]
    pcsv.write_csv(table, paths[0])
    pq.write_table(table, paths[1])
    feather.write_feather(table, str(paths[2]))
    with paths[3].open("w", encoding="utf-8") as stream:
        for place, row in enumerate(rows):
            kept = {name: cell for name, cell in row.items() if place == 0 or place % 2 or cell is not None}
            stream.write(json.dumps(kept, default=str, ensure_ascii=bool(place % 2)) + "\n")
    return paths


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None)
@given(_rows())
@example([{"y": True, "i": 2**53, "n": 5e-324, "d": None, "c": None, "t": "x:y"}])
def test_the_same_table_is_the_same_snapshot_from_csv_parquet_arrow_and_json_lines(
    tmp_path: Path, take_in: TakeIn, contract: Contract, rows: list[dict[str, Any]]
) -> None:
    if any(row["n"] is not None and row["n"] == math.floor(row["n"]) and abs(row["n"]) > 2**53 for row in rows):
        rows = [{**row, "n": None} for row in rows]  # written out in a CSV they are whole numbers beyond 2^53
    columns = {name: TYPES[name] for name in ("i", "n", "d", "c", "t")}
    columns["c"] = {**columns["c"]}
    assert len({take_in(path, contract(columns)).digest for path in _write(rows, tmp_path)}) == 1


def test_a_contract_inferred_from_json_lines_is_the_one_inferred_from_parquet(german: Path, tmp_path: Path) -> None:
    table = pcsv.read_csv(german)
    pq.write_table(table, tmp_path / "g.parquet")
    (tmp_path / "g.jsonl").write_text("\n".join(map(json.dumps, table.to_pylist())), encoding="utf-8")
    first, second = (infer_contract(tmp_path / name, "outcome") for name in ("g.parquet", "g.jsonl"))
    assert first.spec.columns == second.spec.columns
    assert first.reasons == second.reasons
    assert second.spec.source == str(tmp_path / "g.jsonl")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
@given(
    st.binary(max_size=200)
    | st.lists(
        st.sampled_from(
            [
                b'{"a":',
                b'{"a":1}',
                b'"a":2',
                b"1",
                b"e-400",
                b"}",
                b"{",
                b"[",
                b"]",
                b",",
                b'"',
                b"\\u003a",
                b":",
                b"\n",
                b"\r",
                b"null",
                b"\xff",
                b" ",
            ]
        ),
        max_size=40,
    ).map(b"".join)
)
def test_any_bytes_are_read_or_refused_in_our_words(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.jsonl").write_bytes(data)
    try:
        source = open_source("x.jsonl", tmp_path)
        numbers: list[int] = []
        for batch in source.batches():
            numbers += [*batch.numbers.tolist(), *(row.row for row in batch.rejected)]
        assert sorted(numbers) == list(range(1, len(numbers) + 1))
    except SealwrightError:
        pass


_KEYS = st.sampled_from(["a", "b", "c"])
_CELLS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.sampled_from('a:",\\\u003a\n'), max_size=5)
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
@given(st.lists(st.lists(st.tuples(_KEYS, _CELLS), max_size=5), min_size=1, max_size=6))
def test_exactly_the_lines_with_a_key_twice_are_rejected(tmp_path: Path, objects: list[list[tuple[str, Any]]]) -> None:
    lines = ["{" + ",".join(f"{json.dumps(key)}:{json.dumps(cell)}" for key, cell in pairs) + "}" for pairs in objects]
    first = json.dumps(dict.fromkeys(["a", "b", "c"]))
    (tmp_path / "x.jsonl").write_bytes("\n".join([first, *lines]).encode())
    rejected = [row.row for batch in open_source("x.jsonl", tmp_path).batches() for row in batch.rejected]
    twice = [place for place, pairs in enumerate(objects, start=2) if len(dict(pairs)) < len(pairs)]
    assert rejected == twice


# --- memory

_MEMORY = """
import sys
from pathlib import Path
from sealwright.data import open_source
import pyarrow, msgspec

path = Path(sys.argv[1])
memory = lambda what: next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith(what)) // 1024
Path("/proc/self/clear_refs").write_text("5")
before, rows = memory("VmRSS"), 0
for batch in open_source(str(path), path.parent).batches():
    rows += batch.rows.num_rows
assert rows == int(sys.argv[2]), rows
print(memory("VmHWM") - before)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(
    tmp_path: Path, run_child: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    line = json.dumps({**{f"n{place}": place * 1.5 for place in range(16)}, "t": "some text", "b": True}) + "\n"
    grown = []
    for rows in (50_000, 400_000):
        with (path := tmp_path / f"{rows}.jsonl").open("w") as stream:
            stream.writelines(line for _ in range(rows))
        ended = run_child(_MEMORY, path, str(rows))
        assert ended.returncode == 0, ended.stderr
        grown.append(int(ended.stdout))
    assert grown[1] <= 200, grown
    assert grown[1] <= grown[0] + 60, grown
