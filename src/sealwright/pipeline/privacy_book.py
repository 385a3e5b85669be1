"""The privacy budgets of a workspace: what a project's dataset may still give out, and changing that on record.

Answers: what was promised for this dataset, what is left, who spent it, and who raised it why?
Does not answer: the released numbers. `private_release` makes them, and never without writing here first.

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
    Fingerprint,
    Limit,
    PrivacyBookBroken,
    PrivacyBudgetChanged,
    PrivacyBudgetMissing,
    Protection,
    budget_entry,
    dataset_entry,
    fingerprint_of,
    lineage_of,
    manifest_in,
    marks_of,
    standing,
)
from sealwright.data.privacy_budget import LARGEST_DELTA, epsilon_text, millionths
from sealwright.evidence import StatementStore, verify_any
from sealwright.kernel import InvalidInput, NotFound, VerificationFailed
from sealwright.pipeline.data_basis import require_basis
from sealwright.pipeline.desk import Desk
from sealwright.pipeline.project import Project
from sealwright.pipeline.snapshots import SnapshotIndex, opened
from sealwright.pipeline.withholding import withholding
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import Entry, keyed_name

__all__ = [
    "Drawing",
    "PrivacyBudget",
    "book_of",
    "budget_of",
    "declared_limit",
    "drawing",
    "named_by",
    "opened_for_release",
    "set_budget",
]

_ONE_AT_A_TIME = threading.RLock()
_SHORTEST_REASON = 8
_FIRST, _LESS = "first release", "asks for no more than before"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacyBudget:
    """The budget of a project's dataset, as the ledger has it now."""

    project: str
    declared: Limit  # in the project file
    fixed: Limit | None  # in the ledger; None: nothing was released yet
    counts: Limit
    account: Account
    protection: Protection

    def to_json(self) -> dict[str, Any]:
        fixed = epsilon_text(self.fixed.epsilon) if self.fixed is not None else None
        return {
            "project": self.project,
            "unit": self.protection.unit,
            "most_rows_per_unit": self.protection.rows,
            **standing(self.account, self.counts),
            "declared": epsilon_text(self.declared.epsilon),
            "fixed": fixed,
            "shared_with": sorted(self.account.projects - {self.project}),
            "spends": [spend.to_json() for spend in self.account.spends],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """The account a snapshot draws on, held while one release is written into it. `new` goes in before the spend."""

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
    return Limit(epsilon=millionths(spec.epsilon), delta=spec.delta)


def opened_for_release(desk: Desk, digest: str | None, *, by: str) -> tuple[Snapshot, Protection]:
    """The snapshot to release from, and whom that protects. Persons who must be left out by now are not read.

    Raises
    ------
    NotFound
        Nothing was ingested.
    InvalidInput
        The snapshot names no persons and the budget is for persons, or the other way round.
    """
    workspace, spec = desk.workspace, desk.project.spec.data
    out = withholding(desk, require_basis(desk, by=by))
    found = digest or _newest(desk)
    snapshot = opened(workspace, found, desk.project.name, by=by, purpose="private statistics", leave_out=out.since())
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
    return snapshot, Protection(unit=unit, rows=spec.privacy_budget.most_rows_per_person)  # type: ignore[arg-type]


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
    with _ONE_AT_A_TIME:
        book = book_of(desk.workspace)
        account = _account(desk, book, snapshot, by=by)
        if account.limit is not None:
            yield Drawing(account=account, limit=declared.no_more_than(account.limit), new=())
            return
        first = budget_entry(snapshot.digest, project, declared, protection.unit, reason=_FIRST, actor=by)
        yield Drawing(account=account, limit=declared, new=(first,))


def budget_of(workspace: Workspace, project: Project, *, by: str) -> PrivacyBudget:
    """What is left of a project's privacy budget.

    Raises
    ------
    PrivacyBudgetMissing, NotFound, PrivacyBookBroken
        As `drawing`.
    """
    desk = Desk(workspace, project)
    declared = declared_limit(project)
    snapshot, protection = opened_for_release(desk, None, by=by)
    with _ONE_AT_A_TIME:
        book = book_of(workspace)
        marks = marks_of(project.name, _lineage(desk, snapshot))
        account = book.open(snapshot.digest, project.name, marks, Fingerprint(columns=(), rows=()))
    return _as_budget(project, declared, account, protection)


def set_budget(
    workspace: Workspace, project: Project, *, epsilon: str, delta: float | None = None, reason: str, by: str
) -> PrivacyBudget:
    """Set the budget that counts for a project's dataset. Less is free; more needs a reason, which goes into the ledger.

    The project file still has its say: of both, the smaller counts.

    Raises
    ------
    PrivacyBudgetChanged
        It asks for more and gives no reason.
    InvalidInput
        Not an epsilon.
    """
    desk = Desk(workspace, project)
    declared = declared_limit(project)
    try:
        amount = millionths(epsilon)
    except ValueError as error:
        raise InvalidInput(f"{error}.") from None
    if delta is not None and not 0 <= delta <= LARGEST_DELTA:
        raise InvalidInput(f"A delta is from 0 to {LARGEST_DELTA:g}; got {delta:g}.")
    snapshot, protection = opened_for_release(desk, None, by=by)
    with drawing(desk, snapshot, protection, by=by) as draw:
        before = draw.account.limit or declared
        wanted = Limit(epsilon=amount, delta=before.delta if delta is None else delta)
        words = " ".join(reason.split())
        if wanted.asks_more_than(before) and len(words) < _SHORTEST_REASON:
            raise PrivacyBudgetChanged(
                f"{_limit_text(wanted)} asks for more than {_limit_text(before)}, which counts for this dataset. More is"
                ' said about the people in it from then on.\nSay why, for the record: --reason "…"'
            )
        reason = words or _LESS
        workspace.ledger.append_many(
            [budget_entry(snapshot.digest, project.name, wanted, protection.unit, reason=reason, actor=by)]
        )
        draw.account.limit = wanted
    return _as_budget(project, declared, draw.account, protection)


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
            " was spent since then is not in it, so nothing is released.\nPut back the newest copy of the whole workspace.",
            link=f"entry {index}",
        )
    return Book(ledger.entries())


def _account(desk: Desk, book: Book, snapshot: Snapshot, *, by: str) -> Account:
    """The account of a snapshot; its marks are entered where the book does not have them yet."""
    project = desk.project.name
    known = book.of_snapshot(snapshot.digest)
    if known is not None and project in known.projects:
        return known
    marks = marks_of(project, _lineage(desk, snapshot))
    parts = (snapshot.rows_of(entry) for entry in snapshot.signed.of_kind("rows") if not entry.synthetic)
    identifiers = [name for name, column in snapshot.signed.kept.items() if column.role == "identifier"]
    prints = fingerprint_of(parts, identifiers=identifiers, named=named_by(desk.workspace))
    desk.workspace.ledger.append_many([dataset_entry(snapshot.digest, project, marks, prints, actor=by)])
    return book.open(snapshot.digest, project, marks, prints)


def named_by(workspace: Workspace) -> Any:
    """Keyed names of this workspace for what belongs to privacy budgets."""
    key = workspace.keyring.key("pseudonyms", "privacy-budgets")
    return lambda text: keyed_name(key, text)


def _lineage(desk: Desk, snapshot: Snapshot) -> Mapping[str, Any]:
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
            " known, so nothing is released.\nRestore the database from a backup.",
            link=f"snapshot {digest[:19]}",
        )

    return lineage_of(snapshot.digest, manifest_of)


def _newest(desk: Desk) -> str:
    index = SnapshotIndex(desk.workspace.db)
    known = [one for one in index.of_project(desk.project.name) if one.kind != "extract"]
    if known:
        return known[-1].digest
    run = desk.runs.latest(desk.project.name)
    if run is None or not run.has("ingest"):
        raise NotFound(
            f"{desk.project.name} has no data here yet.\nTake it in with: sealwright ingest {desk.project.folder}"
        )
    return str(run.product("ingest")["snapshot"])


def _as_budget(project: Project, declared: Limit, account: Account, protection: Protection) -> PrivacyBudget:
    counts = declared if account.limit is None else declared.no_more_than(account.limit)
    return PrivacyBudget(
        project=project.name,
        declared=declared,
        fixed=account.limit,
        counts=counts,
        account=account,
        protection=protection,
    )


def _limit_text(limit: Limit) -> str:
    return f"epsilon {epsilon_text(limit.epsilon)}" + (f" at delta {limit.delta:g}" if limit.delta else "")
