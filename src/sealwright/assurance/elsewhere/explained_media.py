"""Explain single documents or images to a model that was made elsewhere, without a workspace.

Answers: which words or regions speak for this answer and which against it, and how far can that be trusted?
Does not answer: is the answer right. Nothing is filed: a document or an image may be personal data.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sealwright.assurance.case_making import case_without_rows
from sealwright.assurance.elsewhere.asked_rows import goal_named, refuse_number
from sealwright.assurance.elsewhere.given_images import GivenImages, given_images
from sealwright.assurance.elsewhere.given_texts import are_texts, given_texts
from sealwright.assurance.elsewhere.held import held_model, settings_of
from sealwright.assurance.images.explained import ImageExplanation, explain_images
from sealwright.assurance.spec import AssuranceSpec
from sealwright.assurance.text.explained import DocumentExplanation, explain_documents
from sealwright.assurance.unexplained import CannotExplain
from sealwright.kernel import InvalidInput

__all__ = ["explain_media"]


def explain_media(
    model: Any,
    rows: Any,
    *,
    learned_from: tuple[Any, Any] | None,
    fixed: Sequence[str],
    wanted: Any,
    task: str | None,
    positive: Any,
    classes: Sequence[Any] | None,
    layout: str | None,
    settings: AssuranceSpec | Mapping[str, Any] | None,
    seed: int,
) -> tuple[DocumentExplanation, ...] | tuple[ImageExplanation, ...]:
    """Explain documents, or images beside those in `learned_from`; arguments and errors as for `explain_given`."""
    rows = [rows] if isinstance(rows, str) else rows
    learned, truth = learned_from or (rows, None)
    held = held_model(model, learned, truth, task=task, positive=positive, classes=classes, layout=layout)
    if others := [name for name in fixed if name not in held.given.table.column_names]:
        raise InvalidInput(
            f"fixed names columns of a table, {', '.join(others[:10])}; here are {held.given.modality}s."
        )
    case = case_without_rows(held.predictor, held.interface, settings_of(settings), seed)
    goal = goal_named(wanted, held.interface)
    place = None if goal is None else held.interface.classes.index(goal)
    try:
        if isinstance(held.given, GivenImages):
            behind = held.given.pictures.names
            return explain_images(case, _names(rows, held.given, held.model), behind, place)
        return explain_documents(case, _texts(rows), place)
    except CannotExplain as error:
        raise InvalidInput(f"These rows cannot be explained: {error}.") from None


def _texts(rows: Any) -> list[str]:
    if not are_texts(rows):
        raise InvalidInput(
            f"The model learned from documents; a {type(rows).__name__} is none. Give a text, or a list of texts."
        )
    texts: list[str] = given_texts(rows).table["text"].to_pylist()
    refuse_number(len(texts), "documents")
    return texts


def _names(rows: Any, given: GivenImages, model: Any) -> list[str]:
    """Take the images to explain over, or a single one; their digests."""
    array = np.asarray(rows.numpy(force=True) if hasattr(rows, "numpy") else rows)
    dimensions = len(given.pictures.layout)
    array = array[None] if array.ndim == dimensions - 1 else array
    if array.ndim != dimensions:
        raise InvalidInput(
            f"The images learned from have the layout {given.pictures.layout}; those to explain have the shape {array.shape}."
        )
    refuse_number(len(array), "images")
    names: list[str] = given_images(array, None, model, given).table["image"].to_pylist()
    return names
