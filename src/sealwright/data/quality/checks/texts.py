"""Columns read as text or category whose cells are numbers or dates: the wrong type, or dates in several spellings."""

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sealwright.data.cells import matches
from sealwright.data.quality.check import Asked, Check, Checked
from sealwright.data.quality.frame import Frame
from sealwright.data.quality.model import Fault

__all__ = ["DATES", "NUMBERS"]

_NUMBER = r"^\s*[+-]?(?:[0-9]{1,3}(?:[ ,.'][0-9]{3})+|[0-9]+)(?:[.,][0-9]+)?(?:[eE][+-]?[0-9]+)?\s*(?:%|€|\$|£|[a-zA-Z]{1,3})?\s*$"
_CODE = r"^\s*0[0-9]"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_FORMATS = {
    "2026-11-22": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    "22.11.2026": r"^[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{2,4}$",
    "22/11/2026 or 11/22/2026": r"^[0-9]{1,2}/[0-9]{1,2}/[0-9]{2,4}$",
    "2026/11/22": r"^[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}$",
    "22-11-2026": r"^[0-9]{1,2}-[0-9]{1,2}-[0-9]{2,4}$",
    "20261122": r"^(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])$",
    "Nov 22, 2026": rf"^{_MONTH} [0-9]{{1,2}},? [0-9]{{4}}$",
    "22 Nov 2026": rf"^[0-9]{{1,2}}[ -]{_MONTH}[ -][0-9]{{2,4}}$",
    "a date with a time of day": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}",
}
_MOST, _ALL = 0.9, 0.95  # share of cells from which a column holds numbers, or dates
_FEW_CODES = 20
_FEWEST = 20
_LOOKED_AT = 20_000
_SLASHED = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/")


def _columns(frame: Frame) -> list[tuple[str, Any]]:
    """Columns of text, and of more categories than codes would be; at most 20,000 cells of each, evenly drawn."""
    found = []
    for name, column in frame.columns.items():
        if column.type not in {"text", "category"}:
            continue
        if column.type == "category" and len(column.categories or ()) <= _FEW_CODES:
            continue
        rows = np.linspace(0, frame.rows - 1, min(frame.rows, _LOOKED_AT)).astype(np.int64)
        cells = frame.table.column(name).take(pa.array(rows)).combine_chunks()
        cells = cells.cast(pa.string()).drop_null()
        if len(cells) >= _FEWEST:
            found.append((name, pc.utf8_trim_whitespace(cells)))
    return found


def _numbers(asked: Asked) -> Checked:
    found = []
    for name, cells in _columns(asked.frame):
        fits = matches(cells, _NUMBER)
        codes = matches(cells, _CODE).any() or (asked.frame.columns[name].role == "identifier" and fits.all())
        if fits.mean() < _MOST or codes or _dates_in(cells)[1] >= _ALL:
            continue
        found.append(_number_fault(asked, name, int(fits.sum()), len(cells)))
    return Checked(faults=tuple(found), rows=min(asked.frame.rows, _LOOKED_AT))


def _number_fault(asked: Asked, name: str, count: int, of: int) -> Fault:
    column = asked.frame.table.column(name)
    rest = _cells_where(column, _NUMBER, wanted=False)
    return Fault(
        check="quality.numbers_as_text",
        severity="medium",
        columns=(name,),
        rows=asked.frame.named(rest, asked.settings.rows_named),
        count=count,
        of=of,
        unit="cells",
        found=f"{count:,} of {of:,} cells looked at are numbers, but the column is {asked.frame.columns[name].type}"
        + ("; the rows named are those that are none." if rest.any() else "."),
        why="As text or categories their order and distance are lost, or the column is not given to the model at all.",
        todo="Mend the cells that are no numbers (units, separators, words), and write type: number.",
    )


def _dates(asked: Asked) -> Checked:
    found = []
    for name, cells in _columns(asked.frame):
        formats, share = _dates_in(cells)
        if share < _ALL:
            continue
        found.append(_date_fault(asked, name, formats, len(cells)))
    return Checked(faults=tuple(found), rows=min(asked.frame.rows, _LOOKED_AT))


def _date_fault(asked: Asked, name: str, formats: dict[str, int], of: int) -> Fault:
    first = max(formats, key=lambda form: formats[form])
    others = sum(formats.values()) - formats[first]
    mixed = len(formats) > 1
    rows = _cells_where(
        asked.frame.table.column(name), _FORMATS.get(first, _FORMATS["22/11/2026 or 11/22/2026"]), wanted=False
    )
    return Fault(
        check="quality.mixed_date_formats" if mixed else "quality.dates_as_text",
        severity="high" if mixed else "low",
        columns=(name,),
        rows=asked.frame.named(rows, asked.settings.rows_named) if mixed else (),
        count=others if mixed else of,
        of=of,
        unit="cells",
        found=f"Dates are written in {len(formats)} ways: {', '.join(formats)}; {others:,} of {of:,} not as {first}."
        if mixed
        else f"The cells are dates written like {first}, but the column is {asked.frame.columns[name].type}.",
        why="One cell may be read as two different days, and nothing can be ordered or counted in time."
        if mixed
        else "As text they cannot be ordered, bounded or checked for age.",
        todo="Write all dates like 2026-11-22 where the data is made, and set type: date.",
    )


def _dates_in(cells: Any) -> tuple[dict[str, int], float]:
    """How the dates in a column are written, with counts, and which share of cells is any date."""
    found: dict[str, int] = {}
    for name, pattern in _FORMATS.items():
        fits = matches(cells, pattern)
        if not fits.any():
            continue
        if name.startswith("22/11"):
            found |= _slashed(cells.filter(pa.array(fits)))
        else:
            found[name] = int(fits.sum())
    share = sum(found.values()) / len(cells)
    return {name: count for name, count in found.items() if count >= len(cells) * 0.001}, share


def _slashed(cells: Any) -> dict[str, int]:
    """Dates with slashes: day first, month first, or both in one column, which nobody can read."""
    parts = [match.groups() for cell in cells.to_pylist() if (match := _SLASHED.match(cell))]
    day_first = sum(int(one) > 12 for one, _ in parts)
    month_first = sum(int(two) > 12 for _, two in parts)
    if day_first and month_first:
        return {"22/11/2026": len(parts) - month_first, "11/22/2026": month_first}
    return {"11/22/2026" if month_first else "22/11/2026": len(parts)}


def _cells_where(column: Any, pattern: str, *, wanted: bool) -> NDArray[np.bool_]:
    whole = column.cast(pa.string()).combine_chunks()
    fits = matches(pc.utf8_trim_whitespace(whole), pattern)
    return np.asarray((fits == wanted) & ~np.asarray(whole.is_null().to_numpy(zero_copy_only=False)))


NUMBERS = Check(name="numbers_as_text", run=_numbers)
DATES = Check(name="date_formats", run=_dates)
