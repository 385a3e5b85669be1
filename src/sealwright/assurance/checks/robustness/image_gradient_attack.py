"""Images somebody changes on purpose, knowing the model: how many decisions hold if no pixel moves farther than so much?

An upper bound of what holds: a stronger attack may find more. Images decided wrongly count as lost from the start, so
robust accuracy is never above accuracy.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, Check, Outcome, collected, skipped
from sealwright.assurance.images.asking import ask_pixels, images_of
from sealwright.assurance.images.attack import Fooled, fooled_by_steps
from sealwright.assurance.images.pictures import Pixels
from sealwright.assurance.media_rows import drawn_rows, too_few_rows
from sealwright.assurance.modality import IMAGE
from sealwright.assurance.model import Figure, Finding, Group, Series
from sealwright.assurance.predictor import no_answer

__all__ = ["CHECK"]

_ACCURACY = "robustness.image_gradient_accuracy"
_WAYS = {"fgsm": "one step along the gradient", "pgd": "many steps along the gradient"}


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    gradients = images_of(case).gradients
    if gradients is None:
        return skipped([_ACCURACY], "the model is no torch module, so its gradients are not known", applicable=False)
    asked = case.spec.images
    rows = drawn_rows(case, asked.attacked, rng)
    if why := too_few_rows(case, rows.size, "images"):
        return skipped([_ACCURACY], why)
    truth = case.test.truth[rows]
    right = np.flatnonzero(case.decisions[rows] == truth)
    pixels = images_of(case).pictures.pixels(case.test.features.strings[rows[right], 0])
    epsilons = tuple(sorted({*asked.epsilons, asked.reported_at}))

    def turned(moved: Pixels, wanted: NDArray[np.int64]) -> Fooled:
        answers = ask_pixels(case, moved)
        return np.asarray((case.decide(answers) != wanted) & ~no_answer(answers))

    def slope(moved: Pixels, wanted: NDArray[np.int64]) -> Pixels:
        assert gradients is not None
        parts = [gradients.of_loss(moved[part], wanted[part]) for part in images_of(case).pictures.batches(len(moved))]
        return np.concatenate(parts)

    held = {}
    fooled = np.zeros((len(epsilons), right.size), dtype=np.bool_)
    for way, steps in (("fgsm", 1), ("pgd", asked.steps)):
        fooled = fooled | fooled_by_steps(pixels, truth[right], epsilons, steps, slope, turned)
        held[way] = right.size - fooled.sum(axis=1)
    return collected(
        [*_findings(case, held, epsilons, rows.size, right.size), _curve(held, epsilons, rows.size, right.size)]
    )


def _findings(
    case: Case, held: dict[str, NDArray[np.int64]], epsilons: tuple[float, ...], n: int, right: int
) -> Iterator[Finding]:
    at = epsilons.index(case.spec.images.reported_at)
    for way, counts in held.items():
        low, high = case.share_interval(int(counts[at]), n)
        yield Finding(
            check=_ACCURACY,
            value=int(counts[at]) / n,
            low=low,
            high=high,
            n=n,
            unit="share",
            definition=f"Share of images still decided rightly when an attacker with the model's gradients moves every pixel by"
            f" at most {epsilons[at]:.3g} of its range.",
            group=Group(attribute=way),
            note=f"{_WAYS[way]}; {right / n:.1%} are decided rightly as they are",
        )


def _curve(held: dict[str, NDArray[np.int64]], epsilons: tuple[float, ...], n: int, right: int) -> Figure:
    return Figure(
        name="robustness.image_gradient_attack",
        kind="lines",
        title="Attack on images with gradients",
        x="how far a pixel may move, in its range",
        y="share decided rightly",
        series=tuple(
            Series(name=_WAYS[way], x=(0.0, *epsilons), y=(right / n, *(int(one) / n for one in counts)))
            for way, counts in held.items()
        ),
    )


CHECK = Check(name="robustness.image_gradient_attack", files={_ACCURACY: CLASSES}, run=_run, modality=IMAGE)
