"""The same values in columns of another type: what a database, a spreadsheet or a new exporter does without asking.

A whole number as a float, a text as a dictionary, a date as a timestamp: nothing changed that a person would see,
so no answer may change in any bit.
"""

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa

from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome, collected, skipped
from sealwright.assurance.features import pack
from sealwright.assurance.model import Finding
from sealwright.kernel import InvalidInput

__all__ = ["CHECK"]

_CHANGES = "stress.cast_changes"


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


_CASTS: tuple[tuple[str, Callable[[pa.DataType], bool], pa.DataType], ...] = (
    ("whole numbers as float64", pa.types.is_integer, pa.float64()),
    ("whole numbers as decimals", pa.types.is_integer, pa.decimal128(20, 0)),
    ("float64 as float32", pa.types.is_float64, pa.float32()),
    ("true and false as 1 and 0", pa.types.is_boolean, pa.int8()),
    ("texts as a dictionary", _is_text, pa.dictionary(pa.int32(), pa.string())),
    ("texts as long texts", pa.types.is_string, pa.large_string()),
    ("dictionaries as texts", pa.types.is_dictionary, pa.string()),
    ("dates as timestamps", pa.types.is_date, pa.timestamp("us")),
    ("dates as milliseconds", pa.types.is_date32, pa.date64()),
)


def _run(case: Case, _rng: np.random.Generator) -> Outcome:
    # the rows lie in an order of mixed keys, so the first of them are as good as drawn by lot
    table = case.test_table.slice(0, case.spec.budget.robustness_rows)
    clean = case.predict(pack(table, case.interface))
    tried, changed = [], []
    for words, cast in _casts(case, table):
        tried.append(words)
        try:
            outputs = case.predict(pack(cast, case.interface))
        except InvalidInput:
            changed.append(f"{words}: cannot be read")
            continue
        differ = ~((outputs == clean) | (np.isnan(outputs) & np.isnan(clean))).reshape(len(clean), -1).all(axis=1)
        if differ.any():
            changed.append(f"{words}: {int(differ.sum()):,} answers change")
    if not tried:
        return skipped([_CHANGES], "the model takes no column that could be of another type", applicable=False)
    finding = Finding(
        check=_CHANGES,
        value=len(changed),
        n=table.num_rows,
        unit="count",
        definition="Number of changes of a column's type, the values being the same, under which any answer changes or"
        " the rows cannot be read.",
        note="; ".join(changed) or f"tried: {', '.join(tried)}",
    )
    return collected([finding])


def _casts(case: Case, table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Each change of type that some feature can take without losing a value, all such features at once."""
    for words, fits, wanted in _CASTS:
        cast, any_column = table, False
        for place, field in enumerate(table.schema):
            if field.name in case.interface.names and fits(field.type):
                column = _same_values(case, table.column(place), wanted)
                if column is not None:
                    cast, any_column = cast.set_column(place, field.name, column), True
        if any_column:
            yield words, cast


def _same_values(case: Case, column: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray | None:
    """The column as another type; None where that loses something the model could see."""
    try:
        cast = column.cast(wanted, safe=wanted != pa.float32())
        rounded_anyway = wanted == pa.float32() and case.interface.precision == "float32"
        lossless = rounded_anyway or cast.cast(column.type).equals(column)
    except pa.ArrowException:
        return None
    return cast if lossless else None


CHECK = Check(name="stress.casts", files={_CHANGES: ALL}, run=_run)
