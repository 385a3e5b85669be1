"""Documents as somebody holds them: a list, an array or a series of texts, one of them a row.

The table has the column `text`, and beside it, not given to the model, `words`: how many a document has, for slices.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from sealwright.assurance.elsewhere.given_rows import arrow_column
from sealwright.assurance.features import Features, as_text
from sealwright.assurance.modality import TEXT
from sealwright.assurance.text.words import counted

__all__ = ["GivenTexts", "are_texts", "given_texts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenTexts:
    """Documents as a table, and how to give a model such documents in the form they came in."""

    table: pa.Table
    like: Any
    numbers: tuple[str, ...] = ()
    strings: tuple[str, ...] = ("text",)
    modality: str = TEXT

    def native(self, features: Features) -> Any:
        """The documents of `features` as a list, a series, or an array of objects."""
        texts = features.strings[:, 0]
        if isinstance(self.like, (list, tuple)):
            return texts.tolist()
        if hasattr(self.like, "iloc"):
            return type(self.like)(texts, name=self.like.name)
        return type(self.like)(texts.tolist()) if hasattr(self.like, "to_arrow") else texts


def are_texts(data: Any) -> bool:
    """Whether this is a sequence of texts rather than a table or an array of numbers."""
    if isinstance(data, (pa.Array, pa.ChunkedArray)):
        return _of_texts(data.type)
    if hasattr(data, "columns") or isinstance(data, (str, bytes)) or getattr(data, "ndim", 1) != 1:
        return False
    if hasattr(data, "to_arrow"):
        return _of_texts(data.to_arrow().type)
    if isinstance(data, np.ndarray) or hasattr(data, "iloc") or (isinstance(data, Sequence) and len(data)):
        some = list(data[:20])
        return bool(some) and all(isinstance(one, str) or one is None for one in some)
    return False


def given_texts(data: Any) -> GivenTexts:
    """Take documents over. A missing document is an empty one.

    Raises
    ------
    InvalidInput
        Some are not texts.
    """
    if isinstance(data, np.ndarray) and data.dtype.kind == "U":
        data = data.astype(object)
    column = as_text(arrow_column(data, "The documents"), "text")
    words = pa.array(counted(column.to_numpy(zero_copy_only=False)))
    return GivenTexts(table=pa.table({"text": column, "words": words}), like=data)


def _of_texts(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))
