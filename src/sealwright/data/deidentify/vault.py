"""The way back: from a pseudonym to the value it stands for, sealed under a key of the project.

Answers: which value is behind this pseudonym, for whoever holds the workspace's keys?
Does not answer: may it be asked? The verb above demands a reason and has it in the ledger before anybody is told.

A pseudonym of another project is not found here, and a sealed value that was moved to another pseudonym or project
does not open: both are part of what is authenticated. A person's entries go when the person is erased (`forget`).
"""

from collections.abc import Mapping

from sealwright.engines import Database
from sealwright.kernel import NotFound
from sealwright.trust import Keyring, open_sealed, seal

__all__ = ["PseudonymVault"]

_TABLE = "pseudonym_vault"


class PseudonymVault:
    """The ways back of one project."""

    def __init__(self, db: Database, keyring: Keyring, project: str) -> None:
        self._db, self._keyring, self.project = db, keyring, project

    def keep(self, ways_back: Mapping[str, str], subjects: Mapping[str, str]) -> int:
        """Keep ways back that are not kept yet; how many were new.

        Parameters
        ----------
        ways_back : mapping of pseudonym to value
        subjects : mapping of pseudonym to name
            Under which keyed name ("sub_…") each goes with its person.
        """
        key = self._key()
        with self._db.write() as tx:
            tx.hold_writers(_TABLE)
            rows = tx.run("SELECT pseudonym FROM pseudonym_vault WHERE project = :project", project=self.project)
            known = {row["pseudonym"] for row in rows}
            new = [(name, value) for name, value in ways_back.items() if name not in known]
            tx.run_many(
                "INSERT INTO pseudonym_vault (project, pseudonym, subject, sealed)"
                " VALUES (:project, :pseudonym, :subject, :sealed)",
                [
                    {
                        "project": self.project,
                        "pseudonym": name,
                        "subject": subjects[name],
                        "sealed": seal(key, value.encode(), aad=self._place(name)),
                    }
                    for name, value in new
                ],
            )
        return len(new)

    def original(self, pseudonym: str) -> str:
        """The value behind a pseudonym. Who calls this has to have it in the ledger before telling anybody.

        Raises
        ------
        NotFound
            No way back is kept for it in this project.
        VerificationFailed
            What is kept does not open: another workspace's key, or changed bytes.
        """
        with self._db.read() as tx:
            rows = tx.run(
                "SELECT sealed FROM pseudonym_vault WHERE project = :project AND pseudonym = :pseudonym",
                project=self.project,
                pseudonym=pseudonym,
            )
        if not rows:
            raise NotFound(
                f"No way back is kept for this pseudonym in {self.project}. It is another project's, its person was"
                " erased, or the recipe did not say reversible: true."
            )
        return open_sealed(self._key(), bytes(rows[0]["sealed"]), aad=self._place(pseudonym)).decode()

    def forget(self, subject: str) -> int:
        """Delete a person's ways back and leave no copy in the database's files; how many there were.

        Raises
        ------
        OperationFailed
            They are deleted, but another program keeps the database from being scrubbed. Try again.
        """
        with self._db.write() as tx:
            found = tx.run(
                "SELECT pseudonym FROM pseudonym_vault WHERE project = :project AND subject = :subject",
                project=self.project,
                subject=subject,
            )
            tx.run(
                "DELETE FROM pseudonym_vault WHERE project = :project AND subject = :subject",
                project=self.project,
                subject=subject,
            )
        self._db.scrub(_TABLE)
        return len(found)

    def _key(self) -> bytes:
        return self._keyring.key("pseudonyms", f"vault/{self.project}/v1")

    def _place(self, pseudonym: str) -> bytes:
        return f"sealwright/pseudonym-vault/{self.project}/{pseudonym}".encode()
