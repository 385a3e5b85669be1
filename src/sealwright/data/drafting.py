"""A snapshot being written: its writers, its keys, and the moment it becomes visible.

Answers: how do rows, quarantine and wrapped keys become one signed folder, or nothing at all?
Does not answer: which rows. `ingestion` takes them from a source, `derive` from another snapshot.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sealwright.data.changes import CHANGES_SCHEMA
from sealwright.data.checked import STATEMENT_FILE
from sealwright.data.draft import draft_folder, publish
from sealwright.data.file_keys import new_file_keys, wrap_file_keys
from sealwright.data.formats import CHANGES_KEY, FOOTER_KEY, QUARANTINE_KEY
from sealwright.data.layout import Layout
from sealwright.data.manifest import SNAPSHOT_TYPE, Manifest
from sealwright.data.parts import PART_BYTES, PartWriter
from sealwright.data.quarantine import QUARANTINE_SCHEMA
from sealwright.data.subject_keys import SubjectKeys
from sealwright.kernel import hex_of, write_atomically
from sealwright.trust import Keyring, make_statement, sign_statement

__all__ = ["Draft", "drafting", "key_names_of"]


@dataclass(slots=True, kw_only=True)
class Draft:
    """Files on their way to a snapshot. Leaving `drafting` without `publish` leaves nothing."""

    folder: Path
    snapshots: Path
    layout: Layout
    keys: Mapping[str, bytes] = field(repr=False)  # of the files
    keyring: Keyring = field(repr=False)
    subject_keys: SubjectKeys | None = field(repr=False)
    _writers: list[PartWriter] = field(default_factory=list, repr=False)

    def rows(self, *, part_bytes: int = PART_BYTES, first: int = 1) -> PartWriter:
        """A writer of rows of the contract, whose first file has number `first`."""
        return self._new(
            "rows", self.layout.logical(), self.layout.key_names(), part_bytes=part_bytes, first=first, seal=self._seal
        )

    def quarantine(self, *, part_bytes: int = PART_BYTES, first: int = 1) -> PartWriter:
        """A writer of rows that were set aside."""
        return self._all_under(QUARANTINE_KEY, "quarantine", QUARANTINE_SCHEMA, part_bytes, first=first)

    def changes(self, *, part_bytes: int = PART_BYTES) -> PartWriter:
        """A writer of what cleaning changed."""
        return self._all_under(CHANGES_KEY, "changes", CHANGES_SCHEMA, part_bytes)

    def publish(self, manifest: Manifest) -> bool:
        """Sign, and make the folder visible; False if the same snapshot was there already."""
        digest = manifest.identity.digest
        wrap_file_keys(self.folder, self.keys, snapshot=digest, keyring=self.keyring)
        predicate: dict[str, Any] = manifest.model_dump(mode="json")
        statement = make_statement([("snapshot", digest)], SNAPSHOT_TYPE, predicate)
        write_atomically(self.folder / STATEMENT_FILE, sign_statement(statement, self.keyring.signer("statements")))
        return publish(self.folder, self.snapshots / hex_of(digest))

    def _seal(self, batch: Any) -> Any:
        return self.layout.seal(batch, self.subject_keys)

    def _all_under(self, key: str, stem: str, schema: Any, part_bytes: int, *, first: int = 1) -> PartWriter:
        names = {f"c{place}": key for place in range(len(schema))}
        return self._new(stem, schema, names, part_bytes=part_bytes, first=first)

    def _new(self, stem: str, schema: Any, key_names: Mapping[str, str], **more: Any) -> PartWriter:
        writer = PartWriter(self.folder, stem, schema, key_names, self.keys, **more)
        self._writers.append(writer)
        return writer

    def abort(self) -> None:
        for writer in self._writers:
            writer.abort()


@contextmanager
def drafting(
    snapshots: Path,
    layout: Layout,
    *,
    keyring: Keyring,
    subject_keys: SubjectKeys | None = None,
    keys: Mapping[str, bytes] | None = None,
) -> Iterator[Draft]:
    """A draft; `keys` are those of the snapshot whose files it shares, left out: fresh ones."""
    with draft_folder(snapshots) as folder:
        draft = Draft(
            folder=folder,
            snapshots=snapshots,
            layout=layout,
            keys=new_file_keys(key_names_of(layout)) | dict(keys or {}),
            keyring=keyring,
            subject_keys=subject_keys,
        )
        try:
            yield draft
        finally:
            draft.abort()


def key_names_of(layout: Layout) -> set[str]:
    """All keys the files of a snapshot may need."""
    return {*layout.key_names().values(), FOOTER_KEY, QUARANTINE_KEY, CHANGES_KEY}
