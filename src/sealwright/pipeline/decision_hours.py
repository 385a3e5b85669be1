"""The files of finished hours: where the decision records of a channel go when their hour is over.

Answers: which hours of a channel are in files, and which entries of its ledger are they about?
Does not answer: how they are made (`decision_sealing`), rewritten (`decision_erasure`), or read (`decision_hour_rows`).

One folder an hour: `records.parquet`, encrypted column by column; `keys.json`, its random keys wrapped under the branch
"decisions"; `manifest.json`, signed, with the digest of the file and which entries it is about. A folder's name begins with its first entry and
ends with its generation: a rewritten hour is a folder beside the old one, and the highest generation counts.
"""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sealwright.evidence import verify_any
from sealwright.kernel import (
    Conflict,
    InvalidInput,
    Sha256,
    VerificationFailed,
    digest_of,
    private_folder,
    read_limited,
)
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import LedgerEntry

__all__ = [
    "FILE",
    "HOUR_TYPE",
    "KEYS",
    "MANIFEST",
    "Hour",
    "count_hours",
    "digest_of_file",
    "hour_gone",
    "hold_hours",
    "hours_backwards",
    "hours_folder",
    "hours_of",
    "newer_generation",
    "remove_folder",
]

HOUR_TYPE = "urn:sealwright:predicate:decision-hour:v1"
FILE, KEYS, MANIFEST = "records.parquet", "keys.json", "manifest.json"

_MOST_BYTES = 1 << 20
_FIRST = 12  # characters of a folder's name that say its first entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """One hour of one channel, as its manifest says. Without a `file` there was no decision, or they were disposed of."""

    project: str
    channel: str
    hour: str  # "2026-11-27T06", UTC
    first: int  # the entry of the ledger it begins with
    after: int  # the entry it ends before
    rows: int  # decisions, erased ones included
    erased: int
    generation: int
    leaves: str  # digest over the leaf digests of its decisions' entries, in order
    file: str  # digest of `records.parquet`, or ""
    size: int  # of it, in bytes
    disposed: bool = False
    replaces: str = ""  # digest of the manifest of the generation before
    folder: Path = field(default=Path(), compare=False)
    envelope: bytes = field(default=b"", compare=False, repr=False)

    @property
    def name(self) -> str:
        """Of its folder."""
        return f"{self.first:012}-{self.hour}-{self.generation:04}"

    @property
    def link(self) -> str:
        """Where it lies, as refusals name it."""
        return f"hours/{self.name}"

    def predicate(self) -> dict[str, Any]:
        """What is signed."""
        left_out = ("folder", "envelope")
        return {
            "format": 1,
            **{name: getattr(self, name) for name in self.__dataclass_fields__ if name not in left_out},
        }

    @property
    def subjects(self) -> list[tuple[str, str]]:
        """What the signed manifest is about."""
        return [(FILE, self.file)] if self.file else [("entries", self.leaves)]

    def to_json(self) -> dict[str, Any]:
        return {"manifest": digest_of(self.envelope), **self.predicate()}


def hours_folder(workspace: Workspace, project: str, channel: str) -> Path:
    """Where the hours of a channel lie."""
    return workspace.folder("serving") / project / channel / "hours"


def hours_of(workspace: Workspace, project: str, channel: str, *, beyond: int = 0) -> list[Hour]:
    """The hours of a channel, oldest first, each as its signed manifest says.

    Parameters
    ----------
    beyond : int
        Only those that reach beyond this entry; manifests of earlier ones are not read.

    Raises
    ------
    VerificationFailed
        A manifest was changed, one is of another channel, or an hour in the middle is missing.
    """
    folders = _current(workspace, project, channel)
    ends = [*(folder.name[:_FIRST] for folder in folders[1:]), "~"]
    found = [
        _hour_now(workspace, folder, project, channel)
        for folder, end in zip(folders, ends, strict=False)
        if end > f"{beyond:0{_FIRST}}"
    ]
    expected = found[0].first if beyond and found else 0
    for one in found:
        if one.first != expected:
            raise _gap(one)
        expected = one.after
    return found


def hours_backwards(workspace: Workspace, project: str, channel: str) -> Iterator[Hour]:
    """The hours of a channel, newest first; each manifest is read when it is asked for. Raises as `hours_of`."""
    next_one: Hour | None = None
    for folder in reversed(_current(workspace, project, channel)):
        hour = _hour_now(workspace, folder, project, channel)
        if next_one is not None and hour.after != next_one.first:
            raise _gap(next_one)
        yield hour
        next_one = hour
    if next_one is not None and next_one.first:
        raise _gap(next_one)


def newer_generation(workspace: Workspace, project: str, channel: str, name: str) -> Hour | None:
    """What took the place of an hour whose folder had this name when it was listed; None where nothing did.

    Raises
    ------
    VerificationFailed
        As `hours_of`.
    """
    for folder in _current(workspace, project, channel):
        if folder.name > name and folder.name[:_FIRST] == name[:_FIRST]:
            return _hour(workspace, folder, project, channel)
    return None


def count_hours(workspace: Workspace, project: str, channel: str) -> int:
    """How many hours of a channel there are, at a glance."""
    return len(_current(workspace, project, channel))


def hour_gone(entry: LedgerEntry) -> VerificationFailed:
    """The refusal where a record was moved into the file of an hour that is not there."""
    return VerificationFailed(
        f"The record of entry {entry.index} was moved into the file of the hour {entry.moved_to}, which is gone.\n"
        "Restore the folder of that hour from a backup.",
        link=f"entry {entry.index}",
    )


def digest_of_file(path: Path, link: str) -> str:
    """The digest of a file, read in pieces."""
    running = Sha256()
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(1 << 20):
                running.update(chunk)
    except OSError:
        raise VerificationFailed(f"{path.name} of {link} is missing. Restore it from a backup.", link=link) from None
    return running.digest()


@contextmanager
def hold_hours(folder: Path) -> Iterator[None]:
    """Be the only one who changes the hours of a channel.

    Raises
    ------
    Conflict
        Another process does.
    """
    private_folder(folder)
    handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise Conflict("Another process seals the decisions of this channel just now. Try again later.") from None
    finally:
        os.close(handle)


def remove_folder(folder: Path) -> None:
    """Destroy the keys of a folder, then the rest of it."""
    keys = folder / KEYS
    if keys.exists():
        with keys.open("r+b") as stream:
            stream.write(secrets.token_bytes(keys.stat().st_size))
            stream.flush()
            os.fsync(stream.fileno())
    shutil.rmtree(folder)


def _current(workspace: Workspace, project: str, channel: str) -> list[Path]:
    """The folders that count: of each hour the newest generation."""
    place = hours_folder(workspace, project, channel)
    newest: dict[str, Path] = {}
    for folder in sorted(place.iterdir()) if place.is_dir() else ():
        if folder.is_dir() and not folder.name.startswith("."):
            newest[folder.name[:_FIRST]] = folder  # in order, so the highest generation stays
    return list(newest.values())


def _hour_now(workspace: Workspace, folder: Path, project: str, channel: str) -> Hour:
    """The hour of a folder, or of the one that took its place meanwhile."""
    try:
        return _hour(workspace, folder, project, channel)
    except VerificationFailed:
        newer = newer_generation(workspace, project, channel, folder.name)
        if newer is None:
            raise
        return newer


def _hour(workspace: Workspace, folder: Path, project: str, channel: str) -> Hour:
    link = f"hours/{folder.name}"
    try:
        envelope = read_limited(folder / MANIFEST, _MOST_BYTES)
    except (OSError, InvalidInput):
        raise VerificationFailed(f"The manifest of {link} is missing. Restore it from a backup.", link=link) from None
    statement = verify_any(envelope, workspace.trust_root)
    said = {name: value for name, value in statement.predicate.items() if name != "format"}
    fields = set(Hour.__dataclass_fields__) - {"folder", "envelope"}
    if statement.predicate_type != HOUR_TYPE or set(said) != fields:
        raise VerificationFailed(f"The manifest of {link} is of something else.", link=link)
    hour = Hour(**said, folder=folder, envelope=envelope)
    if (hour.project, hour.channel, hour.name) != (project, channel, folder.name):
        raise VerificationFailed(f"The manifest of {link} is of another hour or channel.", link=link)
    return hour


def _gap(hour: Hour) -> VerificationFailed:
    return VerificationFailed(
        f"The hours of {hour.project}/{hour.channel} have a gap before entry {hour.first}. "
        "Restore the folder from a backup.",
        link=hour.link,
    )
