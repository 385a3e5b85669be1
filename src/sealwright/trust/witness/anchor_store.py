"""What anchors gave us, beside the ledger: cosigned checkpoints and time stamps, each a pair of plain files.

anchors/cosigned/<entries>.checkpoint          the checkpoint with the witnesses' signatures under the log's; the newest 64
anchors/timestamps/<entries>.checkpoint        the checkpoint, byte for byte as it was stamped
anchors/timestamps/<entries>-<authority>.tsr   the authority's answer (RFC 3161, DER)

Answers: what did others say about this ledger?
Does not answer: does it hold? Nothing here is believed; `anchor_check` verifies all of it. And whoever holds this folder can
remove it: what counts most lies with the witness, in the bucket, with the auditor.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sealwright.kernel import private_folder, read_limited, write_atomically
from sealwright.trust.notes import Checkpoint

__all__ = ["AnchorStore", "Stamped"]

_KEPT = 64
_MOST_NOTE, _MOST_TOKEN = 256 * 1024, 64 * 1024
_NOTE = re.compile(r"[0-9]{18}\.checkpoint")
_TOKEN = re.compile(r"([0-9]{18})-([0-9a-f]{16})\.tsr")


class Stamped(NamedTuple):
    """One time stamp and what it is over."""

    size: int
    authority: str  # the first 16 hex digits of its certificate's digest
    note: bytes
    token: bytes


class AnchorStore:
    """The folder `anchors` of one ledger."""

    def __init__(self, ledger: Path) -> None:
        self.folder = ledger / "anchors"

    def keep_cosigned(self, note: bytes) -> None:
        """Keep a cosigned checkpoint; on disk when this returns. Older ones make room."""
        folder = self._made("cosigned")
        write_atomically(folder / f"{Checkpoint.parse_note(note).size:018d}.checkpoint", note)
        for path in self._notes()[_KEPT:]:
            path.unlink(missing_ok=True)

    def cosigned(self) -> list[bytes]:
        """Cosigned checkpoints, the one with most entries first."""
        return [read_limited(path, _MOST_NOTE) for path in self._notes()]

    def cosigned_at(self, size: int) -> bytes | None:
        """The cosigned checkpoint for so many entries."""
        path = self.folder / "cosigned" / f"{size:018d}.checkpoint"
        return read_limited(path, _MOST_NOTE) if path.exists() else None

    def keep_stamp(self, note: bytes, authority: str, token: bytes) -> None:
        """Keep a time stamp; on disk when this returns."""
        folder, size = self._made("timestamps"), Checkpoint.parse_note(note).size
        write_atomically(folder / f"{size:018d}.checkpoint", note)
        write_atomically(folder / f"{size:018d}-{_short(authority)}.tsr", token)

    def stamps(self) -> Iterator[Stamped]:
        """All time stamps, the one over most entries first."""
        folder = self.folder / "timestamps"
        for path in sorted(folder.glob("*.tsr"), reverse=True) if folder.is_dir() else ():
            found = _TOKEN.fullmatch(path.name)
            if found:
                note = read_limited(folder / f"{found[1]}.checkpoint", _MOST_NOTE)
                yield Stamped(int(found[1]), found[2], note, read_limited(path, _MOST_TOKEN))

    def last_stamp(self, authority: str) -> Stamped | None:
        """The newest time stamp by one authority (its fingerprint)."""
        return next((one for one in self.stamps() if one.authority == _short(authority)), None)

    def _notes(self) -> list[Path]:
        folder = self.folder / "cosigned"
        found = (path for path in folder.iterdir() if _NOTE.fullmatch(path.name)) if folder.is_dir() else ()
        return sorted(found, reverse=True)

    def _made(self, name: str) -> Path:
        private_folder(self.folder)
        return private_folder(self.folder / name)


def _short(authority: str) -> str:
    return authority.removeprefix("sha256:")[:16]
