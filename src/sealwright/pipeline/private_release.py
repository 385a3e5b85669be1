"""Release a number about a project's data under its privacy budget: written down first, drawn second, signed third.

Answers: what is the noisy count, mean, histogram or quantile, how sure is it, and what is left?
Does not answer: whether the number should be published. The statement says whose numbers they are and at what cost.

The cost is acknowledged by the ledger before any noise exists. If that fails, nothing is released; if anything fails after
it, the cost stays spent. The statement holds no digest of the rows and no exact number of them: both would tell apart
two datasets that differ in one person.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from sealwright.data import Snapshot
from sealwright.data.dp import (
    Plan,
    Protection,
    Query,
    Released,
    asked,
    extract,
    in_words,
    mechanism_for,
    plan_query,
    refuse_if_spent,
    spent_entry,
    standing,
)
from sealwright.data.privacy_budget import epsilon_text
from sealwright.kernel import Progress, digest_of, new_id, rfc3339, silent
from sealwright.pipeline.desk import Desk
from sealwright.pipeline.permission import allow
from sealwright.pipeline.privacy_book import (
    book_of,
    declared_limit,
    drawing,
    named_by,
    opened_for_release,
)
from sealwright.pipeline.project import Project
from sealwright.pipeline.version_facts import data_of
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import Principal

__all__ = ["PRIVATE_RELEASE_TYPE", "PrivateRelease", "release_private"]

PRIVATE_RELEASE_TYPE = "urn:sealwright:predicate:private-release:v1"
"""A number about a dataset, with its noise, cost and accuracy. Its subject is a keyed name of the dataset, not a digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateRelease:
    """What was released, as it was signed."""

    plan: Plan
    released: Released
    protection: Protection
    said: Mapping[str, Any]  # the predicate of the statement
    statement: str  # its digest

    @property
    def words(self) -> str:
        """The number and its accuracy in one sentence."""
        return in_words(self.plan, self.released)

    @property
    def asked(self) -> str:
        return asked(self.plan.query)

    def to_json(self) -> dict[str, Any]:
        return {**self.said, "words": self.words, "statement": self.statement}


def release_private(
    workspace: Workspace,
    project: Project,
    query: Query,
    *,
    by: Principal,
    snapshot: str | None = None,
    progress: Progress = silent,
) -> PrivateRelease:
    """Release one number, or one histogram, about a project's newest snapshot.

    Parameters
    ----------
    query : Query
        What is asked for, and at which epsilon.
    snapshot : str, optional
        Digest of an earlier snapshot of the project.

    Raises
    ------
    PrivacyBudgetMissing, PrivacyBudgetSpent, PrivacyBudgetChanged
        The budget does not allow it.
    BoundsMissing, InvalidInput
        It cannot be asked of this contract.
    LedgerUnavailable
        The cost could not be written down, so nothing was drawn.
    PrivacyBookBroken, VerificationFailed
        The ledger or the snapshot is not what it must be.
    """
    allow(workspace, by, "data.release_private", data_of(project))
    desk = Desk(workspace, project)
    declared_limit(project)
    # (1) What is asked, held against the contract; everything that can fail without a row.
    opened, protection = opened_for_release(desk, snapshot, by=by.counts_as)
    plan = plan_query(query, opened.signed.kept)
    draw_noise = mechanism_for(plan, protection.rows)
    # (2) Refuse before a row is decrypted, where the book knows the dataset.
    progress("asking the privacy budget", 0.1)
    with drawing(desk, opened, protection, by=by.counts_as) as draw:
        refuse_if_spent(draw.account, draw.limit, query, protection.unit)
    # (3) The rows, as whole numbers, each person bounded.
    progress("reading rows", 0.3)
    values = extract(
        _rows(opened, query), plan, rows=protection.rows, subject=opened.subject, named=named_by(workspace)
    )
    # (4) Look again and write the cost down, in one go; acknowledged or nothing.
    release = new_id("release")
    with drawing(desk, opened, protection, by=by.counts_as) as draw:
        refuse_if_spent(draw.account, draw.limit, query, protection.unit)
        spent = spent_entry(
            opened.digest, project.name, query, protection, release=release, delta=draw.limit.delta, actor=by.counts_as
        )
        entry = workspace.ledger.append_many([*draw.new, spent])[-1].index
        account = book_of(workspace).of_snapshot(opened.digest)
        assert account is not None
    # (5) Only now is there noise.
    progress("drawing noise", 0.9)
    released = draw_noise(values)
    said = {
        "format": 1,
        "project": project.name,
        "release": release,
        "at": rfc3339(workspace.clock()),
        "query": _query(query),
        "unit": protection.unit,
        "rows_per_unit": protection.rows,
        "bounds": dict(plan.bounds),
        "privacy": {"epsilon": epsilon_text(query.epsilon), "delta": 0, "neighbours": "one unit more or less"},
        **released.to_json(),
        "budget": {**standing(account, draw.limit), "ledger_entry": entry},
    }
    filed = desk.state(
        [("private-dataset", _dataset_name(workspace, opened))], PRIVATE_RELEASE_TYPE, said, by=by.counts_as
    )
    return PrivateRelease(plan=plan, released=released, protection=protection, said=said, statement=filed)


def _rows(snapshot: Snapshot, query: Query) -> Any:
    """The columns of a query and who each row is about. Made-up rows are about nobody, and left out."""
    subject = [snapshot.subject] if snapshot.subject is not None else []
    wanted = list(dict.fromkeys([*query.columns, *subject])) or [snapshot.columns[0]]
    entries = [entry for entry in snapshot.signed.of_kind("rows") if not entry.synthetic]
    parts = [snapshot.rows_of(entry, wanted) for entry in entries]
    return pa.concat_tables(parts) if parts else snapshot.signed.layout.logical(wanted).empty_table()


def _query(query: Query) -> dict[str, Any]:
    asked_for = {"kind": query.kind, "column": query.column, "at": query.at}
    where = [{"column": name, "value": value} for name, value in query.where]
    return {**{name: value for name, value in asked_for.items() if value is not None}, "where": where}


def _dataset_name(workspace: Workspace, snapshot: Snapshot) -> str:
    """A name that says which snapshot it was to whoever has the key, and nothing about its rows to anybody else."""
    return digest_of(b"sealwright/private-dataset/" + named_by(workspace)(snapshot.digest))
