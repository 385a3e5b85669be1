"""Part files of one table: a folder, or all whose names match a pattern, read in the order of their names.

Answers: which files belong to the table, and do they agree on its columns?
Does not answer: what is in them. Each part is read by the reader of its kind, as if it were alone.
"""

import dataclasses
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sealwright.data.errors import ColumnsUnusable, SourceUnreadable
from sealwright.data.names import safe, shown
from sealwright.data.sources.files import LocalFile
from sealwright.data.sources.model import Source, SourceBatch, SourceSpec, Transport
from sealwright.data.sources.stored import Stored
from sealwright.kernel import canonical_json, digest_of

__all__ = ["Part", "Parted", "is_hidden", "is_pattern", "local_parts"]

_MOST_PARTS = 100_000


@dataclass(frozen=True, slots=True)
class Part:
    """One part, and its name within the table: with folders, without what all parts share."""

    name: str
    stored: Stored


class Parted:
    """Several parts as one source.

    Parameters
    ----------
    find : callable
        Lists the parts as they are now, in any order.
    read : callable
        From where a part lies, and keys that other parts have, to the source it is.
    """

    def __init__(
        self,
        name: str,
        spec: SourceSpec,
        find: Callable[[], list[Part]],
        read: Callable[[Stored, tuple[str, ...]], Source],
    ) -> None:
        self.spec, self._find = spec, find
        parts = {part.name: part for part in find()}
        self._names = _in_order(parts, name)
        opened = [read(parts[one].stored, ()) for one in self._names]
        self.kind = opened[0].kind
        if {part.kind for part in opened} != {self.kind}:
            raise SourceUnreadable(f"The parts of {name} are of different kinds. Name one: for example *.parquet.")
        if self.kind == "jsonl":  # a key may be missing in all rows of a part
            known = tuple(dict.fromkeys(key for part in opened for key in part.columns))
            opened = [read(parts[one].stored, known) for one in self._names]
        self._parts: Sequence[Source] = opened
        self.name = f"{name} ({len(opened)} parts)"
        self.columns = opened[0].columns
        self._refuse_other_columns()
        self.unreadable = {column: kind for part in opened for column, kind in part.unreadable.items()}
        self.notes = tuple(dict.fromkeys(note for part in opened for note in part.notes))
        self.decimal = opened[0].decimal
        self.share = 0.0

    @property
    def transport(self) -> Transport:
        return self._parts[0].transport

    @property
    def digest(self) -> str:
        listed = [[name, part.digest] for name, part in zip(self._names, self._parts, strict=True)]
        return digest_of(canonical_json(listed))

    def batches(self, only: Collection[str] | None = None) -> Iterator[SourceBatch]:
        wanted = [name for name in self.columns if (name not in self.unreadable if only is None else name in only)]
        before = 0
        for place, part in enumerate(self._parts):
            last = before
            for batch in part.batches(wanted):
                last = max([last, *(batch.numbers[-1:] + before), *(row.row + before for row in batch.rejected)])
                rejected = tuple(dataclasses.replace(row, row=row.row + before) for row in batch.rejected)
                yield SourceBatch(batch.rows.select(wanted), batch.numbers + before, rejected)
                self.share = (place + part.share) / len(self._parts)
            before = int(last)
        if sorted(part.name for part in self._find()) != self._names:
            raise _changed(self.name)
        self.share = 1.0

    def _refuse_other_columns(self) -> None:
        wanted = set(self.columns)
        for part in self._parts:
            if set(part.columns) != wanted:
                more, fewer = sorted(set(part.columns) - wanted), sorted(wanted - set(part.columns))
                said = [f"it has {shown(more[0])} besides"] if more else []
                said += [f"it lacks {shown(fewer[0])}"] if fewer else []
                raise ColumnsUnusable(
                    f"{part.name} has other columns than {self._parts[0].name}: {' and '.join(said)}.\n"
                    "Parts of one table have the same columns. Take out what does not belong, or name a narrower pattern."
                )


def local_parts(base: Path, pattern: str) -> list[Part]:
    """The files of a folder, or those a pattern matches, hidden ones left out.

    Raises
    ------
    SourceUnreadable
        A part, or a folder on the way to it, is a symbolic link: it could lead anywhere.
    """
    fixed, rest = _split(base, pattern)
    found = sorted(fixed.rglob("*")) if not rest else sorted(fixed.glob(rest))
    parts = []
    for path in found:
        within = path.relative_to(fixed)
        if is_hidden(within.as_posix()):
            continue
        here = fixed
        for step in within.parts:
            here /= step
            if here.is_symlink():
                raise SourceUnreadable(
                    f"{safe(str(within))} is, or lies behind, a symbolic link. Parts of a table are plain files of its folder."
                )
        if not path.is_dir():
            parts.append(Part(within.as_posix(), LocalFile(path, follow=False)))
    return parts


def is_pattern(name: str) -> bool:
    """Whether a name stands for several."""
    return any(c in name for c in "*?[")


def is_hidden(name: str) -> bool:
    """Whether a name marks what writers put beside data: .crc, _SUCCESS, _temporary/…."""
    return any(step.startswith((".", "_")) for step in PurePosixPath(name).parts)


def _split(base: Path, pattern: str) -> tuple[Path, str]:
    """The folder all parts share, and the pattern within it."""
    steps = Path(pattern).parts
    fixed = next((place for place, step in enumerate(steps) if is_pattern(step)), len(steps))
    return base.joinpath(*steps[:fixed]), str(PurePosixPath(*steps[fixed:])) if fixed < len(steps) else ""


def _in_order(parts: Iterable[str], name: str) -> list[str]:
    names = sorted(parts)
    if not names:
        raise SourceUnreadable(f"{name} names no file. A table of part files has at least one.")
    if len(names) > _MOST_PARTS:
        raise SourceUnreadable(f"{name} names {len(names):,} files; at most {_MOST_PARTS:,} are read as one table.")
    return names


def _changed(name: str) -> SourceUnreadable:
    return SourceUnreadable(f"Files were added to or taken from {name} while it was read. Try again.")
