"""What is written into the ledger about privacy budgets.

Answers: what does an entry of the book say, and so what will anybody who has the ledger know?
Does not answer: what follows from the entries together (`book`).

Three kinds of entries make the book; none holds a result, a noise or a row:
- data.privacy_dataset      the marks of a snapshot, before its first spend;
- data.privacy_budget_set   the budget that counts from here on: fixed at the first spend, then changed with a reason;
- data.privacy_spent        one release or private training, acknowledged before its noise is drawn.
"""

from collections.abc import Sequence

from sealwright.data.dp.composition import Limit, rho_text
from sealwright.data.dp.fingerprint import Fingerprint
from sealwright.data.dp.model import Protection, Query
from sealwright.data.dp.trainings import TRAINING, Training
from sealwright.data.privacy_budget import Unit, epsilon_text
from sealwright.trust import Entry

__all__ = ["BUDGET_SET", "DATASET", "SPENT", "budget_entry", "dataset_entry", "spent_entry", "training_entry"]

DATASET = "data.privacy_dataset"
BUDGET_SET = "data.privacy_budget_set"
SPENT = "data.privacy_spent"


def dataset_entry(snapshot: str, project: str, marks: Sequence[str], prints: Fingerprint, *, actor: str) -> Entry:
    """The marks of a snapshot, as they go into the ledger."""
    detail = {"project": project, "marks": list(marks), "columns": list(prints.columns), "rows": list(prints.rows)}
    return Entry(action=DATASET, subject=snapshot, detail=detail, actor=actor)


def budget_entry(snapshot: str, project: str, limit: Limit, unit: Unit, *, reason: str, actor: str) -> Entry:
    """The budget that counts from here on."""
    detail = {
        "project": project,
        "epsilon": epsilon_text(limit.epsilon),
        "delta": repr(limit.delta),
        "training_delta": repr(limit.training_delta),
        "unit": unit,
    }
    return Entry(action=BUDGET_SET, subject=snapshot, detail=detail, actor=actor, words=reason)


def spent_entry(
    snapshot: str, project: str, query: Query, protection: Protection, *, release: str, delta: float, actor: str
) -> Entry:
    """One release, to be acknowledged before its noise is drawn. Columns by name; no result, no noise, no value."""
    detail = _spending(project, release, query.kind, query.columns, query.epsilon, protection, delta)
    return Entry(action=SPENT, subject=snapshot, detail=detail, actor=actor)


def training_entry(
    snapshot: str, project: str, training: Training, protection: Protection, *, release: str, delta: float, actor: str
) -> Entry:
    """One private training, to be acknowledged before a row is learned from."""
    detail = {
        **_spending(project, release, TRAINING, training.columns, training.epsilon, protection, delta),
        "training_delta": repr(training.delta),
        "recipe": training.recipe,
        "purpose": training.purpose,
    }
    return Entry(action=SPENT, subject=snapshot, detail=detail, actor=actor)


def _spending(
    project: str,
    release: str,
    kind: str,
    columns: Sequence[str],
    epsilon: int,
    protection: Protection,
    delta: float,
) -> dict[str, object]:
    return {
        "project": project,
        "release": release,
        "kind": kind,
        "columns": list(columns),
        "epsilon": epsilon_text(epsilon),
        "delta": repr(delta),
        "rho": rho_text(epsilon),
        "unit": protection.unit,
        "rows_per_unit": protection.rows,
    }
