"""The change that is told turns the decision, is possible, and is close to the smallest one; the search ends."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealwright.assurance import ChangeSpec
from sealwright.serving import Contract
from sealwright.serving.contract import Batch, Feature
from sealwright.serving.reasons import Change, Searched
from sealwright.serving.reasons.change import smallest_change
from sealwright.serving.reasons.document import Move
from sealwright.serving.reasons.encoding import Lines

from .conftest import NAMES

FREE = {name: ChangeSpec() for name in NAMES}


class Counting:
    """A clock that is passed in; it goes on by `step` each time it is read."""

    def __init__(self, step: float = 0.0) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def changes(one: Any, lines: list[int], rules: dict[str, ChangeSpec], **limit: Any) -> list[Change]:
    asked = Searched(**{"clock": Counting(), **limit})
    explainer = one.explainer(reasons={}, changes=rules)
    found = explainer.explain(one.batch(*lines), engine=one.engine, counterfactual=True, limit=asked)
    assert all(isinstance(row.change, Change) for row in found)
    return [row.change for row in found]


def applied(one: Any, line: int, change: Change) -> Any:
    """The row with the change made."""
    batch = one.batch(line)
    columns = [feature.name for feature in (*one.contract.numbers, *one.contract.strings)]
    for part in change.changed:
        place = columns.index(part.feature)
        if place < 4:
            batch.numbers[0, place] = part.to
        else:
            batch.strings[0, place - 4] = part.to
    return batch


@pytest.mark.parametrize("recipe", ["logistic", "boosting", "forest"])
def test_the_changed_row_is_decided_as_wanted_when_it_is_sent(made: Any, recipe: str) -> None:
    one = made(recipe)
    lines = one.refused(12)
    found = changes(one, lines, FREE)
    assert sum(change.found for change in found) >= 10
    for line, change in zip(lines, found, strict=True):
        if change.found:
            assert int(np.argmax(one.engine.run(applied(one, line, change))[0])) == 1
            assert change.label == "good"
            assert 1 <= len(change.changed) <= 3
            assert change.cost > 0


def test_of_a_linear_model_and_one_number_it_is_the_smallest_there_is(made: Any) -> None:
    one = made("logistic")
    only = {"debt": ChangeSpec(whole=False)}
    scale = float(one.numbers[:, 2].astype(np.float64).std())
    lines = one.refused(10)
    reached = 0
    for line, change in zip(lines, changes(one, lines, only), strict=True):
        low, high = one.batch(line), one.batch(line)
        low.numbers[0, 2], high.numbers[0, 2] = 0.0, 1.0
        at = [float(np.log(p[1] / p[0])) for p in (one.engine.run(b)[0].astype(np.float64) for b in (low, high))]
        wanted = -at[0] / (at[1] - at[0])  # where the log-odds are 0
        smallest = abs(float(one.numbers[line, 2]) - wanted) / scale
        if change.found:
            reached += 1
            assert smallest - 1e-4 <= change.cost <= smallest + 0.05
    assert reached >= 3


@pytest.mark.parametrize("recipe", ["logistic", "boosting"])
def test_only_what_may_change_changes_and_as_far_as_it_may(made: Any, recipe: str) -> None:
    one = made(recipe)
    rules = {
        "income": ChangeSpec(direction="up", most=9),
        "debt": ChangeSpec(direction="down", least=-4),
        "enquiries": ChangeSpec(),
        "home": ChangeSpec(categories=("own", "rent")),
        "age": ChangeSpec(fixed=True),
    }
    lines = one.refused(25)
    for line, change in zip(lines, changes(one, lines, rules), strict=True):
        was = dict(zip(NAMES, [*one.numbers[line].tolist(), *one.strings[line].tolist()], strict=True))
        for part in change.changed:
            assert part.feature in set(rules) - {"age"}
            if part.feature == "income":
                assert was["income"] < part.to <= max(9, was["income"])
            if part.feature == "debt":
                assert min(-4, was["debt"]) <= part.to < was["debt"]
            if part.feature == "enquiries":
                assert isinstance(part.to, int)
                assert 0 <= part.to <= 12
            if part.feature == "home":
                assert part.to in ("own", "rent")


def test_what_is_missing_stays_missing_and_nothing_becomes_missing(made: Any) -> None:
    one = made("logistic")
    missing = [line for line in one.refused(200) if np.isnan(one.numbers[line, 0]) or one.strings[line, 0] == ""][:10]
    assert len(missing) == 10
    for line, change in zip(missing, changes(one, missing, FREE), strict=True):
        gone = {name for name, at in (("income", np.isnan(one.numbers[line, 0])), ("home", one.strings[line, 0] == ""))
                if at}  # fmt: skip
        assert not gone & {part.feature for part in change.changed}
        assert all(part.to not in ("", None) and part.to == part.to for part in change.changed)
    homeless = [line for line in missing if one.strings[line, 0] == ""]
    assert homeless
    assert [change.asked for change in changes(one, homeless, {"home": ChangeSpec()})] == [1] * len(homeless)


@st.composite
def searches(draw: st.DrawFn) -> tuple[Contract, dict[str, Move], Lines, Callable[[Lines], Any]]:
    """A row of whole numbers, the first of them missing, and a model that adds the others up, each with its weight."""
    weights = draw(st.lists(st.floats(0.2, 2.0), min_size=2, max_size=5))
    names = ["gone", *(f"x{at}" for at in range(len(weights)))]
    features = [Feature(name=name, kind="integer", nullable=name == "gone", low=0, high=100) for name in names]
    contract = Contract(project="p", task="binary", classes=("no", "yes"), order=features, numbers=names, strings=[])
    prices = draw(st.lists(st.floats(0.5, 2.0), min_size=len(names), max_size=len(names)))
    moves = {
        name: Move(price=price, scale=10.0, numbers=(5.0, 20.0, 40.0, 60.0, 90.0), least=0, most=100)
        for name, price in zip(names, prices, strict=True)
    }
    row = np.array([[np.nan] + [0.0] * len(weights)], dtype=np.float32)
    needed = draw(st.floats(0.1, 1.0)) * 90 * sum(sorted(weights)[-3:])
    return contract, moves, Lines(Batch(1, row, None)), lambda lines: lines.numbers[:, 1:] @ np.array(weights) - needed


@settings(deadline=None)
@given(searches())
def test_where_a_number_is_missing_the_answer_is_as_if_it_could_not_be_moved(search: Any) -> None:
    contract, moves, lines, score = search
    fixed = {name: move for name, move in moves.items() if name != "gone"}
    found, expected = (
        smallest_change(contract, one, lines, 0, score, "yes", Searched(clock=Counting())) for one in (moves, fixed)
    )
    assert found == expected
    assert not found.found or found.cost > 0


def test_a_dear_change_is_taken_only_where_no_cheaper_one_is_found(made: Any) -> None:
    one = made("logistic")
    lines = one.refused(10)
    free = changes(one, lines, FREE)
    taken = [part.feature for change in free for part in change.changed]
    favourite = max(NAMES, key=taken.count)
    found = changes(one, lines, FREE | {favourite: ChangeSpec(cost=1000)})
    assert not any(favourite in [part.feature for part in change.changed] for change in found if change.cost < 100)
    assert sum(change.found for change in found) >= 5
    for cheap, dearer in zip(free, found, strict=True):
        assert not (cheap.found and dearer.found) or cheap.cost <= dearer.cost + 0.05


def test_the_search_asks_no_more_often_than_it_may(made: Any) -> None:
    one = made("boosting")
    lines = one.refused(6)
    for rows in (0, 1, 40, 400):
        found = changes(one, lines, FREE, rows=rows)
        assert all(change.asked <= rows for change in found)
        assert rows >= 400 or all(change.found or "as often as it may" in change.why for change in found)


def test_attack_a_slow_server_tells_no_other_change_it_tells_none(made: Any) -> None:
    """Whoever keeps a server busy must not be able to choose between two answers for the same row."""
    one = made("boosting")
    (line,) = one.refused(1)
    (best,) = changes(one, [line], FREE)
    assert best.found
    for step in (0.0001, 0.001, 0.01, 0.1, 1.0):
        (found,) = changes(one, [line], FREE, clock=Counting(step), seconds=0.25)
        assert found == best or (not found.found and "out of time" in found.why and not found.changed)
    (last,) = changes(one, [line], FREE, clock=Counting(1.0), seconds=0.25)
    assert not last.found


def test_where_nothing_may_change_it_says_so(made: Any) -> None:
    one = made("logistic")
    (change,) = changes(one, one.refused(1), {})
    assert (change.found, change.asked) == (False, 0)
    assert "does not say what can change" in change.why
    (change,) = changes(
        one, one.refused(1), {"region": ChangeSpec(cost=1, categories=("n",)), "age": ChangeSpec(fixed=True)}
    )
    assert change.found or "Nothing that may change" in change.why


def test_an_approved_row_and_a_predicted_value_have_no_change(made: Any) -> None:
    one = made("logistic")
    approved = int(np.argmax(one.engine.run(one.batch(*range(500)))[:, 1]))
    (row,) = one.explainer().explain(one.batch(approved), engine=one.engine, counterfactual=True)
    assert row.change is None
    value = made("logistic", "regression")
    (row,) = value.explainer(wanted="", reasons={}).explain(value.batch(0), engine=value.engine, counterfactual=True)
    assert row.change is not None
    assert not row.change.found
