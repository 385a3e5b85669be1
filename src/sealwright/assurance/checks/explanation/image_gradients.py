"""Which pixels a score comes from, by integrated gradients, and whether they add up to it.

The map is a mean over at least ten images. Attributions that miss the score they must add up to are refused.
"""

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.agreement import agreement
from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome, collected, skipped
from sealwright.assurance.images.asking import ask_pixels, images_of
from sealwright.assurance.images.figures import map_figure
from sealwright.assurance.images.integrated import shared_out
from sealwright.assurance.images.patches import mean_image, occlusion_maps, patches_of
from sealwright.assurance.images.pictures import Pixels
from sealwright.assurance.media_rows import drawn_rows, followed, too_few_rows
from sealwright.assurance.modality import IMAGE
from sealwright.assurance.model import Finding, NotPerformed

__all__ = ["CHECK"]

_ADDS_UP, _AGREES = "explanation.image_gradient_completeness", "explanation.image_gradient_agreement"


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
    found = shared_out(gradients, pixels, chosen, cover, pictures.batches(rows.size))
    adds_up = Finding(
        check=_ADDS_UP,
        value=found.error,
        n=rows.size,
        unit="share",
        definition="Largest distance between the sum of an image's attributions and the difference of scores they must add up to,"
        " as a share of the mean difference.",
        note=f"{found.steps} steps from the mean image",
    )
    if found.refused:
        return collected([adds_up, NotPerformed(check=_AGREES, why=found.refused)])
    sums = patches.sums(found.shares)
    whole = followed(case, case.test.outputs[rows], chosen)

    def read(versions: Pixels, owners: NDArray[np.int64]) -> Floats:
        return followed(case, ask_pixels(case, versions), chosen[owners])

    maps = occlusion_maps(patches, pixels, whole, cover, read)
    figure = map_figure(
        "explanation.image_gradients", "Where scores come from", sums.mean(axis=0), patches,
        f"mean attribution over {rows.size} images, by integrated gradients",
    )  # fmt: skip
    agrees = agreement(
        _AGREES,
        case,
        zip(sums, maps, strict=True),
        case.spec.smallest_group,
        "images",
        "patches",
        "Mean rank correlation, image by image, of the patches' attributions and of what covering each does.",
    )
    return collected([adds_up, agrees, figure])


CHECK = Check(name="explanation.image_gradients", files={_ADDS_UP: ALL, _AGREES: ALL}, run=_run, modality=IMAGE)
