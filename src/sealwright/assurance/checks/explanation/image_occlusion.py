"""Where the model looks: what answers lose when one patch of an image after the other is covered.

The map is a mean over at least ten images; no single image, and no map of one, is in a result.
"""

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome, collected, skipped
from sealwright.assurance.concentration import share_of_one
from sealwright.assurance.deletion import fidelity
from sealwright.assurance.images.asking import ask_pixels, images_of
from sealwright.assurance.images.figures import map_figure
from sealwright.assurance.images.patches import Patches, deleted_patches, mean_image, occlusion_maps, patches_of
from sealwright.assurance.images.pictures import Pixels
from sealwright.assurance.media_rows import drawn_rows, followed, followed_words, too_few_rows
from sealwright.assurance.modality import IMAGE
from sealwright.assurance.model import Finding, NotPerformed

__all__ = ["CHECK"]

_TOP, _FIDELITY = "explanation.image_top_patch_share", "explanation.image_fidelity"


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    rows = drawn_rows(case, case.spec.images.explained, rng)
    if why := too_few_rows(case, rows.size, "images"):
        return skipped([_TOP, _FIDELITY], why)
    pictures = images_of(case).pictures
    names = case.test.features.strings[:, 0]
    pixels, patches = pictures.pixels(names[rows]), patches_of(pictures)
    cover = mean_image(pictures, names[drawn_rows(case, case.spec.images.images, rng)])
    chosen = np.zeros(rows.size, dtype=np.int64) if case.task == "regression" else case.decisions[rows]
    whole = followed(case, case.test.outputs[rows], chosen)

    def read(versions: Pixels, owners: NDArray[np.int64]) -> Floats:
        return followed(case, ask_pixels(case, versions), chosen[owners])

    maps = occlusion_maps(patches, pixels, whole, cover, read)
    what = followed_words(case)
    figure = map_figure(
        "explanation.image_occlusion", "Where the model looks", maps.mean(axis=0), patches,
        f"mean loss of the {what} over {rows.size} images when a patch is covered",
    )  # fmt: skip
    losses = deleted_patches(patches, pixels, maps, cover, whole, read, rng)
    deleted = fidelity(_FIDELITY, *losses, case.spec.confidence, "patches", what)
    return collected([_top_share(case, maps, patches, rng), *deleted, figure])


def _top_share(case: Case, maps: Floats, patches: Patches, rng: np.random.Generator) -> Finding | NotPerformed:
    """How much of all that covering does is one patch's."""
    sizes = np.abs(maps)
    if not sizes.sum():
        return NotPerformed(check=_TOP, why="covering a patch changes no answer")
    top = int(np.argmax(sizes.sum(axis=0)))
    return share_of_one(
        case,
        _TOP,
        sizes[:, top],
        sizes.sum(axis=1),
        "Share of the effects of covering any patch, in size, that is the one patch's with the largest part of them.",
        f"{patches.where(top)}; with all patches alike it would be {1 / patches.number:.3g}",
        rng,
    )


CHECK = Check(name="explanation.image_occlusion", files={_TOP: ALL, _FIDELITY: ALL}, run=_run, modality=IMAGE)
