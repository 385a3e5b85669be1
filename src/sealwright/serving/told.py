"""What an answer said, row by row, read again from its exact bytes.

Answers: which label, which scores, which value did each row get?
Does not answer: by which model; the record beside the answer says that.
"""

from typing import Any

import msgspec

from sealwright.kernel import VerificationFailed

__all__ = ["Told", "told_in"]


class Told(msgspec.Struct, frozen=True, array_like=True):
    """One row of an answer. `scores` are in the order of the classes; what was not asked for is missing."""

    label: str = ""
    scores: tuple[float, ...] = ()
    value: float | None = None


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
