"""How rare the rarest class is."""

import numpy as np
from numpy.typing import NDArray

from sealwright.data.quality.check import Asked, Check, Checked, not_performed
from sealwright.data.quality.model import Fault, Severity

__all__ = ["CHECK", "rarest_class"]

_VERY_RARE, _TOO_FEW = 0.01, 50


def rarest_class(counts: NDArray[np.int64]) -> tuple[int, float]:
    """Place of the rarest class, and its share of all rows."""
    place = int(np.argmin(counts))
    return place, float(counts[place] / counts.sum())


def _run(asked: Asked) -> Checked:
    frame = asked.frame
    if frame.spec is None or frame.target is None:
        return not_performed("no target is named")
    if frame.task == "regression":
        return not_performed("the target is a number and has no classes")
    codes = frame.codes(frame.target)
    counted = dict(zip(codes.labels, codes.counts.tolist(), strict=True))
    counts = np.array([counted.get(label, 0) for label in frame.spec.classes], dtype=np.int64)
    place, share = rarest_class(counts)
    limit = min(asked.settings.smallest_class_share, 1 / len(counts) / 2)
    if share >= limit:
        return Checked()
    severity: Severity = "high" if share < _VERY_RARE or counts[place] < _TOO_FEW else "medium"
    rarest = frame.spec.classes[place]
    fault = Fault(
        check="quality.class_imbalance",
        severity=severity,
        columns=(frame.target,),
        rows=(),
        count=int(counts[place]),
        of=int(counts.sum()),
        unit="rows",
        found=f"The rarest of {len(counts)} outcomes{'' if frame.hidden(frame.target) else f', {rarest!r},'}"
        f" has {counts[place]:,} of {counts.sum():,} rows.",
        why="A model can look good without ever finding the rare outcome, and its test rests on few cases.",
        todo="Judge by the ROC area and the recall of the rare outcome, collect more of it, or weigh its rows.",
    )
    return Checked(faults=(fault,))


CHECK = Check(name="class_imbalance", run=_run)
