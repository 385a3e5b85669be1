"""The explainer of one version: compiled at load from the verified model and the document beside it.

Answers: what did each feature add to this answer, which reasons may be told, what would turn it?
Does not answer: for a version that carries no such document, or whose model was not opened up when it was made; that one has
no explainer, and says so.

Each explained row is held against the model: base and contributions must give the sum that is read from the model, and that sum
must lead to the model's own answer. Otherwise there are no reasons for that row, rather than wrong ones.
"""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.kernel import OperationFailed, VerificationFailed, digest_of
from sealwright.registry import Linear, Trees, Unreadable, open_model
from sealwright.serving.contract import Batch, Contract
from sealwright.serving.engine import Engine
from sealwright.serving.reasons.adverse import adverse_notice, in_order
from sealwright.serving.reasons.change import Searched, smallest_change
from sealwright.serving.reasons.document import Notice, ReasonsDocument, read_document
from sealwright.serving.reasons.encoding import Encoder, Lines, owners_of
from sealwright.serving.reasons.linear_sums import LinearSums
from sealwright.serving.reasons.model import AdverseNotice, Change, Contribution, Reasons
from sealwright.serving.reasons.scores import CLOSE, answers_of, one_sum, unit_of
from sealwright.serving.reasons.tree_sums import TreeSums

__all__ = ["Explainer", "ReasonsDoNotAddUp"]

Floats = NDArray[np.float64]
_LINK = "package/explainer.json"
_DIGITS = 6
_ASKED_FACTORS = 12  # features that are brought to the reference, the strongest first
_SAME = 1e-6  # of two probabilities
_METHODS = {
    "trees": "path-dependent Tree SHAP, all columns of a feature as one player",
    "linear": "weight times distance from the mean, all columns of a feature as one player",
}


class ReasonsDoNotAddUp(OperationFailed):
    """What was read from the model does not lead to its answer, so nothing is said about it."""

    code = "reasons.do_not_add_up"
    status = 500


class Explainer:
    """Gives reasons for one version. Safe to call from several threads: nothing in it changes after loading."""

    @classmethod
    def of(cls, document: bytes | None, model_bytes: bytes, contract: Contract) -> "Explainer | None":
        """The explainer of a verified package; None where it carries no document.

        Raises
        ------
        VerificationFailed
            The document is damaged, is about another model, or does not fit it.
        """
        if document is None:
            return None
        found = read_document(document, model=digest_of(model_bytes))
        return cls(found, digest_of(document), model_bytes, contract)

    def __init__(self, document: ReasonsDocument, digest: str, model_bytes: bytes, contract: Contract) -> None:
        """Compile; `digest` is that of the document's bytes."""
        _refuse_unfit(document, contract)
        self._document, self._digest, self._contract = document, digest, contract
        columns = (*contract.numbers, *contract.strings)
        self._names = tuple(feature.name for feature in columns)
        self._order = [self._names.index(feature.name) for feature in contract.features]
        names = [feature.name for feature in contract.numbers], [feature.name for feature in contract.strings]
        try:
            opened = open_model(model_bytes, *names, contract.task)
        except Unreadable as why:
            raise _unfit(str(why)) from None
        owners = owners_of(opened.columns, len(contract.numbers))
        core = one_sum(opened.core, document.link)
        trees = isinstance(core, Trees)
        self._encoder = Encoder(opened.columns, single=trees)
        self._method = _METHODS["trees" if trees else "linear"]
        constants = np.array([one.other for one in opened.columns], dtype=np.float64)
        self._sums = _sums_of(core, document, owners, constants, len(columns))
        self._used = frozenset(self._names[place] for place in self._sums.used)
        self._toward = contract.classes.index(document.toward) if document.toward else None

    def explain(
        self,
        batch: Batch,
        *,
        engine: Engine,
        counterfactual: bool = False,
        raw: NDArray[np.float32] | None = None,
        limit: Searched | None = None,
    ) -> list[Reasons]:
        """Reasons for each row. A row has the same ones alone and in a batch.

        Parameters
        ----------
        engine : Engine
            The version's own engine.
        counterfactual : bool
            Also search the smallest change that turns an unwanted decision; asks the engine up to `limit.rows` times.
        raw : float array, optional
            What the engine said about this batch, if it was asked already.
        limit : Searched, optional
            What a search may cost for each row.

        Raises
        ------
        ReasonsDoNotAddUp
            For some row, contributions do not give the model's own answer.
        OperationFailed
            The engine failed.
        """
        lines = Lines(batch)
        said = np.asarray(engine.run(batch) if raw is None else raw, dtype=np.float64)
        limit = limit or Searched(clock=time.monotonic)
        return [self._one(lines, line, said[line], engine, counterfactual, limit) for line in range(batch.rows)]

    def _one(
        self, lines: Lines, line: int, said: Floats, engine: Engine, counterfactual: bool, limit: Searched
    ) -> Reasons:
        link, classes = self._document.link, self._contract.classes
        label = int(np.argmax(said)) if classes else 0
        toward = label if self._toward is None else self._toward
        several = self._sums.base.size > 1
        place = toward if several else 0
        phi, scores = self._sums.explain(self._encoder.row(lines, line), place)
        base, score = float(self._sums.base[place]), float(scores[place])
        self._refuse_other_answers(base + float(phi.sum()), score, scores, said)
        if classes and not several and toward == 0:  # the only sum speaks for the second class
            phi, base, score = -phi, *((1 - base, 1 - score) if link == "shares" else (-base, -score))
        digits = _DIGITS if classes else _DIGITS - int(np.floor(np.log10(max(abs(base), abs(score), 1e-30))))
        gained = {self._names[at]: _rounded(phi[at], digits) for at in self._order}
        largest = sorted((name for name, value in gained.items() if value), key=lambda name: -abs(gained[name]))
        return Reasons(
            explainer=self._digest,
            method=self._method,
            toward=classes[toward] if classes else "",
            unit=unit_of(link, self._sums.base.size),
            reference=self._document.reference,
            base=_rounded(base, digits),
            score=_rounded(score, digits),
            probability=_rounded(float(said[toward]), _DIGITS) if classes else None,
            contributions=tuple(Contribution(name, gained[name]) for name in largest),
            adverse=self._adverse(lines, line, gained, label, float(said[toward]), engine),
            change=self._change(lines, line, label, engine, limit) if counterfactual else None,
        )

    def _refuse_other_answers(self, summed: float, score: float, scores: Floats, said: Floats) -> None:
        classes = len(self._contract.classes)
        near = CLOSE * max(1.0, abs(score))
        answers = answers_of(scores[None, :], self._document.link, classes)[0]
        close = np.abs(answers - said) <= (CLOSE if classes else near)
        if not (abs(summed - score) <= near and close.all()):  # not finite fails too
            raise ReasonsDoNotAddUp(
                "The contributions to this answer do not add up to it, so no reasons are given. The answer itself stands;\n"
                "have the version looked at."
            )

    def _adverse(
        self, lines: Lines, line: int, gained: Mapping[str, float], label: int, approval: float, engine: Engine
    ) -> AdverseNotice | None:
        notice = self._document.notice
        if notice is None or self._contract.classes[label] != notice.adverse:
            return None
        return adverse_notice(
            gained,
            denied=True,
            used=self._used,
            protected=frozenset(notice.protected),
            sentences=notice.sentences,
            helps=self._helps(lines, line, gained, approval, notice, engine),
        )

    def _helps(
        self, lines: Lines, line: int, gained: Mapping[str, float], approval: float, notice: Notice, engine: Engine
    ) -> dict[str, bool]:
        """Whether bringing each feature to its usual value in the reference keeps or raises the score of approval."""
        usual, width = self._document.usual, len(self._contract.numbers)
        asked = [name for name in in_order(gained) if name in notice.sentences and name not in notice.protected]
        asked = [name for name in asked if usual.get(name) is not None][:_ASKED_FACTORS]
        if not asked:
            return {}
        changed = lines.repeated(line, len(asked))
        for at, name in enumerate(asked):
            place = self._names.index(name)
            block: NDArray[Any] = changed.numbers if place < width else changed.strings
            block[at, place if place < width else place - width] = usual[name]
        scores = engine.run(changed.batch())[:, self._toward]
        return {name: bool(score >= approval - _SAME) for name, score in zip(asked, scores, strict=True)}

    def _change(self, lines: Lines, line: int, label: int, engine: Engine, limit: Searched) -> Change | None:
        wanted, moves = self._toward, self._document.moves
        if wanted is None:
            return Change(found=False, why="A change is searched only where one of two classes is the wanted one.")
        if label == wanted:
            return None
        if not moves:
            return Change(found=False, why="The project does not say what can change about a row.")

        def score(changed: Lines) -> Floats:
            said = np.asarray(engine.run(changed.batch()), dtype=np.float64)
            ahead = said[:, wanted] - said[:, 1 - wanted]
            return ahead if wanted == 0 else np.where(ahead == 0, -_SAME, ahead)  # of equals, the first class is told

        classes = self._contract.classes
        return smallest_change(self._contract, moves, lines, line, score, classes[wanted], limit)


def _sums_of(
    core: Linear | Trees, document: ReasonsDocument, owners: NDArray[np.intp], constants: Floats, players: int
) -> TreeSums | LinearSums:
    if isinstance(core, Linear):
        if len(document.means) != owners.size:
            raise _unfit("it has means of other columns than the model")
        return LinearSums(core, np.array(document.means, dtype=np.float64), owners, players)
    leaves = sum(int((tree["children_left"] < 0).sum()) for tree in core.model["trees"])
    if (len(document.counts), len(document.everyone)) != (leaves, leaves):
        raise _unfit("it counts other leaves than the model has")
    return TreeSums(core.model, document.counts, document.everyone, owners, constants, players)


def _refuse_unfit(document: ReasonsDocument, contract: Contract) -> None:
    """What it says in words and values must be about this model's classes and features."""
    two = contract.classes if len(contract.classes) == 2 else ()
    if document.toward and document.toward not in two:
        raise _unfit("it speaks for a class that the model does not tell from one other")
    if document.notice and {document.notice.adverse, document.toward} != set(two):
        raise _unfit("what it calls a refusal is not the other one of two classes")
    for feature in contract.features:
        value = document.usual.get(feature.name)
        if value is not None and isinstance(value, str) != (feature.kind == "category"):
            raise _unfit("it has a usual value of another kind than its feature")


def _unfit(problem: str) -> VerificationFailed:
    return VerificationFailed(f"The package's explainer does not fit its model: {problem}.", link=_LINK)


def _rounded(value: float, digits: int) -> float:
    """Without the last digits, in which machines differ, and without a minus before zero."""
    return round(float(value), digits) + 0.0
