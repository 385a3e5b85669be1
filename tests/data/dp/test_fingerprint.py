"""The same data is known again in another order, file, contract or project; other data is not taken for it."""

import random
from typing import Any

import pyarrow as pa
from dp_asking import named
from hypothesis import given
from hypothesis import strategies as st

from sealwright.data.dp import Book, Fingerprint, fingerprint_of


def table(rows: int = 400, seed: int = 1) -> dict[str, list[Any]]:
    draw = random.Random(seed)
    return {
        "id": list(range(1, rows + 1)),
        "amount": [draw.randint(100, 20_000) for _ in range(rows)],
        "rate": [round(draw.uniform(0, 9), 3) for _ in range(rows)],
        "colour": [draw.choice(["red", "green", "blue"]) for _ in range(rows)],
        "fits": [draw.random() < 0.5 for _ in range(rows)],
    }


def prints(columns: dict[str, Any], pieces: int = 1) -> Fingerprint:
    whole = pa.table(columns)
    step = -(-whole.num_rows // pieces)
    parts = [whole.slice(start, step) for start in range(0, whole.num_rows, step)]
    return fingerprint_of(parts, identifiers=["id"], named=named)


def one_dataset(first: Fingerprint, second: Fingerprint) -> bool:
    book = Book([])
    book.open("s1", "p1", ["project/p1"], first)
    return book.open("s2", "p2", ["project/p2"], second).snapshots == {"s1", "s2"}


def shuffled(columns: dict[str, list[Any]], seed: int = 5) -> dict[str, list[Any]]:
    order = list(range(len(columns["id"])))
    random.Random(seed).shuffle(order)
    return {name: [values[place] for place in order] for name, values in columns.items()}


def test_another_order_and_other_pieces_are_the_same_data() -> None:
    assert prints(table()) == prints(shuffled(table()), pieces=7)
    backwards = dict(reversed(list(table().items())))
    assert prints(table()) == prints(backwards)


def test_other_names_types_and_fewer_columns_are_the_same_data() -> None:
    renamed = {f"x_{name}": values for name, values in shuffled(table()).items()}
    assert one_dataset(prints(table()), prints({"id": renamed["x_id"], **renamed}))
    assert one_dataset(prints(table()), prints({"rate": shuffled(table())["rate"]}))
    texts = {
        **table(),
        "amount": [str(one) for one in table()["amount"]],
        "fits": [str(one).lower() for one in table()["fits"]],
    }
    assert prints(table()) == prints(texts)


def test_a_tenth_of_the_rows_is_the_same_data() -> None:
    part = {name: values[:400] for name, values in shuffled(table(4000)).items()}
    assert one_dataset(prints(table(4000)), prints(part))


def test_a_few_changed_added_and_dropped_rows_leave_it_the_same_data() -> None:
    changed = shuffled(table())
    changed["rate"][:40] = [5.5] * 40
    longer = {name: [*values[20:], *table(100, seed=9)[name]] for name, values in changed.items()}
    assert one_dataset(prints(table()), prints(longer))


def test_other_data_of_the_same_shape_is_other_data() -> None:
    assert not one_dataset(prints(table(seed=1)), prints(table(seed=2)))


def test_the_marks_say_nothing_without_the_key() -> None:
    other = fingerprint_of([pa.table(table())], identifiers=["id"], named=lambda text: named("another key" + text))
    assert not set(other.rows) & set(prints(table()).rows)
    assert not set(other.columns) & set(prints(table()).columns)


def test_gaps_texts_and_dates_are_cells_like_others() -> None:
    import datetime as dt

    rows = 60
    columns = {
        "id": list(range(rows)),
        "when": pa.array([None if place % 7 == 0 else dt.date(2020, 1, 1 + place % 28) for place in range(rows)]),
        "word": pa.array([None if place % 5 == 0 else f"w{place}" for place in range(rows)]),
    }
    found = prints(columns)
    assert len(found.columns) == 2
    assert len(found.rows) == rows
    whens = [None if day is None else day.isoformat() for day in columns["when"].to_pylist()]
    assert prints({**columns, "when": pa.array(whens, pa.string())}) == found


@given(st.lists(st.integers(0, 5), min_size=1, max_size=20), st.randoms())
def test_order_never_matters(values: list[int], draw: random.Random) -> None:
    mixed = values[:]
    draw.shuffle(mixed)
    assert prints({"a": values}) == prints({"a": mixed})
