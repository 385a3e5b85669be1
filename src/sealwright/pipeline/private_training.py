"""Training with differential privacy spends from the privacy budget of its dataset: written down first, trained second.

Answers: may this be trained, at which cost, from which rows, and what was spent of the budget then?
Does not answer: how the noise is made (`training`), or whether the guarantee is true (`assurance` attacks it).

The cost is acknowledged by the ledger before a row is learned from. If that fails, nothing is trained; if anything fails
after it, a crash or a kill included, the cost stays spent. A step that is kept and not done again costs nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from sealwright.data import Snapshot, feature_interface
from sealwright.data.dp import (
    PrivacyBudgetMissing,
    Protection,
    Training,
    bounded_rows,
    refuse_trainings,
    standing,
    training_entry,
    training_of,
)
from sealwright.data.privacy_budget import epsilon_text
from sealwright.kernel import InvalidInput, SealwrightError, new_id
from sealwright.pipeline.desk import Desk
from sealwright.pipeline.learned_columns import columns_learned_from
from sealwright.pipeline.privacy_book import book_of, drawing, named_by, protection_of
from sealwright.pipeline.project import Project
from sealwright.pipeline.workspace import Workspace
from sealwright.training import TrainingResult, TrainingSpec, refuse_missing, refuse_unfit

__all__ = ["Reserved", "entered", "most_rows_of_one", "ready", "refuse_unready", "reserve", "rows_learned_from"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """The cost of one training, as the ledger has it."""

    training: Training
    protection: Protection
    entry: int  # of the ledger
    standing: Mapping[str, Any]  # of the budget, this one included

    def to_json(self) -> dict[str, Any]:
        return {
            "ledger_entry": self.entry,
            "cost": {"epsilon": epsilon_text(self.training.epsilon), "delta": self.training.delta},
            "unit": self.protection.unit,
            "rows_per_unit": self.protection.rows,
            **self.standing,
        }

    @property
    def words(self) -> str:
        """The cost and the state of the budget in one sentence."""
        said = self.standing
        return (
            f"entered in the privacy budget of the dataset (ledger entry {self.entry}) as epsilon"
            f" {epsilon_text(self.training.epsilon)}, delta {self.training.delta:g} for {self.protection.words};"
            f" with it, {said['spent']} of {said['epsilon']} were spent"
        )


def refuse_unready(project: Project, training: TrainingSpec) -> None:
    """Refuse a private training that cannot be made anyway, before a row is read and before it costs anything.

    Raises
    ------
    PrivacyBudgetMissing
        The project declares no budget.
    InvalidInput
        The contract or the parameters do not allow it.
    MissingExtra
        What it needs is not installed.
    """
    data, privacy = project.spec.data, training.privacy
    if privacy is None:
        return
    if data.privacy_budget is None:
        raise PrivacyBudgetMissing(
            f"{project.name} declares no privacy budget, so nothing is trained with training.privacy.\n"
            "Decide how much all private trainings and released numbers together may say about one person, and write it into"
            f" the project file, for one training: data.privacy_budget: {{epsilon: {privacy.epsilon:g}, training_delta:"
            f" {privacy.delta:.1e}}}"
        )
    interface = feature_interface(data, project=project.name)
    refuse_unfit(training.recipe, interface["task"], interface, training.params)
    refuse_missing(training.recipe)


def ready(project: Project, wanted: Mapping[str, TrainingSpec]) -> dict[str, TrainingSpec]:
    """Those whose training can begin.

    Raises
    ------
    PrivacyBudgetMissing
        One of them is private, and the project declares no budget.
    """
    able = {}
    for name, spec in wanted.items():
        try:
            refuse_unready(project, spec)
        except PrivacyBudgetMissing:
            raise
        except SealwrightError:
            continue
        able[name] = spec
    return able


def reserve(
    desk: Desk, snapshot: Snapshot, wanted: Mapping[str, TrainingSpec], *, purpose: str = "", by: str
) -> dict[str, Reserved]:
    """Write down what private trainings cost, all of them or none, before one begins.

    Parameters
    ----------
    wanted : mapping of str to TrainingSpec
        By name. Those without privacy cost nothing and are left out.
    purpose : str
        Put in front of the name where the ledger says what each is for.

    Returns
    -------
    dict of str to Reserved
        One for each private training, by name.

    Raises
    ------
    PrivacyBudgetMissing, PrivacyBudgetSpent, PrivacyBudgetChanged
        The budget does not allow it. Nothing was spent.
    LedgerUnavailable
        The cost could not be written down.
    InvalidInput
        The snapshot has made-up rows, or does not fit the contract.
    """
    private = {name: spec for name, spec in wanted.items() if spec.privacy is not None}
    if not private:
        return {}
    if snapshot.synthetic:
        raise InvalidInput(
            f"{snapshot.synthetic:,} rows of the snapshot were made up from others, so one row is in many of them and a private"
            " training could not say what it gives away.\nLeave data.augment or training.privacy out, and ingest again."
        )
    for spec in private.values():
        refuse_unready(desk.project, spec)
    protection = protection_of(desk, snapshot)
    asked = {name: _asked(desk.project, f"{purpose}{name}", spec, protection) for name, spec in private.items()}
    with drawing(desk, snapshot, protection, by=by) as draw:
        refuse_trainings(draw.account, draw.limit, list(asked.values()), protection.unit)
        entries = [
            training_entry(
                snapshot.digest,
                desk.project.name,
                one,
                protection,
                release=new_id("training"),
                delta=draw.limit.delta,
                actor=by,
            )
            for one in asked.values()
        ]
        filed = desk.workspace.ledger.append_many([*draw.new, *entries])[-len(entries) :]
        account = book_of(desk.workspace).of_snapshot(snapshot.digest)
        assert account is not None
        now = standing(account, draw.limit)
    return {
        name: Reserved(training=one, protection=protection, entry=entry.index, standing=now)
        for (name, one), entry in zip(asked.items(), filed, strict=True)
    }


def most_rows_of_one(project: Project, training: TrainingSpec) -> int | None:
    """How many rows of one person a private training learns from at most; None where nothing is left out."""
    data = project.spec.data
    if training.privacy is None or data.subject is None or data.privacy_budget is None:
        return None
    return data.privacy_budget.most_rows_per_person


def rows_learned_from(workspace: Workspace, project: Project, training: TrainingSpec, rows: pa.Table) -> pa.Table:
    """The training rows without those that a private training leaves out, so that no person has more than the budget says.

    Always the same ones, and the same for a person whoever else is in the data.
    """
    most, subject = most_rows_of_one(project, training), project.spec.data.subject
    if most is None or subject is None:
        return rows
    return rows.filter(pa.array(bounded_rows(rows.column(subject), most, named_by(workspace))))


def entered(result: TrainingResult, reserved: Reserved | None) -> TrainingResult:
    """The result of a training, which says what it cost and what was spent of the budget with it."""
    if reserved is None:
        return result
    assert result.privacy is not None
    notes: Sequence[str] = [*result.notes, reserved.words]
    return replace(result, notes=notes, privacy={**result.privacy, "budget": reserved.to_json()})


def _asked(project: Project, purpose: str, training: TrainingSpec, protection: Protection) -> Training:
    privacy = training.privacy
    assert privacy is not None
    return training_of(
        training.recipe,
        purpose,
        tuple(columns_learned_from(project.spec.data, training)),
        epsilon=privacy.epsilon,
        delta=privacy.delta,
        rows=protection.rows,
    )
