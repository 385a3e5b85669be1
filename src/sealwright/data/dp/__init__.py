"""Differentially private releases: numbers about a dataset that say nearly nothing about any one person in it.

Answers: what is the noisy number, what does it cost, and what is left of the dataset's budget?
Does not answer: may it be published for this purpose. People decide that, on the record.
Pure: rows and ledger entries are handed in. Names load on first use; drawing noise needs the extra `build`.
"""

import importlib
from typing import TYPE_CHECKING, Any

from sealwright.kernel import MissingExtra

if TYPE_CHECKING:
    from sealwright.data.dp.accuracy import laplace_within, rank_within
    from sealwright.data.dp.book import Account, Book, Spend
    from sealwright.data.dp.composition import Limit, Spent, left, total, within
    from sealwright.data.dp.entries import (
        BUDGET_SET,
        DATASET,
        SPENT,
        budget_entry,
        dataset_entry,
        spent_entry,
        training_entry,
    )
    from sealwright.data.dp.errors import (
        BoundsMissing,
        PrivacyBookBroken,
        PrivacyBudgetChanged,
        PrivacyBudgetMissing,
        PrivacyBudgetSpent,
    )
    from sealwright.data.dp.extraction import bounded_rows, extract
    from sealwright.data.dp.fingerprint import Fingerprint, fingerprint_of
    from sealwright.data.dp.identity import lineage_of, manifest_in, marks_of
    from sealwright.data.dp.mechanisms import mechanism_for
    from sealwright.data.dp.model import CONFIDENCE, Cell, Interval, Kind, Plan, Protection, Query, Released
    from sealwright.data.dp.planning import plan_query
    from sealwright.data.dp.trainings import TRAINING, Training, training_of
    from sealwright.data.dp.words import asked, counted, in_words, refuse_if_spent, refuse_trainings, standing

_HOME = {
    "accuracy": ("laplace_within", "rank_within"),
    "book": ("Account", "Book", "Spend"),
    "composition": ("Limit", "Spent", "left", "total", "within"),
    "entries": (
        "BUDGET_SET",
        "DATASET",
        "SPENT",
        "budget_entry",
        "dataset_entry",
        "spent_entry",
        "training_entry",
    ),
    "errors": (
        "BoundsMissing",
        "PrivacyBookBroken",
        "PrivacyBudgetChanged",
        "PrivacyBudgetMissing",
        "PrivacyBudgetSpent",
    ),
    "extraction": ("bounded_rows", "extract"),
    "fingerprint": ("Fingerprint", "fingerprint_of"),
    "identity": ("lineage_of", "manifest_in", "marks_of"),
    "mechanisms": ("mechanism_for",),
    "model": ("CONFIDENCE", "Cell", "Interval", "Kind", "Plan", "Protection", "Query", "Released"),
    "planning": ("plan_query",),
    "trainings": ("TRAINING", "Training", "training_of"),
    "words": ("asked", "counted", "in_words", "refuse_if_spent", "refuse_trainings", "standing"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "BUDGET_SET",
    "CONFIDENCE",
    "DATASET",
    "SPENT",
    "Account",
    "Book",
    "BoundsMissing",
    "Cell",
    "Fingerprint",
    "Interval",
    "Kind",
    "Limit",
    "Plan",
    "PrivacyBookBroken",
    "PrivacyBudgetChanged",
    "PrivacyBudgetMissing",
    "PrivacyBudgetSpent",
    "Protection",
    "Query",
    "Released",
    "Spend",
    "Spent",
    "TRAINING",
    "Training",
    "asked",
    "bounded_rows",
    "budget_entry",
    "counted",
    "dataset_entry",
    "extract",
    "fingerprint_of",
    "in_words",
    "laplace_within",
    "left",
    "lineage_of",
    "manifest_in",
    "marks_of",
    "mechanism_for",
    "plan_query",
    "rank_within",
    "refuse_if_spent",
    "refuse_trainings",
    "spent_entry",
    "standing",
    "total",
    "training_entry",
    "training_of",
    "within",
]


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"sealwright.data.dp has no {name!r}")
    try:
        value = getattr(importlib.import_module(f"sealwright.data.dp.{module}"), name)  # noqa: TID251
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in {"pyarrow", "opendp"}:
            raise MissingExtra("Releasing private statistics", "build") from None
        raise
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
