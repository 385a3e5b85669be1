"""Which account does a release or a private training draw on? The book of privacy budgets, and the dataset of a project.

Answers: which snapshot is released from, whom that protects, which budget counts, and what was spent of it?
Does not answer: the released numbers (`private_release`), what a training costs (`private_training`), or changes of a
budget (`privacy_budget`).

Only one thread of one program is in here at a time: the ledger has one writer, and inside a program there is a lock.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sealwright.data import Snapshot
from sealwright.data.dp import (
    Account,
    Book,
    Limit,
    PrivacyBookBroken,
    PrivacyBudgetMissing,
    Protection,
    budget_entry,
    dataset_entry,
    fingerprint_of,
    lineage_of,
    manifest_in,
    marks_of,
)
from sealwright.data.privacy_budget import millionths
from sealwright.evidence import StatementStore, verify_any
from sealwright.kernel import InvalidInput, NotFound, VerificationFailed
from sealwright.pipeline.data_basis import require_basis
from sealwright.pipeline.desk import Desk
from sealwright.pipeline.ledger_names import with_names
from sealwright.pipeline.project import Project
from sealwright.pipeline.snapshots import SnapshotIndex, opened
from sealwright.pipeline.withholding import withholding
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import Entry, keyed_name

__all__ = [
    "FIRST_SPEND",
    "Drawing",
    "alone",
    "book_of",
    "declared_limit",
    "drawing",
    "lineage_in",
    "named_by",
    "opened_for_release",
    "protection_of",
]

FIRST_SPEND = "first spend"
"""Why a budget is set that nobody set: the first release or training fixes what the project file says."""
alone = threading.RLock()
"""Held by the one thread of this program that reads the book and writes into it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """The account a snapshot draws on, held while something is written into it. `new` goes in before the spend."""

    account: Account
    limit: Limit
    new: tuple[Entry, ...]


def declared_limit(project: Project) -> Limit:
    """The budget in the project file.

    Raises
    ------
    PrivacyBudgetMissing
        There is none.
    """
    spec = project.spec.data.privacy_budget
    if spec is None:
        raise PrivacyBudgetMissing(
            f"{project.name} declares no privacy budget, so nothing is released from its data.\n"
            "Decide how much all releases together may say about one person, and write it into the project file:"
            " data.privacy_budget: {epsilon: 1.0}"
        )
    return Limit(epsilon=millionths(spec.epsilon), delta=spec.delta, training_delta=spec.training_delta)


def opened_for_release(desk: Desk, digest: str | None, *, by: str) -> tuple[Snapshot, Protection]:
    """The snapshot to release from, and whom that protects. Persons who must be left out by now are not read.

    Raises
    ------
    NotFound
        Nothing was ingested.
    InvalidInput
        The snapshot names no persons and the budget is for persons, or the other way round.
    """
    workspace = desk.workspace
    out = withholding(desk, require_basis(desk, by=by))
    found = _chosen(desk, digest)
    snapshot = opened(workspace, found, desk.project.name, by=by, purpose="private statistics", leave_out=out.since())
    return snapshot, protection_of(desk, snapshot)


def protection_of(desk: Desk, snapshot: Snapshot) -> Protection:
    """Whom the budget of a project protects in a snapshot.

    Raises
    ------
    InvalidInput
        The snapshot names no persons and the budget is for persons, or the other way round.
    """
    spec = desk.project.spec.data
    assert spec.privacy_budget is not None
    try:
        spec.privacy_budget.refuse_unit(snapshot.subject)
    except ValueError as error:
        raise InvalidInput(
            f"The snapshot was made under another contract: {error}.\nDo it again: sealwright ingest {desk.project.folder}"
        ) from None
    if (snapshot.subject is None) != (spec.subject is None):
        raise InvalidInput(
            "The snapshot and the project file do not agree on the column that names the persons.\n"
            f"Ingest again: sealwright ingest {desk.project.folder}"
        )
    unit = "row" if snapshot.subject is None else "person"
    return Protection(unit=unit, rows=spec.privacy_budget.most_rows_per_person)  # type: ignore[arg-type]


@contextmanager
def drawing(desk: Desk, snapshot: Snapshot, protection: Protection, *, by: str) -> Iterator[Drawing]:
    """The account of a snapshot; nobody else draws on any account until the block ends.

    Raises
    ------
    PrivacyBudgetMissing
        The project declares no budget.
    PrivacyBookBroken
        The ledger is older than what was released, or an entry cannot be read.
    VerificationFailed
        The lineage of the snapshot is broken, so what it was made from is not known.
    """
    project, declared = desk.project.name, declared_limit(desk.project)
    with alone:
        book = book_of(desk.workspace)
        account = _account(desk, book, snapshot, by=by)
        if account.limit is not None:
            yield Drawing(account=account, limit=declared.no_more_than(account.limit), new=())
            return
        first = budget_entry(snapshot.digest, project, declared, protection.unit, reason=FIRST_SPEND, actor=by)
        yield Drawing(account=account, limit=declared, new=(first,))


def book_of(workspace: Workspace) -> Book:
    """The book as the ledger has it, which must be as new as everything that was filed from it.

    Raises
    ------
    PrivacyBookBroken
        It is older.
    """
    ledger = workspace.hold_ledger()
    with workspace.db.read() as tx:
        newest = tx.run("SELECT digest, ledger_index FROM statements ORDER BY ledger_index DESC LIMIT 1")
    index = int(newest[0]["ledger_index"]) if newest else -1
    if index >= 0 and (index >= ledger.size or ledger.entry(index).subject != newest[0]["digest"]):
        raise PrivacyBookBroken(
            f"The ledger is an old copy: the database has a statement filed at entry {index}, which the ledger lacks. What"
            " was spent since then is not in it, so nothing is released or trained privately.\nPut back the newest copy of the whole workspace.",
            link=f"entry {index}",
        )
    return Book(with_names(workspace, ledger.entries()))


def _account(desk: Desk, book: Book, snapshot: Snapshot, *, by: str) -> Account:
    """The account of a snapshot; its marks are entered where the book does not have them yet."""
    project = desk.project.name
    known = book.of_snapshot(snapshot.digest)
    if known is not None and project in known.projects:
        return known
    marks = marks_of(project, lineage_in(desk, snapshot))
    parts = (snapshot.rows_of(entry) for entry in snapshot.signed.of_kind("rows") if not entry.synthetic)
    identifiers = [name for name, column in snapshot.signed.kept.items() if column.role == "identifier"]
    prints = fingerprint_of(parts, identifiers=identifiers, named=named_by(desk.workspace))
    desk.workspace.ledger.append_many([dataset_entry(snapshot.digest, project, marks, prints, actor=by)])
    return book.open(snapshot.digest, project, marks, prints)


def named_by(workspace: Workspace) -> Any:
    """Keyed names of this workspace for what belongs to privacy budgets."""
    key = workspace.keyring.key("pseudonyms", "privacy-budgets")
    return lambda text: keyed_name(key, text)


def lineage_in(desk: Desk, snapshot: Snapshot) -> Mapping[str, Any]:
    """Everything a snapshot was made from, also what was disposed of since: their signed statements stay on file."""
    store, root = StatementStore(desk.workspace.db), desk.workspace.trust_root

    def manifest_of(digest: str) -> Any:
        if digest == snapshot.digest:
            return snapshot.signed
        for filed in store.about(digest):
            statement = verify_any(filed.envelope, root)
            if statement.subjects == (("snapshot", digest),):
                return manifest_in(statement, digest)
        raise VerificationFailed(
            f"The snapshot was made from {digest[:19]}…, whose statement is not on file. Which budget it draws on is not"
            " known, so nothing is released or trained privately.\nRestore the database from a backup.",
            link=f"snapshot {digest[:19]}",
        )

    return lineage_of(snapshot.digest, manifest_of)


def _chosen(desk: Desk, digest: str | None) -> str:
    """The snapshot asked for, which must be the project's; else the one its newest run goes on from."""
    index, project = SnapshotIndex(desk.workspace.db), desk.project
    run = desk.runs.latest(project.name)
    product = run.product("ingest") if run is not None and run.has("ingest") else {}
    current = [str(product[name]) for name in ("snapshot", "raw") if name in product]
    known = [one.digest for one in reversed(index.of_project(project.name))]
    if not current and not known:
        raise NotFound(f"{project.name} has no data here yet.\nTake it in with: sealwright ingest {project.folder}")
    if digest is not None and digest not in {*current, *known}:
        raise NotFound(f"{project.name} has no snapshot {digest[:80]} here.\nLeave --snapshot out for the newest one.")
    return digest or [*current, *known][0]
