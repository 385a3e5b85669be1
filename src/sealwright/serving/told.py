"""What was asked and what an answer said, row by row, read again from the exact bytes of a record.

Answers: which values had each row, and which label, which scores, which value did it get?
Does not answer: by which model; the record beside them says that.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from sealwright.kernel import VerificationFailed
from sealwright.serving.contract import Contract
from sealwright.serving.outcome import Outcome
from sealwright.serving.problems import HttpRefusal
from sealwright.serving.protocol_named import NamedProtocol
from sealwright.serving.protocol_oip import OipProtocol

__all__ = ["AskedReader", "Told", "told_by", "told_in"]

_MOST_ROWS = 10_000  # as a server may allow


class Told(msgspec.Struct, frozen=True, array_like=True):
    """One row of an answer. `scores` are in the order of the classes; what was not asked for is missing."""

    label: str = ""
    scores: tuple[float, ...] = ()
    value: float | None = None


class AskedReader:
    """Reads recorded requests of one contract."""

    def __init__(self, contract: Contract) -> None:
        self._names = [feature.name for feature in contract.features]
        self._readers = {
            one.media: one for one in (kind(contract, most_rows=_MOST_ROWS) for kind in (NamedProtocol, OipProtocol))
        }

    def rows(self, protocol: str, request: bytes) -> list[dict[str, Any]]:
        """Its rows, as values by feature.

        Raises
        ------
        VerificationFailed
            It is no request that this contract takes.
        """
        try:
            found = self._readers[protocol].read(request)
            if found.rows is not None:
                return [dict(zip(self._names, row, strict=True)) for row in found.rows]
            columns = msgspec.json.decode(request)["columns"]
            return [
                dict(zip(self._names, row, strict=True)) for row in zip(*map(columns.get, self._names), strict=True)
            ]
        except (HttpRefusal, KeyError, TypeError, ValueError, msgspec.MsgspecError):
            raise VerificationFailed("The request in this record cannot be read.", link="request") from None


def told_by(outcome: Outcome) -> list[Told]:
    """The rows of an outcome, whole: what callers were told may be less."""
    whole = outcome.whole or outcome
    rows = range(len(whole.sound))
    return [
        Told(
            whole.labels[row] if whole.labels else "",
            _numbers(whole.probabilities[row]) if whole.probabilities else (),
            whole.values[row] if whole.values else None,
        )
        for row in rows
    ]


def told_in(answer: bytes, kept: bytes = b"") -> list[Told]:
    """The rows of a recorded answer, whichever protocol it was given in.

    Parameters
    ----------
    kept : bytes
        The whole outcome beside it, where the answer told less.

    Raises
    ------
    VerificationFailed
        It is no answer of ours.
    """
    try:
        found = msgspec.json.decode(answer)
        if kept:
            whole = msgspec.json.decode(kept)
            sound = [True] * max(len(whole["labels"]), len(whole["values"]))
            return told_by(Outcome(whole["labels"], whole["probabilities"], whole["values"], sound))
        if "outputs" in found:
            return _packed(found["outputs"])
        if "columns" in found:
            return _by_column(found["columns"])
        return [_named(one) for one in found.get("rows", [found])]
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError, AttributeError):
        raise VerificationFailed("The answer in this record cannot be read.", link="answer") from None


def _named(line: dict[str, Any]) -> Told:
    return Told(line.get("label", ""), _numbers(line.get("probabilities", {}).values()), line.get("value"))


def _by_column(columns: dict[str, Any]) -> list[Told]:
    if "value" in columns:
        return [Told("", (), value) for value in columns["value"]]
    shares = zip(*columns["probabilities"].values(), strict=True)
    return [Told(label, _numbers(line), None) for label, line in zip(columns["label"], shares, strict=True)]


def _numbers(shares: Iterable[float | None]) -> tuple[float, ...]:
    """Scores, or none of them where one is held back."""
    found = tuple(shares)
    return () if None in found else found  # type: ignore[return-value]


def _packed(outputs: list[dict[str, Any]]) -> list[Told]:
    by_name = {one["name"]: one for one in outputs}
    rows = int(outputs[0]["shape"][0])
    labels = by_name.get("label", {}).get("data") or [""] * rows
    values = by_name.get("value", {}).get("data") or [None] * rows
    flat = by_name.get("probabilities", {}).get("data") or []
    width = len(flat) // rows
    scores = [_numbers(flat[at * width : (at + 1) * width]) for at in range(rows)]
    return [Told(*line) for line in zip(labels, scores, values, strict=True)]
