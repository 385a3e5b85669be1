"""Labels that are probably wrong; of numbers to predict, values far from what the other rows say.

A gradient boosting model is fitted on folds of drawn rows, and judges the rows it was not fitted on; a model of all
drawn rows judges the rest. So every row is judged by a model that never saw it.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.data.quality.check import Asked, Check, Checked, not_performed
from sealwright.data.quality.checks.leaking import roc_area
from sealwright.data.quality.checks.outliers import reach
from sealwright.data.quality.confident import Suspects, find_suspects
from sealwright.data.quality.frame import Floats, Frame
from sealwright.data.quality.matrix import drawn, matrix_of, scored
from sealwright.data.quality.model import Fault

__all__ = ["CHECK"]

_FOLDS = 3
_FEWEST, _FEWEST_PER_CLASS, _MOST_CLASSES = 200, 10, 20
_TELLS = 0.75  # mean ROC area below which the model cannot tell the classes apart well enough to accuse a label
_EXPLAINS = 0.3  # the same for numbers: R squared
_MARGIN = 0.8  # by how much the other class must be more probable
_SURE, _SLIPS = 0.9, 0.5
_TREES, _LEAVES, _RATE = 40, 8, 0.12
_HIGH = 0.05
_PER_QUARTILE = 0.6744897501960817


def _run(asked: Asked) -> Checked:
    frame = asked.frame
    if frame.target is None or not frame.features:
        return not_performed("no target is named")
    if frame.rows < _FEWEST:
        return not_performed("fewer than 200 rows")
    return _numbers(asked) if frame.task == "regression" else _classes(asked)


def _classes(asked: Asked) -> Checked:
    frame = asked.frame
    assert frame.target is not None
    codes = frame.codes(frame.target)
    kept = np.flatnonzero(codes.counts >= _FEWEST_PER_CLASS)
    if not 2 <= kept.size <= _MOST_CLASSES:
        return not_performed("fewer than two classes with ten rows, or more than twenty classes")
    where = np.flatnonzero(np.isin(codes.places, kept))
    given = np.searchsorted(kept, codes.places[where]).astype(np.int64)
    guesses = _out_of_sample(asked, where, given, classes=kept.size)
    areas = [roc_area(given == k, guesses[:, k]) or 0.0 for k in range(kept.size)]
    if float(np.mean(areas)) < _TELLS:
        return not_performed(
            f"a model tells the classes apart too badly (ROC area {np.mean(areas):.2f}) to accuse a label"
        )
    found = find_suspects(given, guesses, margin=_MARGIN)
    if not found.rows.size or not _more_than_overlap(given, guesses):
        return Checked(note="no more labels disagree than the overlap of the classes explains")
    return Checked(faults=(_class_fault(asked, where, found, float(np.mean(areas))),))


def _more_than_overlap(given: NDArray[np.int64], guesses: Floats) -> bool:
    """Whether labels disagree with sure guesses at least half as often as these guesses would be wrong by their own word.

    Where classes merely overlap, the guesses are too cautious and labels disagree far less often (measured: 0.1 to 0.4
    times); wrong labels fall anywhere, also where the model is sure (0.6 times and more).
    """
    behind = guesses.max(axis=1)[:, None] - guesses >= _SURE
    expected = float((guesses * behind).sum())
    return float(behind[np.arange(given.size), given].sum()) >= _SLIPS * expected


def _class_fault(asked: Asked, where: NDArray[np.int64], found: Suspects, area: float) -> Fault:
    frame = asked.frame
    assert frame.target is not None
    share = found.rows.size / where.size
    return Fault(
        check="quality.label_errors",
        severity="high" if share >= _HIGH else "medium" if share >= 0.005 else "low",
        columns=(frame.target,),
        rows=frame.named(where[found.rows], asked.settings.rows_named),
        count=int(found.rows.size),
        of=int(where.size),
        unit="rows",
        found=f"{found.rows.size:,} rows carry a label that a model which never saw them puts, with confidence, into another"
        f" class; it tells classes apart with a ROC area of {area:.2f}. The most certain come first.",
        why="A wrong label teaches the model the wrong answer, and in the test rows it makes right answers look wrong.",
        todo="Compare the labels of these rows with their source; drop those confirmed wrong by a declared step (drop_rows).",
    )


def _numbers(asked: Asked) -> Checked:
    frame = asked.frame
    assert frame.target is not None
    truth = frame.floats(frame.target)
    where = np.flatnonzero(np.isfinite(truth))
    truth = truth[where]
    guesses = _out_of_sample(asked, where, truth, classes=0)
    rest = truth - guesses
    bulk = np.abs(rest) <= np.quantile(np.abs(rest), 0.99)
    spread = float(truth[bulk].var())
    explained = 1 - float(rest[bulk].var()) / spread if spread else 0.0
    if explained < _EXPLAINS:
        return not_performed(f"a model explains too little of the target (R squared {explained:.2f}) to accuse a value")
    far = _far(rest, guesses)
    if not far.any():
        return Checked()
    order = np.flatnonzero(far)
    order = order[np.argsort(-np.abs(rest[order]), kind="stable")]
    return Checked(faults=(_number_fault(asked, where[order], where.size, explained),))


def _number_fault(asked: Asked, rows: NDArray[np.int64], of: int, explained: float) -> Fault:
    frame = asked.frame
    share = rows.size / of
    return Fault(
        check="quality.label_errors",
        severity="high" if share >= _HIGH else "medium" if share >= 0.001 else "low",
        columns=() if frame.target is None else (frame.target,),
        rows=frame.named(rows, asked.settings.rows_named),
        count=int(rows.size),
        of=of,
        unit="rows",
        found=f"{rows.size:,} values to predict are far from what a model that never saw them expects; it explains"
        f" {explained:.0%} of the variance. The furthest come first.",
        why="A wrong value teaches the model the wrong answer, and one wrong by much outweighs thousands of right ones.",
        todo="Compare the values with their source; drop those confirmed wrong by a declared step (drop_rows).",
    )


def _far(rest: Floats, guesses: Floats) -> NDArray[np.bool_]:
    """Residuals far beyond those of rows with a similar guess: the spread is measured in twenty bands of guesses."""
    edges = np.unique(np.quantile(guesses, np.linspace(0, 1, 21)[1:-1]))
    band = np.searchsorted(edges, guesses)
    far = np.zeros(rest.size, dtype=np.bool_)
    overall = float(np.subtract(*np.quantile(rest, [0.75, 0.25]))) / (2 * _PER_QUARTILE)
    limit = max(6.0, reach(rest.size) * 1.25)
    for place in range(edges.size + 1):
        rows = np.flatnonzero(band == place)
        if rows.size < 50:
            continue
        low, middle, high = np.quantile(rest[rows], [0.25, 0.5, 0.75])
        spread = max(float(high - low) / (2 * _PER_QUARTILE), overall / 4)
        far[rows] = np.abs(rest[rows] - middle) > limit * spread if spread > 0 else False
    return far


def _out_of_sample(asked: Asked, where: NDArray[np.int64], truth: NDArray[Any], *, classes: int) -> Floats:
    """For every row, what a model that never saw it says: probabilities, shape (n, classes), or values, shape (n,)."""
    frame: Frame = asked.frame
    matrix = matrix_of(frame, frame.features)
    if where.size < frame.rows:
        matrix = matrix[where]
    sample = _sample(asked, truth, classes)
    fold = np.zeros(sample.size, dtype=np.int64)
    order = np.argsort(truth[sample], kind="stable") if classes else np.arange(sample.size)
    fold[order] = np.arange(sample.size) % _FOLDS  # each class in every fold
    seed = int(asked.rng.integers(2**31))
    if sample.size < where.size:
        guesses = _says(_fitted(matrix[sample], truth[sample], classes, seed), matrix, classes)
    else:
        guesses = np.zeros((where.size, classes) if classes else where.size)
    for place in range(_FOLDS):
        inside, outside = sample[fold != place], sample[fold == place]
        guesses[outside] = _says(_fitted(matrix[inside], truth[inside], classes, seed), matrix[outside], classes)
    return guesses


def _sample(asked: Asked, truth: NDArray[Any], classes: int) -> NDArray[np.int64]:
    """The rows models are fitted on: drawn evenly, but each class with at least thirty rows, or all it has."""
    sample = drawn(truth.size, asked.settings.model_rows, asked.rng)
    if not classes or sample.size == truth.size:
        return sample
    extra = [sample]
    for k in range(classes):
        members = np.flatnonzero(truth == k)
        if (truth[sample] == k).sum() < 30:
            extra.append(members[:30])
    return np.unique(np.concatenate(extra))


def _fitted(matrix: NDArray[np.float32], truth: NDArray[Any], classes: int, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    trees = _TREES if classes <= 3 else max(20, 2 * _TREES // classes)
    model = kind(max_iter=trees, max_leaf_nodes=_LEAVES, learning_rate=_RATE, early_stopping=False, random_state=seed)
    return model.fit(matrix, truth)


def _says(model: Any, matrix: NDArray[np.float32], classes: int) -> Floats:
    return np.asarray(scored(matrix, model.predict_proba if classes else model.predict), dtype=np.float64)


CHECK = Check(name="label_errors", run=_run)
