"""A snapshot: one immutable, encrypted version of a dataset, opened only if every byte is as it was signed.

Answers: which rows, exactly, was a model made from?
Does not answer: may they be used for this? Purpose and basis are checked above.

Bytes are verified twice: all files when the snapshot is opened, and each file again in the very memory it
is decrypted from, so that a file swapped in between is refused, too.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sealwright.data.access import OnUnwrap, ReadKeys
from sealwright.data.changes import CHANGES_SCHEMA
from sealwright.data.checked import changed, check_snapshot
from sealwright.data.encryption import read_encrypted
from sealwright.data.formats import CHANGES_KEY, FOOTER_KEY, QUARANTINE_KEY
from sealwright.data.layout import SUBJECT_COLUMN, rows_of, subject_texts
from sealwright.data.manifest import FileEntry, Manifest
from sealwright.data.names import nearest, shown
from sealwright.data.quarantine import QUARANTINE_SCHEMA, QuarantinedRow, rows_from_table
from sealwright.data.subject_keys import SubjectKeys
from sealwright.kernel import InvalidInput, digest_of, read_limited
from sealwright.trust import Keyring, TrustRoot

__all__ = ["Snapshot", "open_snapshot", "quarantine_of"]

_SIDE_KEYS = {"quarantine": QUARANTINE_KEY, "changes": CHANGES_KEY}


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A verified snapshot. Reading needs the keyring it was opened with."""

    digest: str
    folder: Path
    rows: int  # in the files; rows of persons erased since are not read
    quarantined: int
    manifest: Mapping[str, Any] = field(repr=False)  # the predicate of the statement
    statement: bytes = field(repr=False)  # DSSE, signed by the "statements" branch
    signed: Manifest = field(repr=False)
    keys: ReadKeys = field(repr=False, compare=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns it holds, in order."""
        return tuple(self.signed.kept)

    @property
    def subject(self) -> str | None:
        """The column that names the person a row is about."""
        return self.signed.layout.subject

    @property
    def synthetic(self) -> int:
        """How many of its rows, the last ones, were made up."""
        return sum(entry.rows for entry in self.signed.files if entry.synthetic)

    @property
    def reasons(self) -> Mapping[str, int]:
        """Why rows were set aside: code of `REASONS` to number of cells."""
        counts: dict[str, int] = {}
        for found in self.signed.quarantine_reasons:
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
            It was opened without keys, or without those of a class that is asked for.
        InvalidInput
            A column that is not in the snapshot.
        """
        return pa.concat_tables(self.parts(columns, classes))

    def parts(self, columns: Sequence[str] | None = None, classes: Collection[str] | None = None) -> Iterator[pa.Table]:
        """The same as `read`, one file after the other, in bounded memory."""
        wanted = self._wanted(columns, classes)
        for entry in self.signed.of_kind("rows"):
            yield self.rows_of(entry, wanted)

    def rows_of(self, entry: FileEntry, columns: Sequence[str] | None = None) -> pa.Table:
        """The rows of one of its files, without those of persons whose key was destroyed."""
        wanted = list(self.columns if columns is None else columns)
        return self.logical(self.physical(entry, self.signed.layout.physical(wanted)), wanted)

    def logical(self, table: pa.Table, columns: Sequence[str] | None = None) -> pa.Table:
        """Rows as people know them from physical ones, without those of persons whose key was destroyed."""
        layout, wanted = self.signed.layout, list(self.columns if columns is None else columns)
        stays = self.readable(table)
        table = table if stays.all() else table.filter(pa.array(stays))
        sealed = any(layout.sealed_class(name) is not None for name in wanted)
        return layout.open(table, wanted, self.keys.of_persons() if sealed else {})

    def readable(self, table: pa.Table) -> NDArray[np.bool_]:
        """Which rows of a physical table are of persons whose rows are read: bool array, shape (n,)."""
        if self.signed.layout.subject is None:
            return np.ones(table.num_rows, dtype=np.bool_)
        return rows_of(table, self.keys.existing())

    def persons_in(self, entry: FileEntry, persons: Collection[bytes]) -> NDArray[np.bool_]:
        """Which rows of one of its files are about these persons (16-byte names): bool array, shape (rows of the file,)."""
        return rows_of(self.physical(entry, [SUBJECT_COLUMN]), persons)

    def among(
        self, entry: FileEntry, columns: Sequence[str], test: Callable[[pa.Table], NDArray[np.bool_]]
    ) -> NDArray[np.bool_]:
        """Which rows of one of its files pass a test on some columns: bool array, shape (rows of the file,).

        Rows of persons who were erased since pass none.
        """
        layout = self.signed.layout
        table = self.physical(entry, layout.physical(columns))
        found = np.zeros(table.num_rows, dtype=np.bool_)
        found[self.readable(table)] = test(self.logical(table, columns))
        return found

    def names_in(self, table: pa.Table) -> list[bytes]:
        """The 16-byte name of the person of each row of a table with the subject column."""
        return self.keys.names_of(subject_texts(table.column(self.subject)).to_pylist())

    def change_log(self) -> Iterator[pa.Table]:
        """What cleaning changed, one file after the other; nothing where it was not cleaned."""
        for entry in self.signed.of_kind("changes"):
            yield self.physical(entry, [f"c{place}" for place in range(len(CHANGES_SCHEMA))]).rename_columns(
                CHANGES_SCHEMA.names
            )

    def physical(self, entry: FileEntry, columns: Sequence[str]) -> pa.Table:
        """Physical columns of one file, decrypted from bytes that are checked once more."""
        side = _SIDE_KEYS.get(entry.kind)
        names = self.signed.layout.key_names()
        keys = self.keys.of_files({FOOTER_KEY, *([side] if side else [names[column] for column in columns])})
        link = f"snapshot/{entry.name}"
        try:
            data = read_limited(self.folder / entry.name, entry.size)
        except InvalidInput:
            data = b""
        if len(data) != entry.size or digest_of(data) != entry.digest:
            raise changed(link)
        table = read_encrypted(data, list(columns), keys, link=link)
        if table.num_rows != entry.rows:
            raise changed(link)
        return table

    def _wanted(self, columns: Sequence[str] | None, classes: Collection[str] | None) -> list[str]:
        kept = self.signed.kept
        unknown = [name for name in columns or () if name not in kept]
        if unknown:
            raise InvalidInput(f"The snapshot has no column {shown(unknown[0])}.{nearest(unknown[0], kept)}")
        names = list(kept) if columns is None else list(dict.fromkeys(columns))
        found = [name for name in names if classes is None or kept[name].data_class in classes]
        if not found:
            raise InvalidInput("No column of the snapshot is of these names and classes.")
        return found


def open_snapshot(
    digest: str,
    *,
    snapshots: Path,
    trust_root: TrustRoot,
    keyring: Keyring | None = None,
    subject_keys: SubjectKeys | None = None,
    classes: Collection[str] | None = None,
    on_unwrap: OnUnwrap | None = None,
    leave_out: Collection[bytes] = (),
) -> Snapshot:
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
    subject_keys : SubjectKeys, optional
        The keys of persons, where rows are sealed under them.
    classes : collection of str, optional
        Only the keys of these classes of columns are to be had; the others stay wrapped.
    on_unwrap : callable, optional
        Told the names of keys before they are unwrapped; if it raises, they are not.
    leave_out : collection of bytes, optional
        Persons (16-byte names) whose rows are not read: they object, or withdrew consent, since it was made.

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
        signed=found.manifest,
        keys=ReadKeys(
            found.folder,
            digest,
            keyring=keyring,
            subject_keys=subject_keys,
            classes=classes,
            on_unwrap=on_unwrap,
            leave_out=leave_out,
        ),
    )


def quarantine_of(snapshot: Snapshot, keyring: Keyring) -> list[QuarantinedRow]:
    """The rows that were set aside, with their reasons and as they came, in source order.

    Raises
    ------
    VerificationFailed
        A quarantine file is not as it was signed.
    """
    opened = replace(snapshot, keys=snapshot.keys.with_keyring(keyring))
    places = [f"c{place}" for place in range(len(QUARANTINE_SCHEMA))]
    tables = [opened.physical(entry, places) for entry in snapshot.signed.of_kind("quarantine")]
    return [row for table in tables for row in rows_from_table(table.rename_columns(QUARANTINE_SCHEMA.names))]
