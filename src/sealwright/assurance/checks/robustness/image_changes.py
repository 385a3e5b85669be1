"""Images a little wrong: noisy, blurred, too light, covered, turned, moved, compressed."""

from collections.abc import Callable
from functools import partial

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import Check, Outcome
from sealwright.assurance.disturbance import Disturbance, Steps
from sealwright.assurance.features import Features
from sealwright.assurance.images.asking import ask_changed
from sealwright.assurance.images.changes import CHANGES
from sealwright.assurance.images.pictures import Pixels
from sealwright.assurance.lighter import lighter
from sealwright.assurance.modality import IMAGE
from sealwright.assurance.spec import AssuranceSpec
from sealwright.assurance.spoiling import spoiled, spoiling_files

__all__ = ["CHECK"]

_PREFIX = "robustness.image"
_WORDS = {
    "noise": "every pixel gets normal noise of {share} of its range",
    "blur": "images are blurred by {share} of their shorter side",
    "brightness": "images are lighter or darker by {share} of the range",
    "contrast": "images lose {share} of their contrast",
    "occlusion": "a grey square covers {share} of every image",
    "rotation": "images are turned by {share} degrees",
    "shift": "images are moved by {share} of a side",
    "compression": "cosine coefficients of blocks are rounded to steps of {share}",
}


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    kinds = [
        Disturbance(
            name=name,
            title=title,
            words=_WORDS[name],
            along="strength",
            steps=_steps(name),
            disturb=lambda _case, features, _strength, _rng: features,
            impossible=lambda _case: "",
            note=lambda _case: "",
            answers=partial(_changed, change),
        )
        for name, (change, title) in CHANGES.items()
    ]
    less = lighter(case, case.spec.images.images)
    along = "strength, as a share of the strongest tried"
    return spoiled(less, _PREFIX, kinds, rng, "Spoiled images", along, scaled=True)


def _steps(name: str) -> Steps:
    """The strengths of one change; the second of four is reported, the lower middle in general."""

    def strengths(spec: AssuranceSpec) -> tuple[float, ...]:
        return tuple(getattr(spec.images, name))

    return Steps(
        strengths=strengths,
        reported=lambda spec: strengths(spec)[(len(strengths(spec)) - 1) // 2],
        unit={"rotation": "degrees", "shift": "sides", "blur": "sides"}.get(name, "share"),
    )


def _changed(
    change: Callable[[Pixels, float, np.random.Generator], Pixels],
    case: Case,
    features: Features,
    strength: float,
    rng: np.random.Generator,
) -> Floats:
    return ask_changed(case, features, lambda pixels: change(pixels, strength, rng))


CHECK = Check(name="robustness.image_changes", files=spoiling_files(_PREFIX), run=_run, modality=IMAGE)
