"""A release and a refusal in words that need no formula."""

from collections.abc import Mapping
from typing import Any

from sealwright.data.dp.book import Account
from sealwright.data.dp.composition import Limit, left, total, within
from sealwright.data.dp.errors import PrivacyBudgetChanged, PrivacyBudgetSpent
from sealwright.data.dp.model import CONFIDENCE, Plan, Query, Released
from sealwright.data.names import shown
from sealwright.data.privacy_budget import Unit, epsilon_text

__all__ = ["asked", "in_words", "refuse_if_spent", "standing"]

_SURE = f"with {CONFIDENCE * 100:g} % confidence"


def asked(query: Query) -> str:
    """What was asked for: "mean of 'age' where 'outcome' = 'good'"."""
    what = {"count": "count of rows", "quantile": f"quantile {query.at:g}" if query.at else "quantile"}
    of = f" of {shown(query.column)}" if query.column is not None else ""
    where = " and ".join(f"{shown(name)} = {shown(value)}" for name, value in query.where)
    return f"{what.get(query.kind, query.kind)}{of}{f' where {where}' if where else ''}"


def in_words(plan: Plan, released: Released) -> str:
    """The released number with its accuracy, as one sentence."""
    if released.kind == "histogram":
        return (
            f"{len(released.cells)} cells, each within ±{released.within:,} {_SURE}"
            f" (all of them at once within ±{released.all_within:,})"
        )
    assert released.value is not None
    value = plan.shown(released.value) if isinstance(released.value, float) else released.value
    if released.kind == "quantile":
        return (
            f"about {_short(value)}; its rank is off by at most {released.rank_within:,} rows {_SURE},"
            f" among {len(plan.candidates):,} candidates from {_short(plan.shown(plan.lower))}"
            f" to {_short(plan.shown(plan.upper))}"
        )
    interval = released.interval
    assert interval is not None
    if isinstance(value, int):
        value = max(0, value)
    rows = f", over about {max(0, released.rows):,} rows" if released.rows is not None else ""
    return f"about {_short(value)}, between {_short(interval.lower)} and {_short(interval.upper)} {_SURE}{rows}"


def standing(account: Account, limit: Limit) -> Mapping[str, Any]:
    """A budget as programs read it."""
    return {
        "epsilon": epsilon_text(limit.epsilon),
        "delta": limit.delta,
        "spent": epsilon_text(total(account.spent, limit.delta)),
        "left": epsilon_text(left(account.spent, limit)),
        "composition": limit.composition,
        "releases": len(account.spends),
    }


def refuse_if_spent(account: Account, limit: Limit, query: Query, unit: Unit) -> None:
    """Refuse a release that the budget does not allow.

    Raises
    ------
    PrivacyBudgetChanged
        Earlier releases protected rows and this one would protect persons, or the other way round.
    PrivacyBudgetSpent
        Not enough is left.
    """
    others = account.units - {unit}
    if others:
        raise PrivacyBudgetChanged(
            f"Earlier releases from this dataset protect each {others.pop()}, this one would protect each {unit}. The two"
            " cannot be added up, so nothing is released.\nGo on with the earlier unit: data.subject as it was, and ingest"
            " again."
        )
    if within(account.spent, query.epsilon, limit):
        return
    used, rest = total(account.spent, limit.delta), left(account.spent, limit)
    elsewhere = sorted(account.projects)
    shared = f" (shared by the projects {', '.join(elsewhere)}, which hold the same data)" if len(elsewhere) > 1 else ""
    then = (
        f"Ask with --epsilon {epsilon_text(rest)} or less for a noisier number; "
        if rest
        else "Use the numbers that were released already; using them again costs nothing. Or "
    )
    raise PrivacyBudgetSpent(
        f"The {asked(query)} would cost epsilon {epsilon_text(query.epsilon)}; {epsilon_text(rest)} is left of"
        f" {epsilon_text(limit.epsilon)} for this dataset{shared}: {epsilon_text(used)} was spent in"
        f" {len(account.spends)} release{'s' if len(account.spends) != 1 else ''}. Nothing was released.\n"
        f"{then}let whoever answers for the data raise the budget on record:"
        ' sealwright data budget PROJECT --set-epsilon MORE --reason "…"'
    )


def _short(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return f"{int(value):,}" if value == int(value) else f"{value:,.6g}"
