"""The book of privacy budgets, read from the ledger each time: what was promised, what was spent, what is one dataset.

Answers: what is left for this dataset, under which promise, and who drew on it before?
Does not answer: whether the ledger is whole and the newest. It is verified when it is opened, and the verb compares.

Its entries are those of `entries`. Datasets that turn out to be one (they share a mark) become one account: what each
spent counts, the stricter budget holds.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from sealwright.data.dp.composition import Limit, Spent
from sealwright.data.dp.entries import BUDGET_SET, DATASET, SPENT
from sealwright.data.dp.errors import PrivacyBookBroken
from sealwright.data.dp.fingerprint import Fingerprint, shared_rows_link
from sealwright.data.dp.trainings import TRAINING
from sealwright.data.privacy_budget import Unit, epsilon_text, millionths
from sealwright.trust import LedgerEntry

__all__ = ["Account", "Book", "Spend"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """One release or private training as the ledger has it."""

    entry: int
    at: str
    actor: str
    project: str
    release: str
    kind: str
    columns: tuple[str, ...]
    epsilon: int  # millionths
    delta: float = 0.0  # of a training
    purpose: str = ""  # of a training: which model, by which recipe

    @property
    def training(self) -> bool:
        return self.kind == TRAINING

    def to_json(self) -> dict[str, Any]:
        return {
            "entry": self.entry,
            "at": self.at,
            "by": self.actor,
            "project": self.project,
            "release": self.release,
            "kind": self.kind,
            "columns": list(self.columns),
            "epsilon": epsilon_text(self.epsilon),
            "delta": self.delta,
            "purpose": self.purpose,
        }


@dataclass(slots=True, kw_only=True)
class Account:
    """What is known of one dataset: all snapshots that count as one."""

    snapshots: set[str] = field(default_factory=set)
    projects: set[str] = field(default_factory=set)
    limit: Limit | None = None  # None: nothing was promised yet
    units: set[str] = field(default_factory=set)  # in which something was spent
    spends: list[Spend] = field(default_factory=list)
    marks: set[str] = field(default_factory=set)
    samples: list[Sequence[str]] = field(default_factory=list)  # of rows

    @property
    def spent(self) -> Spent:
        return Spent.of((one.epsilon for one in self.spends), (one.delta for one in self.spends))

    def linked(self, other: "Account") -> bool:
        """Whether the two are one dataset."""
        samples = ((one, two) for one in self.samples for two in other.samples)
        return bool(self.marks & other.marks) or any(shared_rows_link(one, two) for one, two in samples)

    def take_in(self, other: "Account") -> None:
        """Become one account with another."""
        self.snapshots |= other.snapshots
        self.projects |= other.projects
        self.marks |= other.marks
        self.samples += other.samples
        self.spends = sorted([*self.spends, *other.spends], key=lambda spend: spend.entry)
        if self.limit is not None and other.limit is not None:
            self.limit = self.limit.no_more_than(other.limit)
        self.limit = self.limit or other.limit
        self.units |= other.units


class Book:
    """All accounts of one ledger."""

    def __init__(self, entries: Iterable[LedgerEntry]) -> None:
        """Read the entries of a ledger, in order.

        Raises
        ------
        PrivacyBookBroken
            An entry of the book is not one we write.
        """
        self._accounts: list[Account] = []
        readers = {DATASET: self._read_dataset, BUDGET_SET: self._read_budget, SPENT: self._read_spent}
        for entry in entries:
            read = readers.get(entry.action)
            if read is not None:
                try:
                    read(entry)
                except (KeyError, TypeError, ValueError, AttributeError):
                    raise PrivacyBookBroken(
                        f"Entry {entry.index} of the ledger ({entry.action}) cannot be read, so what is left of the privacy"
                        " budgets is not known. Nothing is released.\nUse the version of Sealwright that wrote it.",
                        link=f"entry {entry.index}",
                    ) from None

    def of_snapshot(self, snapshot: str) -> Account | None:
        """The account a snapshot draws on, if it is in the book."""
        return next((one for one in self._accounts if snapshot in one.snapshots), None)

    def of_project(self, project: str) -> Account | None:
        """The account a project draws on, if it is in the book."""
        return next((one for one in self._accounts if project in one.projects), None)

    def open(self, snapshot: str, project: str, marks: Sequence[str], prints: Fingerprint) -> Account:
        """The account a snapshot draws on with these marks: all accounts that share one, made one."""
        whole = Account(
            snapshots={snapshot},
            projects={project},
            marks={*marks, *(f"column/{one}" for one in prints.columns)},
            samples=[prints.rows],
        )
        others = self._accounts
        while found := [one for one in others if whole.linked(one)]:
            for one in found:
                whole.take_in(one)
            others = [one for one in others if not any(one is gone for gone in found)]
        self._accounts = [*others, whole]
        return whole

    def _read_dataset(self, entry: LedgerEntry) -> None:
        said = entry.detail
        prints = Fingerprint(columns=_texts(said["columns"]), rows=_texts(said["rows"]))
        self.open(entry.subject, str(said["project"]), _texts(said["marks"]), prints)

    def _read_budget(self, entry: LedgerEntry) -> None:
        account, said = self._known(entry), entry.detail
        account.limit = Limit(
            epsilon=millionths(said["epsilon"]),
            delta=float(said["delta"]),
            training_delta=float(said.get("training_delta", "0.0")),  # older entries have none
        )

    def _read_spent(self, entry: LedgerEntry) -> None:
        account, said = self._known(entry), entry.detail
        if said["unit"] not in get_args(Unit):
            raise ValueError("another unit")
        training = said["kind"] == TRAINING
        account.units.add(said["unit"])
        account.spends.append(
            Spend(
                entry=entry.index,
                at=entry.at,
                actor=entry.actor,
                project=str(said["project"]),
                release=str(said["release"]),
                kind=str(said["kind"]),
                columns=_texts(said["columns"]),
                epsilon=millionths(said["epsilon"]),
                delta=_chance(said["training_delta"]) if training else 0.0,
                purpose=f"{said['recipe']}, {said['purpose']}" if training else "",
            )
        )

    def _known(self, entry: LedgerEntry) -> Account:
        account = self.of_snapshot(entry.subject)
        if account is None:
            raise ValueError("an entry about an unknown dataset")
        return account


def _chance(text: Any) -> float:
    """A delta that something may cost."""
    if not isinstance(text, str) or not 0 < (delta := float(text)) <= 1:
        raise ValueError("not a delta")
    return delta


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise TypeError("not a list of texts")
    return tuple(value)
