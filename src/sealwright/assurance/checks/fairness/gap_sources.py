"""Source of bias, the model: how much of a difference in decisions is left when true outcomes are accounted for?

By definition a group's favourable share is p t + (1 - p) f, with p the share whose true outcome is
favourable, t and f the true and false positive rates. So the difference between two groups is the sum of
two parts, exactly: what follows from different p at the mean rates, and what follows from different t and f
at the mean p (Kitagawa 1955). Interpretation, not definition: the second part is the model's own. It is so
only as far as the true outcomes are true; where labels carry an injustice, the first part carries it.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np

from sealwright.assurance.attributes import Attribute
from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, Check, Outcome
from sealwright.assurance.comparison import Tally, each_attribute, farthest_apart, large_enough, tally, too_few
from sealwright.assurance.model import Finding, Group, NotPerformed

__all__ = ["CHECK"]

_BASE, _OWN = "fairness.gap_from_base_rates", "fairness.gap_from_error_rates"
_TEXTS = {
    _BASE: "Part of the difference in favourable shares between the two groups farthest apart that follows from their"
    " different shares of truly favourable rows, at the mean of their error rates.",
    _OWN: "Part of the difference in favourable shares between the two groups farthest apart that follows from their"
    " different true and false positive rates, at the mean of their base rates.",
}


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    return each_attribute(case, list(_TEXTS), partial(_judge, case, rng), needs_favourable=True)


def _judge(case: Case, rng: np.random.Generator, attribute: Attribute) -> Iterator[Finding | NotPerformed]:
    assert case.favourable is not None
    counts = tally(case, attribute, case.favourable)
    judged = large_enough(case, attribute, counts.positives, counts.negatives)
    if judged.size < 2:
        yield from (too_few(case, name, attribute, judged, "enough rows of both true outcomes") for name in _TEXTS)
        return
    pair = farthest_apart(counts, judged)
    tables = [_table(counts, place) for place in pair]
    parts = _parts(tables[0][None], tables[1][None])[0]
    drawn = _redrawn(tables, case.spec.bootstrap, rng)
    n = int(counts.rows[list(pair)].sum())
    names = [attribute.levels[place] for place in pair]
    for at, (name, text) in enumerate(_TEXTS.items()):
        tail = (1 - case.spec.confidence) / 2
        least, most = np.quantile(drawn[:, at], [tail, 1 - tail])
        value = float(parts[at])
        yield Finding(
            check=name,
            value=value,
            low=max(-1.0, min(value, value + float(least))),
            high=min(1.0, max(value, value + float(most))),
            n=n,
            unit="share",
            definition=text,
            group=Group(attribute=attribute.name),
            note=f"{names[0]} minus {names[1]}: {parts.sum():+.1%} in all"
            if names[0] != names[1]
            else "all groups alike",
        )


def _table(counts: Tally, place: int) -> Floats:
    """Rows of a group: [truly favourable and chosen, and not; other and chosen, and not]."""
    k, j = counts.hits[place], counts.false_alarms[place]
    return np.array([k, counts.positives[place] - k, j, counts.negatives[place] - j], dtype=np.float64)


def _parts(first: Floats, second: Floats) -> Floats:
    """Both parts of first minus second, shape (b, 2), of tables of shape (b, 4)."""
    (p1, t1, f1), (p2, t2, f2) = _rates(first), _rates(second)
    base = (p1 - p2) * ((t1 + t2) - (f1 + f2)) / 2
    mean = (p1 + p2) / 2
    return np.column_stack([base, mean * (t1 - t2) + (1 - mean) * (f1 - f2)])


def _rates(table: Floats) -> tuple[Floats, Floats, Floats]:
    positives, negatives = table[:, :2].sum(axis=1), table[:, 2:].sum(axis=1)
    t, f = table[:, 0] / np.maximum(positives, 1), table[:, 2] / np.maximum(negatives, 1)
    return positives / (positives + negatives), t, f


def _redrawn(tables: list[Floats], size: int, rng: np.random.Generator) -> Floats:
    """How far the parts fall from their truth in draws from the tables, half a row added to each cell: shape (size, 2)."""
    smooth = [(table + 0.5) for table in tables]
    drawn = [
        rng.multinomial(int(table.sum()), more / more.sum(), size=size)
        for table, more in zip(tables, smooth, strict=True)
    ]
    again = _parts(drawn[0].astype(np.float64), drawn[1].astype(np.float64))
    return again - _parts(smooth[0][None], smooth[1][None])


CHECK = Check(name="fairness.gap_sources", files=dict.fromkeys(_TEXTS, CLASSES), run=_run)
