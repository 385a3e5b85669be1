"""Differentially private releases: numbers about a dataset that say nearly nothing about any one person in it.

Answers: what is the noisy number, what does it cost, and what is left of the dataset's budget?
Does not answer: may it be published for this purpose. People decide that, on the record.
Pure: rows and ledger entries are handed in. Names load on first use; drawing noise needs the extra `build`.
"""

from typing import TYPE_CHECKING

from sealwright.kernel import Needs, front_door

if TYPE_CHECKING:
    from sealwright.data.dp.accuracy import laplace_within as laplace_within
    from sealwright.data.dp.accuracy import rank_within as rank_within
    from sealwright.data.dp.book import Account as Account
    from sealwright.data.dp.book import Book as Book
    from sealwright.data.dp.book import Spend as Spend
    from sealwright.data.dp.composition import Limit as Limit
    from sealwright.data.dp.composition import Spent as Spent
    from sealwright.data.dp.composition import left as left
    from sealwright.data.dp.composition import total as total
    from sealwright.data.dp.composition import within as within
    from sealwright.data.dp.entries import BUDGET_SET as BUDGET_SET
    from sealwright.data.dp.entries import DATASET as DATASET
    from sealwright.data.dp.entries import SPENT as SPENT
    from sealwright.data.dp.entries import budget_entry as budget_entry
    from sealwright.data.dp.entries import dataset_entry as dataset_entry
    from sealwright.data.dp.entries import spent_entry as spent_entry
    from sealwright.data.dp.entries import training_entry as training_entry
    from sealwright.data.dp.errors import BoundsMissing as BoundsMissing
    from sealwright.data.dp.errors import PrivacyBookBroken as PrivacyBookBroken
    from sealwright.data.dp.errors import PrivacyBudgetChanged as PrivacyBudgetChanged
    from sealwright.data.dp.errors import PrivacyBudgetMissing as PrivacyBudgetMissing
    from sealwright.data.dp.errors import PrivacyBudgetSpent as PrivacyBudgetSpent
    from sealwright.data.dp.extraction import bounded_rows as bounded_rows
    from sealwright.data.dp.extraction import extract as extract
    from sealwright.data.dp.fingerprint import Fingerprint as Fingerprint
    from sealwright.data.dp.fingerprint import fingerprint_of as fingerprint_of
    from sealwright.data.dp.identity import lineage_of as lineage_of
    from sealwright.data.dp.identity import manifest_in as manifest_in
    from sealwright.data.dp.identity import marks_of as marks_of
    from sealwright.data.dp.mechanisms import mechanism_for as mechanism_for
    from sealwright.data.dp.model import CONFIDENCE as CONFIDENCE
    from sealwright.data.dp.model import Cell as Cell
    from sealwright.data.dp.model import Interval as Interval
    from sealwright.data.dp.model import Kind as Kind
    from sealwright.data.dp.model import Plan as Plan
    from sealwright.data.dp.model import Protection as Protection
    from sealwright.data.dp.model import Query as Query
    from sealwright.data.dp.model import Released as Released
    from sealwright.data.dp.planning import plan_query as plan_query
    from sealwright.data.dp.trainings import TRAINING as TRAINING
    from sealwright.data.dp.trainings import Training as Training
    from sealwright.data.dp.trainings import training_of as training_of
    from sealwright.data.dp.words import asked as asked
    from sealwright.data.dp.words import counted as counted
    from sealwright.data.dp.words import in_words as in_words
    from sealwright.data.dp.words import refuse_if_spent as refuse_if_spent
    from sealwright.data.dp.words import refuse_trainings as refuse_trainings
    from sealwright.data.dp.words import standing as standing
else:
    __getattr__, __dir__, __all__ = front_door(
        __name__, Needs("Releasing private statistics", extra="build", libraries=("opendp", "pyarrow"))
    )
