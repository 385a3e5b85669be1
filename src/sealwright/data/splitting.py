"""Rows for training and rows kept apart to test, the same for the same seed on every machine.

Answers: which rows may the model see?
Does not answer: are copies of one row on both sides? Overlap is measured with the quality of the data.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sealwright.data.errors import TargetUnusable
from sealwright.data.names import shown
from sealwright.data.spec import DataSpec
from sealwright.kernel import InvalidInput

__all__ = ["split", "rows_for_testing"]


def split(table: pa.Table, spec: DataSpec, seed: int, *, synthetic: int = 0) -> tuple[pa.Table, pa.Table]:
    """Divide a snapshot's rows, each class by the same share.

    Parameters
    ----------
    table : pa.Table
        Rows of a snapshot, with the target column.
    spec : DataSpec
        Gives the target, the task and `test_share`.
    seed : int
        0 to 2**63 - 1.
    synthetic : int
        How many rows, the last ones, were made up (`Snapshot.synthetic`). They are for training only.

    Returns
    -------
    train, test : pa.Table
        All columns, rows in the order of `table`, no row in both.

    Raises
    ------
    TargetUnusable
        The target has one value only.
    InvalidInput
        Fewer than two rows.

    Notes
    -----
    Each row draws 64 bits of PCG64(seed), whose stream numpy keeps stable; within a class, the rows with the smallest draws
    are the test rows: round(share * n), at least one and at most n - 1. A class with one row stays in training.
    The real rows are divided as if there were no others, so adding made-up rows moves no real row to the other side.
    """
    in_test = rows_for_testing(table, spec, seed, synthetic=synthetic)
    return table.filter(pa.array(~in_test)), table.filter(pa.array(in_test))


def rows_for_testing(table: pa.Table, spec: DataSpec, seed: int, *, synthetic: int = 0) -> NDArray[np.bool_]:
    """Which rows `split` keeps apart to test: bool array, shape (rows,). The parameters and errors are those of `split`."""
    real = table.num_rows - synthetic
    if real < 2:
        raise InvalidInput(f"There are {real} rows; at least two are needed to train and to test.")
    target = table.column(spec.target).slice(0, real).combine_chunks()
    if pc.count_distinct(target).as_py() < 2:
        raise TargetUnusable(
            f"The target {shown(spec.target)} has the same value in all {real:,} rows of the snapshot,"
            " so there is nothing to learn.\nUse data that holds other outcomes, too."
        )
    draws = np.random.PCG64(seed).random_raw(real)
    groups = np.zeros(real, dtype=np.int64) if spec.task == "regression" else _codes(target)
    in_test = np.zeros(table.num_rows, dtype=np.bool_)
    for code in np.unique(groups):
        members = np.flatnonzero(groups == code)
        count = min(max(round(spec.test_share * len(members)), 1), len(members) - 1)
        in_test[members[np.argsort(draws[members], kind="stable")[:count]]] = True
    return in_test


def _codes(target: pa.Array) -> NDArray[np.int64]:
    codes: NDArray[np.int64] = target.dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return codes
