"""The case's own way of training, as the resampling functions take it: rows of a table in, answers for others out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.features import pack, true_classes, true_values
from sealwright.assurance.predictor import answers
from sealwright.assurance.resampling.training import Answer, Data, Measure
from sealwright.assurance.scores import headline

__all__ = ["headline_measure", "taught", "training_data"]


@dataclass(frozen=True, slots=True)
class _Rows:
    """A table that takes an array of positions in brackets, as numpy does."""

    table: pa.Table

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __getitem__(self, rows: NDArray[np.intp]) -> pa.Table:
        return self.table.take(pa.array(rows))


def training_data(case: Case, most: int) -> Data:
    """At most `most` of the rows the model learned from, with their truth."""
    table = case.train_table.slice(0, most)  # in an order of mixed keys, so as good as drawn by lot
    read = true_values if case.task == "regression" else true_classes
    return Data(X=_Rows(table), y=read(table, case.interface))


def taught(case: Case, seed: int) -> Callable[[Any, NDArray[Any]], Answer]:
    """How a model like the judged one is trained; every training has the same seed."""
    assert case.teach is not None
    learn = case.teach.learn

    def train(table: pa.Table, _truth: NDArray[Any]) -> Answer:
        predictor = learn(table, seed)

        def answer(rows: pa.Table) -> Floats:
            return answers(predictor, pack(rows, case.interface), case.interface)

        return answer

    return train


def headline_measure(case: Case) -> Measure:
    """The headline score of the task as a function of truth and outputs; NaN where it is undefined."""

    def measure(truth: NDArray[Any], outputs: NDArray[Any]) -> float:
        score = headline(case.interface, truth, outputs)
        return float("nan") if score is None else score.value

    return measure
