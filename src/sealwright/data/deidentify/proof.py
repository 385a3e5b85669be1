"""A second look at the rows that would go, whatever the search said.

Answers: do the limits of the recipe hold on these very rows, and is nothing left that the Safe Harbor wants gone?
Does not answer: what to do if not; then nothing goes.
"""

from collections.abc import Mapping

import pyarrow as pa

from sealwright.data.column_spec import ColumnSpec
from sealwright.data.deidentify.errors import LimitsNotReached, SafeHarborNotReached
from sealwright.data.deidentify.identifiers import RESTRICTED_ZIP3
from sealwright.data.deidentify.measuring import Measured
from sealwright.data.deidentify.safe_harbor import Harbor
from sealwright.data.deidentify.spec import DeidentifySpec, Enforce

__all__ = ["prove"]


def prove(
    after: Measured | None,
    fewest: int | None,
    table: pa.Table,
    contract: Mapping[str, ColumnSpec],
    spec: DeidentifySpec,
    harbor: Harbor | None,
    *,
    rows: int,
) -> None:
    """Return if every limit holds.

    Parameters
    ----------
    after : Measured or None
        Of the rows that would go; None where there are none, or no quasi-identifiers.
    fewest : int or None
        Different persons in the smallest class, where somebody has several rows.
    rows : int
        How many there were before.

    Raises
    ------
    LimitsNotReached, SafeHarborNotReached
        One does not.
    """
    few = spec.enforce is not None and fewest is not None and fewest < spec.enforce.k
    if spec.enforce is not None and (few or after is None or not _holds(after, spec.enforce, rows)):
        reached = {} if after is None else {"k": float(after.k), "rows": float(after.rows)}
        raise LimitsNotReached(f"k {spec.enforce.k}", reached, ["look at the recipe again; the search did not hold"])
    if harbor is not None:
        _prove_harbor(table, contract, harbor)


def _holds(after: Measured, wanted: Enforce, rows: int) -> bool:
    found = after.sensitive.values()
    least = [float(one.distinct) if wanted.l_kind == "distinct" else one.entropy for one in found]
    return (
        after.k >= wanted.k
        and rows - after.rows <= wanted.most_suppressed * rows + 1e-6
        and (wanted.l is None or all(one >= wanted.l - 1e-6 or one == 0.0 for one in least))
        and (wanted.t is None or all(one.closeness <= wanted.t + 1e-6 for one in found))
    )


def _prove_harbor(table: pa.Table, contract: Mapping[str, ColumnSpec], harbor: Harbor) -> None:
    """No date, no text nobody spoke for, and no restricted postcode may be left."""
    free = {name for name, kind in harbor.spec.identifiers.items() if kind == "none"}
    coded = {name for line in harbor.lines if line.letter == "B" for name in line.columns}
    faults = {}
    for name, column in contract.items():
        emptied = table[name].null_count == table.num_rows
        if column.type == "date" and not emptied:
            faults[name] = "a whole date is left"
        if column.type == "text" and name not in free | coded and not emptied:
            faults[name] = "a text is left that nobody spoke for"
        if name in coded and set(table[name].unique().to_pylist()) & RESTRICTED_ZIP3:
            faults[name] = "a postcode of a small area is left"
    if faults:
        raise SafeHarborNotReached(faults)
