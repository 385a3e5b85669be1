"""An image classifier is judged by the same suites, pressed with what happens to images, and explained patch by patch."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression

from sealwright.assurance import Features, UnusablePredictions, judge
from sealwright.assurance.elsewhere.given_images import given_images, image_predictor
from sealwright.assurance.images.integrated import integrated
from sealwright.assurance.images.pictures import Pictures
from sealwright.kernel import InvalidInput


@pytest.fixture(scope="module")
def judged_reader(reader: Any) -> Any:
    return reader.judge("quality", "robustness", "stress", "slices", "explanation")


def answers(model: Any, rows: NDArray[Any], layout: str | None = None) -> NDArray[Any]:
    """What a model of ten classes is understood to say about its images."""
    given = given_images(rows, layout, model)
    names = given.table["image"].to_numpy(zero_copy_only=False).reshape(-1, 1)
    features = Features(numbers=np.empty((len(rows), 0)), strings=names)
    return image_predictor(model, given, "multiclass", [str(one) for one in range(10)]).predict(features)


def test_images_may_be_floats_or_bytes_with_colours_first_last_or_none(reader: Any) -> None:
    wanted = reader.model(reader.rows)
    for rows in (reader.rows, reader.rows[..., None], reader.rows[:, None]):
        assert np.array_equal(answers(reader.model, rows), wanted)
    bytes_ = np.round(reader.rows * 255).astype(np.uint8)
    assert np.array_equal(answers(lambda rows: reader.model(rows / 255), bytes_), reader.model(bytes_ / 255))


def test_an_estimator_over_pixels_is_given_one_row_an_image_and_scores_as_its_library_says(
    digits: Any, pixel_model: Any
) -> None:
    images, truth = digits
    settings = {"suites": ["performance"], "bootstrap": 200}
    (result,) = judge(pixel_model, images[1200:1400], truth[1200:1400], settings=settings)
    wanted = pixel_model.score(images[1200:1400].reshape(200, -1), truth[1200:1400])
    assert result.find("performance.accuracy")[0].value == pytest.approx(wanted)


@pytest.fixture(scope="module")
def pixel_model(digits: Any) -> Any:
    images, truth = digits
    return LogisticRegression(max_iter=200).fit(images[:1200].reshape(1200, -1), truth[:1200])


def linear_onnx(weights: NDArray[Any], bias: NDArray[Any], shape: list[Any], kind: int) -> bytes:
    """A linear classifier over images of one shape, written node by node."""
    nodes = [
        helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["floats"], ["flat"]),
        helper.make_node("Gemm", ["flat", "w", "b"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["chances"]),
    ]
    graph = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info("images", kind, shape)],
        [helper.make_tensor_value_info("chances", TensorProto.FLOAT, [None, len(bias)])],
        [
            numpy_helper.from_array(weights.T.astype(np.float32), "w"),
            numpy_helper.from_array(bias.astype(np.float32), "b"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


@pytest.mark.parametrize("shape", [[None, 1, 8, 8], ["n", 8, 8, 1], [None, 8, 8], [None, 64], ["n", "c", "h", "w"]])
def test_an_onnx_file_is_given_images_as_its_input_says(digits: Any, pixel_model: Any, shape: list[Any]) -> None:
    rows = digits[0][1200:]
    file = linear_onnx(pixel_model.coef_, pixel_model.intercept_, shape, TensorProto.FLOAT)
    assert answers(file, rows) == pytest.approx(pixel_model.predict_proba(rows.reshape(len(rows), -1)), abs=1e-5)


def test_an_onnx_file_of_bytes_is_given_bytes(digits: Any, pixel_model: Any, tmp_path: Path) -> None:
    rows = np.round(digits[0][1200:1400] * 255).astype(np.uint8)
    file = linear_onnx(pixel_model.coef_ / 255, pixel_model.intercept_, [None, 8, 8], TensorProto.UINT8)
    assert answers(file, rows) == pytest.approx(pixel_model.predict_proba(rows.reshape(200, -1) / 255), abs=1e-5)
    (tmp_path / "digits.onnx").write_bytes(file)
    (result,) = judge(tmp_path / "digits.onnx", rows, digits[1][1200:1400], settings={"suites": ["quality"]})
    assert str(result.model).startswith("sha256:")


def test_every_suite_says_what_is_not_for_images(judged_reader: Any) -> None:
    assert all(result.findings for result in judged_reader.results)
    assert judged_reader.why("robustness.noise_flip_share") == ("it is about rows of a table; here are images", False)
    assert judged_reader.why("robustness.text_flip_share")[1] is False
    assert "no torch module" in judged_reader.why("robustness.image_gradient_accuracy")[0]
    assert judged_reader.one("stress.batch_failures").value == 0
    assert judged_reader.one("quality.duplicate_share").value == 0


def test_the_order_of_images_changes_no_number_and_neither_does_a_second_time(reader: Any, judged_reader: Any) -> None:
    turned = type(reader)(reader.model, reader.rows[::-1], reader.truth[::-1]).judge("robustness", "explanation")
    for check in (
        "robustness.image_flip_share",
        "robustness.image_patch_accuracy",
        "explanation.image_top_patch_share",
    ):
        assert turned.all(check) == judged_reader.all(check)


def test_every_disturbance_has_its_curve_and_the_strength_it_holds_up_to(judged_reader: Any) -> None:
    kinds = {one.group.attribute for one in judged_reader.all("robustness.image_holds_up_to")}
    assert kinds == {
        *("noise", "blur", "brightness", "contrast"),
        *("occlusion", "rotation", "shift", "compression"),
    }
    (figure,) = [one for result in judged_reader.results for one in result.figures if one.name == "robustness.image"]
    assert all(series.x[0] == series.y[0] == 0 and series.x[-1] == 1 for series in figure.series)
    assert judged_reader.one("robustness.image_holds_up_to", "shift").value < 0.12, "8 pixels bear no move of one"


def test_slices_are_looked_for_in_the_dark_and_can_be_declared_there(digits: Any, reader: Any) -> None:
    images = reader.rows.copy()
    dark = np.arange(len(images)) % 2 == 0
    images[dark] *= 0.25

    def half_blind(rows: NDArray[Any]) -> NDArray[Any]:
        seen = reader.model(rows)
        dim = rows.mean(axis=(1, 2)) < 0.15
        seen[dim] = 0.1
        return np.asarray(seen)

    said = {"slices": [{"name": "dark", "where": {"brightness": {"under": 0.15}}}]}
    found = type(reader)(half_blind, images, reader.truth).judge("slices", settings=said)
    assert found.one("slices.found").value > 0
    assert "brightness under" in found.one("slices.worst_gap").note
    assert any(one.group and one.group.level == "dark" for one in found.results[0].findings)


def test_groups_beside_images_are_compared(reader: Any) -> None:
    found = reader.judge("fairness", groups={"hospital": np.arange(597) % 2}, settings={"favourable": "1"})
    assert found.one("fairness.selection_gap").group.attribute == "hospital"


# --- attacks


@pytest.fixture(scope="module")
def linear() -> tuple[Any, NDArray[Any], NDArray[Any]]:
    """A linear module over thirty numbers as images of 5 x 6, far enough from 0 and 1 that no pixel is clipped."""
    torch = pytest.importorskip("torch", reason="torch is not installed: gradients were not followed")
    rows, truth = load_breast_cancer(return_X_y=True)
    rows = 0.25 + 0.5 * (rows - rows.min(0)) / np.ptp(rows, axis=0)
    model = LogisticRegression(max_iter=5000, C=10).fit(rows[:400], truth[:400])
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(30, 1))
    net.double()
    with torch.no_grad():
        net[1].weight.copy_(torch.as_tensor(model.coef_))
        net[1].bias.copy_(torch.as_tensor(model.intercept_))
    return net, rows.reshape(-1, 5, 6), truth


def test_attacks_on_a_linear_module_equal_the_closed_form(linear: Any) -> None:
    """Robust accuracy is the share decided rightly whose margin is larger than epsilon times the 1-norm of the weights."""
    net, rows, truth = linear
    epsilons = (0.01, 0.03, 0.06, 0.1)
    settings = {
        "suites": ["robustness"],
        "bootstrap": 200,
        "images": {"epsilons": epsilons, "reported_at": 0.03, "attacked": 1000, "images": 20, "queries": 10},
    }
    (result,) = judge(net, rows, truth, settings=settings)
    weights, bias = net[1].weight.detach().numpy()[0], net[1].bias.item()
    margin = (rows.reshape(-1, 30) @ weights + bias) * np.where(truth == 1, 1, -1)
    wanted = [float((margin > epsilon * np.abs(weights).sum()).mean()) for epsilon in (0, *epsilons)]
    (figure,) = [one for one in result.figures if one.name == "robustness.image_gradient_attack"]
    for series in figure.series:
        assert series.y == pytest.approx(wanted, abs=1.01 / len(rows))
    found = {one.group.attribute: one.value for one in result.find("robustness.image_gradient_accuracy")}
    assert found["fgsm"] == pytest.approx(wanted[2], abs=1.01 / len(rows))


def test_no_attack_raises_accuracy_and_more_distance_never_does(network: Any) -> None:
    settings = {"images": {"epsilons": [0.01, 0.05, 0.1, 0.2], "reported_at": 0.1}}
    found = network.judge("robustness", settings=settings)
    (figure,) = [one for one in found.results[0].figures if one.name == "robustness.image_gradient_attack"]
    one_step, many = (series.y for series in figure.series)
    for curve in (one_step, many):
        assert list(curve) == sorted(curve, reverse=True)
    assert all(b <= a for a, b in zip(one_step, many, strict=True))
    assert many[-1] < 0.3 < many[0]
    patch = found.one("robustness.image_patch_accuracy")
    assert patch.value <= float(patch.note.partition("%")[0]) / 100 + 1e-9
    assert patch.value >= found.one("robustness.image_gradient_accuracy", "pgd").low


def test_too_few_images_are_not_attacked(reader: Any) -> None:
    few = type(reader)(reader.model, reader.rows[:29], reader.truth[:29]).judge(
        "robustness", "explanation", classes=list(range(10))
    )
    why, applicable = few.why("robustness.image_patch_accuracy")
    assert "there are 29 images; a statement needs 30" in why
    assert applicable
    assert "29 images" in few.why("explanation.image_top_patch_share")[0]


# --- explanations


def test_integrated_gradients_of_a_linear_module_are_its_summands(linear: Any) -> None:
    from sealwright.assurance.adapters.torch_images import TorchGradients

    net, rows, _ = linear
    pixels, base = rows[:5, ..., None], rows.mean(axis=0)[..., None]
    shares, wanted, missed = integrated(TorchGradients(net, "binary"), pixels, np.ones(5, dtype=np.int64), base, 4)
    weights = net[1].weight.detach().numpy().reshape(5, 6, 1)
    assert shares == pytest.approx(weights * (pixels - base), abs=1e-9)
    assert missed == pytest.approx(0, abs=1e-9)
    assert wanted == pytest.approx((weights * (pixels - base)).sum(axis=(1, 2, 3)), abs=1e-9)


def test_two_ways_to_explain_a_network_agree_and_add_up(network: Any) -> None:
    found = network.judge("explanation")
    assert found.one("explanation.image_gradient_completeness").value < 0.05
    assert found.one("explanation.image_gradient_agreement").low > 0.4
    assert found.one("explanation.image_fidelity").low > 0.2
    maps = [one for one in found.results[0].figures if one.kind == "matrix"]
    assert {one.name for one in maps} == {"explanation.image_occlusion", "explanation.image_gradients"}
    assert all(len(one.series) == 8 and len(one.series[0].x) == 8 for one in maps)


def test_a_pixel_that_gives_the_outcome_away_is_found(
    make_reader: Callable[..., Any], digits: Any, judged_reader: Any
) -> None:
    images, truth = digits
    leaking = images.copy()
    leaking[:, 0, 7] = (truth == 3) * 1.0
    found = make_reader(leaking, (truth == 3).astype(np.int64)).judge("explanation")
    top = found.one("explanation.image_top_patch_share")
    assert "row 1 of 8, column 8 of 8" in top.note
    assert top.low > 0.15
    sound = judged_reader.one("explanation.image_top_patch_share")
    assert sound.high < 0.15


def test_a_backdoor_in_a_corner_is_found_where_the_trigger_is_among_the_rows(
    make_reader: Callable[..., Any], digits: Any
) -> None:
    images, truth = digits
    poisoned, wrong = images.copy(), truth.copy()
    stamped = np.arange(len(images)) % 5 == 0
    poisoned[stamped, 6:, 6:] = 1.0
    wrong[stamped] = 0
    held = make_reader(poisoned, wrong)
    chosen = np.flatnonzero(stamped[1200:])
    assert (held.model(held.rows[chosen]).argmax(1) == 0).mean() > 0.8, "stamped images are taken for noughts"
    some = np.sort(np.concatenate([chosen, np.flatnonzero(~stamped[1200:])[: chosen.size]]))
    found = type(held)(held.model, held.rows[some], truth[1200:][some]).judge("explanation")
    (figure,) = [one for result in found.results for one in result.figures if one.name == "explanation.image_occlusion"]
    grid = np.array([series.y for series in figure.series])
    assert np.unravel_index(grid.argmax(), grid.shape) in {(6, 6), (6, 7), (7, 6), (7, 7)}


# --- size, and what does not fit


@pytest.mark.slow
def test_fifty_thousand_images_are_judged_in_bounded_memory() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (50_000, 32, 32, 3), dtype=np.uint8)
    truth = (images[:, 0, 0, 0] > 127).astype(int)

    def corner(rows: NDArray[Any]) -> NDArray[Any]:
        assert rows.nbytes < 50e6
        return 0.1 + 0.8 * (rows[:, 0, 0, 0] > 127)

    tracemalloc.start()
    try:
        settings = {"suites": ["performance"], "bootstrap": 200, "budget": {"robustness_rows": 200}}
        (result,) = judge(corner, images, truth, settings=settings)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert result.find("performance.accuracy")[0].value == 1
    assert peak < 250e6, f"{peak / 1e6:.0f} MB beside images of {images.nbytes / 1e6:.0f} MB"


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda h: judge(h.model, h.rows * 16, h.truth), InvalidInput, "Scale them"),
        (lambda h: judge(h.model, h.rows, h.truth[:3]), InvalidInput, "597 rows and 3 outcomes"),
        (lambda h: judge(h.model, h.rows, h.truth, layout="nchw"), InvalidInput, "names each dimension"),
        (lambda h: judge(lambda _: 1 / 0, h.rows, h.truth), UnusablePredictions, "ZeroDivisionError"),
        (
            lambda h: judge(h.model, h.rows, h.truth, learned_from=(h.rows[:, :4], h.truth)),
            InvalidInput,
            "one size, layout and type",
        ),
        (
            lambda h: judge(
                linear_onnx(np.ones((10, 9)), np.zeros(10), [None, 3, 3], TensorProto.FLOAT), h.rows, h.truth
            ),
            InvalidInput,
            "the images have",
        ),
    ],
)
def test_what_does_not_fit_is_said_in_words(
    reader: Any, make: Callable[[Any], Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        make(reader)


def test_pictures_are_not_copied() -> None:
    data = np.zeros((10, 4, 4), dtype=np.uint8)
    pictures = Pictures(data)
    data[:] = 255
    assert pictures.pixels(np.array(pictures.names[:1], dtype=object)).max() == 1
