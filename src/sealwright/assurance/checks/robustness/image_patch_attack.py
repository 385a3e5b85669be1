"""Images somebody changes on purpose, with questions alone: how many decisions hold against so many of them?

An upper bound of what holds: another attacker may find more. Images decided wrongly count as lost from the start.
"""

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.asking_attack import standing, standing_curve
from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, Check, Outcome, collected, skipped
from sealwright.assurance.images.asking import ask_pixels, images_of
from sealwright.assurance.images.attack import fooled_by_squares
from sealwright.assurance.images.pictures import Pixels
from sealwright.assurance.media_rows import drawn_rows, too_few_rows
from sealwright.assurance.modality import IMAGE

__all__ = ["CHECK"]

_ACCURACY = "robustness.image_patch_accuracy"
_POINTS = 50


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    asked = case.spec.images
    rows = drawn_rows(case, asked.attacked, rng)
    if why := too_few_rows(case, rows.size, "images"):
        return skipped([_ACCURACY], why)
    truth = case.test.truth[rows]
    right = np.flatnonzero(case.decisions[rows] == truth)
    pixels = images_of(case).pictures.pixels(case.test.features.strings[rows[right], 0])

    def margin(moved: Pixels, wanted: NDArray[np.int64]) -> Floats:
        return _margin(case, ask_pixels(case, moved), wanted)

    fooled_at = fooled_by_squares(pixels, truth[right], asked.reported_at, asked.queries, margin, rng)
    words = (
        "Share of images still decided rightly when an attacker without the model's gradients moves every pixel by at"
        f" most {asked.reported_at:.3g} of its range, with {asked.queries} questions to the model about each."
    )
    held = standing(_ACCURACY, case, right.size, fooled_at, rows.size, words)
    curve = standing_curve(
        "robustness.image_patch_attack",
        "Attack on images with questions alone",
        "questions about each image",
        asked.queries,
        right.size,
        fooled_at,
        rows.size,
    )
    return collected([held, curve])


def _margin(case: Case, answers: Floats, wanted: NDArray[np.int64]) -> Floats:
    """How far the decision is from another one: below zero where it is one."""
    own = np.take_along_axis(answers, wanted[:, None], axis=1)[:, 0]
    if case.task == "binary":
        at = case.spec.threshold
        chance = answers[:, case.positive]
        return np.where(wanted == case.positive, chance - at, np.nextafter(at, 0) - chance)
    others = answers.copy()
    np.put_along_axis(others, wanted[:, None], -np.inf, axis=1)
    best: Floats = own - others.max(axis=1)
    # of equal chances the first class is decided, so a tie is lost to a class before it
    tie = (best == 0) & (case.decide(answers) != wanted)
    return np.where(tie, -np.finfo(np.float64).tiny, best)


CHECK = Check(name="robustness.image_patch_attack", files={_ACCURACY: CLASSES}, run=_run, modality=IMAGE)
