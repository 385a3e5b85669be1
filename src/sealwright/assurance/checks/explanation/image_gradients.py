"""Which pixels a score comes from, by integrated gradients, and whether they add up to it.

The map is a mean over at least ten images. Attributions that miss the score they must add up to are refused.
"""

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome, collected, skipped
from sealwright.assurance.images.asking import ask_pixels, images_of
from sealwright.assurance.images.figures import map_figure
from sealwright.assurance.images.integrated import integrated
from sealwright.assurance.images.patches import mean_image, occlusion_maps, patches_of
from sealwright.assurance.images.pictures import Pixels
from sealwright.assurance.intervals import mean_interval
from sealwright.assurance.media_rows import drawn_rows, followed, too_few_rows
from sealwright.assurance.modality import IMAGE
from sealwright.assurance.model import Finding, NotPerformed
from sealwright.assurance.ranking import midranks

__all__ = ["CHECK"]

_ADDS_UP, _AGREES = "explanation.image_gradient_completeness", "explanation.image_gradient_agreement"
_STEPS = (32, 128, 512)  # finer while the shares miss the score
_LARGEST_MISS = 0.05


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    gradients = images_of(case).gradients
    if gradients is None:
        why = "the model is no torch module, so its gradients are not known"
        return skipped([_ADDS_UP, _AGREES], why, applicable=False)
    rows = drawn_rows(case, case.spec.images.explained, rng)
    if why := too_few_rows(case, rows.size, "images"):
        return skipped([_ADDS_UP, _AGREES], why)
    pictures = images_of(case).pictures
    names = case.test.features.strings[:, 0]
    pixels, patches = pictures.pixels(names[rows]), patches_of(pictures)
    cover = mean_image(pictures, names[drawn_rows(case, case.spec.images.images, rng)])
    chosen = np.zeros(rows.size, dtype=np.int64) if case.task == "regression" else case.decisions[rows]
    shares, error, steps = np.zeros(pixels.shape), np.inf, 0
    for steps in _STEPS:
        parts = [integrated(gradients, pixels[one], chosen[one], cover, steps) for one in pictures.batches(rows.size)]
        shares, wanted, missed = (np.concatenate([part[at] for part in parts]) for at in range(3))
        error = float(missed.max()) / (float(np.abs(wanted).mean()) or 1.0)
        if error <= _LARGEST_MISS:
            break
    adds_up = Finding(
        check=_ADDS_UP,
        value=error,
        n=rows.size,
        unit="share",
        definition="Largest distance between the sum of an image's attributions and the difference of scores they must add up to,"
        " as a share of the mean difference.",
        note=f"{steps} steps from the mean image",
    )
    if error > _LARGEST_MISS:
        why = f"the attributions miss the score by {error:.3g} of it, so they are refused"
        return collected([adds_up, NotPerformed(check=_AGREES, why=why)])
    sums = patches.sums(shares)
    whole = followed(case, case.test.outputs[rows], chosen)

    def read(versions: Pixels, owners: NDArray[np.int64]) -> Floats:
        return followed(case, ask_pixels(case, versions), chosen[owners])

    maps = occlusion_maps(patches, pixels, whole, cover, read)
    figure = map_figure(
        "explanation.image_gradients", "Where scores come from", sums.mean(axis=0), patches,
        f"mean attribution over {rows.size} images, by integrated gradients",
    )  # fmt: skip
    return collected([adds_up, _agreement(case, sums, maps), figure])


def _agreement(case: Case, sums: Floats, maps: Floats) -> Finding | NotPerformed:
    """Whether two ways to explain put the patches in one order."""
    found = [
        float(np.corrcoef(midranks(a), midranks(b))[0, 1])
        for a, b in zip(sums, maps, strict=True)
        if np.ptp(a) > 0 and np.ptp(b) > 0
    ]
    if len(found) < case.spec.smallest_group:
        return NotPerformed(check=_AGREES, why=f"in {len(found)} images patches differ in effect; needed are more")
    value, (low, high) = mean_interval(np.array(found), case.spec.confidence)
    return Finding(
        check=_AGREES,
        value=value,
        low=max(-1.0, low),
        high=min(1.0, high),
        n=len(found),
        unit="rank correlation",
        definition="Mean rank correlation, image by image, of the patches' attributions and of what covering each does.",
    )


CHECK = Check(name="explanation.image_gradients", files={_ADDS_UP: ALL, _AGREES: ALL}, run=_run, modality=IMAGE)
