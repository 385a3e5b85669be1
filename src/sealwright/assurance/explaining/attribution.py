"""Shapley values for any model: the first method whose sums are the model's answers, row by row.

Tried in order: the closed form of models that add up their features; trees read by Tree SHAP; every subset of features
where those are few; else permutations within a budget of queries. A method whose sums miss the answers of any row by more
than rounding is refused, whatever it says of itself, and the refusal is kept for the findings.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.case_making import generator_for
from sealwright.assurance.explaining.additive import additive_attributions
from sealwright.assurance.explaining.coded import coded_by
from sealwright.assurance.explaining.model import Attributions, Refused, additivity_error
from sealwright.assurance.explaining.scale import explained_outcomes, tolerance
from sealwright.assurance.explaining.subsets import every_subset, some_orders
from sealwright.assurance.explaining.trees import tree_attributions
from sealwright.assurance.features import Features
from sealwright.assurance.unexplained import CannotExplain

__all__ = ["Explained", "Method", "background_of", "explain_rows", "explained", "methods_for"]

_SAMPLED_BACKGROUND = 50  # rows each query is averaged over where the model cannot be read
_FEWEST_ROWS = 20

Method = Callable[[Case, Features, Features, Floats, np.random.Generator], Attributions]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """Contributions for some rows, by the method that held, with those that did not."""

    places: NDArray[np.intp]  # rows of the test sample, empty where other rows were explained
    rows: Features
    found: Attributions  # with outputs as `explained_outcomes`
    error: float  # largest additivity error, as a share of the scale of the answers
    refused: tuple[Refused, ...]
    method: Method  # what explains further rows in the same way
    queries: int  # 0: the model was read, or asked too little to count


def explained(case: Case) -> Explained | str:
    """Attributions of a sample of test rows, worked out once for a case; or why there are none."""
    return case.once("explaining.attribution", lambda: _explained(case))


def _explained(case: Case) -> Explained | str:
    rng = generator_for(case.seed, "explaining/rows")
    n, most = len(case.test), case.spec.explanation.rows
    places = np.arange(n) if n <= most else np.sort(rng.choice(n, most, replace=False))
    try:
        return explain_rows(case, case.test.features.take(places), background_of(case, "explaining/background"), places)
    except CannotExplain as error:
        return str(error)


def background_of(case: Case, purpose: str) -> Features:
    """Rows learned from that stand for an unknown value."""
    rng, n = generator_for(case.seed, purpose), len(case.train)
    most = min(n, case.spec.explanation.background)
    return case.train.features.take(np.sort(rng.choice(n, most, replace=False)))


def explain_rows(case: Case, rows: Features, background: Features, places: NDArray[np.intp] | None = None) -> Explained:
    """Explain `rows` by the first method that holds on all of them.

    Raises
    ------
    CannotExplain
        None does; the message names each with its reason.
    """
    refused: list[Refused] = []
    places = np.zeros(0, dtype=np.intp) if places is None else places
    for words, method, affordable, queries in methods_for(case, len(rows)):
        some = slice(0, affordable) if affordable >= len(rows) else _spread(len(rows), affordable)
        part = rows.take(some)
        outputs = case.predict(part)
        try:
            found = method(case, part, background, outputs, generator_for(case.seed, f"explaining/{words}"))
        except CannotExplain as reason:
            refused.append(Refused(method=words, why=str(reason)))
            continue
        error = additivity_error(found, outputs)
        if error <= tolerance(case):
            return Explained(
                places=places[some],
                rows=part,
                found=found.only(explained_outcomes(case)),
                error=error,
                refused=tuple(refused),
                method=method,
                queries=queries,
            )
        missed = "without bound" if not np.isfinite(error) else f"by up to {error:.2g}"
        refused.append(Refused(method=words, why=f"its sums miss the model's answers {missed} of their scale"))
    raise CannotExplain("; ".join(f"{one.method}: {one.why}" for one in refused))


def methods_for(case: Case, n: int) -> list[tuple[str, Method, int, int]]:
    """Methods in the order they are tried: words, method, rows it can afford, queries it takes."""
    d, budget = len(case.interface.names), case.spec.explanation.queries
    m = min(_SAMPLED_BACKGROUND, case.spec.explanation.background, len(case.train))
    classes = case.task != "regression"
    steps: list[tuple[str, Method, int, int]] = []
    if classes:
        two = case.task == "binary"
        steps.append(("closed form on log-odds", _additive_log_odds if two else _additive_softmax, n, 0))
    steps.append(("closed form on the answers", _additive, n, 0))
    steps.append(("Tree SHAP", _trees, n, 0))
    if d < 17 and m * 2**d * min(n, _FEWEST_ROWS) <= budget:
        rows = min(n, budget // (m * 2**d))
        steps.append(("every subset of features", _exact, rows, rows * m * 2**d))
    each = m * (2 * d + 1)
    rows = max(1, min(n, budget // each))
    steps.append(("permutations of features", _permutations, rows, rows * each))
    return steps


def _additive_log_odds(
    case: Case, rows: Features, background: Features, _outputs: Floats, _rng: np.random.Generator
) -> Attributions:
    return additive_attributions(case, rows, background, "logit")


def _additive_softmax(
    case: Case, rows: Features, background: Features, _outputs: Floats, _rng: np.random.Generator
) -> Attributions:
    return additive_attributions(case, rows, background, "softmax")


def _additive(
    case: Case, rows: Features, background: Features, _outputs: Floats, _rng: np.random.Generator
) -> Attributions:
    return additive_attributions(case, rows, background, "identity")


def _trees(
    case: Case, rows: Features, background: Features, outputs: Floats, _rng: np.random.Generator
) -> Attributions:
    return tree_attributions(case, rows, background, outputs)


def _exact(
    case: Case, rows: Features, background: Features, _outputs: Floats, rng: np.random.Generator
) -> Attributions:
    return _asked(case, rows, background, rng, 0, "exact: every subset of features")


def _permutations(
    case: Case, rows: Features, background: Features, _outputs: Floats, rng: np.random.Generator
) -> Attributions:
    words = "one permutation of the features a row, walked there and back"
    return _asked(case, rows, background, rng, 1, words)


def _asked(
    case: Case, rows: Features, background: Features, rng: np.random.Generator, orders: int, words: str
) -> Attributions:
    few = background.take(slice(0, _SAMPLED_BACKGROUND))
    coded, outcomes = coded_by(background, rows), explained_outcomes(case)

    def ask(matrix: Floats) -> Floats:
        outputs = case.predict(coded.features(matrix))
        return outputs[:, None] if outputs.ndim == 1 else outputs[:, list(outcomes)]

    seen, behind = coded.matrix(rows), coded.matrix(few)
    phi, base = some_orders(ask, seen, behind, orders, rng) if orders else every_subset(ask, seen, behind)
    if not np.isfinite(phi).all():
        raise CannotExplain("the model gives no finite answer for some mixed rows")
    return Attributions(phi=phi, base=base, link="identity", outcomes=outcomes, method=words)


def _spread(n: int, wanted: int) -> NDArray[np.intp]:
    """`wanted` of n rows, evenly spread."""
    return np.unique(np.linspace(0, n - 1, wanted).round().astype(np.intp))
