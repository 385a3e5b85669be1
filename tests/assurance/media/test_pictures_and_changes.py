"""Images beside the table, and what happens to them: laws that hold for every image."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealwright.assurance.images.attack import fooled_by_squares
from sealwright.assurance.images.changes import CHANGES, blur, compression, contrast, occlusion, shift
from sealwright.assurance.images.patches import Patches
from sealwright.assurance.images.pictures import Pictures
from sealwright.kernel import InvalidInput


@pytest.mark.parametrize("kind", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize(("layout", "shape"), [("nhw", (6, 5)), ("nhwc", (6, 5, 3)), ("nchw", (3, 6, 5))])
def test_images_come_back_as_they_came(kind: type, layout: str, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    data = rng.integers(0, 256, (7, *shape)).astype(np.uint8)
    data = data if kind is np.uint8 else (data / 255).astype(kind)
    pictures = Pictures(data, layout)
    pixels = pictures.pixels(np.array(pictures.names, dtype=object))
    assert pixels.shape == (7, 6, 5, 1 if layout == "nhw" else 3)
    assert pixels.min() >= 0
    assert pixels.max() <= 1
    back = pictures.as_they_came(pixels)
    assert back.dtype == data.dtype
    assert np.array_equal(back, data)


def test_an_image_is_named_by_its_content() -> None:
    data = np.random.default_rng(0).random((4, 3, 3))
    names = Pictures(np.concatenate([data, data[:1]])).names
    assert names[0] == names[4]
    assert len(set(names)) == 4
    assert names[0] != Pictures(data.astype(np.float32)).names[0]


@pytest.mark.parametrize(
    ("data", "layout", "says"),
    [
        (np.zeros((5, 3, 8, 3)), None, "Say layout="),
        (np.zeros((5, 8, 8, 8)), None, "Say layout="),
        (np.zeros((5, 8, 8, 3)), "nhw", "names each dimension"),
        (np.full((5, 8, 8), 16.0), None, "range from 16 to 16"),
        (np.full((5, 8, 8), np.nan), None, "range from nan"),
        (np.zeros((5, 8, 8), dtype=np.int64), None, "hold int64"),
    ],
)
def test_what_is_no_image_is_refused(data: np.ndarray, layout: str | None, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        Pictures(data, layout)


def test_images_of_another_size_do_not_join() -> None:
    with pytest.raises(InvalidInput, match="one size, layout and type"):
        Pictures(np.zeros((5, 8, 8))).add(np.zeros((5, 9, 8)))


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(sorted(CHANGES)),
    st.floats(0.01, 0.9),
    st.integers(0, 2**32),
    st.tuples(st.integers(1, 20), st.integers(1, 20), st.sampled_from([1, 3])),
)
def test_a_changed_image_is_an_image_and_follows_from_its_seed(
    name: str, strength: float, seed: int, shape: tuple[int, int, int]
) -> None:
    pixels = np.random.default_rng(seed).random((3, *shape)).astype(np.float32)
    before = pixels.copy()
    changed = CHANGES[name][0](pixels, strength, np.random.default_rng(seed))
    assert changed.shape == pixels.shape
    assert changed.dtype == pixels.dtype
    assert changed.min() >= 0
    assert changed.max() <= 1
    assert np.array_equal(pixels, before)
    assert np.array_equal(changed, CHANGES[name][0](pixels, strength, np.random.default_rng(seed)))


def test_nothing_happens_to_an_even_image_that_is_blurred_turned_moved_or_compressed() -> None:
    even = np.full((2, 9, 9, 1), 0.4)
    rng = np.random.default_rng(0)
    for name in ("blur", "contrast", "rotation", "shift"):
        assert CHANGES[name][0](even, 0.1, rng) == pytest.approx(even)
    assert compression(even, 1e-6, rng) == pytest.approx(even, abs=1e-6)


def test_blur_keeps_the_middle_of_gravity_and_spreads_a_point() -> None:
    point = np.zeros((1, 15, 15, 1))
    point[0, 7, 7] = 1
    spread = blur(point, 0.1, np.random.default_rng(0))
    assert spread.sum() == pytest.approx(1, abs=1e-3)
    rows = (spread[0, ..., 0].sum(1) * np.arange(15)).sum()
    assert rows == pytest.approx(7, abs=1e-3)
    variance = (spread[0, ..., 0].sum(1) * (np.arange(15) - 7) ** 2).sum()
    assert variance == pytest.approx((0.1 * 15) ** 2, rel=0.05)


def test_the_coarser_the_step_the_larger_the_error_of_compression() -> None:
    pixels = np.random.default_rng(0).random((5, 12, 12, 1))
    errors = [float(np.abs(compression(pixels, s, np.random.default_rng(0)) - pixels).mean()) for s in (0.02, 0.1, 0.5)]
    assert errors == sorted(errors)
    assert errors[0] < 0.01


def test_contrast_occlusion_and_shift_do_what_they_say() -> None:
    pixels = np.random.default_rng(0).random((4, 10, 10, 1))
    rng = np.random.default_rng(1)
    assert contrast(pixels, 0.5, rng).std(axis=(1, 2, 3)) == pytest.approx(pixels.std(axis=(1, 2, 3)) / 2)
    covered = occlusion(pixels, 0.25, rng)
    assert ((covered != pixels).sum(axis=(1, 2, 3)) == 25).all()
    moved = shift(pixels, 0.1, rng)
    for before, after in zip(pixels, moved, strict=True):
        ways = [(after[1:], before[:-1]), (after[:-1], before[1:])]
        ways += [(after[:, 1:], before[:, :-1]), (after[:, :-1], before[:, 1:])]
        assert any(np.array_equal(a, b) for a, b in ways)


def test_patches_cover_every_pixel_once_and_sums_keep_the_total() -> None:
    for shape in ((8, 8), (28, 28), (5, 40)):
        patches = Patches(*shape)
        assert set(patches.of_pixel.ravel()) == set(range(patches.number))
        assert patches.number <= 196
        maps = np.random.default_rng(0).random((3, *shape, 3))
        assert patches.sums(maps).sum(axis=1) == pytest.approx(maps.sum(axis=(1, 2, 3)))
    assert Patches(8, 8).where(9) == "row 2 of 8, column 2 of 8"


def test_the_attack_with_questions_stays_within_its_distance_and_its_questions() -> None:
    pixels = np.random.default_rng(0).random((6, 8, 8, 1))
    weights = np.random.default_rng(1).normal(size=(8, 8, 1))
    asked = [0]

    def margin(moved: np.ndarray, truth: np.ndarray) -> np.ndarray:
        asked[0] += 1
        assert moved.min() >= 0
        assert moved.max() <= 1
        assert min(np.abs(moved - one).max(axis=(1, 2, 3)).min() for one in pixels) <= 0.1 + 1e-9
        return (moved * weights).sum(axis=(1, 2, 3)) - (pixels * weights).sum(axis=(1, 2, 3)).min() + 0.8

    fooled = fooled_by_squares(pixels, np.zeros(6, dtype=np.int64), 0.1, 50, margin, np.random.default_rng(0))
    assert asked[0] <= 50
    assert fooled.max() <= 50
    assert (fooled > 0).any()
