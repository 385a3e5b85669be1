"""Whether a stated probability means what it says."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats, centred_interval, replicates
from sealwright.assurance.case import Case
from sealwright.assurance.check import BINARY, CLASSES, Check, Outcome, collected
from sealwright.assurance.model import Figure, Finding, Series

__all__ = ["CHECK"]

_BINS = 10
_FEWEST = 5  # a bin of fewer rows is not drawn: it would show single rows
_TINY = float(np.finfo(np.float64).eps)  # probabilities are kept this far from 0 and 1 before taking logs


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    stated, happened = _confidence(case)
    n = len(stated)
    bins = np.minimum((stated * _BINS).astype(np.int64), _BINS - 1)
    likelihood = case.test.outputs[np.arange(n), case.test.truth]
    apart = stated - happened
    inside = bins[:, None] == np.arange(_BINS)
    by_bin = np.where(inside, apart[:, None], 0.0)
    surprise = -np.log(np.clip(likelihood, _TINY, 1 - _TINY))
    terms = np.column_stack([surprise, _squares(case), by_bin, inside, happened])
    means = terms.mean(axis=0)
    drawn = replicates(lambda counts: counts @ terms / n, n, case.spec.bootstrap, rng, outputs=terms.shape[1])
    gaps = slice(2, 2 + _BINS)
    items = [
        *_mean_losses(case, means, drawn, n),
        *(_brier_parts(case, means, drawn, n, _noise(stated, bins)) if case.task == "binary" else ()),
        _calibration_error(case, means[gaps], drawn[:, gaps], _by_chance(stated, bins), n),
        _figure(case, stated, happened, bins),
    ]
    return collected(items)


def _squares(case: Case) -> Floats:
    """Half the squared distance between the stated probabilities and what happened; for two classes, that of one."""
    happened = np.eye(len(case.interface.classes))[case.test.truth]
    if case.task == "binary":
        off = np.clip(case.test.outputs[:, case.positive], 0, 1) - happened[:, case.positive]
        return np.asarray(off**2)
    return np.asarray(((case.test.outputs - happened) ** 2).sum(axis=1) / 2)


def _mean_losses(case: Case, means: Floats, drawn: Floats, n: int) -> Iterator[Finding]:
    texts = {
        "log_loss": "Mean surprise at the true outcome: minus the log of its stated probability.",
        "brier": "Mean squared distance between the probability of the positive class and what happened."
        if case.task == "binary"
        else "Half the mean squared distance between the stated probabilities and what happened, over all classes.",
    }
    for place, (name, definition) in enumerate(texts.items()):
        unit = "nats" if name == "log_loss" else "share"
        interval = centred_interval(means[place], drawn[:, place], case.spec.confidence, 0)
        low, high = interval or (None, None)
        yield Finding(
            check=f"performance.{name}", value=means[place], low=low, high=high, n=n, unit=unit, definition=definition
        )


def _brier_parts(case: Case, means: Floats, drawn: Floats, n: int, by_chance: float) -> Iterator[Finding]:
    """Brier score = reliability - resolution + uncertainty (Murphy 1973).

    Reliability and uncertainty are read off the bins; resolution is what remains, which also holds what
    the probabilities tell apart inside a bin (Stephenson, Coelho & Jolliffe 2008), so the three add up exactly.
    """
    texts = {
        "brier_reliability": "Part of the Brier score due to stated probabilities that are not those observed,"
        f" over {_BINS} bins of equal width; 0 is best.",
        "brier_resolution": "Part of the Brier score that telling rows apart saves; more is better.",
        "brier_uncertainty": "Brier score of always stating the share of positives in the test rows.",
    }
    notes = {"brier_reliability": f"a perfectly calibrated model would show about {by_chance:.2g} by chance"}
    parts, replicas = _parts(means[None])[0], _parts(drawn)
    for place, (name, definition) in enumerate(texts.items()):
        least = -np.inf if name == "brier_resolution" else 0.0
        interval = centred_interval(parts[place], replicas[:, place], case.spec.confidence, least)
        yield Finding(
            check=f"performance.{name}",
            value=parts[place],
            low=interval[0] if interval else None,
            high=interval[1] if interval else None,
            n=n,
            unit="share",
            definition=definition,
            note=notes.get(name, ""),
        )


def _parts(means: Floats) -> Floats:
    """Reliability, resolution and uncertainty from mean terms, shape (b, 3)."""
    gaps, rows = means[:, 2 : 2 + _BINS], means[:, 2 + _BINS : 2 + 2 * _BINS]
    reliability = np.divide(gaps**2, rows, out=np.zeros_like(gaps), where=rows > 0).sum(axis=1)
    uncertainty = means[:, -1] * (1 - means[:, -1])
    return np.column_stack([reliability, reliability + uncertainty - means[:, 1], uncertainty])


def _noise(stated: Floats, bins: NDArray[np.int64]) -> float:
    """Expected reliability part if every stated probability were true."""
    rows = np.bincount(bins, minlength=_BINS)
    variance = np.bincount(bins, weights=stated * (1 - stated), minlength=_BINS)
    return float(np.divide(variance, rows, out=np.zeros(_BINS), where=rows > 0).sum() / stated.size)


def _calibration_error(case: Case, gaps: Floats, drawn: Floats, by_chance: float, n: int) -> Finding:
    """The sum of absolute gaps, which noise alone makes positive.

    So its low end comes from how far the gaps themselves may be off, |sum|a| - sum|b|| <= sum|a - b|, and
    reaches zero for a model that is calibrated; the note says what chance alone would show.
    """
    value = float(np.abs(gaps).sum())
    replicas = np.abs(drawn).sum(axis=1)
    tail = (1 + case.spec.confidence) / 2
    low = value - float(np.quantile(np.abs(drawn - gaps).sum(axis=1), tail))
    high = value + float(np.quantile(replicas, tail) - replicas.mean())
    of_what = "of the positive class" if case.task == "binary" else "of the decided class"
    return Finding(
        check="performance.calibration_error",
        value=value,
        low=max(0.0, low),
        high=max(value, min(1.0, high)),
        n=n,
        unit="share",
        definition=f"Mean distance between the stated probability {of_what} and how often it came true,"
        f" over {_BINS} bins of equal width.",
        note=f"a perfectly calibrated model would show about {by_chance:.2g} on so many rows, by chance",
    )


def _by_chance(stated: Floats, bins: NDArray[np.int64]) -> float:
    """Expected calibration error if every stated probability were true: mean of |normal| per bin."""
    variance = np.bincount(bins, weights=stated * (1 - stated), minlength=_BINS)
    return float(np.sqrt(2 / np.pi) * np.sqrt(variance).sum() / stated.size)


def _confidence(case: Case) -> tuple[Floats, NDArray[np.bool_]]:
    """What was stated and whether it came true: the positive class, or the decided class among many."""
    outputs, truth = case.test.outputs, case.test.truth
    if case.task == "binary":
        return np.clip(outputs[:, case.positive], 0, 1), truth == case.positive
    decided = case.decisions
    return np.clip(outputs[np.arange(truth.size), decided], 0, 1), truth == decided


def _figure(case: Case, stated: Floats, happened: NDArray[np.bool_], bins: NDArray[np.int64]) -> Figure:
    rows = np.bincount(bins, minlength=_BINS)
    used = np.flatnonzero(rows >= _FEWEST)
    mean_stated = np.bincount(bins, weights=stated, minlength=_BINS)[used] / rows[used]
    true = np.bincount(bins, weights=happened, minlength=_BINS)[used]
    ends = [case.share_interval(float(a), float(b)) for a, b in zip(true, rows[used], strict=True)]
    line = Series(
        name="observed",
        x=tuple(mean_stated),
        y=tuple(true / rows[used]),
        low=tuple(low for low, _ in ends),
        high=tuple(high for _, high in ends),
        n=tuple(int(count) for count in rows[used]),
    )
    return Figure(
        name="performance.reliability",
        kind="lines",
        title="Stated against observed",
        x="stated probability (mean of bin)",
        y="share that came true",
        series=(line,),
        note="On the diagonal a stated probability means what it says.",
    )


CHECK = Check(
    name="performance.calibration",
    files={
        "performance.log_loss": CLASSES,
        "performance.brier": CLASSES,
        "performance.brier_reliability": BINARY,
        "performance.brier_resolution": BINARY,
        "performance.brier_uncertainty": BINARY,
        "performance.calibration_error": CLASSES,
    },
    run=_run,
)
