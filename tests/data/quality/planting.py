"""Clean tables made up from a seed, and faults planted into them at known cells.

`clean(rows, seed, task)` has no fault that a check should find; each `plant_*` puts one kind in and says where.
Used by the tests, and by tools/measure_quality.py for the figures in the documentation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from sealwright.data import DataSpec

__all__ = ["PLANTS", "RUN_BY", "Planted", "clean", "contract_of"]

CITIES = ["Berlin", "Hamburg", "Leipzig", "Bremen", "Dresden", "Rostock", "Kassel", "Mainz"]
TRADES = ["baker", "carpenter", "driver", "engineer", "gardener", "nurse", "plumber", "teacher", "welder", "writer"]
Arrays = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A table with faults in it. `rows`: 0-based places; `columns`: where, for faults of whole columns."""

    check: str
    table: pa.Table
    spec: DataSpec
    rows: frozenset[int] = frozenset()
    columns: frozenset[str] = frozenset()
    test_rows: Any = None


def contract_of(arrays: Arrays, task: str, **changed: Any) -> DataSpec:
    """The contract of made-up columns."""
    columns: dict[str, Any] = {}
    for name, values in arrays.items():
        kind = np.asarray(values).dtype.kind
        if name in changed:
            columns[name] = changed[name]
        elif kind == "M":
            columns[name] = {"type": "date", "nullable": True}
        elif kind == "b":
            columns[name] = {"type": "boolean", "nullable": True}
        elif kind in "iu":
            columns[name] = {"type": "integer", "nullable": True}
        elif kind == "f":
            columns[name] = {"type": "number", "nullable": True}
        else:
            seen = sorted({str(value) for value in values if value is not None})
            columns[name] = {"type": "category", "categories": seen, "nullable": True}
    columns["y"] = {**columns["y"], "nullable": False}
    if "key" in columns and "key" not in changed:
        columns["key"] = {"type": "integer", "role": "identifier"}
    more = {"positive": "yes"} if task == "binary" else {}
    return DataSpec.model_validate({"source": "made.csv", "target": "y", "columns": columns, **more})


def arrays_of(rows: int, seed: int, task: str = "binary") -> Arrays:
    """Columns of many shapes: normal, skewed, heavy at zero, whole numbers, dates, categories, a target they explain."""
    r = np.random.default_rng(seed)
    base = r.normal(size=rows)
    found: Arrays = {"key": np.arange(rows) + 10_000}
    for place in range(6):
        found[f"normal{place}"] = np.round(50 + 10 * (0.5 * base + r.normal(size=rows)), 4)
    for place in range(3):
        found[f"amount{place}"] = np.round(np.exp(7 + 0.8 * r.normal(size=rows)), 2)
    found["share"] = np.round(r.beta(2, 5, rows), 5)
    found["wait"] = np.round(r.exponential(12, rows), 3)
    found["visits"] = r.poisson(3.5, rows)
    found["age"] = r.integers(18, 80, rows)
    found["rank"] = r.integers(1, 6, rows)
    found["since"] = np.datetime64("2019-01-01") + r.integers(0, 2000, rows)
    found["city"] = np.array(CITIES, dtype=object)[r.choice(8, rows, p=[0.3, 0.2, 0.15, 0.1, 0.1, 0.05, 0.05, 0.05])]
    found["trade"] = np.array(TRADES, dtype=object)[r.integers(0, 10, rows)]
    found["insured"] = r.random(rows) < 0.7
    signal = base * 3 + 2.0 * (found["rank"] - 3) + 2.0 * np.isin(found["city"], ["Berlin", "Mainz"])
    found["hint"] = np.round(signal + 2.5 * r.normal(size=rows), 4)
    found["lead"] = np.round(base + 0.6 * r.normal(size=rows), 4)
    if task == "regression":
        found["y"] = np.round(200 + 20 * signal + 10 * r.normal(size=rows), 3)
    elif task == "multiclass":
        found["y"] = np.array(["high", "low", "middle"], dtype=object)[
            np.digitize(signal + 0.5 * r.normal(size=rows), [-2, 2])
        ]
    else:
        found["y"] = np.where(signal + 0.6 * r.normal(size=rows) > 0, "yes", "no").astype(object)
    return found


def clean(rows: int = 5000, seed: int = 1, task: str = "binary") -> Planted:
    found = arrays_of(rows, seed, task)
    return Planted(check="", table=pa.table(found), spec=contract_of(found, task))


def _places(rows: int, count: int, seed: int) -> Any:
    return np.random.default_rng([seed, 77]).choice(rows, count, replace=False)


def _planted(check: str, found: Arrays, *, task: str = "binary", test_rows: Any = None, **where: Any) -> Planted:
    table = pa.table({name: pa.array(values, from_pandas=True) for name, values in found.items()})
    rows = frozenset(int(place) for place in where.get("rows", ()))
    return Planted(
        check=check,
        table=table,
        spec=contract_of(found, task, **where.get("contract", {})),
        rows=rows,
        columns=frozenset(where.get("columns", ())),
        test_rows=test_rows,
    )


def missing(rows: int, seed: int) -> Planted:
    found = arrays_of(rows, seed)
    places = _places(rows, rows // 10, seed)
    found["normal1"] = found["normal1"].copy()
    found["normal1"][places] = np.nan
    return _planted("quality.missing_values", found, rows=places, columns=["normal1"])


def exact(rows: int, seed: int) -> Planted:
    found = arrays_of(rows, seed)
    copies = np.sort(_places(rows // 2, max(1, rows // 100), seed)) + rows // 2
    for name, values in found.items():
        if name != "key":
            values[copies] = values[copies - rows // 2]
    return _planted("quality.exact_duplicates", found, rows=copies)


def near(rows: int, seed: int) -> Planted:
    """Copies with one cell of another row, or every number of four columns off in the last digit."""
    r = np.random.default_rng([seed, 5])
    found = arrays_of(rows, seed)
    copies = np.sort(_places(rows // 2, max(1, rows // 100), seed)) + rows // 2
    names = [name for name in found if name not in {"key", "y"}]
    for name, values in found.items():
        if name != "key":
            values[copies] = values[copies - rows // 2]
    for place in copies[::2]:
        name = names[r.integers(len(names))]
        found[name][place] = found[name][r.integers(rows)]
    for name in ("normal0", "normal1", "amount0", "wait"):
        found[name][copies[1::2]] += 1e-6
    changed = [place for place in copies if any(found[n][place] != found[n][place - rows // 2] for n in names)]
    return _planted("quality.near_duplicates", found, rows=changed)


def far(rows: int, seed: int) -> Planted:
    """Slips of the decimal point: a hundred times too much, in a normal and in a skewed column; and one below."""
    found = arrays_of(rows, seed)
    places = _places(rows, 30, seed)
    found["normal2"][places[:15]] *= 100
    found["amount1"][places[15:]] *= 1e5
    return _planted("quality.outliers", found, rows=places, columns=["normal2", "amount1"])


def shifted(rows: int, seed: int) -> Planted:
    """Rows that are at the far but possible end of many columns at once, against how these go together."""
    r = np.random.default_rng([seed, 9])
    found = arrays_of(rows, seed)
    places = _places(rows, max(5, rows // 200), seed)
    signs = r.choice([-1, 1], (len(places), 6))
    for place in range(6):
        found[f"normal{place}"][places] = 50 + 10 * 3.4 * signs[:, place]
    found["lead"][places] = -3.4 * signs[:, 0]
    found["share"][places] = 0.93
    found["wait"][places] = 80.0
    found["visits"][places] = 11
    return _planted("quality.odd_rows", found, rows=places)


def spelled(rows: int, seed: int) -> Planted:
    """Case, spaces, a Cyrillic letter, a no-break space, full-width letters."""
    found = arrays_of(rows, seed)
    forms = ["berlin", "BERLIN", " Berlin", "Berlin ", "Bеrlin", "Berlin\u00a0", "Ｂｅｒｌｉｎ"]
    places = np.flatnonzero(found["city"] == "Berlin")[: len(forms) * 4]
    for count, place in enumerate(places):
        found["city"][place] = forms[count % len(forms)]
    contract = {
        "city": {"type": "category", "nullable": True, "categories": sorted({*CITIES, *forms})},
    }
    return _planted("quality.inconsistent_categories", found, rows=places, columns=["city"], contract=contract)


def misspelled(rows: int, seed: int) -> Planted:
    found = arrays_of(rows, seed)
    places = np.flatnonzero(found["trade"] == "carpenter")[:6]
    for place, word in zip(
        places, ["carpentr", "carpanter", "carpetner", "carpenterr", "carpenter", "crapenter"], strict=False
    ):
        found["trade"][place] = word
    changed = [place for place in places if found["trade"][place] != "carpenter"]
    return _planted("quality.misspelled_categories", found, rows=changed, columns=["trade"])


def numbers_as_text(rows: int, seed: int) -> Planted:
    found = arrays_of(rows, seed)
    text = np.array([f"{value:,.2f}" for value in found["amount2"]], dtype=object)
    places = _places(rows, rows // 50, seed)
    text[places] = "on request"
    found["price"] = text
    contract = {"price": {"type": "text", "nullable": True, "role": "identifier", "class": "internal"}}
    return _planted("quality.numbers_as_text", found, columns=["price"], rows=places, contract=contract)


def placeholders(rows: int, seed: int) -> Planted:
    found = arrays_of(rows, seed)
    places = _places(rows, 60, seed)
    found["age"][places[:20]] = 999
    found["visits"][places[20:40]] = -1
    found["since"][places[40:]] = np.datetime64("1900-01-01")
    return _planted("quality.placeholder_values", found, rows=places, columns=["age", "visits", "since"])


def date_formats(rows: int, seed: int) -> Planted:
    found = arrays_of(rows, seed)
    days = found["since"].astype(object)
    text = np.array([day.isoformat() for day in days], dtype=object)
    places = _places(rows, rows // 20, seed)
    for place in places:
        text[place] = days[place].strftime("%d.%m.%Y")
    found["told"] = text
    contract = {"told": {"type": "text", "nullable": True, "role": "identifier", "class": "internal"}}
    return _planted("quality.mixed_date_formats", found, rows=places, columns=["told"], contract=contract)


def constant(rows: int, seed: int) -> Planted:
    found = arrays_of(rows, seed)
    found["flat"] = np.full(rows, 7.5)
    return _planted("quality.constant_columns", found, columns=["flat"])


def near_constant(rows: int, seed: int) -> Planted:
    found = arrays_of(rows, seed)
    found["almost"] = np.full(rows, 3)
    found["almost"][_places(rows, 4, seed)] = 4
    return _planted("quality.near_constant_columns", found, columns=["almost"])


def redundant(rows: int, seed: int) -> Planted:
    found = arrays_of(rows, seed)
    found["cents"] = np.round(found["amount0"] * 100, 2)
    return _planted("quality.redundant_columns", found, columns=["amount0", "cents"])


def leak(rows: int, seed: int) -> Planted:
    """A reminder that is sent to those with the bad outcome only, nearly always."""
    r = np.random.default_rng([seed, 3])
    found = arrays_of(rows, seed)
    bad = found["y"] == "no"
    found["reminders"] = np.where(bad, r.integers(1, 5, rows), 0)
    found["reminders"][r.random(rows) < 0.005] = 0
    return _planted("quality.leaking_columns", found, columns=["reminders"])


def leak_regression(rows: int, seed: int) -> Planted:
    found = arrays_of(rows, seed, "regression")
    found["in_cents"] = np.round(found["y"] ** 3 / 1000, 1)
    return _planted("quality.leaking_columns", found, task="regression", columns=["in_cents"])


def labels(rows: int, seed: int) -> Planted:
    """A wrong label for two in a hundred rows, drawn evenly."""
    found = arrays_of(rows, seed)
    places = _places(rows, rows // 50, seed)
    found["y"][places] = np.where(found["y"][places] == "yes", "no", "yes")
    return _planted("quality.label_errors", found, rows=places)


def labels_multiclass(rows: int, seed: int) -> Planted:
    found = arrays_of(rows, seed, "multiclass")
    places = _places(rows, rows // 50, seed)
    turn = {"high": "low", "low": "middle", "middle": "high"}
    found["y"][places] = [turn[label] for label in found["y"][places]]
    return _planted("quality.label_errors", found, task="multiclass", rows=places)


def labels_regression(rows: int, seed: int) -> Planted:
    found = arrays_of(rows, seed, "regression")
    places = _places(rows, rows // 100, seed)
    found["y"][places] *= np.where(np.arange(len(places)) % 2, 10, 0.01)
    return _planted("quality.label_errors", found, task="regression", rows=places)


def imbalance(rows: int, seed: int) -> Planted:
    found = arrays_of(rows, seed)
    keep = (found["y"] == "no") | (np.random.default_rng([seed, 2]).random(rows) < 0.04)
    found = {name: values[keep] for name, values in found.items()}
    return _planted("quality.class_imbalance", found, columns=["y"])


def overlap(rows: int, seed: int) -> Planted:
    made = exact(rows, seed)
    test = np.zeros(rows, dtype=np.bool_)
    test[list(made.rows)] = True
    return Planted(check="quality.train_test_overlap", table=made.table, spec=made.spec, rows=made.rows, test_rows=test)


def near_overlap(rows: int, seed: int) -> Planted:
    made = near(rows, seed)
    test = np.zeros(rows, dtype=np.bool_)
    test[list(made.rows)] = True
    return Planted(
        check="quality.train_test_near_overlap", table=made.table, spec=made.spec, rows=made.rows, test_rows=test
    )


def contradictions(rows: int, seed: int) -> Planted:
    found = arrays_of(rows, seed)
    copies = np.sort(_places(rows // 2, max(1, rows // 200), seed)) + rows // 2
    for name, values in found.items():
        if name not in {"key", "y"}:
            values[copies] = values[copies - rows // 2]
    found["y"][copies] = np.where(found["y"][copies - rows // 2] == "yes", "no", "yes")
    return _planted("quality.contradictions", found, rows=[*copies, *(copies - rows // 2)])


def repeated_keys(rows: int, seed: int) -> Planted:
    found = arrays_of(rows, seed)
    places = np.sort(_places(rows // 2, 12, seed)) + rows // 2
    found["key"][places] = found["key"][places - rows // 2]
    return _planted("quality.repeated_identifiers", found, rows=places, columns=["key"])


RUN_BY = {
    "quality.contradictions": "exact_duplicates",
    "quality.repeated_identifiers": "exact_duplicates",
    "quality.misspelled_categories": "inconsistent_categories",
    "quality.mixed_date_formats": "date_formats",
    "quality.near_constant_columns": "constant_columns",
    "quality.redundant_columns": "constant_columns",
    "quality.train_test_near_overlap": "train_test_overlap",
}
"""Which check makes a finding that is not called like it."""

PLANTS: dict[str, Callable[[int, int], Planted]] = {
    "missing values": missing,
    "copies of rows": exact,
    "copies with another outcome": contradictions,
    "repeated keys": repeated_keys,
    "near copies": near,
    "slips of the decimal point": far,
    "rows odd as a whole": shifted,
    "spellings of a category": spelled,
    "one letter wrong": misspelled,
    "numbers as text": numbers_as_text,
    "placeholders": placeholders,
    "two date formats": date_formats,
    "constant column": constant,
    "nearly constant column": near_constant,
    "column in another unit": redundant,
    "leak, two classes": leak,
    "leak, number": leak_regression,
    "wrong labels, two classes": labels,
    "wrong labels, three classes": labels_multiclass,
    "wrong numbers to predict": labels_regression,
    "rare class": imbalance,
    "test rows seen in training": overlap,
    "test rows almost seen": near_overlap,
}
