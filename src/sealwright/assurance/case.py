"""The case before the judges: data, model, groups and settings, with predictions made once and shared."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sealwright.assurance.asked import Asked
from sealwright.assurance.attributes import Attribute
from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.features import Features, pack, stacked, true_classes, true_values
from sealwright.assurance.interface import Interface
from sealwright.assurance.intervals import Interval, share_interval
from sealwright.assurance.linear import learn_encoding, train_simple
from sealwright.assurance.predictor import Predictor, UnusablePredictions, answers
from sealwright.assurance.scores import Score, headline
from sealwright.assurance.slices import Slice
from sealwright.assurance.spec import AssuranceSpec
from sealwright.assurance.teaching import Teach

__all__ = ["Case", "Sample", "Simple"]

_T = TypeVar("_T")

_MOST_COLUMNS = 500  # of the simple model: beyond that its fit takes longer than all checks together
_MOST_CLASSES = 50
_TOGETHER = 8_192  # rows of several variants that a model is asked about at once


class Sample:
    """Rows to judge a model on: features, truth, and (once asked for) what the model says."""

    def __init__(
        self, table: pa.Table, interface: Interface, predictor: Predictor, outputs: Floats | None = None
    ) -> None:
        self.interface = interface
        self._known = outputs
        self._predictor = predictor
        self.features: Features = pack(table, interface)
        read = true_values if interface.task == "regression" else true_classes
        self.truth: NDArray[Any] = read(table, interface)  # class positions, or values

    def __len__(self) -> int:
        return len(self.features)

    @cached_property
    def outputs(self) -> Floats:
        """Probabilities (n, classes), or values (n,)."""
        return answers(self._predictor, self.features, self.interface) if self._known is None else self._known

    @cached_property
    def score(self) -> Score | None:
        return headline(self.interface, self.truth, self.outputs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Simple:
    """What a ridge or logistic regression, trained here on training rows, says about the same rows."""

    words: str
    rows: int  # training rows it learned from
    test: Floats
    test_score: Score | None
    train_score: Score | None


@dataclass(frozen=True, kw_only=True)
class Case:
    """Everything a check may look at."""

    interface: Interface
    spec: AssuranceSpec
    predictor: Predictor
    test_table: pa.Table  # all rows, in a fixed order
    train_table: pa.Table
    test: Sample  # at most spec.budget.rows of them
    train: Sample  # the rows of `test` where the rows learned from are not known
    attributes: tuple[Attribute, ...]  # over the rows of `test`
    train_attributes: tuple[Attribute, ...]  # the same over the rows of `train`
    quarantined: int | None  # rows the contract set aside, if known
    knows_training: bool = True  # False: train_table is empty, and checks that need it are not run
    previous: Floats | None = None  # what the version before answers for the rows of `test`
    teach: Teach | None = None  # how a model like this is trained, where that is known
    seed: int = 0
    asked: Asked | None = None  # the predictor as it counts what checks ask it
    slices: tuple[Slice, ...] = ()  # declared parts of the rows of `test`
    _kept: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def once(self, what: str, make: Callable[[], _T]) -> _T:
        """What several checks need and the first of them works out; it must not depend on which one that is."""
        if what not in self._kept:
            self._kept[what] = make()
        return cast(_T, self._kept[what])

    @property
    def model(self) -> Predictor:
        """The model itself, for whoever looks inside it. What asks it this way is not counted."""
        return self.predictor.model if isinstance(self.predictor, Asked) else self.predictor

    @property
    def task(self) -> str:
        return self.interface.task

    @property
    def learned_words(self) -> str:
        """What the rows of `train` are, for notes and definitions."""
        return "training rows" if self.knows_training else "rows judged"

    @property
    def positive(self) -> int:
        """Binary: position of the positive class."""
        return self.interface.classes.index(str(self.interface.positive))

    @property
    def favourable(self) -> int | None:
        """Position of the outcome people hope for; None where there is none to name."""
        if self.task == "regression":
            return None
        if self.spec.favourable is not None:
            return self.interface.classes.index(self.spec.favourable)
        return self.positive if self.task == "binary" else None

    def share_interval(self, successes: float, n: float, confidence: float | None = None) -> Interval:
        """Interval of a share of rows, the way `assurance.interval` says, at the project's confidence."""
        return share_interval(self.spec.interval, successes, n, confidence or self.spec.confidence)

    def decide(self, outputs: Floats) -> NDArray[np.int64]:
        """Decided class positions, shape (n,): by the threshold for two classes, else the most probable.

        A row without an answer gets -1, which is no class.
        """
        if self.task == "binary":
            chosen = np.where(outputs[:, self.positive] >= self.spec.threshold, self.positive, 1 - self.positive)
        else:
            chosen = np.argmax(np.nan_to_num(outputs, nan=-1.0), axis=1)
        return np.where(np.isfinite(outputs).all(axis=1), chosen, -1).astype(np.int64)

    @cached_property
    def decisions(self) -> NDArray[np.int64]:
        """Decided class positions of the test rows."""
        return self.decide(self.test.outputs)

    def predict(self, features: Features) -> Floats:
        """Predictions for changed rows; NaN where the model has no answer, everywhere if it fails on them."""
        try:
            return answers(self.predictor, features, self.interface, gaps_allowed=True)
        except UnusablePredictions:
            n = len(features)
            return np.full(n if self.task == "regression" else (n, len(self.interface.classes)), np.nan)

    def predict_each(self, variants: Iterable[Features]) -> Iterator[Floats]:
        """As `predict` for one variant after another. Small ones are asked about together, which takes a model hardly longer."""
        waiting: list[Features] = []
        for variant in variants:
            waiting.append(variant)
            if sum(map(len, waiting)) >= _TOGETHER:
                yield from self._together(waiting)
                waiting = []
        if waiting:
            yield from self._together(waiting)

    def _together(self, variants: Sequence[Features]) -> Iterable[Floats]:
        try:
            outputs = answers(self.predictor, stacked(variants), self.interface, gaps_allowed=True)
        except UnusablePredictions:  # whichever of them it was, the others are answered
            return map(self.predict, variants)
        return np.split(outputs, np.cumsum([len(variant) for variant in variants])[:-1])

    @cached_property
    def simple(self) -> Simple | str:
        """A simple model of the same columns, or why there is none."""
        classes = len(self.interface.classes)
        # the rows lie in an order of mixed keys, so the first of them are as good as drawn by lot
        some = slice(0, self.spec.budget.baseline_rows)
        features, truth = self.train.features.take(some), self.train.truth[some]
        columns = learn_encoding(features).width
        if classes > _MOST_CLASSES or columns > _MOST_COLUMNS:
            return (
                f"a simple model is trained for at most {_MOST_CLASSES} classes and {_MOST_COLUMNS} columns;"
                f" here are {classes} and {columns:,}"
            )
        if np.unique(truth).size < 2:
            return "the training rows hold one single outcome, so a simple model learns nothing"
        model = train_simple(features, truth, classes)
        test, train = model(self.test.features), model(self.train.features)
        return Simple(
            words={"regression": "ridge regression", "binary": "logistic regression"}.get(
                self.task, "logistic regression of each class against the rest"
            ),
            rows=len(truth),
            test=test,
            test_score=headline(self.interface, self.test.truth, test),
            train_score=headline(self.interface, self.train.truth, train),
        )
