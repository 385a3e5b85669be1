"""What was asked and what an answer said, row by row, read again from the exact bytes of a record.

Answers: which values had each row, and which label, which scores, which value did it get?
Does not answer: by which model; the record beside them says that.
"""

from typing import Any

import msgspec

from sealwright.kernel import VerificationFailed
from sealwright.serving.contract import Contract
from sealwright.serving.problems import HttpRefusal
from sealwright.serving.protocol_named import NamedProtocol
from sealwright.serving.protocol_oip import OipProtocol

__all__ = ["AskedReader", "Told", "told_in"]

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
            rows = self._readers[protocol].read(request).rows
        except (HttpRefusal, KeyError):
            raise VerificationFailed("The request in this record cannot be read.", link="request") from None
        return [dict(zip(self._names, row, strict=True)) for row in rows]


def told_in(protocol: str, answer: bytes) -> list[Told]:
    """The rows of a recorded answer.

    Parameters
    ----------
    protocol : str
        As in the record: "named" or "oip".

    Raises
    ------
    VerificationFailed
        It is no answer of ours.
    """
    try:
        found = msgspec.json.decode(answer)
        return _packed(found["outputs"]) if protocol == "oip" else [_named(one) for one in found.get("rows", [found])]
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError, AttributeError):
        raise VerificationFailed("The answer in this record cannot be read.", link="answer") from None


def _named(line: dict[str, Any]) -> Told:
    return Told(line.get("label", ""), tuple(line.get("probabilities", {}).values()), line.get("value"))


def _packed(outputs: list[dict[str, Any]]) -> list[Told]:
    by_name = {one["name"]: one for one in outputs}
    rows = int(outputs[0]["shape"][0])
    labels = by_name.get("label", {}).get("data") or [""] * rows
    values = by_name.get("value", {}).get("data") or [None] * rows
    flat = by_name.get("probabilities", {}).get("data") or []
    width = len(flat) // rows
    scores = [tuple(flat[at * width : (at + 1) * width]) for at in range(rows)]
    return [Told(*line) for line in zip(labels, scores, values, strict=True)]
