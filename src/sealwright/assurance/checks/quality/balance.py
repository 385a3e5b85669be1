"""How rare the rarest outcome is."""

import numpy as np

from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, Check, Outcome
from sealwright.assurance.features import true_classes
from sealwright.assurance.model import Figure, Finding, Series
from sealwright.data.quality import rarest_class

__all__ = ["CHECK"]


def _run(case: Case, _rng: np.random.Generator) -> Outcome:
    classes = case.interface.classes
    codes = np.concatenate([true_classes(table, case.interface) for table in (case.train_table, case.test_table)])
    counts = np.bincount(codes, minlength=len(classes))
    rarest, share = rarest_class(counts)
    low, high = case.share_interval(int(counts[rarest]), codes.size)
    finding = Finding(
        check="quality.smallest_class_share",
        value=share,
        low=low,
        high=high,
        n=codes.size,
        unit="share",
        definition="Share of rows that have the rarest outcome.",
        note=f"rarest: {classes[rarest]}",
    )
    shown = np.argsort(-counts, kind="stable")[:50]
    bars = Series(
        name="rows",
        x=tuple(classes[place] for place in shown),
        y=tuple(counts[shown] / codes.size),
        n=tuple(int(count) for count in counts[shown]),
    )
    figure = Figure(
        name="quality.classes", kind="bars", title="Outcomes", x="outcome", y="share of rows", series=(bars,)
    )
    return Outcome(findings=(finding,), figures=(figure,))


CHECK = Check(name="quality.balance", files={"quality.smallest_class_share": CLASSES}, run=_run)
