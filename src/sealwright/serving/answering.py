"""One version's way from rows to what a caller is told, around the model: compiled once, when its package is loaded.

Answers: with which checks, promises and precision does this version answer?
Does not answer: how a batch is packed, and what the model says about it.

Where a package asks for nothing beyond its contract, each step here is one test that is false.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from sealwright.kernel import digest_of
from sealwright.serving.checking.bounds import widened
from sealwright.serving.checking.checker import Checker, Found
from sealwright.serving.checking.document import AnsweringDocument, Output, read_answering
from sealwright.serving.checking.rules import rules_of
from sealwright.serving.contract import Batch, Contract
from sealwright.serving.disclosure import Disclosure
from sealwright.serving.options import NO_OPTIONS, Options
from sealwright.serving.outcome import Outcome
from sealwright.serving.promises import Promises
from sealwright.serving.reasons import Reasons

__all__ = ["Answering"]

_NO_REASONS = {"withheld": "There is no label to give reasons for."}


class Answering:
    """What surrounds the model of one version."""

    def __init__(self, contract: Contract, said: AnsweringDocument | None = None, rules: Sequence[Any] = ()) -> None:
        checker = Checker(contract, rules, said)
        self._checker = None if checker.idle else checker
        self.asked = contract if said is None or said.mode == "refuse" else widened(contract)
        """The contract that protocols read with."""
        self.disclosure = Disclosure(contract, Output() if said is None else said.output)
        self.promises = Promises(
            contract, None if said is None else said.conformal, 0 if said is None else said.coverage
        )

    @staticmethod
    def of(document: bytes | None, model: bytes, interface: Mapping[str, Any], contract: Contract) -> "Answering":
        """Compile what a verified package says; `document` is its answering.json, None where it has none.

        Raises
        ------
        VerificationFailed
            The document or the rules of the interface do not go with the model.
        """
        said = None if document is None else read_answering(document, model=digest_of(model))
        return Answering(contract, said, rules_of(interface, contract))

    def checked(self, batch: Batch) -> tuple[Batch, Found | None]:
        """The rows as the model is to see them, and what was found about them."""
        return (batch, None) if self._checker is None else self._checker.rows(batch)

    def judged(self, found: Found | None, outcome: Outcome) -> Outcome:
        """The outcome of all rows, with what is told beside it."""
        return outcome if self._checker is None or found is None else self._checker.answers(found, outcome)

    def told(
        self, scopes: Collection[str], options: Options, outcome: Outcome, reasons: Sequence[Reasons]
    ) -> tuple[Outcome, Sequence[Any], bytes, int]:
        """What a caller is told of an outcome and its reasons, what the record keeps besides, and how many rows have no label.

        Raises
        ------
        Forbidden
            They may be told labels only, and there are none.
        """
        if self.disclosure.plain_to(scopes) and options is NO_OPTIONS and outcome.beside is None:
            return outcome, reasons, b"", 0
        shown = self.disclosure.shown(outcome, scopes)
        if options.interval:
            shown = self.promises.beside(shown, outcome.whole or outcome, self.disclosure.digits(scopes))
        words = self.disclosure.reasons(reasons, scopes) if reasons else ()
        if shown.whole is None and shown.beside is None:
            return shown, words, b"", 0
        without = ["abstained" in line for line in shown.beside or ()]
        if words and any(without):
            words = [_NO_REASONS if none else word for none, word in zip(without, words, strict=True)]
        return shown, words, b"" if shown.whole is None else _kept(shown.whole), sum(without)


def _kept(whole: Outcome) -> bytes:
    return msgspec.json.encode(
        {"labels": whole.labels, "probabilities": whole.probabilities, "values": whole.values, "beside": whole.beside}
    )
