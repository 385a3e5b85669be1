"""A release and a refusal in words that need no formula."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from sealwright.data.dp.book import Account
from sealwright.data.dp.composition import Limit, exact, left, total, within
from sealwright.data.dp.errors import PrivacyBudgetChanged, PrivacyBudgetSpent
from sealwright.data.dp.model import CONFIDENCE, Plan, Query, Released
from sealwright.data.dp.trainings import Training
from sealwright.data.names import shown
from sealwright.data.privacy_budget import Unit, epsilon_text

__all__ = ["asked", "counted", "in_words", "refuse_if_spent", "refuse_trainings", "standing"]

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
        "releases": sum(not one.training for one in account.spends),
        "trainings": sum(one.training for one in account.spends),
        "training_delta": limit.training_delta,
        "training_delta_spent": float(account.spent.delta),
    }


def counted(account: Account) -> str:
    """How many drew on a budget: "3 releases and 1 training"."""
    trainings = sum(one.training for one in account.spends)
    releases = len(account.spends) - trainings
    parts = [f"{releases} release{'s' if releases != 1 else ''}"] if releases or not trainings else []
    return " and ".join([*parts, *([f"{trainings} training{'s' if trainings != 1 else ''}"] if trainings else [])])


def refuse_if_spent(account: Account, limit: Limit, query: Query, unit: Unit) -> None:
    """Refuse a release that the budget does not allow.

    Raises
    ------
    PrivacyBudgetChanged
        Earlier releases protected rows and this one would protect persons, or the other way round.
    PrivacyBudgetSpent
        Not enough is left.
    """
    _refuse_other_unit(account, unit)
    if within(account.spent, query.epsilon, limit):
        return
    _refuse_lost_promise(account, limit, "release")
    rest = left(account.spent, limit)
    then = (
        f"Ask with --epsilon {epsilon_text(rest)} or less for a noisier number; "
        if rest
        else "Use the numbers that were released already; using them again costs nothing. Or "
    )
    raise PrivacyBudgetSpent(
        f"The {asked(query)} would cost epsilon {epsilon_text(query.epsilon)}; {_what_is_left(account, limit)}"
        f" Nothing was released.\n{then}{_RAISE}"
    )


def refuse_trainings(account: Account, limit: Limit, wanted: Sequence[Training], unit: Unit) -> None:
    """Refuse trainings that the budget does not allow, all or none of them.

    Raises
    ------
    PrivacyBudgetChanged
        As `refuse_if_spent`.
    PrivacyBudgetSpent
        Not enough is left, of epsilon or of what the deltas of trainings may add up to.
    """
    _refuse_other_unit(account, unit)
    after = account.spent
    for one in wanted:
        if not within(after, one.epsilon, limit, one.delta):
            break
        after = after.and_also(one.epsilon, one.delta)
    else:
        return
    _refuse_lost_promise(account, limit, "training")
    what = f"The {wanted[0].words}" if len(wanted) == 1 else f"The {len(wanted)} private trainings together"
    reasons, then = [], []
    epsilon = sum(one.epsilon for one in wanted)
    if not within(account.spent, epsilon, limit):
        reasons.append(f"would cost epsilon {epsilon_text(epsilon)}; {_what_is_left(account, limit)}")
        then.append(f"Train with a smaller training.privacy.epsilon; or {_RAISE}")
    deltas = account.spent.delta + sum(exact(one.delta) for one in wanted)
    if deltas > exact(limit.training_delta):
        reasons.append(
            f"would bring the deltas of trainings to {float(deltas):g} for this dataset{_shared(account)}; they may add up"
            f" to {limit.training_delta:g}."
        )
        then.append(
            f"Say more in the project file, data.privacy_budget: training_delta: {_as_yaml(deltas)}; and where the budget was"
            ' drawn on already, on record: sealwright data budget PROJECT --set-training-delta MORE --reason "…"'
        )
    alone = len(wanted) == 1
    some = "" if alone else "Some of them cost less: --only NAME.\n"
    raise PrivacyBudgetSpent(
        f"{what} {(' It ' if alone else ' They ').join(reasons)} Nothing was trained and nothing spent.\n{some}"
        + "\n".join(then)
    )


_RAISE = (
    "let whoever answers for the data raise the budget on record:"
    ' sealwright data budget PROJECT --set-epsilon MORE --reason "…"'
)


def _refuse_other_unit(account: Account, unit: Unit) -> None:
    others = account.units - {unit}
    if others:
        raise PrivacyBudgetChanged(
            f"Earlier releases and trainings of this dataset protect each {others.pop()}, this one would protect each {unit}."
            " The two cannot be added up, so nothing is released or trained.\nGo on with the earlier unit: data.subject as"
            " it was, and ingest again."
        )


def _refuse_lost_promise(account: Account, limit: Limit, what: str) -> None:
    """The deltas of trainings went beyond what is allowed now: no cost is small enough."""
    if account.spent.delta > exact(limit.training_delta):
        raise PrivacyBudgetSpent(
            f"The deltas of private trainings on this dataset{_shared(account)} add up to {float(account.spent.delta):g};"
            f" the budget that counts here allows {limit.training_delta:g}, so it does not hold already and no {what} is"
            f" small enough.\nSay in the project file what was spent, data.privacy_budget: training_delta:"
            f" {_as_yaml(account.spent.delta)}."
        )


def _what_is_left(account: Account, limit: Limit) -> str:
    used, rest = total(account.spent, limit.delta), left(account.spent, limit)
    return (
        f"{epsilon_text(rest)} is left of {epsilon_text(limit.epsilon)} for this dataset{_shared(account)}:"
        f" {epsilon_text(used)} was spent in {counted(account)}."
    )


def _shared(account: Account) -> str:
    projects = sorted(account.projects)
    return f" (shared by the projects {', '.join(projects)}, which hold the same data)" if len(projects) > 1 else ""


def _as_yaml(delta: Fraction) -> str:
    """A delta as YAML reads a number: 1.0e-05, since 1e-05 is a text there."""
    text = repr(float(delta))
    return text if "e" not in text or "." in text else text.replace("e", ".0e")


def _short(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return f"{int(value):,}" if value == int(value) else f"{value:,.6g}"
