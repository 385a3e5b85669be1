"""Numbers far outside the bulk of their column.

The bulk is measured by quartiles, each side by its own, on the cube root or the logarithm where no value is negative
and that makes them even. A value is far if it lies more than max(4.72, z) spreads out, where 4.72 is Tukey's outer fence of a normal
column and z leaves 0.05 values of a normal column of this size to be expected.
"""

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from sealwright.data.quality.check import Asked, Check, Checked
from sealwright.data.quality.frame import Floats
from sealwright.data.quality.model import Fault, Severity

__all__ = ["CHECK", "FENCE", "beyond_fences", "far_out", "reach"]

FENCE = 3.0  # Tukey's outer fence ("far out"): three times the middle half beyond its ends
_NORMAL_FENCE = 4.72  # the same in standard deviations of a normal column
_PER_QUARTILE = 0.6744897501960817  # standard deviations from the median to a quartile
_EXPECTED = 0.05
_SHAPE = 0.005  # above this share, far values are the shape of the column and no slips
_FEWEST = 50
_FEWEST_DISTINCT = 10


def beyond_fences(values: Floats) -> NDArray[np.bool_] | None:
    """Which values lie more than three interquartile ranges outside the middle half (Tukey 1977).

    None where the middle half is one value, so that nothing says how far is far.
    """
    first, third = np.quantile(values, [0.25, 0.75])
    if first == third:
        return None
    span = FENCE * (third - first)
    return np.asarray((values < first - span) | (values > third + span))


def reach(count: int) -> float:
    """From how many spreads on a value of a column of `count` is far."""
    return max(_NORMAL_FENCE, NormalDist().inv_cdf(1 - _EXPECTED / 2 / max(count, 2)))


def far_out(values: Floats) -> NDArray[np.bool_]:
    """Which values lie far outside the bulk: bool array, False where missing."""
    known = np.isfinite(values)
    found = np.zeros(values.size, dtype=np.bool_)
    finite = values[known]
    if finite.size < _FEWEST:
        return found
    scaled = _evened(finite)
    low, middle, high = _quartiles(scaled)
    below, above = (middle - low) / _PER_QUARTILE, (high - middle) / _PER_QUARTILE
    if below <= 0 or above <= 0:
        return found
    limit = reach(finite.size)
    found[known] = (scaled < middle - limit * below) | (scaled > middle + limit * above)
    return found


def _quartiles(values: Floats) -> tuple[float, float, float]:
    some = values[:: max(1, values.size // 200_000)]
    low, middle, high = np.quantile(some, [0.25, 0.5, 0.75])
    return float(low), float(middle), float(high)


def _evened(values: Floats) -> Floats:
    """The values, their cube roots or their logarithms: whichever lies most evenly around its median."""
    some = values[:: max(1, values.size // 50_000)]
    if float(values.min()) < 0:
        return values
    shift = 0.0 if float(values.min()) > 0 else 1.0
    uneven = {"none": _skew(some), "root": _skew(np.cbrt(some)), "log": _skew(np.log(some + shift))}
    best = min(uneven, key=lambda name: uneven[name])
    if best == "none" or uneven[best] > uneven["none"] - 0.02:
        return values
    return np.asarray(np.cbrt(values) if best == "root" else np.log(values + shift))


def _skew(values: Floats) -> float:
    """How uneven the eighths and the hundredths lie around the median (Hinkley 1975), 0 to 1."""
    ends = np.quantile(values, [0.01, 0.125, 0.5, 0.875, 0.99])
    found = []
    for low, high in ((ends[0], ends[4]), (ends[1], ends[3])):
        found.append(abs(float((high + low - 2 * ends[2]) / (high - low))) if high > low else 1.0)
    return sum(found) / 2


def _run(asked: Asked) -> Checked:
    found = []
    for name in asked.frame.of_type("integer", "number", "date"):
        facts = asked.frame.facts(name)
        if facts is None or facts.distinct < _FEWEST_DISTINCT:
            continue
        far = far_out(asked.frame.floats(name))
        if far.any():
            found.append(_fault(asked, name, far, facts.count))
    return Checked(faults=tuple(found))


def _fault(asked: Asked, name: str, far: NDArray[np.bool_], of: int) -> Fault:
    count = int(far.sum())
    shape = count / of > _SHAPE
    severity: Severity = "low" if shape else "medium"
    values = asked.frame.floats(name)[far]
    ends = ""
    if not asked.frame.hidden(name) and asked.frame.columns[name].type != "date":
        ends = f", between {values.min():g} and {values.max():g}" if count > 1 else f": {values[0]:g}"
    return Fault(
        check="quality.outliers",
        severity=severity,
        columns=(name,),
        rows=asked.frame.named(far, asked.settings.rows_named),
        count=count,
        of=of,
        unit="values",
        found=f"{count:,} of {of:,} values lie far outside the bulk of the column{ends}.",
        why="So many far values are the shape of the column; a model that adds and multiplies will follow them."
        if shape
        else "A slip of the decimal point, another unit or a word for missing pulls averages and models toward it.",
        todo="Look at these rows; correct or empty what cannot be (limit, null_values), and state the range as min and max.",
    )


CHECK = Check(name="outliers", run=_run)
