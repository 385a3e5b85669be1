"""One key for each person, kept under a keyed pseudonym: whoever destroys it has erased that person everywhere.

Answers: under which name is this person kept, with which key are their cells sealed, and is that key still there?
Does not answer: in which files. Files name persons by pseudonym, so that anybody with keys can look (`find`).
"""

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence

from sealwright.engines import Database, Tx
from sealwright.trust import Keyring, as_pseudonym, keyed_name, open_sealed, person_name_key, raw_pseudonym, seal

__all__ = ["BRANCH", "SubjectKeys"]

BRANCH = "subjects"

_TABLE = "subject_keys"
_AT_ONCE = 500  # names in one question to the database


class SubjectKeys:
    """The keys of the persons of one project."""

    def __init__(self, db: Database, keyring: Keyring, project: str) -> None:
        self._db, self._keyring, self.project = db, keyring, project
        self._names = person_name_key(keyring, project)
        self._wrapping: dict[int, bytes] = {}  # version of the branch -> the key that wraps
        self._known: dict[bytes, bytes] = {}  # keys seen by this object; it lives for one piece of work
        self._all = False  # whether `_known` was all there was

    def names_of(self, subjects: Iterable[str]) -> list[bytes]:
        """The 16-byte name of each person, in order."""
        return [keyed_name(self._names, subject) for subject in subjects]

    def ensure(self, names: Collection[bytes]) -> Mapping[bytes, bytes]:
        """The keys of persons, of these at least; made where there is none yet, on disk before they are used."""
        wanted = [name for name in dict.fromkeys(names) if name not in self._known]
        if not wanted:
            return self._known
        with self._db.write() as tx:
            tx.hold_writers(_TABLE)
            self._look_up(tx, wanted)
            made = {name: secrets.token_bytes(32) for name in wanted if name not in self._known}
            version = self._keyring.versions(BRANCH)[-1]
            tx.run_many(
                "INSERT INTO subject_keys (project, subject, version, wrapped)"
                " VALUES (:project, :subject, :version, :wrapped)",
                [
                    {
                        "project": self.project,
                        "subject": as_pseudonym(name),
                        "version": version,
                        "wrapped": self._wrap(name, key, version),
                    }
                    for name, key in made.items()
                ],
            )
        self._known |= made
        return self._known

    def keys(self) -> Mapping[bytes, bytes]:
        """The keys of all persons who have one."""
        with self._db.read() as tx:
            self._take_all(tx)
        return dict(self._known)

    def existing(self) -> set[bytes]:
        """Everybody who has a key: those who were not erased."""
        with self._db.read() as tx:
            rows = tx.run("SELECT subject FROM subject_keys WHERE project = :project", project=self.project)
        return {raw_pseudonym(row["subject"]) for row in rows}

    def destroy(self, name: bytes) -> bool:
        """Delete a person's key and leave no copy in the database's files; False if there was none.

        Raises
        ------
        OperationFailed
            The key is deleted, but another program keeps the database from being scrubbed. Try again.
        """
        with self._db.write() as tx:
            found = tx.run(
                "SELECT subject FROM subject_keys WHERE project = :project AND subject = :subject",
                project=self.project,
                subject=as_pseudonym(name),
            )
            tx.run(
                "DELETE FROM subject_keys WHERE project = :project AND subject = :subject",
                project=self.project,
                subject=as_pseudonym(name),
            )
        self._known.pop(name, None)
        self._db.scrub(_TABLE)
        return bool(found)

    def rewrap(self) -> int:
        """Wrap every key under the newest version of the branch; how many were. Old backups of the table are then dead
        as soon as the old version is retired."""
        version = self._keyring.versions(BRANCH)[-1]
        with self._db.write() as tx:
            tx.hold_writers(_TABLE)
            rows = tx.run(
                "SELECT subject, version, wrapped FROM subject_keys WHERE project = :project AND version < :version",
                project=self.project,
                version=version,
            )
            renewed = []
            for row in rows:
                name = raw_pseudonym(row["subject"])
                key = self._unwrap(name, row["wrapped"], row["version"])
                renewed.append(
                    {
                        "project": self.project,
                        "subject": row["subject"],
                        "version": version,
                        "wrapped": self._wrap(name, key, version),
                    }
                )
            tx.run_many(
                "UPDATE subject_keys SET version = :version, wrapped = :wrapped"
                " WHERE project = :project AND subject = :subject",
                renewed,
            )
        return len(renewed)

    def _look_up(self, tx: Tx, names: Sequence[bytes]) -> None:
        """Take in the keys there are for some names. Inside the write lock nobody else adds one meanwhile."""
        if len(names) > _AT_ONCE:
            if not self._all:
                self._take_all(tx)
            return
        for name in names:
            for row in tx.run(
                "SELECT version, wrapped FROM subject_keys WHERE project = :project AND subject = :subject",
                project=self.project,
                subject=as_pseudonym(name),
            ):
                self._known[name] = self._unwrap(name, row["wrapped"], row["version"])

    def _take_all(self, tx: Tx) -> None:
        rows = tx.run(
            "SELECT subject, version, wrapped FROM subject_keys WHERE project = :project", project=self.project
        )
        known, self._known = self._known, {}
        for row in rows:
            name = raw_pseudonym(row["subject"])
            self._known[name] = known.get(name) or self._unwrap(name, row["wrapped"], row["version"])
        self._all = True

    def _wrap(self, name: bytes, key: bytes, version: int) -> bytes:
        return seal(self._key_of(version), key, aad=self._place(name))

    def _unwrap(self, name: bytes, wrapped: bytes, version: int) -> bytes:
        return open_sealed(self._key_of(version), bytes(wrapped), aad=self._place(name))

    def _key_of(self, version: int) -> bytes:
        if version not in self._wrapping:
            self._wrapping[version] = self._keyring.key(BRANCH, f"wrap/{self.project}", version=version)
        return self._wrapping[version]

    def _place(self, name: bytes) -> bytes:
        return f"sealwright/subject-key/{self.project}/".encode() + name
