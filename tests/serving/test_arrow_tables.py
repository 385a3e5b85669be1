"""Tables as Arrow IPC streams: what pyarrow and polars write is read, what we write they read, and hostile bytes are refused.

pyarrow writes the streams and reads ours, so that neither side of ours is its own judge.
"""

import io
import json
import struct
import time
import tracemalloc
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealwright import trust
from sealwright.serving import Contract, contract_of
from sealwright.serving.arrow.flat import FlatWriter
from sealwright.serving.arrow.stream import read_stream
from sealwright.serving.contract import Batch
from sealwright.serving.problems import HttpRefusal, RowsRefused, TableMalformed
from sealwright.serving.protocol_arrow import read_table
from sealwright.serving.protocol_named import NamedProtocol

ARROW = "application/vnd.apache.arrow.stream"
_DOCUMENT = {
    "format": 1, "project": "p", "task": "regression", "order": ["i", "n", "b", "d", "c", "k"],
    "numbers": [{"name": "i", "type": "integer", "nullable": False, "min": 0, "max": 100},
                {"name": "n", "type": "number", "nullable": True, "min": -1.5, "max": 1e6},
                {"name": "b", "type": "boolean", "nullable": True, "min": None, "max": None},
                {"name": "d", "type": "date", "nullable": True, "min": "2019-01-01", "max": "2021-01-01"}],
    "strings": [{"name": "c", "type": "category", "nullable": False, "categories": ["a11", "a category of more than twelve bytes"]},
                {"name": "k", "type": "category", "nullable": True, "categories": ["x", "y"]}],
}  # fmt: skip
_CONTRACT = contract_of(_DOCUMENT)
_PROTOCOL = NamedProtocol(_CONTRACT, most_rows=50)
_LONG = "a category of more than twelve bytes"
_VALUES: dict[str, list[Any]] = {
    "i": [1, 2, 100], "n": [0.5, None, -1.5], "b": [True, None, False], "d": [date(2020, 2, 29), None, date(2019, 1, 1)],
    "c": ["a11", _LONG, "a11"], "k": ["x", None, "y"],
}  # fmt: skip


def _stream(*tables: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, tables[0].schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        for table in tables:
            writer.write_table(table)
    return sink.getvalue()


def _hostile(table: pa.Table) -> bytes:
    """A stream of one batch as it is: nothing is validated or rebuilt on the way."""
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_batch(table.to_batches()[0])
    return sink.getvalue()


def _expected() -> Batch:
    columns = {
        name: [value.isoformat() if isinstance(value, date) else value for value in values]
        for name, values in _VALUES.items()
    }
    batch = _PROTOCOL.read(json.dumps({"columns": columns}).encode()).batch
    assert batch is not None
    return batch


def _same(one: Batch | None, other: Batch) -> bool:
    assert one is not None
    assert one.strings is not None
    assert other.strings is not None
    return np.array_equal(one.numbers, other.numbers, equal_nan=True) and one.strings.tolist() == other.strings.tolist()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "types",
    [
        {"i": pa.int64(), "n": pa.float64(), "b": pa.bool_(), "d": pa.date32(), "c": pa.string(), "k": pa.string()},
        {"i": pa.int8(), "n": pa.float32(), "b": pa.bool_(), "d": pa.date64(), "c": pa.large_string(), "k": pa.large_string()},
        {"i": pa.uint16(), "n": pa.float16(), "d": pa.string(), "c": pa.dictionary(pa.int8(), pa.string()),
         "k": pa.dictionary(pa.int32(), pa.large_string())},
        {"i": pa.float64(), "c": pa.string_view(), "k": pa.dictionary(pa.uint8(), pa.string())},
    ],
)  # fmt: skip
def test_what_pyarrow_writes_is_read_in_every_type_that_fits(types: dict[str, Any]) -> None:
    arrays = {
        name: pa.array(
            [str(v) if v is not None and types.get(name) == pa.string() and name == "d" else v for v in values],
            type=types.get(name),
        )
        for name, values in (_VALUES | {"n": [0.5, None, -1.5]}).items()
    }
    table = pa.table(arrays)
    asked = read_table(_PROTOCOL, _stream(table))
    assert (asked.count, asked.form) == (3, "columns")
    assert _same(asked.batch, _expected())
    parts = read_table(_PROTOCOL, _stream(table.slice(0, 1), table.slice(1, 2)))  # several batches
    assert _same(parts.batch, _expected())
    assert _same(read_table(_PROTOCOL, _stream(table)[:-8]).batch, _expected())  # the end marker may be left out


@pytest.mark.parametrize("newest", [True, False])
def test_what_polars_writes_is_read(newest: bool) -> None:
    frame = pl.DataFrame(_VALUES, schema_overrides={"k": pl.Categorical})
    sink = io.BytesIO()
    frame.write_ipc_stream(sink, compat_level=pl.CompatLevel.newest() if newest else pl.CompatLevel.oldest())
    assert _same(read_table(_PROTOCOL, sink.getvalue()).batch, _expected())


def test_nan_and_columns_of_nulls_mean_missing_where_that_is_allowed() -> None:
    table = pa.table(
        _VALUES | {"n": pa.array([float("nan")] * 3), "k": pa.nulls(3), "b": pa.nulls(3), "d": pa.nulls(3)}
    )
    batch = read_table(_PROTOCOL, _stream(table)).batch
    assert batch is not None
    assert np.isnan(batch.numbers[:, 1:]).all()  # type: ignore[index]
    with pytest.raises(RowsRefused) as refusal:
        read_table(_PROTOCOL, _stream(table.set_column(0, "i", pa.nulls(3))))
    assert refusal.value.problems[0].code == "not_nullable"


@pytest.mark.parametrize(
    ("name", "array", "code"),
    [
        ("i", pa.array([1, 2, 101]), "out_of_range"),
        ("i", pa.array([1.5, 2, 3]), "wrong_type"),
        ("i", pa.array([1, None, 3]), "not_nullable"),
        ("i", pa.array(["1", "2", "3"]), "wrong_type"),
        ("i", pa.array([True, True, True]), "wrong_type"),
        ("n", pa.array([float("inf"), 1, 1]), "not_finite"),
        ("b", pa.array([1, 0, 1]), "wrong_type"),
        ("d", pa.array(["20200101", None, None]), "wrong_type"),
        ("d", pa.array([date(2030, 1, 1), None, None]), "out_of_range"),
        ("c", pa.array(["Zanzibar", "a11", "a11"]), "unknown_category"),
        ("c", pa.array([None, "a11", "a11"]), "not_nullable"),
        ("c", pa.array([1, 2, 3]), "wrong_type"),
    ],
)
def test_a_column_outside_the_contract_is_refused_by_name(name: str, array: pa.Array, code: str) -> None:
    with pytest.raises(RowsRefused) as refusal:
        read_table(_PROTOCOL, _stream(pa.table(_VALUES | {name: array})))
    (problem,) = refusal.value.problems
    assert (problem.field, problem.code) == (name, code)
    assert "Zanzibar" not in str(refusal.value.problems)


def test_missing_and_unknown_columns_are_refused() -> None:
    table = pa.table(_VALUES)
    for changed in (table.drop_columns(["i"]), table.append_column("Zanzibar", table["i"])):
        with pytest.raises(RowsRefused) as refusal:
            read_table(_PROTOCOL, _stream(changed))
        assert "Zanzibar" not in str(refusal.value.problems)


@pytest.mark.parametrize("ends", [[0, 5, 2, 7], [3, 3, 3, 99], [-1, 0, 0, 0], [0, 0, 0, 1 << 30], [7, 3, 3, 3]])
@pytest.mark.parametrize("large", [True, False])
def test_text_that_reaches_out_of_its_buffer_or_runs_backwards_is_refused(ends: list[int], large: bool) -> None:
    """Else an empty text would come of it, and that means missing."""
    form = "<i8" if large else "<i4"
    marked = pa.array(["x" * 11, "y" * 13, "z" * 17], pa.large_string() if large else pa.string())
    stream, places = _stream(pa.table(_VALUES | {"k": marked})), np.array([0, 11, 24, 41], form).tobytes()
    assert stream.count(places) == 1
    with pytest.raises(TableMalformed, match="Text reaches"):
        read_table(_PROTOCOL, stream.replace(places, np.array(ends, form).tobytes()))


@pytest.mark.parametrize("place", [-1, 3, 127])
def test_a_place_outside_its_dictionary_is_refused(place: int) -> None:
    coded = pa.DictionaryArray.from_arrays(pa.array([0, place, 1], pa.int8()), pa.array(["x", "y", "x"]), safe=False)
    with pytest.raises(TableMalformed, match="does not exist"):
        read_table(_PROTOCOL, _hostile(pa.table(_VALUES | {"k": coded})))


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_compressed_bodies_are_refused_so_nothing_unfolds_t26(codec: str) -> None:
    """A thousand rows of one value in a few hundred bytes: the shape of a bomb."""
    table = pa.table({name: [values[0]] * 1000 for name, values in _VALUES.items()})
    with pytest.raises(TableMalformed, match="more rows"):
        read_table(_PROTOCOL, _stream(table, compression=codec))
    with pytest.raises(TableMalformed, match="Compressed"):
        read_table(_PROTOCOL, _stream(table.slice(0, 40), compression=codec))


@pytest.mark.parametrize(
    "table",
    [
        pa.table({"i": [[1]]}),
        pa.table({"i": [{"a": 1}]}),
        pa.table({"i": pa.array([b"x"])}),
        pa.table({"i": pa.array([1], type=pa.decimal128(5, 2))}),
        pa.table({"i": pa.array([1], type=pa.timestamp("s"))}),
        pa.table({"i": pa.array([1.5]).dictionary_encode()}),
        pa.table({f"c{at}": [1] for at in range(8)}),
        pa.table({"i": pa.array([], type=pa.int64())}),
        pa.table({"i": pa.nulls(10_000_000)}),
    ],
)
def test_other_types_more_columns_and_no_rows_are_refused(table: pa.Table) -> None:
    begun = time.process_time()
    with pytest.raises((TableMalformed, RowsRefused)):
        read_table(_PROTOCOL, _stream(table))
    assert time.process_time() - begun < 0.5


_GOOD = _stream(pa.table(_VALUES | {"k": pa.array(_VALUES["k"]).dictionary_encode()}))


@settings(max_examples=800, deadline=None)
@given(st.integers(min_value=0), st.binary(max_size=8), st.integers(0, 8))
def test_no_changed_bytes_fail_otherwise_than_by_being_refused_t23(place: int, put: bytes, cut: int) -> None:
    at = place % len(_GOOD)
    try:
        asked = read_table(_PROTOCOL, _GOOD[:at] + put + _GOOD[at + cut :])
    except HttpRefusal:
        return
    assert asked.count <= 50


@settings(max_examples=300, deadline=None)
@given(st.integers(min_value=0), st.sampled_from([0, 1, 0x7F, 0x80, 0xFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]))
def test_no_hostile_offset_or_length_is_followed(place: int, number: int) -> None:
    at = place % (len(_GOOD) - 4)
    try:
        asked = read_table(_PROTOCOL, _GOOD[:at] + number.to_bytes(4, "little") + _GOOD[at + 4 :])
    except HttpRefusal:
        return
    assert asked.count <= 50


@given(st.binary(max_size=200))
def test_no_bytes_at_all_are_read_as_a_table(data: bytes) -> None:
    with pytest.raises(HttpRefusal):
        read_table(_PROTOCOL, b"\xff\xff\xff\xff" + data)


def test_a_flood_of_empty_batches_costs_little() -> None:
    empty = pa.table(_VALUES).slice(0, 0).to_batches() or [
        pa.RecordBatch.from_pylist([], schema=pa.table(_VALUES).schema)
    ]
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, empty[0].schema) as writer:
        for _ in range(3000):
            writer.write_batch(empty[0])
    begun = time.process_time()
    with pytest.raises(TableMalformed, match="record batches"):
        read_table(_PROTOCOL, sink.getvalue())
    assert time.process_time() - begun < 0.5


def test_a_table_is_answered_by_a_table_that_carries_its_receipt(
    client: Any, house: Any, row: dict[str, Any], contract: Contract
) -> None:
    path = f"/v1/models/{house.project}/predict"
    columns = {name: [value] * 25 for name, value in row.items()}
    columns["opened"] = [date.fromisoformat(row["opened"])] * 25
    body = _stream(pa.table(columns | {"rate": pa.nulls(25, pa.float64())}))
    reply = client.ask("POST", path, body, client.usual() | {"Content-Type": ARROW})
    assert (reply.status, reply.headers["content-type"]) == (200, ARROW)
    table = pa.ipc.open_stream(reply.body).read_all()
    table.validate(full=True)
    one = client.predict(row).json["answer"]
    assert table.column_names == ["label", "probability.good", "probability.bad"]
    assert table["label"].to_pylist() == [one["label"]] * 25
    assert table["probability.bad"].to_pylist() == [one["probabilities"]["bad"]] * 25
    receipt = table.schema.metadata[b"sealwright.receipt"]
    keys = house.keyring.trust_root.keys_of("decision-checkpoints")
    report = trust.verify_receipt(receipt, keys, request=body)
    assert json.loads(report.answer)["columns"]["label"] == [one["label"]] * 25
    assert pl.read_ipc_stream(reply.body).height == 25
    as_json = client.ask("POST", path, body, client.usual(Accept="application/json") | {"Content-Type": ARROW})
    assert as_json.json["answer"]["columns"]["label"] == [one["label"]] * 25
    as_table = client.ask("POST", path, json.dumps({"row": row}).encode(), client.usual(Accept=ARROW))
    assert pa.ipc.open_stream(as_table.body).read_all()["label"].to_pylist() == [one["label"]]
    broken = client.ask("POST", path, body[:-40], client.usual() | {"Content-Type": ARROW})
    assert broken.status == 400
    assert broken.json["type"] == "urn:sealwright:problem:body.malformed_table"


# ---- a small stream that names the same bytes again and again


def _viewed(places: list[tuple[int, int]], data: bytes) -> pa.Array:
    """Views (offset, length) into one buffer, which nothing keeps from overlapping."""
    views = b"".join(struct.pack("<i4sii", length, data[offset : offset + 4], 0, offset) for offset, length in places)
    return pa.Array.from_buffers(pa.string_view(), len(places), [None, pa.py_buffer(views), pa.py_buffer(data)])


def _peak(body: bytes, match: str) -> int:
    """Bytes of memory that refusing a body takes at most."""
    tracemalloc.start()
    try:
        with pytest.raises(TableMalformed, match=match):
            read_table(_PROTOCOL, body)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_views_that_each_name_nearly_all_of_a_buffer_cost_no_more_than_the_stream_t26() -> None:
    """In the rows, and in the words of a dictionary, of which only one is asked for."""
    data = b"a" * 100_000
    views = _viewed([(at, len(data) - 2 * at) for at in range(40)], data)
    rows = _hostile(pa.table({"c": views}))
    words = _hostile(pa.table({"c": pa.DictionaryArray.from_arrays(pa.array([0], pa.int8()), views)}))
    for body in (rows, words):
        assert len(body) < 110_000
        assert _peak(body, "more text than was sent") < 4 * len(body)


def test_views_of_the_same_place_are_read_once() -> None:
    named = [(0, len(_LONG))] * 50
    column = _viewed(named, _LONG.encode())
    table = pa.table({name: [values[0]] * 50 for name, values in _VALUES.items()} | {"c": column})
    batch = read_table(_PROTOCOL, _hostile(table)).batch
    assert batch is not None
    assert batch.texts is not None
    assert list(batch.texts[0]) == [_LONG] * 50
    assert len({id(text) for text in batch.texts[0]}) == 1


def _on_one_buffer(kind: int, type_of: dict[int, Any], size: int) -> bytes:
    """Seven columns of one row, each of which has nearly the whole body as its values."""
    fields = [{0: f"c{at}", 1: ("B", 0), 2: ("B", kind), 3: type_of, 5: []} for at in range(7)]
    ends = struct.pack("<ii", 0, size)
    text = kind == 5
    each = [(0, 0), (0, 8), (8, size)] if text else [(0, 0), (8, size)]
    batch = {
        0: ("q", 1),
        1: (7, struct.pack("<qq", 1, 0) * 7),
        2: (7 * len(each), b"".join(struct.pack("<qq", *place) for place in each) * 7),
    }
    schema = _message(1, {0: ("h", 0), 1: fields}, b"")
    return schema + _message(3, batch, ends + b"a" * size)


def _message(kind: int, head: dict[int, Any], body: bytes) -> bytes:
    data = FlatWriter().finished({0: ("h", 4), 1: ("B", kind), 2: head, 3: ("q", len(body))})
    return struct.pack("<Ii", 0xFFFFFFFF, len(data)) + data + body


def test_columns_that_all_name_the_same_buffer_cost_no_more_than_the_stream_t26() -> None:
    texts = _on_one_buffer(5, {}, 200_000)
    assert _peak(texts, "more text than was sent") < 6 * len(texts)
    numbers = _on_one_buffer(3, {0: ("h", 2)}, 200_000)
    tracemalloc.start()
    try:
        columns = read_stream(numbers, most_rows=50, most_columns=7)
        assert tracemalloc.get_traced_memory()[1] < 2 * len(numbers)
    finally:
        tracemalloc.stop()
    assert len(columns) == 7


def test_a_dictionary_of_more_words_than_a_table_needs_is_refused_t26() -> None:
    words = pa.DictionaryArray.from_arrays(pa.array([0], pa.int8()), pa.array([str(at) for at in range(70_000)]))
    with pytest.raises(TableMalformed, match="words of one dictionary"):
        read_table(_PROTOCOL, _stream(pa.table({"c": words})))


def test_few_rows_of_a_large_dictionary_and_many_rows_of_one_word_are_read() -> None:
    """A slice of a column keeps all of its words; and a word of a dictionary is decoded once for all rows."""
    words = ["a11", *(f"word {at}" for at in range(5_000))]
    coded = pa.DictionaryArray.from_arrays(pa.array([0] * 50, pa.int16()), pa.array(words))
    table = pa.table({name: [values[0]] * 50 for name, values in _VALUES.items()} | {"c": coded})
    batch = read_table(_PROTOCOL, _stream(table)).batch
    assert batch is not None
    assert batch.texts is not None
    assert list(batch.texts[0]) == ["a11"] * 50
    assert len({id(text) for text in batch.texts[0]}) == 1
