"""One image explained: what covering each region takes from the answer, held against chance and, for a network, its gradients."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sealwright.assurance import Completeness, Deletion, ImageExplanation, explain_given
from sealwright.kernel import InvalidInput

RNG = np.random.default_rng(3)
ROWS, TRUTH = RNG.random((40, 8, 6)), RNG.random(40)
WEIGHTS = RNG.normal(size=(8, 6))


def linear(rows: NDArray[Any]) -> NDArray[Any]:
    return 2 + np.tensordot(rows, WEIGHTS, axes=2)


def explained(model: Any, rows: Any, learned: Any = (ROWS, TRUTH), **more: Any) -> list[ImageExplanation]:
    found = explain_given(model, rows, learned_from=learned, **more)
    assert all(isinstance(one, ImageExplanation) for one in found)
    return list(found)


def effects(one: ImageExplanation) -> NDArray[np.float64]:
    return np.array([item.effect for item in one.regions])


def test_of_a_linear_model_a_region_takes_its_weights_times_its_distance_from_the_mean() -> None:
    (one,) = explained(linear, ROWS[0])
    wanted = WEIGHTS * (ROWS[0] - ROWS.mean(axis=0))
    assert (one.rows, one.columns) == (8, 6)
    assert effects(one) == pytest.approx(wanted.ravel(), abs=1e-9)
    assert one.answer == pytest.approx(linear(ROWS[:1])[0])
    assert one.covered == pytest.approx(linear(ROWS.mean(axis=0)[None])[0])
    assert (one.unit, one.decided, one.outcome) == ("target units", None, None)
    assert isinstance(one.deletion, Deletion)
    ranked, shares = np.sort(wanted.ravel())[::-1], (5, 10, 14, 24)  # of 48 regions
    assert one.deletion.guided == pytest.approx(np.mean([ranked[:most].sum() for most in shares]))
    assert one.deletion.by_lot == pytest.approx(wanted.sum() * np.mean(shares) / 48, abs=3 * wanted.std())


def test_the_regions_of_a_large_image_are_the_blocks_their_boxes_say() -> None:
    rows = np.random.default_rng(0).random((12, 30, 41))
    weights = np.random.default_rng(1).normal(size=(30, 41))
    (one,) = explained(lambda images: np.tensordot(images, weights, axes=2), rows[0], (rows, np.linspace(0, 1, 12)))
    assert (one.rows, one.columns, len(one.regions)) == (14, 14, 196)
    summands = weights * (rows[0] - rows.mean(axis=0))
    covered = np.zeros((30, 41), dtype=int)
    for item in one.regions:
        top, left, bottom, right = item.box
        covered[top:bottom, left:right] += 1
        assert item.effect == pytest.approx(summands[top:bottom, left:right].sum(), abs=1e-9)
    assert (covered == 1).all(), "every pixel is in one region"
    assert [(item.row, item.column) for item in one.regions[13:15]] == [(1, 14), (2, 1)]


def test_what_a_model_looks_at_comes_out_whatever_form_the_images_have() -> None:
    grey = np.round(np.random.default_rng(5).random((30, 8, 8)) * 255).astype(np.uint8)
    truth = np.arange(30) % 2
    colours = np.repeat(grey[..., None], 3, axis=3)
    wanted = None
    for rows, ask in (
        (grey, lambda images: images[:, 2, 5] / 255),
        (grey / 255, lambda images: images[:, 2, 5]),
        (colours, lambda images: images[:, 2, 5, 1] / 255),
        (colours.transpose(0, 3, 1, 2), lambda images: images[:, 1, 2, 5] / 255),
    ):
        (alone,) = explained(ask, rows[1], (rows, truth))
        (first, second) = explained(ask, rows[:2], (rows, truth))
        assert second == alone, "a single image, and the same among others"
        assert first != alone
        top = max(alone.regions, key=lambda item: abs(item.effect))
        assert (top.row, top.column) == (3, 6)
        assert np.count_nonzero(effects(alone)) == 1
        wanted = effects(alone) if wanted is None else wanted
        assert effects(alone) == pytest.approx(wanted, abs=0.003)


def test_regions_for_one_outcome_are_regions_against_the_other_of_two(reader: Any, digits: Any) -> None:
    images, truth = digits
    learned = (images[:300], truth[:300])
    (seven,) = explained(reader.model, images[1200], learned)
    assert seven.decided == seven.outcome == str(reader.model(images[1200:1201]).argmax())
    assert seven.deletion.fidelity > 0.2
    (other,) = explained(reader.model, images[1200], learned, wanted=3)
    assert (other.decided, other.outcome) == (seven.decided, "3")
    assert other.answer == pytest.approx(reader.model(images[1200:1201])[0, 3])
    assert np.corrcoef(effects(other), effects(seven))[0, 1] < 0.9
    assert seven.completeness == "the model is no torch module, so its gradients are not known"
    said = json.loads(json.dumps(seven.to_json(), allow_nan=False))
    assert said["image"].startswith("sha256:")
    assert "pixels" not in said
    assert said["fidelity"] == seven.deletion.fidelity


def test_gradients_of_a_linear_module_are_what_covering_takes_and_add_up() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed: gradients were not followed")
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(48, 1)).double()
    with torch.no_grad():
        net[1].weight.copy_(torch.as_tensor(WEIGHTS.reshape(1, -1)))
        net[1].bias.fill_(2)
    (one,) = explained(net, ROWS[0], task="regression")
    assert isinstance(one.completeness, Completeness)
    assert one.completeness.error < 1e-9
    assert one.completeness.agreement == pytest.approx(1)
    parts = [item.gradient for item in one.regions]
    assert parts == pytest.approx(effects(one), abs=1e-9)
    assert sum(parts) == pytest.approx(one.answer - one.covered)


def test_gradients_that_miss_the_score_are_refused() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed: gradients were not followed")

    class Stepped(torch.nn.Module):  # type: ignore[misc]
        """Flat almost everywhere, so that its gradient tells nothing of its answer."""

        def forward(self, rows: Any) -> Any:
            return (rows.flatten(1).sum(1, keepdim=True) * 40).round() + 0 * rows.flatten(1).sum(1, keepdim=True)

    (one,) = explained(Stepped(), ROWS[0], task="regression")
    assert "so they are refused" in str(one.completeness)
    assert all(item.gradient is None for item in one.regions)


def test_a_model_that_sees_nothing_is_not_explained_away() -> None:
    (one,) = explained(lambda rows: np.full(len(rows), 0.4), ROWS[0], (ROWS, np.arange(40) % 2))
    assert one.decided == "0"
    assert one.deletion == "covering a patch changes nothing"


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda: explained(linear, ROWS[0][:4]), "All images must be of one size, layout and type"),
        (lambda: explained(linear, ROWS[0].astype(np.float32)), "float32 of shape"),
        (lambda: explained(linear, ROWS[0][0]), r"layout nhw; those to explain have the shape \(6,\)"),
        (lambda: explained(linear, ROWS[:0]), "There are 0 images to explain"),
        (lambda: explained(linear, "a cat"), "those to explain have the shape"),
        (lambda: explain_given(linear, ROWS), "are explained against others: give learned_from"),
        (
            lambda: explained(linear, ROWS[:30], settings={"explanation": {"queries": 1000}}),
            "explains 20 of 30 images; raise it",
        ),
        (lambda: explained(linear, ROWS[0], fixed=["age"]), "fixed names columns of a table, age; here are images"),
        (lambda: explained(linear, ROWS[0], layout="nhwc"), "layout is one of"),
    ],
)
def test_what_does_not_fit_is_said_in_words(ask: Callable[[], Any], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        ask()
