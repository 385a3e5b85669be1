"""Poisoned training rows, planted backdoors and copied models are measured, and what was planted is found."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from sealwright.assurance import AssuranceSpec, Figure, Finding, FunctionPredictor, Teach
from sealwright.assurance.case import Case, Sample
from sealwright.assurance.case_making import generator_for, make_case
from sealwright.assurance.check import Check, Outcome
from sealwright.assurance.checks.robustness import (
    backdoor_carriers,
    backdoor_planted,
    backdoor_search,
    backdoor_taught,
    extraction,
    poisoning_labels,
    poisoning_removal,
    poisoning_rows,
)
from sealwright.assurance.checks.robustness.backdoor_planted import planted, rare_pairs
from sealwright.assurance.checks.robustness.backdoor_taught import strangeness
from sealwright.assurance.checks.robustness.extraction import like_training, within_contract
from sealwright.assurance.features import Features, pack, true_classes, true_values
from sealwright.assurance.interface import Interface, read_interface
from sealwright.assurance.linear import learn_encoding, train_simple
from sealwright.assurance.poisoning.influence import rankings
from sealwright.assurance.poisoning.lab import Lab, _table
from sealwright.assurance.poisoning.stamps import marks, profile, stamped, stamps_of
from sealwright.kernel import InvalidInput

_FEW = {
    "depth": "full",
    "poisoning": {
        "repeats": 2,
        "labels": [0.05, 0.4],
        "chosen": 5,
        "copies": [1, 40],
        "planted": [0.02, 0.1],
        "models": 9,
        "removed": [0.02, 0.1],
    },
    "extraction": {"queries": [50, 400]},
}


def lines_for(interface: Interface) -> Teach:
    """Logistic or ridge regression as the way models are made: quick, and the same for the same rows."""

    def learn(table, _seed: int) -> FunctionPredictor:
        rows = pack(table, interface)
        truth = true_values(table, interface) if interface.task == "regression" else true_classes(table, interface)
        if interface.task != "regression" and np.unique(truth).size < 2:
            raise InvalidInput("one outcome only")
        return FunctionPredictor(train_simple(rows, truth, len(interface.classes)))

    return Teach(words="a straight line", learn=learn)


@pytest.fixture(scope="module")
def taught(german) -> Case:
    interface = read_interface(german.interface)
    teach = lines_for(interface)
    return make_case(
        teach.learn(german.train, 0),
        german.test,
        german.train,
        interface,
        AssuranceSpec.model_validate(_FEW),
        ["sex"],
        3,
        None,
        None,
        teach,
    )


@pytest.fixture(scope="module")
def lab(taught: Case) -> Lab:
    return Lab(taught, generator_for(0, "lab"))


@dataclass(frozen=True)
class Found:
    """What single checks said, and short ways to ask it."""

    outcome: Outcome

    def one(self, check: str, level: str | None = None) -> Finding:
        (found,) = (
            item
            for item in self.outcome.findings
            if item.check == check and (level is None or (item.group and item.group.level == level))
        )
        return found

    def why(self, check: str) -> str:
        return next(item.why for item in self.outcome.not_performed if item.check == check)

    def figure(self, name: str) -> Figure:
        return next(item for item in self.outcome.figures if item.name == name)


def run(check: Check, case: Case) -> Found:
    """One check, alone, as the service runs it."""
    return Found(check.run(case, generator_for(case.seed, check.name)))


def test_more_false_labels_change_more_decisions_t63(taught: Case) -> None:
    for name, check in (
        ("poisoning_random", poisoning_labels.RANDOM),
        ("poisoning_targeted", poisoning_labels.TARGETED),
    ):
        judged = run(check, taught)
        changed = next(one for one in judged.figure(f"robustness.{name}").series if one.name == "decisions changed")
        assert changed.y[0] == 0 < changed.y[1] < changed.y[2], name
        assert judged.one(f"robustness.{name}_flip_share").value == changed.y[1]
    assert judged.one("robustness.poisoning_targeted_holds_up_to").value <= 0.05
    groups = run(poisoning_labels.GROUPS, taught)
    for level in ("female", "male"):
        assert groups.one("robustness.poisoning_group_flip_share", level).n > 30


def test_enough_near_copies_turn_a_chosen_row_and_right_labels_do_not(taught: Case) -> None:
    judged = run(poisoning_rows.CHECK, taught)
    turned = judged.one("robustness.poisoning_rows_turned_share")
    assert turned.value == 1.0
    assert turned.n == 5
    assert "0 of 5 turn by themselves" in turned.note
    assert judged.one("robustness.poisoning_rows_holds_up_to").value in (0, 1)


def test_rows_a_model_hangs_on_change_more_than_rows_by_lot(taught: Case) -> None:
    judged = run(poisoning_removal.CHECK, taught)
    worst = judged.one("robustness.poisoning_removed_flip_share")
    assert worst.value > 2 * judged.one("robustness.poisoning_removed_at_random").value
    assert "another set may do more" in worst.note


def test_pull_is_the_influence_of_a_row_and_finds_rows_that_move_the_line() -> None:
    """Of a logistic regression of scikit-learn: the rows said to pull up lower the mean score when left out."""
    rng = np.random.default_rng(0)
    numbers = rng.standard_normal((400, 3))
    truth = (numbers[:, 0] + rng.standard_normal(400) > 0).astype(int)
    rows = Features(numbers=numbers, strings=np.empty((400, 0), dtype=object))
    orders = rankings(rows, truth, rows, 1)
    columns = learn_encoding(rows).matrix(rows)

    def mean_score(kept: np.ndarray) -> float:
        return float(LogisticRegression(C=1.0).fit(columns[kept], truth[kept]).decision_function(columns).mean())

    every = np.arange(400)
    whole = mean_score(every)
    assert mean_score(np.setdiff1d(every, orders["pull up"][:20])) < whole - 0.1
    assert mean_score(np.setdiff1d(every, orders["pull down"][:20])) > whole + 0.1
    assert set(orders) == {"leverage", "pull up", "pull down"}


def test_a_planted_trigger_works_better_the_more_rows_carry_it(taught: Case) -> None:
    judged = run(backdoor_planted.CHECK, taught)
    line = judged.figure("robustness.backdoor_planted").series[0]
    assert line.y[1] > line.y[0]
    assert line.y[1] > 0.5
    assert judged.one("robustness.backdoor_score_drop").value < 0.1  # what makes it dangerous: the score hardly tells


def test_a_planted_trigger_is_marked_inside_the_contract(taught: Case, lab: Lab) -> None:
    pair = rare_pairs(taught, lab, generator_for(0, "pairs"))[0]
    assert len(pair) == 2
    assert marks(lab.rows, pair).sum() <= 0.005 * 750
    assert marks(stamped(lab.rows, pair), pair).all()
    model = planted(lab, pair, 0, 0.1, generator_for(0, "planted"))
    assert (taught.decide(lab.ask(model, stamped(lab.test, pair))) == 0).mean() > 0.9


@pytest.mark.parametrize("share", [0.0, 0.05])
def test_a_backdoored_model_is_found_and_a_clean_one_is_not_t63(taught: Case, lab: Lab, share: float) -> None:
    """Tampered with: the training rows shown do not hold the trigger."""
    pair = rare_pairs(taught, lab, generator_for(5, "pairs"))[0]
    model = planted(lab, pair, 0, share, generator_for(0, "planted")) if share else lab.learn(lab.rows, lab.truth)
    found = run(backdoor_taught.CHECK, replace(taught, predictor=model))
    p, reach = found.one("robustness.backdoor_p_value"), found.one("robustness.backdoor_trigger_reach")
    if share:
        assert p.value == pytest.approx(0.1)  # the smallest there is with nine models
        assert reach.low is not None
        assert reach.low > 0.3
        assert any(taught.interface.names[place] in reach.note for place, _ in pair)
    else:
        assert p.value > 0.1
        assert reach.value < 0.1


def test_rows_that_carry_a_trigger_give_themselves_away_t63(taught: Case, lab: Lab) -> None:
    pair = rare_pairs(taught, lab, generator_for(5, "pairs"))[0]
    rows, truth = stamped(lab.rows.take(slice(0, 40)), pair), lab.truth.copy()
    truth[:40] = 0
    poisoned = _table(
        taught,
        Features(
            numbers=np.concatenate([rows.numbers, lab.rows.numbers[40:]]),
            strings=np.concatenate([rows.strings, lab.rows.strings[40:]]),
        ),
        truth,
    )
    case = replace(taught, train_table=poisoned, train=Sample(poisoned, taught.interface, taught.predictor))
    found, clean = run(backdoor_carriers.CHECK, case), run(backdoor_carriers.CHECK, taught)
    name = "robustness.backdoor_carriers_shift"
    assert found.one(name).value > 1.3 * clean.one(name).value
    assert any(taught.interface.names[place] in found.one(name).note for place, _ in pair)


def test_stamps_lie_within_what_is_known_and_are_drawn_the_same(taught: Case) -> None:
    stamps = stamps_of(taught, 500, np.random.default_rng(1))
    assert len(stamps) == 500
    assert stamps == stamps_of(taught, 500, np.random.default_rng(1))
    for stamp in stamps:
        assert all(marks(taught.train.features, (one,)).any() for one in stamp)
        assert len({place for place, _ in stamp}) == len(stamp)


def test_a_profile_is_the_mean_of_stamped_log_odds(taught: Case) -> None:
    stamps, rows = stamps_of(taught, 30, np.random.default_rng(1))[:30], taught.test.features.take(slice(0, 7))
    found = profile(taught, taught.predictor, rows, stamps)
    for place in (0, 29):
        p = taught.predict(stamped(rows, stamps[place]))
        assert found[place] == pytest.approx(np.log(p / (1 - p)).mean(axis=0))


def test_strangeness_is_in_spreads_of_the_others() -> None:
    known = np.array([[[0.0]], [[1.0]], [[2.0]]])
    assert strangeness(np.array([[4.0]]), known)[0, 0] == pytest.approx(3 / 1.1)


def test_a_straight_line_hides_no_trigger_from_a_straight_line(taught: Case) -> None:
    """The model is the line it is compared with, so nothing goes farther than expected."""
    assert run(backdoor_search.CHECK, taught).one("robustness.backdoor_excess_reach").value == pytest.approx(
        0, abs=0.05
    )


def test_more_answers_make_a_better_copy_and_hiding_probabilities_helps_t65(taught: Case) -> None:
    judged = run(extraction.CHECK, taught)
    curves = {one.name: one.y for one in judged.figure("robustness.extraction").series}
    assert len(curves) == 4
    assert (
        curves["rows like those learned from, probabilities"][1]
        > curves["rows like those learned from, probabilities"][0]
    )
    whole, labels = (judged.one(f"robustness.extraction_{one}") for one in ("agreement", "label_agreement"))
    assert 0.7 < labels.value <= whole.value + 0.05
    assert "always the most frequent decision agrees on" in whole.note
    for level in (90, 95):
        assert judged.one(f"robustness.extraction_below_{level}_up_to").value in (0, 50, 400)


def test_a_constant_model_is_copied_at_once(scored) -> None:
    truth = np.arange(100) % 2 == 0
    rows = scored(truth, np.linspace(0, 1, 100)).with_(model=lambda features: np.tile([0.2, 0.8], (len(features), 1)))
    found = rows.judge("robustness")
    assert found.one("robustness.extraction_agreement").value == 1.0
    assert found.one("robustness.extraction_below_95_up_to").value == 0.0


def test_questions_are_rows_the_contract_admits(taught: Case, rng: np.random.Generator) -> None:
    from sealwright.assurance.refusals import refused

    made_up = within_contract(taught, taught.train.features, 300, rng)
    mixed = like_training(taught.train.features, 900, rng)
    assert len(mixed) == 900
    for rows in (made_up, mixed):
        assert not refused(rows, taught.interface).any()


@pytest.mark.parametrize("name", ["wine", "diabetes"])
def test_other_tasks_are_poisoned_and_copied_too(request, name: str) -> None:
    trained = request.getfixturevalue(name)
    interface = read_interface(trained.interface)
    teach = lines_for(interface)
    model, spec = teach.learn(trained.train, 0), AssuranceSpec.model_validate(_FEW)
    case = make_case(model, trained.test, trained.train, interface, spec, [], 3, None, None, teach)
    moved = "shift" if name == "diabetes" else "flip_share"
    assert run(poisoning_labels.RANDOM, case).one(f"robustness.poisoning_random_{moved}").value > 0
    assert run(poisoning_removal.CHECK, case).one(f"robustness.poisoning_removed_{moved}").value > 0
    assert run(extraction.CHECK, case).one("robustness.extraction_agreement").value > 0.5
    assert run(poisoning_labels.GROUPS, case).why("robustness.poisoning_group_flip_share").startswith("no groups")
    if name == "wine":
        assert run(backdoor_taught.CHECK, case).one("robustness.backdoor_p_value").value > 0.1


def test_what_no_model_can_learn_is_said(taught: Case) -> None:
    def refuse(_table, _seed: int) -> FunctionPredictor:
        raise InvalidInput("too few rows of this kind")

    hopeless = replace(taught, teach=Teach(words="nothing", learn=refuse))
    for check in (poisoning_labels.RANDOM, backdoor_taught.CHECK, poisoning_rows.CHECK):
        for name in (one for one, tasks in check.files.items() if "binary" in tasks):
            assert run(check, hopeless).why(name) == "no model learns here: too few rows of this kind"


def test_without_teaching_or_at_standard_depth_nothing_is_trained(german) -> None:
    assert "full assessment" in german.judge("robustness").why("robustness.poisoning_random_flip_share")
    deep = german.judge("robustness", spec={"depth": "full", "extraction": {"queries": [50]}})
    assert "how this one is trained is not known" in deep.why("robustness.backdoor_p_value")


def test_sampled_rows_are_not_compared_with_a_model_of_all_rows(taught: Case) -> None:
    few = _FEW | {"poisoning": {"rows": 200, "models": 9}}
    case = replace(taught, spec=AssuranceSpec.model_validate(few))
    assert "raise assurance.poisoning.rows" in run(backdoor_taught.CHECK, case).why("robustness.backdoor_p_value")


@pytest.mark.parametrize(
    "wrong",
    [
        {"poisoning": {"labels": [0.9]}},
        {"poisoning": {"models": 2}},
        {"extraction": {"queries": [1]}},
        {"poisoning": {"copies": []}},
    ],
)
def test_budgets_that_make_no_sense_are_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match=r"poisoning|extraction"):
        AssuranceSpec.model_validate(wrong)


@pytest.mark.parametrize("check", [poisoning_labels.RANDOM, poisoning_removal.CHECK, extraction.CHECK])
def test_the_same_seed_gives_the_same_findings(taught: Case, check: Check) -> None:
    assert run(check, taught).outcome == run(check, taught).outcome
