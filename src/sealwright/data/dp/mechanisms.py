"""The mechanisms: OpenDP's exact discrete noise on whole numbers, sized so that the loss is at most the epsilon asked for.

Answers: what is the noisy count, mean, histogram or quantile, and how noisy is it?
Does not answer: may it be released? Whoever calls this has written the cost into the ledger before.

Randomness is OpenDP's own, from the operating system; there is no seed. Counts and sums are whole numbers with discrete
Laplace noise, sampled exactly: floating-point Laplace gives bits of the data away (Mironov 2012,
doi:10.1145/2382196.2382264). The loss of each chain is computed by OpenDP's own map and checked before use.
"""

from collections.abc import Callable
from typing import Any

from sealwright.data.dp.accuracy import laplace_within, rank_within
from sealwright.data.dp.model import CONFIDENCE, Cell, Interval, Plan, Released, split_epsilon
from sealwright.data.privacy_budget import MILLIONTHS, epsilon_text
from sealwright.kernel import MissingExtra, OperationFailed

__all__ = ["Mechanism", "mechanism_for"]

Mechanism = Callable[[Any], Released]
"""From what `extract` made to what may be released. Each call draws new noise, and costs the plan's epsilon."""

_LAPLACE = "discrete Laplace"


def mechanism_for(plan: Plan, rows: int) -> Mechanism:
    """Build the mechanism of a plan; nothing is drawn yet.

    Parameters
    ----------
    rows : int
        How many rows one protected unit may change.

    Raises
    ------
    MissingExtra
        OpenDP is not installed.
    OperationFailed
        OpenDP cannot build it at this epsilon.
    """
    build = {"count": _count, "mean": _mean, "histogram": _histogram, "quantile": _quantile}[plan.query.kind]
    return build(plan, rows)


def _count(plan: Plan, rows: int) -> Mechanism:
    dp = _opendp()
    chain, scale = _sized(
        lambda s: _whole(dp) >> dp.t.then_count(TO="i64") >> dp.m.then_laplace(scale=s), rows, plan.query.epsilon, rows
    )
    within = laplace_within(scale, CONFIDENCE)

    def release(values: Any) -> Released:
        count = int(chain(values))
        return Released(
            kind="count",
            mechanism=f"count with {_LAPLACE} noise",
            noise={"scale": scale, "sensitivity": rows},
            value=count,
            interval=_from_zero(count, within),
            within=within,
        )

    return release


def _histogram(plan: Plan, rows: int) -> Mechanism:
    dp = _opendp()
    places = list(range(len(plan.labels)))
    chain, scale = _sized(
        lambda s: (
            _whole(dp)
            >> dp.t.then_count_by_categories(categories=places, null_category=False, TOA="i64")
            >> dp.m.then_laplace(scale=s)
        ),
        rows,
        plan.query.epsilon,
        rows,
    )

    def release(values: Any) -> Released:
        counts = [int(count) for count in chain(values)]
        return Released(
            kind="histogram",
            mechanism=f"counts of all cells, each with {_LAPLACE} noise; a row is in one cell, so the cells share one cost",
            noise={"scale": scale, "sensitivity": rows},
            cells=tuple(Cell(label=label, count=count) for label, count in zip(plan.labels, counts, strict=True)),
            within=laplace_within(scale, CONFIDENCE),
            all_within=laplace_within(scale, CONFIDENCE, len(counts)),
        )

    return release


def _mean(plan: Plan, rows: int) -> Mechanism:
    """Noisy sum over noisy count. Values are centred between the bounds, which halves the noise of the sum or better."""
    dp = _opendp()
    for_sum, for_count = split_epsilon(plan.query.epsilon, 2)
    most = plan.steps
    summed, sum_scale = _sized(
        lambda s: _whole(dp) >> dp.t.then_clamp((-most, most)) >> dp.t.then_sum() >> dp.m.then_laplace(scale=s),
        rows,
        for_sum,
        rows * most,
    )
    counted, count_scale = _sized(
        lambda s: _whole(dp) >> dp.t.then_count(TO="i64") >> dp.m.then_laplace(scale=s), rows, for_count, rows
    )
    both = 1 - (1 - CONFIDENCE) / 2  # each of the two is within its part with so much confidence
    sum_within, count_within = laplace_within(sum_scale, both), laplace_within(count_scale, both)

    def release(values: Any) -> Released:
        total, count = int(summed(values)), int(counted(values))
        ends = [
            _mean_of(plan, some, rows_)
            for some in (total - sum_within, total + sum_within)
            for rows_ in (max(1, count - count_within), max(1, count + count_within))
        ]
        return Released(
            kind="mean",
            mechanism=f"sum and count, each with {_LAPLACE} noise on whole numbers, divided",
            noise={
                "split": {"sum": epsilon_text(for_sum), "count": epsilon_text(for_count)},
                "sum_scale": sum_scale,
                "count_scale": count_scale,
                "sensitivity": {"sum": rows * most, "count": rows},
                "grid": (plan.upper - plan.lower) / plan.steps,
            },
            value=_mean_of(plan, total, max(1, count)),
            interval=Interval(lower=min(ends), upper=max(ends)),
            rows=count,
        )

    return release


def _mean_of(plan: Plan, total: int, count: int) -> float:
    middle, half_step = (plan.lower + plan.upper) / 2, (plan.upper - plan.lower) / (2 * plan.steps)
    return min(max(middle + total / count * half_step, plan.lower), plan.upper)


def _quantile(plan: Plan, rows: int) -> Mechanism:
    dp = _opendp()
    at = plan.query.at
    assert at is not None
    space = dp.vector_domain(dp.atom_domain(T="f64", nan=False)), dp.symmetric_distance()
    chain, scale = _sized(
        lambda s: dp.m.make_private_quantile(*space, dp.max_divergence(), list(plan.candidates), at, s),
        rows,
        plan.query.epsilon,
        2 * max(at, 1 - at) * rows,
    )

    def release(values: Any) -> Released:
        return Released(
            kind="quantile",
            mechanism="permute-and-flip over equally spaced candidates, scored by rank",
            noise={"scale": scale, "sensitivity": max(at, 1 - at) * rows},
            value=plan.shown(float(chain(values))),
            rank_within=rank_within(scale, len(plan.candidates), CONFIDENCE),
        )

    return release


def _sized(build: Callable[[float], Any], rows: int, epsilon: int, sensitivity: float) -> tuple[Any, float]:
    """A chain whose loss, by OpenDP's own map, is at most epsilon; and the scale it took.

    The scale is the sensitivity over epsilon; where rounding makes the map a hair larger, the scale grows by hairs.
    """
    limit = epsilon / MILLIONTHS
    scale = sensitivity / limit
    try:
        for _ in range(64):
            chain = build(scale)
            if chain.map(rows) <= limit:
                return chain, scale
            scale *= 1 + 1e-14
    except Exception as error:  # noqa: BLE001 - OpenDP raises many kinds; none of them holds data before it runs
        raise OperationFailed(f"OpenDP cannot build this release: {str(error).splitlines()[0][:200]}") from None
    raise OperationFailed(f"No noise keeps the loss within {epsilon_text(epsilon)}. Ask for a larger epsilon.")


def _from_zero(count: int, within: int) -> Interval:
    return Interval(lower=max(0, count - within), upper=max(0, count + within))


def _whole(dp: Any) -> Any:
    return dp.vector_domain(dp.atom_domain(T="i64")), dp.symmetric_distance()


def _opendp() -> Any:
    try:
        import opendp.prelude as dp
    except ModuleNotFoundError:
        raise MissingExtra("Releasing private statistics", "build") from None
    dp.enable_features("contrib")
    return dp
