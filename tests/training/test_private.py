"""Private recipes keep what they promise: bounded rows, the right noise, the same answers as ONNX, and a record that says so."""

import math
import re

import numpy as np
import onnxruntime
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from sealwright.kernel import InvalidInput
from sealwright.training import PrivacySpec, TrainingSpec, learn_anew, train
from sealwright.training.accounting import gaussian_delta, gaussian_epsilon, gaussian_scale
from sealwright.training.adapters.private.training import fit_private
from sealwright.training.declared import bounded_matrix, declared_encoding, read_declared
from sealwright.training.packing import pack, read_shape, target_of

from .conftest import german, make_rows

_QUICK = ("logistic", "naive_bayes", "forest")


def _ranged(made):
    """The interface with ranges wide enough for every row, as a contract has them."""
    table, holdout, interface = made
    for item in interface["numbers"]:
        both = [
            pc.cast(one.column(item["name"]), pa.float64())
            if not pa.types.is_date(one.column(item["name"]).type)
            else pc.cast(pc.cast(one.column(item["name"]), pa.int32()), pa.float64())
            for one in (table, holdout)
        ]
        item["min"] = min(pc.min(one).as_py() for one in both)
        item["max"] = max(pc.max(one).as_py() for one in both)
    return table, holdout, interface


def _learned(made, recipe: str, *, epsilon: float = 1.0, seed: int = 0, parameters=None, clip: float = 1.0):
    table, _, interface = made
    shape = read_shape(interface)
    return fit_private(
        recipe,
        shape.task,
        pack(table, shape),
        target_of(table, shape),
        classes=len(shape.classes),
        declared=interface,
        privacy=PrivacySpec(epsilon=epsilon, clip=clip),
        parameters=parameters or {},
        noise=np.random.default_rng(seed),
        seed=seed,
    )


# --- accounting


def test_gaussian_noise_is_worth_what_dp_accounting_says() -> None:
    from dp_accounting import dp_event, pld

    for scale in (1.0, 3.73):
        exact = pld.PLDAccountant().compose(dp_event.GaussianDpEvent(scale)).get_epsilon(1e-5)
        assert gaussian_epsilon(scale, 1e-5) == pytest.approx(exact, abs=2e-3)


def test_it_is_less_than_the_zcdp_bound_of_opendp() -> None:
    """Research D3: 4.728387, 5.221534, 6.474070 for noise of one sensitivity."""
    for delta, bound in ((1e-5, 4.728387), (1e-6, 5.221534), (1e-9, 6.474070)):
        orders = np.linspace(1.01, 60, 20_000)
        zcdp = orders / 2 + (math.log(1 / delta) - np.log(orders)) / (orders - 1) + np.log1p(-1 / orders)
        assert zcdp.min() == pytest.approx(bound, abs=1e-4)
        assert gaussian_epsilon(1.0, delta) < bound


@given(st.floats(0.01, 50), st.floats(1e-12, 1e-3))
def test_the_noise_for_an_epsilon_keeps_it_and_hardly_more(epsilon: float, delta: float) -> None:
    scale = gaussian_scale(epsilon, delta)
    assert gaussian_delta(scale, epsilon) <= delta
    assert gaussian_epsilon(scale, delta) == pytest.approx(epsilon, rel=1e-4, abs=1e-6)


@given(st.floats(0.05, 100), st.floats(1.0, 100), st.floats(1e-12, 1e-3))
def test_more_noise_never_raises_epsilon(scale: float, factor: float, delta: float) -> None:
    assert gaussian_epsilon(scale * factor, delta) <= gaussian_epsilon(scale, delta) + 1e-9


def test_the_accountants_of_opacus_and_dp_accounting_agree_on_the_published_setting() -> None:
    """Research D1: q 256/60000, noise 1.1, 14,063 steps, delta 1e-5."""
    pytest.importorskip("opacus")
    from dp_accounting import dp_event, pld, rdp
    from opacus.accountants import RDPAccountant

    q, sigma, steps, delta = 256 / 60_000, 1.1, 14_063, 1e-5
    event = dp_event.SelfComposedDpEvent(dp_event.PoissonSampledDpEvent(q, dp_event.GaussianDpEvent(sigma)), steps)
    theirs = rdp.RdpAccountant().compose(event).get_epsilon(delta)
    opacus = RDPAccountant()
    opacus.history = [(sigma, q, steps)]
    assert opacus.get_epsilon(delta) == pytest.approx(2.5967, abs=1e-3)
    assert theirs == pytest.approx(2.5967, abs=1e-3)
    tight = pld.PLDAccountant().compose(event).get_epsilon(delta)
    assert tight == pytest.approx(2.3818, abs=1e-3)
    from opacus.accountants import PRVAccountant

    prv = PRVAccountant()
    prv.history = [(sigma, q, steps)]
    assert tight <= prv.get_epsilon(delta) <= theirs


# --- what rows may be


def test_no_row_is_longer_than_its_bound_whatever_it_holds() -> None:
    table, holdout, interface = _ranged(make_rows(special=True))
    shape, declared = read_shape(interface), read_declared(interface)
    for item in interface["numbers"]:
        item["min"], item["max"] = item["min"] / 10 - 1, item["max"] / 10  # most rows lie outside
    for rows in (pack(table, shape), pack(holdout, shape)):
        matrix = bounded_matrix(declared_encoding(read_declared(interface)), rows)
        assert (np.linalg.norm(matrix, axis=1) <= math.sqrt(declared.columns) + 1e-6).all()


def test_the_encoding_does_not_change_with_the_rows() -> None:
    table, _, interface = _ranged(make_rows())
    shape = read_shape(interface)
    few = pack(table.slice(0, 40), shape)
    encoding = declared_encoding(read_declared(interface))
    whole = bounded_matrix(encoding, pack(table, shape))
    assert np.array_equal(bounded_matrix(encoding, few), whole[:40])


def test_a_column_without_range_or_categories_is_refused_by_name() -> None:
    _, _, interface = make_rows()
    with pytest.raises(InvalidInput, match=re.escape("n0 (min, max), n1 (min, max)")):
        read_declared(interface)
    interface["strings"][0]["categories"] = []
    with pytest.raises(InvalidInput, match=re.escape("s0 (categories)")):
        read_declared(interface)


# --- sensitivity: the proofs, tried


def test_replacing_a_row_moves_the_logistic_minimum_by_no_more_than_its_sensitivity() -> None:
    """With noise of almost nothing, models of neighbouring sets lie within the stated sensitivity."""
    table, holdout, interface = _ranged(make_rows(120, missing=0.0))
    loud = {"strength": 0.05}
    base = _learned((table, holdout, interface), "logistic", epsilon=100, parameters=loud)
    rng = np.random.default_rng(0)
    length = math.sqrt(read_declared(interface).columns + 1)

    def weights(model, seed: int = 0):
        w, c = model.head.layers[0]
        scale = model.guarantee.scale * model.guarantee.sensitivity
        noise = np.random.default_rng(seed).normal(scale=scale, size=(len(w) + 1, 1))
        return np.append(w[:, 1], c[1]) * length - noise[:, 0]

    far = []
    for _ in range(8):
        keep = np.arange(table.num_rows)
        keep[rng.integers(table.num_rows)] = rng.integers(table.num_rows)
        near = _learned((table.take(pa.array(keep)), holdout, interface), "logistic", epsilon=100, parameters=loud)
        far.append(np.linalg.norm(weights(near) - weights(base)))
    assert 0 < max(far) <= base.guarantee.sensitivity


def test_counts_have_the_noise_their_guarantee_states() -> None:
    table, holdout, interface = _ranged(make_rows(missing=0.0))
    model = _learned((table, holdout, interface), "naive_bayes")
    columns = read_declared(interface).columns
    assert model.guarantee.sensitivity == pytest.approx(math.sqrt(2 * (columns + 1)))
    assert gaussian_epsilon(model.guarantee.scale, 1e-5) <= 1.0
    forest = _learned((table, holdout, interface), "forest", parameters={"trees": 9})
    assert forest.guarantee.sensitivity == pytest.approx(math.sqrt(18))


def test_without_noise_to_speak_of_naive_bayes_is_that_of_scikit_learn() -> None:
    from sklearn.naive_bayes import CategoricalNB

    rng = np.random.default_rng(0)
    n = 4_000
    words, more = rng.choice(list("abc"), n), rng.choice(list("xyz"), n)
    truth = np.where(rng.random(n) < np.where(words == "a", 0.7, 0.3), "yes", "no")
    table = pa.table({"w": words, "v": more, "target": truth})
    strings = [{"name": k, "nullable": False, "categories": list(v)} for k, v in (("w", "abc"), ("v", "xyz"))]
    interface = {
        "format": 1,
        "task": "binary",
        "target": "target",
        "classes": ["no", "yes"],
        "positive": "yes",
        "numbers": [],
        "strings": strings,
    }
    model = _learned((table, None, interface), "naive_bayes", epsilon=100)
    codes = np.column_stack([np.searchsorted(list("abc"), words), np.searchsorted(list("xyz"), more)])
    theirs = CategoricalNB().fit(codes, truth).predict_proba(codes)
    assert model.predict(pack(table, read_shape(interface))) == pytest.approx(theirs, abs=0.01)


# --- the models


@pytest.mark.parametrize("recipe", _QUICK)
@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_onnx_says_the_same_for_every_row(recipe: str, task: str) -> None:
    table, holdout, interface = _ranged(make_rows(task=task, special=True))
    model = _learned((table, holdout, interface), recipe, epsilon=2)
    shape = read_shape(interface)
    rows = pack(holdout, shape)
    session = onnxruntime.InferenceSession(model.export(len(shape.numbers), len(shape.strings)))
    (said,) = session.run(["probabilities"], {"numbers": rows.numbers, "strings": rows.strings()})
    assert np.abs(said - model.predict(rows)).max() < 1e-5
    assert said.sum(axis=1) == pytest.approx(np.ones(len(said)), abs=1e-5)


@pytest.mark.parametrize("recipe", _QUICK)
def test_numbers_alone_and_texts_alone_can_be_learned(recipe: str) -> None:
    for numbers, strings in ((3, 0), (0, 2)):
        made = _ranged(make_rows(numbers=numbers, strings=strings))
        model, shape = _learned(made, recipe, epsilon=5), read_shape(made[2])
        rows = pack(made[1], shape)
        session = onnxruntime.InferenceSession(model.export(numbers, strings))
        given_rows = {"numbers": rows.numbers} if numbers else {"strings": rows.strings()}
        assert np.abs(session.run(["probabilities"], given_rows)[0] - model.predict(rows)).max() < 1e-5


@pytest.mark.parametrize("recipe", _QUICK)
def test_a_loose_epsilon_learns_and_a_strict_one_hides(recipe: str) -> None:
    from sklearn.metrics import roc_auc_score

    made = _ranged(make_rows(2_000, missing=0.0))
    shape = read_shape(made[2])
    rows, truth = pack(made[0], shape), target_of(made[0], shape)
    areas = [
        np.mean(
            [
                roc_auc_score(truth, _learned(made, recipe, epsilon=epsilon, seed=k).predict(rows)[:, 1])
                for k in range(4)
            ]
        )
        for epsilon in (0.02, 8)
    ]
    assert areas[0] < areas[1] - 0.1
    assert areas[1] > 0.75


def test_a_network_is_trained_and_keeps_what_two_accountants_say() -> None:
    pytest.importorskip("opacus")
    made = _ranged(make_rows(missing=0.0))
    model, shape = _learned(made, "network", epsilon=3, parameters={"epochs": 3}), read_shape(made[2])
    said = model.guarantee.details
    assert said["epsilon_dp_accounting_pld"] <= said["epsilon_opacus_rdp"] <= 3
    rows = pack(made[1], shape)
    session = onnxruntime.InferenceSession(model.export(len(shape.numbers), len(shape.strings)))
    (answers,) = session.run(["probabilities"], {"numbers": rows.numbers, "strings": rows.strings()})
    assert np.abs(answers - model.predict(rows)).max() < 1e-5


# --- the whole training


def test_a_private_training_is_confined_recorded_and_never_the_same_twice() -> None:
    made = _ranged(german())
    spec = TrainingSpec(recipe="naive_bayes", privacy={"epsilon": 3})  # type: ignore[arg-type]
    first, second = (train(*made, spec) for _ in range(2))
    assert first.model_digest != second.model_digest  # the noise is not kept
    assert first.parity is not None
    assert first.parity.holds
    assert (first.cv, first.search) == ({}, [])
    assert any("cross-validation" in note for note in first.notes)
    record = first.privacy
    assert record is not None
    assert (record["epsilon"], record["delta"], record["unit"]) == (3.0, 1e-5, "one row replaced by another")
    assert any("epsilons add up" in line for line in record["not_covered"])


def test_a_network_is_trained_in_confinement() -> None:
    pytest.importorskip("opacus")
    spec = TrainingSpec(recipe="network", privacy={"epsilon": 3}, params={"epochs": 2})  # type: ignore[arg-type]
    result = train(*_ranged(german()), spec)
    assert result.parity is not None
    assert result.parity.holds


def test_what_cannot_be_private_is_refused_before_it_starts() -> None:
    with pytest.raises(ValidationError, match="boosting cannot be trained with differential privacy"):
        TrainingSpec(privacy={"epsilon": 1})  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="privacy only"):
        TrainingSpec(recipe="naive_bayes")
    private = TrainingSpec(recipe="logistic", privacy={"epsilon": 1})  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="ranges and categories"):
        train(*make_rows(), private)
    with pytest.raises(InvalidInput, match="learn classes"):
        train(*_ranged(make_rows(task="regression")), private)
    with pytest.raises(InvalidInput, match="no parameter 'c'"):
        train(*_ranged(make_rows()), private.model_copy(update={"params": {"c": 1.0}}))
    for epsilon in (0, -1, 101, math.nan):
        with pytest.raises(ValidationError):
            PrivacySpec(epsilon=epsilon)


def test_a_spec_without_privacy_is_written_as_before() -> None:
    assert "privacy" not in TrainingSpec().model_dump(mode="json")


def test_models_like_a_private_one_are_private_too() -> None:
    table, _, interface = _ranged(make_rows())
    shape = read_shape(interface)
    rows = pack(table, shape)
    learned = [
        learn_anew(table, interface, "logistic", {"strength": 0.1}, seed, privacy=PrivacySpec(epsilon=0.1))(
            rows.numbers, rows.strings()
        )
        for seed in (1, 1, 2)
    ]
    assert np.array_equal(learned[0], learned[1])
    assert not np.allclose(learned[0], learned[2], atol=1e-3)


@settings(max_examples=10, deadline=None)
@given(st.sampled_from(_QUICK), st.floats(0.1, 10), st.floats(1.5, 10))
def test_a_stricter_epsilon_never_means_less_noise(recipe: str, epsilon: float, factor: float) -> None:
    made = _ranged(make_rows(60, missing=0.0))
    fixed = {"strength": 0.1} if recipe == "logistic" else {}
    strict, loose = (
        _learned(made, recipe, epsilon=one, parameters=fixed).guarantee for one in (epsilon, epsilon * factor)
    )
    assert strict.scale * strict.sensitivity >= loose.scale * loose.sensitivity


@pytest.mark.slow
@pytest.mark.parametrize("recipe", _QUICK)
def test_no_attack_shows_more_than_the_claimed_epsilon(recipe: str) -> None:
    from sealwright.assurance.leakage.epsilon import epsilon_shown
    from sealwright.assurance.leakage.membership import Scores, confidences

    made = _ranged(make_rows(1_200, missing=0.0))
    table, _, interface = made
    shape = read_shape(interface)
    shown = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        order = rng.permutation(table.num_rows)
        inside, outside = table.take(pa.array(order[:600])), table.take(pa.array(order[600:]))
        model = _learned((inside, None, interface), recipe, epsilon=0.5, seed=seed)
        members, others = (
            confidences("binary", target_of(part, shape), model.predict(pack(part, shape)))
            for part in (inside, outside)
        )
        shown.append(epsilon_shown(Scores(members=members, others=others), 1e-5, 0.95, rng).value)
    assert sum(one > 0.5 for one in shown) == 0
