"""Hardened models: members that each learned from harder rows, behind sanitised and smoothed inputs.

Answers: how does `training.hardening` change rows, estimator and prediction?
Does not answer: how the graph writes it; `onnx_hardening` does, in the same float32 operations.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.kernel import InvalidInput
from sealwright.training.adapters.estimators import Fitted, fit
from sealwright.training.hardening_spec import AdversarialSpec, HardeningSpec, SmoothingSpec
from sealwright.training.packed import Packed
from sealwright.training.recipes import Value

__all__ = ["Hardened", "Sanitiser", "fit_hardened"]

_TRIES = 8  # moves tried for each row; the one the model errs on most is learned
_MOST_MOVED = 50_000  # rows moved in one round
_SLACK = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Sanitiser:
    """Inputs brought back to what training knew: numbers into [low, high], unknown words to missing."""

    low: NDArray[np.float32]  # shape (number columns,)
    high: NDArray[np.float32]
    known: tuple[tuple[str, ...], ...]  # words of each string column, ascending

    def apply(self, packed: Packed) -> Packed:
        """The same rows; a missing number stays missing."""
        numbers = np.clip(packed.numbers, self.low, self.high)
        levels = tuple(
            tuple(word if word in seen else "" for word in words)
            for words, seen in zip(packed.levels, map(set, self.known), strict=True)
        )
        return Packed(numbers=numbers, codes=packed.codes, levels=levels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardened:
    """Members whose answers are averaged, over noisy copies where there are offsets."""

    members: tuple[Fitted, ...]
    sanitiser: Sanitiser | None
    offsets: NDArray[np.float32] | None  # shape (copies, number columns)

    def predict(self, packed: Packed) -> NDArray[np.float64]:
        """Probabilities, shape (rows, classes), or values, shape (rows, 1)."""
        rows = packed if self.sanitiser is None else self.sanitiser.apply(packed)
        copies = [rows] if self.offsets is None else [_moved(rows, rows.numbers + offset) for offset in self.offsets]
        answers = [member.predict(copy) for copy in copies for member in self.members]
        return np.asarray(np.mean(answers, axis=0), dtype=np.float64)


def fit_hardened(
    recipe: str,
    task: str,
    rows: Packed,
    target: NDArray[Any],
    *,
    classes: int,
    positive: int,
    parameters: Mapping[str, Value],
    seed: int,
    spec: HardeningSpec,
    number_names: Sequence[str],
) -> Hardened:
    """Train a recipe as `spec` asks.

    Raises
    ------
    InvalidInput
        `monotone` or `adversarial.fixed` name what is no number, or several classes are to be monotone.
    """
    monotone = _directions(spec, task, positive, number_names)
    fixed = _places(spec.adversarial.fixed if spec.adversarial else (), "adversarial.fixed", number_names)
    sanitiser = _sanitiser(rows, spec.sanitise) if spec.sanitise is not None else None
    known = rows if sanitiser is None else sanitiser.apply(rows)
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0x4A12D]))
    spread = _spread(known.numbers)
    offsets = _offsets(spec.smoothing, spread, rng) if spec.smoothing is not None else None

    def learn(some: Packed, labels: NDArray[Any], number: int) -> Fitted:
        return fit(
            recipe, task, some, labels, classes=classes, parameters=parameters, seed=seed + number, monotone=monotone
        )

    members = []
    for number in range(spec.ensemble):
        drawn = np.arange(known.rows) if spec.ensemble == 1 else _bootstrap(task, target, rng)
        some, labels = known.take(drawn), target[drawn]
        if spec.smoothing is not None:
            some, labels = _noisy(some, labels, spec.smoothing, spread, rng)
        if spec.adversarial is not None:
            reach = np.where(np.isin(np.arange(spread.size), fixed), 0, spread)
            some, labels = _hardest(
                lambda a, b, n=number: learn(a, b, n), task, some, labels, spec.adversarial, reach, rng
            )
        members.append(learn(some, labels, number))
    return Hardened(members=tuple(members), sanitiser=sanitiser, offsets=offsets)


def _directions(spec: HardeningSpec, task: str, positive: int, names: Sequence[str]) -> NDArray[np.int8] | None:
    """+1, -1 or 0 for each number, toward class 1 or the value; None where nothing is asked."""
    if not spec.monotone:
        return None
    if task == "multiclass":
        raise InvalidInput(
            "training.hardening.monotone says which way the positive class moves; with several classes there is none.\n"
            "Remove it, or make the target binary."
        )
    signs = np.zeros(len(names), dtype=np.int8)
    toward = -1 if task == "binary" and positive == 0 else 1
    for place, name in zip(_places(tuple(spec.monotone), "monotone", names), spec.monotone, strict=True):
        signs[place] = toward if spec.monotone[name] == "up" else -toward
    return signs


def _places(wanted: Sequence[str], field: str, names: Sequence[str]) -> list[int]:
    if unknown := [name for name in wanted if name not in names]:
        raise InvalidInput(
            f"training.hardening.{field} names {', '.join(unknown[:10])}, which is no number the model takes.\n"
            f"Its numbers are: {', '.join(names[:40]) or 'none'}."
        )
    return [list(names).index(name) for name in wanted]


def _sanitiser(rows: Packed, cut: float) -> Sanitiser:
    width = rows.numbers.shape[1]
    low, high = np.full(width, -np.inf, dtype=np.float32), np.full(width, np.inf, dtype=np.float32)
    for place in range(width):
        seen = rows.numbers[:, place]
        seen = seen[~np.isnan(seen)]
        if seen.size:
            low[place] = np.quantile(seen, cut, method="lower")
            high[place] = np.quantile(seen, 1 - cut, method="higher")
    words = tuple(
        tuple(sorted({levels[code] for code in np.unique(codes)} - {""}))
        for levels, codes in zip(rows.levels, rows.codes.T, strict=True)
    )
    return Sanitiser(low=low, high=high, known=words)


def _spread(numbers: NDArray[np.float32]) -> NDArray[np.float64]:
    """Standard deviations, 0 for a column of at most two values, which is a flag and not a quantity."""
    found = np.zeros(numbers.shape[1])
    for place, column in enumerate(numbers.T):
        seen = column[~np.isnan(column)].astype(np.float64)
        found[place] = seen.std() if np.unique(seen[:10_000]).size > 2 else 0.0
    return found


def _offsets(spec: SmoothingSpec, spread: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float32] | None:
    """Pairs of opposite noise, so that their mean is zero."""
    half = spec.noise * spread * rng.standard_normal((spec.offsets // 2, spread.size))
    return np.concatenate([half, -half]).astype(np.float32) if spread.size else None


def _bootstrap(task: str, target: NDArray[Any], rng: np.random.Generator) -> NDArray[np.intp]:
    """As many rows with replacement, drawn within each class so that none is lost (Breiman 1996)."""
    if task == "regression":
        return np.sort(rng.integers(0, target.size, target.size))
    parts = [np.flatnonzero(target == place) for place in np.unique(target)]
    return np.sort(np.concatenate([rng.choice(part, part.size) for part in parts]))


def _noisy(
    rows: Packed, target: NDArray[Any], spec: SmoothingSpec, spread: NDArray[np.float64], rng: np.random.Generator
) -> tuple[Packed, NDArray[Any]]:
    """The rows and noisy copies of them (Cohen, Rosenfeld & Kolter 2019 train so)."""
    copied = rows.take(np.tile(np.arange(rows.rows), 1 + spec.copies))
    noise = spec.noise * spread * rng.standard_normal(copied.numbers.shape)
    noise[: rows.rows] = 0.0
    return _moved(copied, (copied.numbers + noise).astype(np.float32)), np.tile(target, 1 + spec.copies)


def _hardest(
    learn: Any,
    task: str,
    rows: Packed,
    target: NDArray[Any],
    spec: AdversarialSpec,
    spread: NDArray[np.float64],
    rng: np.random.Generator,
) -> tuple[Packed, NDArray[Any]]:
    """The rows, joined in each round by moved ones the model errs on most (Kantchelian, Tygar & Joseph 2016)."""
    low, high = (np.nan_to_num(end(rows.numbers, axis=0)) for end in (np.nanmin, np.nanmax))
    whole = np.all(np.isnan(rows.numbers) | (rows.numbers == np.round(rows.numbers)), axis=0)
    grown, labels = rows, target
    for _ in range(spec.rounds):
        model = learn(grown, labels)
        kept = np.arange(rows.rows)
        if kept.size > _MOST_MOVED:
            kept = np.sort(rng.choice(kept, _MOST_MOVED, replace=False))
        base, truth = rows.take(kept), target[kept]
        best, worst = base.numbers, _error(task, model.predict(base), truth)
        for _try in range(_TRIES):
            step = spec.budget * spread * rng.integers(-1, 2, base.numbers.shape)
            step = np.where(whole, np.sign(step) * np.floor(np.abs(step) + _SLACK), step)
            tried = np.clip(base.numbers + step, low, high).astype(np.float32)
            error = _error(task, model.predict(_moved(base, tried)), truth)
            best = np.where((error > worst)[:, None], tried, best)
            worst = np.maximum(error, worst)
        grown, labels = _joined(grown, _moved(base, best)), np.concatenate([labels, truth])
    return grown, labels


def _error(task: str, predicted: NDArray[np.float64], truth: NDArray[Any]) -> NDArray[np.float64]:
    if task == "regression":
        return np.asarray((predicted[:, 0] - truth) ** 2)
    return np.asarray(-predicted[np.arange(truth.size), truth.astype(np.int64)])


def _moved(rows: Packed, numbers: NDArray[np.float32]) -> Packed:
    return Packed(numbers=numbers, codes=rows.codes, levels=rows.levels)


def _joined(a: Packed, b: Packed) -> Packed:
    return Packed(
        numbers=np.concatenate([a.numbers, b.numbers]), codes=np.concatenate([a.codes, b.codes]), levels=a.levels
    )
