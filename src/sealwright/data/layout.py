"""How the columns of a snapshot lie in its files: each under the key of its class, a person's cells under their own key.

Answers: which physical columns are there, which key opens each, and how does a batch go in and come out?
Does not answer: whose keys. `subject_keys` keeps those, `file_keys` the others.

Without a subject, column number n of the contract is "c<n>". With one, every row names its person (a 16-byte pseudonym,
column "s"), and that person's cells of class personal are one sealed record ("s-personal"), those of class special
another ("s-special"): destroy the key of the person and nothing opens them, in any copy. The subject column is
sealed whatever its class. A record is MessagePack of the cells in order; dates as days since 1970-01-01.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sealwright.data.cast import ARROW_TYPES
from sealwright.data.column_spec import ColumnSpec
from sealwright.data.formats import SUBJECT_KEY, class_key
from sealwright.data.subject_keys import SubjectKeys
from sealwright.kernel import Refused, VerificationFailed
from sealwright.trust import open_records, seal_records

__all__ = ["SEALED_CLASSES", "SUBJECT_COLUMN", "Layout", "rows_of", "subject_texts"]

SEALED_CLASSES = ("personal", "special")
SUBJECT_COLUMN = "s"

_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(list).decode
_LINK = "snapshot/rows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The files of one contract. `subject` is the column that names the person, `project` whose pseudonyms they are."""

    columns: Mapping[str, ColumnSpec]  # the kept columns, in order
    subject: str | None = None
    project: str = ""

    def logical(self, names: Sequence[str] | None = None) -> Any:
        """The Arrow schema of rows as they are read."""
        return pa.schema(
            [
                pa.field(name, ARROW_TYPES[self.columns[name].type], nullable=self.columns[name].nullable)
                for name in (self.columns if names is None else names)
            ]
        )

    def sealed_class(self, name: str) -> str | None:
        """In which sealed record a column lies; None: in a physical column of its own."""
        if self.subject is None:
            return None
        data_class = self.columns[name].data_class
        if data_class in SEALED_CLASSES:
            return data_class
        return "personal" if name == self.subject else None

    def members(self, data_class: str) -> list[str]:
        """The columns in the sealed record of a class, in order."""
        return [name for name in self.columns if self.sealed_class(name) == data_class]

    def schema(self) -> Any:
        """The Arrow schema of the files."""
        fields = [
            pa.field(f"c{place}", ARROW_TYPES[spec.type], nullable=spec.nullable)
            for place, (name, spec) in enumerate(self.columns.items())
            if self.sealed_class(name) is None
        ]
        if self.subject is not None:
            fields.append(pa.field(SUBJECT_COLUMN, pa.binary(16), nullable=False))
            fields += [pa.field(f"s-{found}", pa.binary(), nullable=False) for found in self._records()]
        return pa.schema(fields)

    def key_names(self) -> dict[str, str]:
        """Physical column to the name of its key."""
        names = {
            f"c{place}": class_key(spec.data_class)
            for place, (name, spec) in enumerate(self.columns.items())
            if self.sealed_class(name) is None
        }
        if self.subject is not None:
            names[SUBJECT_COLUMN] = SUBJECT_KEY
            names |= {f"s-{found}": class_key(found) for found in self._records()}
        return names

    def physical(self, names: Collection[str]) -> list[str]:
        """The physical columns that hold some columns; the pseudonyms always, since rows of the erased are left out."""
        order = list(self.columns)
        plain = [f"c{order.index(name)}" for name in names if self.sealed_class(name) is None]
        records = [f"s-{found}" for found in self._records() if any(self.sealed_class(name) == found for name in names)]
        return [*plain, *records, *([SUBJECT_COLUMN] if self.subject is not None else [])]

    def seal(self, batch: Any, keys: SubjectKeys | None) -> Any:
        """A batch of rows as it goes into a file."""
        if self.subject is None:
            return batch.rename_columns(self.schema().names)
        if keys is None:
            raise Refused("Rows about persons are sealed under their own keys; these were not handed in.")
        whole = subject_texts(batch.column(self.subject)).dictionary_encode()
        names = keys.names_of(whole.dictionary.to_pylist())
        which = whole.indices.to_numpy(zero_copy_only=False)
        of = keys.ensure(names)
        secret = [of[name] for name in names]
        arrays = [batch.column(name) for name in self.columns if self.sealed_class(name) is None]
        arrays.append(pa.array(names, pa.binary(16)).take(pa.array(which)))
        for found in self._records():
            cells = [_plain(batch.column(name)) for name in self.members(found)]
            records = [_ENCODE(row) for row in zip(*cells, strict=True)]
            arrays.append(pa.array(seal_records(secret, which.tolist(), records, aad=self._place(found)), pa.binary()))
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema())

    def open(self, table: Any, names: Sequence[str], keys: Mapping[bytes, bytes]) -> Any:
        """Rows as they are read from a table of `physical(names)`, all of whose persons have a key in `keys`."""
        order = list(self.columns)
        found: dict[str, Any] = {
            name: table.column(f"c{order.index(name)}") for name in names if self.sealed_class(name) is None
        }
        for data_class in self._records():
            wanted = [name for name in names if self.sealed_class(name) == data_class]
            if wanted:
                found |= self._opened(table, data_class, wanted, keys)
        return pa.table([found[name] for name in names], schema=self.logical(names)) if names else table.select([])

    def _opened(
        self, table: Any, data_class: str, wanted: Sequence[str], keys: Mapping[bytes, bytes]
    ) -> dict[str, Any]:
        persons = table.column(SUBJECT_COLUMN).combine_chunks().dictionary_encode()
        secret = [keys[name] for name in persons.dictionary.to_pylist()]
        which = persons.indices.to_numpy(zero_copy_only=False).tolist()
        sealed = table.column(f"s-{data_class}").to_pylist()
        rows = [_DECODE(record) for record in open_records(secret, which, sealed, aad=self._place(data_class))]
        members = self.members(data_class)
        if any(len(row) != len(members) for row in rows):
            raise VerificationFailed("A sealed record of a person has other cells than its contract.", link=_LINK)
        places = {name: members.index(name) for name in wanted}
        return {name: _typed([row[place] for row in rows], self.columns[name]) for name, place in places.items()}

    def _records(self) -> list[str]:
        return [found for found in SEALED_CLASSES if self.members(found)]

    def _place(self, data_class: str) -> bytes:
        return f"sealwright/person/{self.project}/{self.subject}/{data_class}".encode()


def subject_texts(column: Any) -> Any:
    """The identifiers of persons as text: a whole number as its digits, a text exactly as it is."""
    return column if pa.types.is_string(column.type) else pc.cast(column, pa.string())


def _plain(column: Any) -> list[Any]:
    """Cells as MessagePack can hold them."""
    cells: list[Any] = (column.cast(pa.int32()) if pa.types.is_date32(column.type) else column).to_pylist()
    return cells


def _typed(cells: list[Any], spec: ColumnSpec) -> Any:
    kind = ARROW_TYPES[spec.type]
    return pa.array(cells, pa.int32()).cast(kind) if pa.types.is_date32(kind) else pa.array(cells, kind)


def rows_of(table: Any, persons: Collection[bytes]) -> NDArray[np.bool_]:
    """Which rows of a physical table are about one of these persons: bool array, shape (n,)."""
    column = table.column(SUBJECT_COLUMN).combine_chunks()
    found = pc.is_in(column, value_set=pa.array(list(persons), pa.binary(16)))
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.bool_)
