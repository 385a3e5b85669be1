"""What every source gives: named columns, batch after batch, each row with its number.

Answers: how does the rest of the room see a file or a query?
Does not answer: what the cells mean. That is the contract's word.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sealwright.data.spec import FileSource, SqlSource

__all__ = ["RejectedRow", "Source", "SourceBatch", "SourceSpec"]

SourceSpec = str | FileSource | SqlSource


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that is none: it has more or fewer fields than the header."""

    row: int  # 1-based data row
    text: str  # as it stands in the file


@dataclass(frozen=True, slots=True)
class SourceBatch:
    """Some rows in source order, and the unreadable rows between them."""

    rows: Any  # pa.RecordBatch: strings from text sources, native types from typed ones
    numbers: NDArray[np.int64]  # 1-based data row of each row; the header and blank lines are not rows
    rejected: tuple[RejectedRow, ...] = ()


class Source(Protocol):
    """A table somewhere, read in bounded memory. Reading twice gives the same rows, or fails if they changed."""

    @property
    def spec(self) -> SourceSpec:
        """As the project file names it."""

    @property
    def name(self) -> str:
        """For people and statements: a file name without folders, or a kind of database. Never a secret."""

    @property
    def kind(self) -> str:
        """csv, parquet, arrow or sql."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns in source order."""

    @property
    def unreadable(self) -> Mapping[str, str]:
        """Columns of a kind we do not read (nested, binary), each with its type."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know about how the source was understood."""

    @property
    def decimal(self) -> str:
        """Decimal mark in text cells."""

    @property
    def digest(self) -> str:
        """Digest of the file's bytes; empty for a query, whose rows nobody knows before they are read."""

    @property
    def share(self) -> float:
        """About how much the running `batches` has read, 0 to 1."""

    def batches(self, only: Collection[str] | None = None) -> Iterator[SourceBatch]:
        """Every row, in order. `only`: the columns wanted, in source order; others are not read."""
