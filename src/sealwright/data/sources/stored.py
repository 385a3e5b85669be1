"""Bytes that lie somewhere under a name: a file on this machine, an object in a store.

Answers: how does a reader get at the bytes, and be sure that they are of one version throughout?
Does not answer: what the bytes say. That is for the readers: CSV, JSON lines, Parquet, Arrow.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from sealwright.data.sources.model import Transport

__all__ = ["Opened", "Stored"]


@dataclass(frozen=True, slots=True)
class Opened:
    """A stream at its start that can be read and sought, and how much there is."""

    stream: BinaryIO
    size: int  # bytes


class Stored(Protocol):
    """Where bytes lie. Every opening gives the same bytes, or fails."""

    @property
    def name(self) -> str:
        """For people and statements: without folders, safe to print."""

    @property
    def transport(self) -> Transport:
        """How the bytes come to this machine."""

    def open(self) -> AbstractContextManager[Opened]:
        """The bytes, for the length of a block.

        Raises
        ------
        SourceUnreadable
            There are none, they may not be read, or (when the block ends well) they changed in the meantime.
        """
