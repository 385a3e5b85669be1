"""What a scoring remembers beside its output, so that it goes on where it was cut off, and never mixes two sources or versions.

Answers: which file, which version, which columns, and up to where are answers in the output?
Does not answer: up to where they are on record. The ledger says; it is ahead by one batch where a kill came between the two.
"""

from pathlib import Path
from typing import Literal

import msgspec

from sealwright.kernel import Conflict, OperationFailed, Refused, VerificationFailed, read_limited, write_atomically

__all__ = ["Job", "JobFile", "Progressed", "RowRefused", "SourceChanged", "VersionChanged"]

_MOST_BYTES = 16 << 20


class SourceChanged(Conflict):
    """The source is not what was scored so far; nothing of two sources is put into one output."""

    code = "scoring.source_changed"


class VersionChanged(Conflict):
    """Another version was released since the scoring began; answers of two versions are not put into one output."""

    code = "scoring.version_changed"


class RowRefused(Refused):
    """A row is outside the contract, and the scoring was to stop there."""

    code = "scoring.row_refused"


class Progressed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is in the output."""

    batches: int = 0
    last: int = 0  # number of the last row
    entry: int = -1  # of its batch in the ledger; before the first batch, that the scoring was begun
    size: int = 0  # bytes of the output's lines
    read: str = ""  # digest of all requests up to row `read_to`, where the source has none
    read_to: int = 0
    refused: int = 0
    abstained: int = 0
    reasons: dict[str, int] = {}  # rows by field and code
    beside: list[str] = []  # what stood beside answers, such as "marks"
    texts: list[str] = []  # key columns that are not whole numbers only


class Job(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One scoring of one source into one output."""

    format: Literal[1] = 1
    job: str
    project: str
    channel: str
    package: str
    number: int
    classes: list[str]  # of a classifier
    source: str  # its name
    digest: str  # of the source; "" for a query
    columns: list[str]
    person: str
    keys: list[str]
    begun_at: str
    done: Progressed = Progressed()
    ended: bool = False  # every row is in the output's lines

    def same(self, other: "Job") -> bool:
        """Whether the same was asked for, with whatever answers so far."""
        return msgspec.structs.replace(
            self, job="", begun_at="", done=Progressed(), ended=False
        ) == msgspec.structs.replace(other, job="", begun_at="", done=Progressed(), ended=False)


class JobFile:
    """The job beside an output."""

    def __init__(self, out: Path) -> None:
        self.path = out.with_name(f"{out.name}.job")

    def read(self) -> Job | None:
        """The job that was begun; None where none was.

        Raises
        ------
        VerificationFailed
            The file is not one.
        """
        if not self.path.exists():
            return None
        try:
            return _DECODER.decode(read_limited(self.path, _MOST_BYTES))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise VerificationFailed(
                f"{self.path} does not say what was scored into this output. Begin anew with --anew, or name a new output.",
                link=self.path.name,
            ) from None

    def write(self, job: Job) -> None:
        """Durable when this returns.

        Raises
        ------
        OperationFailed
            The disk is full or read-only; what was written before stands.
        """
        try:
            write_atomically(self.path, msgspec.json.format(msgspec.json.encode(job)))
        except OSError as error:
            raise OperationFailed(
                f"Cannot write {self.path}: {error.strerror}. What is on record stays; when that is mended, the same command goes on."
            ) from None

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)


_DECODER = msgspec.json.Decoder(Job)
