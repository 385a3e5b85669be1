"""How the registry changes: alone, ledger first, then database, then files, then the mark.

Answers: in which order must things reach the disk so that a crash at any moment is finished or
noticed afterwards? (1) Nobody else changes this registry. (2) What a crash left is finished.
(3) The change is in the ledger before it is in the database. (4) Files that serving watches follow
the database. (5) The mark follows everything.
Does not answer: what may change. The verbs in `service` decide.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sealwright.engines import Database, Tx
from sealwright.kernel import Clock, Conflict, Refused, VerificationFailed, rfc3339
from sealwright.registry import recovery, store
from sealwright.registry.high_water import HighWater
from sealwright.registry.model import RevocationList
from sealwright.registry.pointer import make_revocations
from sealwright.registry.published import Published
from sealwright.registry.rows import revocations_of
from sealwright.trust import Keyring, Ledger, Signer, shown_for, sign_statement, verify_statement

__all__ = ["Change", "Changes", "PackageRevoked"]


class PackageRevoked(Refused):
    """The package was withdrawn. It is not registered, promoted or rolled back to any more."""

    code = "package.revoked"
    status = 409


class Change:
    """One change in progress: an open transaction, and the ledger entry that must come before its rows."""

    def __init__(self, tx: Tx, keyring: Keyring, ledger: Ledger, now: datetime) -> None:
        self.tx, self.now = tx, now
        self._keyring, self._ledger = keyring, ledger
        self.recorded = False

    @property
    def signer(self) -> Signer:
        """Branch "releases", for a list of revoked packages."""
        return self._keyring.signer("releases")

    def pointer_signer(self, gate: bytes) -> Signer:
        """Branch "releases", for a pointer to the package that this decision of the gate let through."""
        return self._keyring.signer("releases").showing(gate)

    def arms_signer(self, gates: Sequence[bytes]) -> Signer:
        """Branch "releases", for a pointer to several packages, each let through by its own decision of the gate."""
        return self._keyring.signer("releases").showing(shown_for(gates))

    def record(self, action: str, package: str, detail: Mapping[str, object], envelope: bytes | None, by: str) -> None:
        """Put the change into the ledger. Once per change, so that a crash can leave at most one unfinished."""
        assert not self.recorded
        self.recorded = True
        self._ledger.append(action, package, detail, attachment=envelope, actor=by)

    def revoked(self) -> RevocationList:
        """Every revoked package, as of this transaction."""
        found = revocations_of(store.revocation_rows(self.tx), self._keyring.trust_root)
        return found or RevocationList(sequence=0, issued_at=self.now, packages={}, digest="")

    def refuse_revoked(self, package: str) -> None:
        """Raise PackageRevoked if it is."""
        found = self.revoked().packages.get(package)
        if found is not None:
            raise PackageRevoked(
                f"Package {package[:19]}… was revoked on {rfc3339(found.at)[:10]}: {found.reason}\n"
                "Release another version."
            )


class Changes:
    """Makes changes one after the other, and keeps ledger, database and files in step."""

    def __init__(
        self,
        db: Database,
        home: Path,
        keyring: Keyring | None,
        ledger: Ledger | None,
        clock: Clock,
        published: Published,
    ) -> None:
        self._db, self._keyring, self._ledger, self._clock = db, keyring, ledger, clock
        self._published = published
        self._high_water = HighWater(home / "pointers")
        self._story = recovery.Story()

    @contextmanager
    def one(self) -> Iterator[Change]:
        """Make one change inside the block; leaving it commits, an exception undoes what is not in the ledger yet.

        Raises
        ------
        DatabaseOlder, VerificationFailed
            Ledger, database, files and mark disagree in a way no crash explains. Nothing was changed.
        Refused
            The registry was opened without keys or ledger.
        """
        if self._keyring is None or self._ledger is None:
            raise Refused("This registry was opened to read. Open the workspace with its keys to change it.")
        keyring, ledger = self._keyring, self._ledger
        with self._high_water.alone():
            self._finish_unfinished(keyring, ledger)
            self._publish(keyring, ledger)
            with self._db.write() as tx:
                store.hold(tx)
                self._story.read_on(ledger)
                if self._story.unfinished(store.all_keys(tx), self._high_water.read()) is not None:
                    raise Conflict("Another program changed the registry at the same moment. Try again.")
                change = Change(tx, keyring, ledger, self._clock())
                yield change
            if change.recorded:
                self._story.read_on(ledger)
                self._publish(keyring, ledger)

    def _finish_unfinished(self, keyring: Keyring, ledger: Ledger) -> None:
        """Write the row that a crash kept from the database, if there is one, and say so in the ledger."""
        with self._db.write() as tx:
            store.hold(tx)
            self._story.read_on(ledger)
            entry = self._story.unfinished(store.all_keys(tx), self._high_water.read())
            if entry is None:
                return
            ledger.append(recovery.REPAIRED, entry.subject, {"entry": entry.index, "action": entry.action})
            recovery.write_row(tx, entry, keyring.trust_root)

    def _publish(self, keyring: Keyring, ledger: Ledger) -> None:
        """Files follow the database, the mark follows the files."""

        def repaired(file: str) -> None:
            ledger.append(recovery.REPAIRED, file, {"file": file})

        before, mark = self._high_water.read(), self._story.mark()
        behind = before != mark
        with self._db.read() as tx:
            newest, rows = store.newest_pointers(tx), store.revocation_rows(tx)
        envelope = _signed_now(rows[-1]["envelope"].encode("utf-8"), keyring) if rows else self._empty_list(keyring)
        self._published.put_revocations(envelope, len(rows), behind=behind, first=before is None, repaired=repaired)
        self._published.put_pointers(newest, behind=behind, repaired=repaired)
        if mark is not None and behind:
            self._high_water.move(mark)

    def _empty_list(self, keyring: Keyring) -> bytes:
        """So that a missing list is always a sign of trouble."""
        nothing = RevocationList(sequence=0, issued_at=self._clock(), packages={}, digest="")
        return make_revocations(nothing, keyring.signer("releases"))[0]


def _signed_now(envelope: bytes, keyring: Keyring) -> bytes:
    """The same list, signed by the key that signs releases now: that of the database may be from before a rotation."""
    root = keyring.trust_root
    try:
        verify_statement(envelope, [root.in_use("releases")])
    except VerificationFailed:
        return sign_statement(verify_statement(envelope, root.keys_of("releases")), keyring.signer("releases"))
    return envelope
