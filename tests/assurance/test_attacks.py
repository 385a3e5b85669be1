"""Attacks made elsewhere, under our constraints: the reference numbers, the closed forms, and what no attack may do."""

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler

from sealwright.assurance import AssuranceSpec
from sealwright.assurance.case import Case
from sealwright.assurance.case_making import make_case
from sealwright.assurance.certified.certificate import Certificate, certify
from sealwright.assurance.checks.robustness import boundary, carlini, fgsm, hop_skip_jump, pgd, zoo
from sealwright.assurance.constraints.making import constraints_of
from sealwright.assurance.evasion.asked import Point, tape_of
from sealwright.assurance.evasion.attack_check import attacked
from sealwright.assurance.evasion.slopes import slopes_of
from sealwright.assurance.goal import goal_of
from sealwright.assurance.interface import read_interface
from sealwright.assurance.service import predictor_of

from .conftest import case_of

R1 = {0.02: 0.900585, 0.05: 0.766082, 0.1: 0.450292, 0.2: 0.052632}


@pytest.fixture(scope="module")
def cancer() -> tuple[Any, np.ndarray, np.ndarray]:
    """R1 of our notes: breast cancer, scaled to 0..1 over all rows, 70/30 by class, seed 0, logistic regression."""
    X, y = load_breast_cancer(return_X_y=True)
    X = MinMaxScaler().fit_transform(X).astype(np.float32)
    X0, X1, y0, y1 = train_test_split(X, y, test_size=0.3, random_state=0, stratify=y)
    return LogisticRegression(max_iter=5000).fit(X0, y0), X1, y1


def _reference(cancer: Any) -> Case:
    """Constraints under which one unit of cost is one unit of the number, and numbers have no end."""
    model, X, y = cancer
    free = {
        f"x{place}": {"least": -10, "most": 10, "cost": float(X[:, place].astype(float).std())} for place in range(30)
    }
    attacks = {"rows": 171, "budgets": list(R1), "reported_budget": 0.1, "long_queries": 20_000}
    return case_of(model, X, y, constraints=free, attacks=attacks)


def test_the_closed_form_is_the_reference(cancer: Any) -> None:
    case = _reference(cancer)
    goal = goal_of(case, 171, np.random.default_rng(0))
    assert goal.right.mean() == pytest.approx(0.935673, abs=1e-6)
    proof = certify(goal, constraints_of(case), tuple(R1), each=True)
    assert isinstance(proof, Certificate), proof
    assert [(goal.right & rows).mean() for rows in proof.holds] == pytest.approx(list(R1.values()), abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("attack", "rows"), [(fgsm.ATTACK, 171), (pgd.ATTACK, 45)], ids=["fgsm", "pgd"])
def test_gradient_attacks_on_a_linear_model_equal_the_closed_form(cancer: Any, attack: Any, rows: int) -> None:
    case = _reference(cancer)
    goal = goal_of(case, rows, np.random.default_rng(0))
    flips = attacked(attack, goal, slopes_of(case), np.random.default_rng(0))
    robust = [(goal.right & ~flips.turned(budget)).mean() for budget in R1]
    proof = certify(goal, constraints_of(case), tuple(R1), each=True)
    assert isinstance(proof, Certificate)
    expected = list(R1.values()) if rows == 171 else [(goal.right & held).mean() for held in proof.holds]
    assert robust == pytest.approx(expected, abs=1 / 171 + 1e-6)


@pytest.mark.slow
def test_hop_skip_jump_comes_close_to_the_shortest_way_and_never_under_it(cancer: Any) -> None:
    model, _, _ = cancer
    case = _reference(cancer)
    goal = goal_of(case, 15, np.random.default_rng(0))
    tape = tape_of(goal, constraints_of(case), each=False)
    step = hop_skip_jump.ATTACK.step()
    for row in np.flatnonzero(goal.right)[:5]:
        point = Point(tape=tape, row=int(row))
        end = step(point, None, int(goal.decided[row]), (1.0,), 12_000, 3)
        x = goal.original.numbers[row].astype(float)
        shortest = abs(x @ model.coef_[0] + model.intercept_[0]) / np.linalg.norm(model.coef_[0])
        assert 1.0 - 1e-4 <= np.linalg.norm(end * point.unit) / shortest <= 1.5
    assert tape.flips("").found.sum() == 5


@pytest.mark.slow
@pytest.mark.parametrize(
    "attack", [carlini.ATTACK, boundary.ATTACK, zoo.ATTACK, hop_skip_jump.ATTACK], ids=lambda one: one.name
)
def test_every_attack_turns_rows_within_the_constraints_the_same_way_twice(wine: Any, attack: Any) -> None:
    spec = {
        "depth": "full",
        "attacks": {"long_queries": 600, "budgets": [1, 3, 6], "reported_budget": 3},
    }
    state = np.random.get_state()[1].copy()
    first, second = (_judged(wine, attack, spec) for _ in range(2))
    assert np.array_equal(np.random.get_state()[1], state)
    assert np.array_equal(first.cost, second.cost)
    assert first.queries == second.queries
    assert first.found.sum() >= 3


def _judged(trained: Any, attack: Any, spec: dict[str, Any]) -> Any:
    interface = read_interface(trained.interface)
    asked = AssuranceSpec.model_validate(spec)
    case = make_case(predictor_of(trained.model, interface), trained.test, trained.train, interface, asked, (), 1, None)
    goal = goal_of(case, 6, np.random.default_rng(0))
    slopes = slopes_of(case) if attack.looks_inside else None
    return attacked(attack, goal, slopes, np.random.default_rng(0))


@pytest.mark.slow
def test_a_torch_module_is_attacked_through_its_gradients(rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    X = rng.normal(size=(300, 3)).astype(np.float32)
    y = (np.tanh(2 * X[:, 0]) + X[:, 1] * X[:, 2] > 0).astype(int)
    net = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2))
    optimiser = torch.optim.Adam(net.parameters(), lr=0.05)
    for _ in range(60):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(net(torch.as_tensor(X)), torch.as_tensor(y)).backward()
        optimiser.step()
    case = case_of(net, X, y, attacks={"rows": 40, "budgets": [0.1, 0.5, 1.5], "reported_budget": 0.5})
    goal, slopes = goal_of(case, 40, np.random.default_rng(0)), slopes_of(case)
    assert not isinstance(slopes, str)
    assert (np.argmax(slopes.logits(goal.original), axis=1) == goal.decided).all()
    one, many = (attacked(attack, goal, slopes, np.random.default_rng(0)) for attack in (fgsm.ATTACK, pgd.ATTACK))
    for flips in (one, many):
        robust = [(goal.right & ~flips.turned(budget)).mean() for budget in (0.1, 0.5, 1.5)]
        assert goal.right.mean() >= robust[0] >= robust[1] > robust[2]
    assert many.turned(1.5).mean() >= one.turned(1.5).mean() - 0.05


def test_a_model_without_gradients_says_which_attacks_it_is_spared_and_why(german: Any) -> None:
    judged = german.judge("robustness", spec={"attacks": {"rows": 30}})
    assert "assurance.depth: full" in judged.why("robustness.fgsm_robust_accuracy")
    case = _held(german)
    outcome = fgsm.CHECK.run(case, np.random.default_rng(0))
    assert {item.check for item in outcome.not_performed} == set(fgsm.CHECK.files)
    assert "trees have none" in outcome.not_performed[0].why


def _held(trained: Any) -> Case:
    interface = read_interface(trained.interface)
    predictor = predictor_of(trained.model, interface)
    return make_case(predictor, trained.test, trained.train, interface, AssuranceSpec(), (), 1, None)
