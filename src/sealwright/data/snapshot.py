"""A snapshot: one immutable, encrypted version of a dataset, opened only if every byte is as it was signed.

Answers: which rows, exactly, was a model made from?
Does not answer: may they be used for this? Purpose and basis are checked above.

Bytes are verified twice: all files when the snapshot is opened, and each file again in the very memory it
is decrypted from, so that a file swapped in between is refused, too.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from sealwright.data.cast import ARROW_TYPES
from sealwright.data.checked import changed, check_snapshot
from sealwright.data.encryption import physical, read_encrypted
from sealwright.data.manifest import FileEntry, Manifest
from sealwright.data.names import nearest, shown
from sealwright.data.quarantine import QUARANTINE_SCHEMA, QuarantinedRow, rows_from_table
from sealwright.kernel import (
    InvalidInput,
    Refused,
    digest_of,
    read_limited,
)
from sealwright.trust import Keyring, TrustRoot

__all__ = ["Snapshot", "open_snapshot", "quarantine_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A verified snapshot. Reading needs the keyring it was opened with."""

    digest: str
    folder: Path
    rows: int
    quarantined: int
    manifest: Mapping[str, Any] = field(repr=False)  # the predicate of the statement
    statement: bytes = field(repr=False)  # DSSE, signed by the "statements" branch
    _checked: Manifest = field(repr=False)
    _keyring: Keyring | None = field(repr=False, compare=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns it holds, in order."""
        return tuple(self._checked.kept)

    @property
    def reasons(self) -> Mapping[str, int]:
        """Why rows were set aside: code of `REASONS` to number of cells."""
        counts: dict[str, int] = {}
        for found in self._checked.quarantine_reasons:
            counts[found.reason] = counts.get(found.reason, 0) + found.cells
        return counts

    def read(self, columns: Sequence[str] | None = None, classes: Collection[str] | None = None) -> pa.Table:
        """Decrypt rows into memory.

        Parameters
        ----------
        columns : sequence of str, optional
            The columns wanted, in the order wanted; left out: all.
        classes : collection of str, optional
            Only columns of these classes, e.g. {"public", "internal"}. Other keys are not touched.

        Returns
        -------
        pa.Table
            int64, double, string, bool or date32 columns; rows in source order.

        Raises
        ------
        VerificationFailed
            A file is not as it was when the snapshot was opened.
        Refused
            It was opened without keys.
        InvalidInput
            A column that is not in the snapshot.
        """
        return pa.concat_tables(self.parts(columns, classes))

    def parts(self, columns: Sequence[str] | None = None, classes: Collection[str] | None = None) -> Iterator[pa.Table]:
        """The same as `read`, one file after the other, in bounded memory."""
        kept = self._checked.kept
        wanted = self._wanted(columns, classes)
        places = [physical(list(kept).index(name)) for name in wanted]
        schema = pa.schema(
            [pa.field(name, ARROW_TYPES[kept[name].type], nullable=kept[name].nullable) for name in wanted]
        )
        for entry in self._checked.files:
            if not entry.is_quarantine:
                yield self._decrypt(entry, places).rename_columns(wanted).cast(schema)

    def _quarantine(self, keyring: Keyring) -> list[QuarantinedRow]:
        places = [physical(place) for place in range(len(QUARANTINE_SCHEMA))]
        tables = [self._decrypt(entry, places, keyring) for entry in self._checked.files if entry.is_quarantine]
        return [row for table in tables for row in rows_from_table(table.rename_columns(QUARANTINE_SCHEMA.names))]

    def _wanted(self, columns: Sequence[str] | None, classes: Collection[str] | None) -> list[str]:
        kept = self._checked.kept
        unknown = [name for name in columns or () if name not in kept]
        if unknown:
            raise InvalidInput(f"The snapshot has no column {shown(unknown[0])}.{nearest(unknown[0], kept)}")
        names = list(kept) if columns is None else list(dict.fromkeys(columns))
        found = [name for name in names if classes is None or kept[name].data_class in classes]
        if not found:
            raise InvalidInput("No column of the snapshot is of these names and classes.")
        return found

    def _decrypt(self, entry: FileEntry, places: list[str], keyring: Keyring | None = None) -> Any:
        keys = keyring or self._keyring
        if keys is None:
            raise Refused("This snapshot was opened without keys, so it can be checked but not read.")
        link = f"snapshot/{entry.name}"
        try:
            data = read_limited(self.folder / entry.name, entry.size)
        except InvalidInput:
            data = b""
        if len(data) != entry.size or digest_of(data) != entry.digest:
            raise changed(link)
        table = read_encrypted(data, places, keys, link=link)
        if table.num_rows != entry.rows:
            raise changed(link)
        return table


def open_snapshot(digest: str, *, snapshots: Path, trust_root: TrustRoot, keyring: Keyring | None = None) -> Snapshot:
    """Open the snapshot with this digest after checking its signature and every byte of its files.

    Parameters
    ----------
    digest : str
        "sha256:<hex>"; it names the folder, and the signed manifest must be of it.
    snapshots : Path
        The folder of all snapshots.
    trust_root : TrustRoot
        Whose "statements" key must have signed.
    keyring : Keyring, optional
        To read rows; without it the snapshot is only checked.

    Raises
    ------
    NotFound
        There is no such snapshot.
    VerificationFailed
        A file is missing, added, cut, changed or of another snapshot; `link` names the first.
    """
    found = check_snapshot(digest, snapshots=snapshots, trust_root=trust_root)
    return Snapshot(
        digest=digest,
        folder=found.folder,
        rows=found.rows,
        quarantined=found.quarantined,
        manifest=found.predicate,
        statement=found.statement,
        _checked=found.manifest,
        _keyring=keyring,
    )


def quarantine_of(snapshot: Snapshot, keyring: Keyring) -> list[QuarantinedRow]:
    """The rows that were set aside, with their reasons and as they came, in source order.

    Raises
    ------
    VerificationFailed
        A quarantine file is not as it was signed.
    """
    return snapshot._quarantine(keyring)  # noqa: SLF001  (the other half of the class)
