"""Images somebody changes on purpose, with questions alone: how many decisions hold against so many of them?

An upper bound of what holds: another attacker may find more. Images decided wrongly count as lost from the start.
"""

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, Check, Outcome, collected, skipped
from sealwright.assurance.images.asking import ask_pixels, images_of
from sealwright.assurance.images.attack import fooled_by_squares
from sealwright.assurance.images.pictures import Pixels
from sealwright.assurance.intervals import wilson
from sealwright.assurance.media_rows import drawn_rows, too_few_rows
from sealwright.assurance.modality import IMAGE
from sealwright.assurance.model import Figure, Finding, Series

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
    n, held = rows.size, right.size - int((fooled_at > 0).sum())
    low, high = wilson(held, n, case.spec.confidence)
    finding = Finding(
        check=_ACCURACY,
        value=held / n,
        low=low,
        high=high,
        n=n,
        unit="share",
        definition=f"Share of images still decided rightly when an attacker without the model's gradients moves every pixel by at"
        f" most {asked.reported_at:.3g} of its range, with {asked.queries} questions to the model about each.",
        note=f"{right.size / n:.1%} are decided rightly as they are",
    )
    return collected([finding, _curve(fooled_at, asked.queries, n, right.size)])


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


def _curve(fooled_at: NDArray[np.int64], queries: int, n: int, right: int) -> Figure:
    asked = np.unique(np.linspace(0, queries, _POINTS).astype(int))
    held = [(right - int(((fooled_at > 0) & (fooled_at <= q)).sum())) / n for q in asked]
    line = Series(name="decided rightly", x=tuple(float(q) for q in asked), y=tuple(held))
    return Figure(
        name="robustness.image_patch_attack",
        kind="lines",
        title="Attack on images with questions alone",
        x="questions about each image",
        y="share decided rightly",
        series=(line,),
    )


CHECK = Check(name="robustness.image_patch_attack", files={_ACCURACY: CLASSES}, run=_run, modality=IMAGE)
