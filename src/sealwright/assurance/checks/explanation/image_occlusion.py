"""Where the model looks: what answers lose when one patch of an image after the other is covered.

The map is a mean over at least ten images; no single image, and no map of one, is in a result.
"""

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome, collected, skipped
from sealwright.assurance.concentration import share_of_one
from sealwright.assurance.deletion import SHARES, fidelity, how_many
from sealwright.assurance.images.asking import ask_pixels, images_of
from sealwright.assurance.images.figures import map_figure
from sealwright.assurance.images.patches import Patches, mean_image, occlusion_maps, patches_of
from sealwright.assurance.images.pictures import Pixels
from sealwright.assurance.media_rows import drawn_rows, followed, followed_words, too_few_rows
from sealwright.assurance.modality import IMAGE
from sealwright.assurance.model import Figure, Finding, NotPerformed

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
    deleted = _deleted(case, patches, pixels, maps, cover, whole, chosen, rng)
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


def _deleted(
    case: Case,
    patches: Patches,
    pixels: Pixels,
    maps: Floats,
    cover: Pixels,
    whole: Floats,
    chosen: NDArray[np.int64],
    rng: np.random.Generator,
) -> tuple[Finding, Figure]:
    guided: list[Floats] = []
    by_lot: list[Floats] = []
    for share in SHARES:
        most = how_many(patches.number, share)
        orders = (
            np.argsort(-maps, axis=1, kind="stable"),
            rng.permuted(np.tile(np.arange(patches.number), (len(maps), 1)), axis=1),
        )
        for losses, order in zip((guided, by_lot), orders, strict=True):
            versions = np.stack(
                [patches.covered(image, one[:most], cover) for image, one in zip(pixels, order, strict=True)]
            )
            losses.append(np.nan_to_num(whole - followed(case, ask_pixels(case, versions), chosen)))
    return fidelity(_FIDELITY, guided, by_lot, case.spec.confidence, "patches", followed_words(case))


CHECK = Check(name="explanation.image_occlusion", files={_TOP: ALL, _FIDELITY: ALL}, run=_run, modality=IMAGE)
