"""What every source gives: named columns, batch after batch, each row with its number.

Answers: how does the rest of the room see a file or a query?
Does not answer: what the cells mean. That is the contract's word.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sealwright.data.source_spec import FileSource, S3Source, SqlSource

__all__ = ["LOCAL_FILE", "RejectedRow", "Source", "SourceBatch", "SourceSpec", "Transport"]

SourceSpec = str | FileSource | SqlSource | S3Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """How the rows travel from where they lie to this process: what was found, not what was wished for."""

    encrypted: bool  # on the way between two machines; False, too, where nothing leaves this one
    how: str  # for people and the ledger: "local file", "TLSv1.3, server verified (sslmode=verify-full)". No secrets
    override_reason: str | None = None  # the project's reason, where it was needed: the way is not known to be safe


LOCAL_FILE = Transport(encrypted=False, how="local file")


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that is none: it has more or fewer fields than the header, or is no JSON object."""

    row: int  # 1-based data row
    text: str  # as it stands in the file
    reason: str = "ragged_row"  # a code of `cells.REASONS`
    column: str = ""  # where one column is to blame


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
        """csv, jsonl, parquet, arrow or sql."""

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
        """Digest of the bytes; of part files: of the list of their names and digests; empty for a query, whose rows
        nobody knows before they are read."""

    @property
    def transport(self) -> Transport:
        """How the rows come here. A source that would send them over a network unencrypted does not open, unless the
        project file says why it may; then `override_reason` is set, and whoever ingests writes that down."""

    @property
    def share(self) -> float:
        """About how much the running `batches` has read, 0 to 1."""

    def batches(self, only: Collection[str] | None = None) -> Iterator[SourceBatch]:
        """Every row, in order. `only`: the columns wanted, in source order; others are not read."""
