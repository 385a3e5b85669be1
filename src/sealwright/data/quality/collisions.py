"""How surprising it is that two rows are equal.

Answers: how many bits of chance stand against two rows agreeing in these columns?
Does not answer: whether two equal rows are one case.
"""

import numpy as np

from sealwright.data.quality.frame import NUMERIC, Frame

__all__ = ["collision_bits", "column_bits"]

_SAMPLE = 20_000


def collision_bits(frame: Frame, names: list[str]) -> float:
    """How unlikely it is that two rows agree by chance, in bits: the sum of the columns' collision entropies.

    Columns are taken as independent, which overstates it; each is estimated from at most 20,000 rows.
    """
    return float(sum(column_bits(frame, name) for name in names))


def column_bits(frame: Frame, name: str) -> float:
    """-log2 of the chance that two cells of a column are equal."""
    if frame.columns[name].type in NUMERIC:
        rows = np.linspace(0, frame.rows - 1, min(frame.rows, _SAMPLE)).astype(np.int64)
        values = frame.floats(name)[rows]
        counts = np.unique(values, return_counts=True)[1].astype(np.float64)
        n = float(values.size)
    else:
        codes = frame.codes(name)
        counts = np.append(codes.counts, frame.missing(name)).astype(np.float64)
        n = float(frame.rows)
    if n < 2:
        return 0.0
    equal = float((counts * (counts - 1)).sum()) / (n * (n - 1))
    return float(-np.log2(max(equal, 1 / (n * n))))
