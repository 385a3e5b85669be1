"""Do ledger, database, pointer files and mark tell the same story? What a crash left is finished; anything else is refused.

Answers: which of the registry's changes are in the ledger but not in the database, and why?
Does not answer: whether the ledger was changed. It is signed; `trust.verify_ledger` checks it.

The order of every change is: ledger, database, pointer file, mark. A crash therefore leaves at most
the last change unfinished, and only above the mark. Exactly that is finished from the signed bytes
in the ledger. More missing rows, or one below the mark, mean that an old database was put back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sealwright.engines import Tx
from sealwright.kernel import VerificationFailed, digest_of, from_rfc3339
from sealwright.registry import store
from sealwright.registry.high_water import Mark
from sealwright.registry.model import Revocation, Version
from sealwright.registry.pointer import read_pointer, verify_revocations
from sealwright.trust import Ledger, LedgerEntry, TrustRoot

__all__ = [
    "ARRANGED",
    "DatabaseOlder",
    "REGISTERED",
    "REPAIRED",
    "REVOKED",
    "ROLLED_BACK",
    "PROMOTED",
    "Story",
    "write_row",
]

REGISTERED, PROMOTED, ROLLED_BACK = "version.registered", "pointer.promoted", "pointer.rolled_back"
ARRANGED = "pointer.arranged"  # several packages share a place
REVOKED, REPAIRED = "package.revoked", "registry.repaired"
_CHANGES = frozenset({REGISTERED, PROMOTED, ROLLED_BACK, ARRANGED, REVOKED})

Key = tuple[str, ...]


class DatabaseOlder(VerificationFailed):
    """The database lacks changes that it had before, or that more than a crash can explain."""

    code = "registry.database_older"


@dataclass(frozen=True, slots=True)
class _Known:
    """One change as far as it is needed later: where it stands, what it is about, which leaf it is."""

    index: int
    subject: str
    what: str
    leaf: str


class Story:
    """The registry's changes as the ledger tells them. Reading on is cheap: only new entries are read."""

    def __init__(self) -> None:
        self._read_to = 0
        self._changes: dict[Key, _Known] = {}
        self._last: LedgerEntry | None = None

    def read_on(self, ledger: Ledger) -> None:
        """Take in the entries that came since the last time."""
        for entry in ledger.entries(self._read_to):
            self._read_to = entry.index + 1
            if entry.action in _CHANGES:
                what = f"{entry.action}, {entry.at[:10]}"
                self._changes[_key(entry)] = _Known(entry.index, entry.subject, what, digest_of(entry.leaf))
                self._last = entry

    def mark(self) -> Mark | None:
        """Where the mark belongs when the database holds everything."""
        return Mark(self._last.index, digest_of(self._last.leaf)) if self._last else None

    def unfinished(self, rows: Mapping[Key, str], mark: Mark | None) -> LedgerEntry | None:
        """The one change a crash may have kept out of the database; None if nothing is missing.

        Parameters
        ----------
        rows : mapping
            `store.all_keys`: what the database holds.
        mark : Mark or None
            Up to which change it is known to have held everything.

        Raises
        ------
        DatabaseOlder
            Rows are missing that a crash does not explain.
        VerificationFailed
            Rows that the ledger does not know or that name another package, or a ledger that ends below the mark.
        """
        self._check_mark(mark)
        for key, package in rows.items():
            known = self._changes.get(key)
            if known is None or known.subject != package:
                raise VerificationFailed(
                    f"The database says {' '.join(key)} is {package[:19]}…, and the ledger does not.\n"
                    "The row was not written by Sealwright. Restore the database from the newest backup.",
                    link="database",
                )
        missing = sorted((known for key, known in self._changes.items() if key not in rows), key=lambda one: one.index)
        if not missing:
            return None
        first = missing[0]
        if self._last is None or first.index != self._last.index or (mark is not None and first.index <= mark.entry):
            raise DatabaseOlder(
                f"The database is older than the ledger: {len(missing)} change(s) are missing, the first is entry "
                f"{first.index} ({first.what}).\n"
                "An old copy was put back, or rows were removed. Restore the newest database; nothing is changed until then.",
                link=f"entry {first.index}",
            )
        return self._last

    def _check_mark(self, mark: Mark | None) -> None:
        if mark is None:
            return
        if not any((known.index, known.leaf) == (mark.entry, mark.leaf) for known in self._changes.values()):
            raise VerificationFailed(
                f"The ledger does not hold entry {mark.entry} as it was when the registry last changed.\n"
                "An old or another ledger was put in place. Restore the newest one.",
                link=f"entry {mark.entry}",
            )


def write_row(tx: Tx, entry: LedgerEntry, trust_root: TrustRoot) -> None:
    """Write the row of one change from what the ledger holds about it.

    Raises
    ------
    VerificationFailed
        The signed bytes in the ledger do not verify.
    """
    said = entry.detail
    if entry.action == REGISTERED:
        store.insert_version(
            tx,
            Version(
                project=str(said["project"]),
                number=int(said["number"]),
                package=entry.subject,
                model=str(said["model"]),
                created_at=from_rfc3339(said["created_at"]),
            ),
        )
        return
    envelope = entry.attachment
    if envelope is None:
        raise VerificationFailed(
            f"Entry {entry.index} of the ledger has lost its signed bytes.", link=f"entry {entry.index}"
        )
    if entry.action == REVOKED:
        revoked = verify_revocations(envelope, trust_root).packages.get(entry.subject)
        _need(revoked is not None and revoked.sequence == said["sequence"], entry)
        store.insert_revocation(tx, _found(revoked), envelope)
        return
    facts = read_pointer(envelope, trust_root)
    _need((facts.package, facts.sequence, facts.digest) == (entry.subject, said["sequence"], said["statement"]), entry)
    store.insert_pointer(tx, facts, envelope)


def _found(revoked: Revocation | None) -> Revocation:
    assert revoked is not None
    return revoked


def _key(entry: LedgerEntry) -> Key:
    said: Mapping[str, Any] = entry.detail
    if entry.action == REGISTERED:
        return ("version", str(said["project"]), str(said["number"]))
    if entry.action == REVOKED:
        return ("revocation", str(said["sequence"]))
    return ("pointer", str(said["project"]), str(said["channel"]), str(said["sequence"]))


def _need(holds: bool, entry: LedgerEntry) -> None:
    if not holds:
        raise VerificationFailed(
            f"Entry {entry.index} of the ledger contradicts the signed bytes beside it.", link=f"entry {entry.index}"
        )
