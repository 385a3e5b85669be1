"""Explain single rows, documents or images to any model that somebody holds.

Answers: which kind of rows are these, and who explains them?
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sealwright.assurance.elsewhere.explained_media import explain_media
from sealwright.assurance.elsewhere.explained_rows import explain_table
from sealwright.assurance.elsewhere.given_images import are_images
from sealwright.assurance.elsewhere.given_texts import are_texts
from sealwright.assurance.explaining.row import RowExplanation
from sealwright.assurance.images.explained import ImageExplanation
from sealwright.assurance.spec import AssuranceSpec
from sealwright.assurance.text.explained import DocumentExplanation
from sealwright.kernel import InvalidInput

__all__ = ["Explained", "explain_given"]

Explained = tuple[RowExplanation, ...] | tuple[DocumentExplanation, ...] | tuple[ImageExplanation, ...]


def explain_given(
    model: Any,
    rows: Any,
    *,
    learned_from: tuple[Any, Any] | None = None,
    fixed: Sequence[str] = (),
    wanted: Any = None,
    task: str | None = None,
    positive: Any = None,
    classes: Sequence[Any] | None = None,
    layout: str | None = None,
    settings: AssuranceSpec | Mapping[str, Any] | None = None,
    seed: int = 0,
) -> Explained:
    """Explain rows, documents or images to any model; arguments as for `sealwright.explain`, which says what each is.

    What is learned from is needed for tables and images; documents need it only where nothing else names the outcomes.

    Raises
    ------
    InvalidInput
        The rows do not have the columns, the size or the kind learned from, there are too many, `learned_from` is needed, or
        no explanation adds up to the answers of a table's model.
    """
    _refuse_no_pair(learned_from)
    shown = learned_from[0] if learned_from is not None else [rows] if isinstance(rows, str) else rows
    more = {
        "wanted": wanted,
        "task": task,
        "positive": positive,
        "classes": classes,
        "settings": settings,
        "seed": seed,
    }
    if are_texts(shown) or (are_images(shown) and learned_from is not None):
        return explain_media(model, rows, learned_from=learned_from, fixed=fixed, layout=layout, **more)
    if learned_from is None:
        raise InvalidInput(
            "Rows of a table and images are explained against others: give learned_from=(rows, truth), best what the model"
            " was trained on."
        )
    if layout is not None:
        raise InvalidInput("layout is about images: an array of shape (n, h, w), (n, h, w, c) or (n, c, h, w).")
    return explain_table(model, rows, learned_from=learned_from, fixed=fixed, **more)


def _refuse_no_pair(learned_from: Any) -> None:
    """Rows without their outcomes are a slip that would be taken for something else."""
    if learned_from is not None and not (isinstance(learned_from, (tuple, list)) and len(learned_from) == 2):
        raise InvalidInput("learned_from is two things, (rows, truth): rows like these, and the outcome of each.")
