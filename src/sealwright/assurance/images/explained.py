"""Which regions of one image speak for an answer and which against it, and how far that can be trusted.

Row-level: for who holds the images, on their own machine. None of it is ever filed, signed or drawn in a report.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.agreement import rank_correlation
from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.case_making import generator_for
from sealwright.assurance.deletion import Deletion, Losses, deletion_of
from sealwright.assurance.features import Features
from sealwright.assurance.images.asking import ask_pixels, images_of
from sealwright.assurance.images.integrated import shared_out
from sealwright.assurance.images.patches import (
    Patches,
    Read,
    deleted_patches,
    mean_image,
    occlusion_maps,
    patches_of,
)
from sealwright.assurance.images.pictures import Pixels
from sealwright.assurance.media_rows import drawn, followed
from sealwright.assurance.predictor import answers
from sealwright.assurance.unexplained import CannotExplain

__all__ = ["Completeness", "ImageExplanation", "RegionEffect", "explain_images"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionEffect:
    """One patch of the grid over an image."""

    row: int  # from 1, downwards
    column: int  # from 1, to the right
    box: tuple[int, int, int, int]  # pixels: first row and column, and those after the last
    effect: float  # what the answer loses when the patch is covered, in the unit of the explanation
    gradient: float | None  # its part of the score by integrated gradients, where those add up


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """Integrated gradients of a torch module, which must add up to the difference of two scores."""

    error: float  # how far they miss it, as a share of it
    steps: int
    agreement: float | None  # rank correlation of the patches' parts with their effects; None: nothing differs


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageExplanation:
    """One image explained. A text in place of a part says why there is none."""

    image: str  # digest of the pixels, "sha256:<64 hex>"
    decided: str | None  # None for numbers
    answer: float  # probability of `outcome`, or the value
    outcome: str | None  # what the regions speak for or against
    unit: str  # "probability" or "target units"
    method: str
    rows: int  # patches from top to bottom
    columns: int
    regions: tuple[RegionEffect, ...]  # row by row
    covered: float | None  # the answer to the image that covers; None: no answer
    deletion: Deletion | str
    completeness: Completeness | str
    pixels: Pixels = field(repr=False, compare=False)  # shape (height, width, channels), 0 to 1

    def to_json(self) -> dict[str, Any]:
        """Everything but the pixels, with the fidelity of the deletion."""
        fidelity = {} if isinstance(self.deletion, str) else {"fidelity": self.deletion.fidelity}
        found = asdict(replace(self, pixels=np.empty(0)))
        del found["pixels"]
        return {**found, **fidelity}


def explain_images(
    case: Case, names: Sequence[str], behind: Sequence[str], wanted: int | None = None
) -> tuple[ImageExplanation, ...]:
    """Explain images, each by itself; the same image, model, `behind` and seed give the same explanation.

    Parameters
    ----------
    names, behind : sequence of str
        Digests of the images to explain, and of those whose mean covers a patch.
    wanted : int, optional
        Position of the class the regions speak for or against; left out: the one decided.

    Raises
    ------
    CannotExplain
        The budget of queries does not reach.
    UnusablePredictions
        The model has no answer to an image.
    """
    pictures = images_of(case).pictures
    patches = patches_of(pictures)
    affordable = case.spec.explanation.queries // patches.number
    if len(names) > affordable:
        raise CannotExplain(
            f"with {patches.number} patches each, the budget of queries (assurance.explanation.queries) explains"
            f" {affordable:,} of {len(names):,} images; raise it, or ask for fewer"
        )
    rng = generator_for(case.seed, "explaining/cover")
    every = np.array(sorted(behind), dtype=object)
    cover = mean_image(pictures, every[drawn(len(every), case.spec.images.images, rng)])
    strings = np.array(names, dtype=object).reshape(-1, 1)
    rows = Features(numbers=np.empty((len(names), 0)), strings=strings)
    outputs = answers(case.predictor, rows, case.interface)
    return tuple(_one(case, patches, name, cover, outputs[[row]], wanted) for row, name in enumerate(names))


def _one(
    case: Case, patches: Patches, name: str, cover: Pixels, outputs: Floats, wanted: int | None
) -> ImageExplanation:
    numeric, classes = case.task == "regression", case.interface.classes
    decided = None if numeric else int(case.decide(outputs)[0])
    chosen = np.array([decided if wanted is None else wanted], dtype=np.int64) if not numeric else np.zeros(1, np.int64)
    pixels = images_of(case).pictures.pixels(np.array([name], dtype=object))
    whole = followed(case, outputs, chosen)

    def read(versions: Pixels, _owners: NDArray[np.int64]) -> Floats:
        return followed(case, ask_pixels(case, versions), np.repeat(chosen, len(versions)))

    effects = occlusion_maps(patches, pixels, whole, cover, read)[0]
    completeness, parts = _gradients(case, patches, pixels, chosen, cover, effects)
    none = float(read(cover[None], np.zeros(1, np.int64))[0])
    return ImageExplanation(
        image=f"sha256:{name}",
        decided=None if decided is None else classes[decided],
        answer=float(whole[0]),
        outcome=None if numeric else classes[int(chosen[0])],
        unit="target units" if numeric else "probability",
        method="each region covered by the mean image in turn",
        rows=patches.rows,
        columns=patches.columns,
        regions=_regions(patches, effects, parts),
        covered=none if np.isfinite(none) else None,
        deletion=_deletion(
            patches, pixels[0], effects, cover, whole, read, generator_for(case.seed, f"explaining/{name}")
        ),
        completeness=completeness,
        pixels=pixels[0],
    )


def _regions(patches: Patches, effects: Floats, parts: Floats | None) -> tuple[RegionEffect, ...]:
    return tuple(
        RegionEffect(
            row=at // patches.columns + 1,
            column=at % patches.columns + 1,
            box=patches.box(at),
            effect=float(effects[at]),
            gradient=None if parts is None else float(parts[at]),
        )
        for at in range(patches.number)
    )


def _gradients(
    case: Case, patches: Patches, pixels: Pixels, chosen: NDArray[np.int64], cover: Pixels, effects: Floats
) -> tuple[Completeness | str, Floats | None]:
    """How well integrated gradients add up, and the patches' parts of the score; or why there are none."""
    gradients = images_of(case).gradients
    if gradients is None:
        return "the model is no torch module, so its gradients are not known", None
    found = shared_out(gradients, pixels, chosen, cover, [slice(0, 1)])
    if found.refused:
        return found.refused, None
    parts = patches.sums(found.shares)[0]
    agrees = rank_correlation(parts, effects)
    agreement = agrees if np.isfinite(agrees) else None
    return Completeness(error=found.error, steps=found.steps, agreement=agreement), parts


def _deletion(
    patches: Patches, image: Pixels, effects: Floats, cover: Pixels, whole: Floats, read: Read, rng: np.random.Generator
) -> Deletion | str:
    if not effects.any():
        return "covering a patch changes nothing"

    def losses(n: int) -> Losses:
        copies, maps = np.stack([image] * n), np.tile(effects, (n, 1))
        return deleted_patches(patches, copies, maps, cover, np.repeat(whole, n), read, rng)

    return deletion_of(losses)
