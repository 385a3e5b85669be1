"""The file `answering.json` of a package: what a version learned about rows and answers, and what its project says of them.

Answers: what is done with odd rows, when is there no label, how much is told, and on how many rows does each promise rest?
Does not answer: what the model computes, or which fields belong together; rules between fields stand in the interface.

It holds no row: quantiles, means, covariances, counts. It is signed with the package. A package without it is whole: it
refuses what is outside its contract, tells every answer, and promises no set and no interval.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from sealwright.kernel import VerificationFailed

__all__ = [
    "MOST_BYTES",
    "Accepted",
    "AnsweringDocument",
    "Calibration",
    "Conformal",
    "Curve",
    "Learned",
    "Output",
    "Scale",
    "Threshold",
    "Usual",
    "read_answering",
]

MOST_BYTES = 4 << 20
_Count = Annotated[int, Meta(ge=0)]
_Share = Annotated[float, Meta(ge=0, le=1)]


class Scale(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a number is spread: its quantiles, the normal scores they stand for, and a robust width beyond the ends."""

    values: Annotated[tuple[float, ...], Meta(min_length=1)]
    scores: Annotated[tuple[float, ...], Meta(min_length=1)]
    width: Annotated[float, Meta(gt=0)]
    missing: bool  # null is a column of its own


class Usual(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What rows learned from look like. Columns: numbers, then those that may be missing, then levels of each text."""

    rows: _Count
    numbers: tuple[Scale, ...]
    levels: tuple[tuple[str, ...], ...]  # of each text; whatever is none of them is one more level
    mean: tuple[float, ...]
    covariance: tuple[float, ...]  # upper triangle, by row
    distances: Annotated[tuple[float, ...], Meta(min_length=2)]  # rising; at equal steps of the share of rows


class Curve(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a probability goes: rising, between points in a straight line."""

    at: Annotated[tuple[_Share, ...], Meta(min_length=1)]
    to: Annotated[tuple[_Share, ...], Meta(min_length=1)]


class Calibration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rising correction of probabilities. `slope` and `shift` act on log-odds; of more classes the slope alone."""

    rows: _Count
    slope: Annotated[float, Meta(gt=0)]
    shift: float
    curve: Curve | None  # two classes: of the second one
    brier: float  # of the model's own probabilities
    brier_platt: float  # of corrected ones, each row by a correction learned from other rows
    brier_isotonic: float | None


class Conformal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The scores up to which outcomes belong to a set, or half the width of an interval. None: too few rows to promise."""

    rows: _Count
    limits: dict[str, float | None]  # coverage, e.g. "0.9"


class Accepted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many rows kept apart have at least this confidence, and how many of their labels are wrong."""

    confidence: _Share
    rows: _Count
    wrong: _Count


class Learned(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What training keeps for this file."""

    format: Literal[1]
    model: str
    usual: Usual | None
    calibration: Calibration | None
    conformal: Conformal | None
    accepted: tuple[Accepted, ...]


class Output(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much callers are told whose scopes lift nothing."""

    digits: Annotated[int, Meta(ge=1, le=6)] | None = None
    classes: Annotated[int, Meta(ge=1)] | None = None
    labels_only: bool = False


class Threshold(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The confidence that keeps an error among told labels: `bound` is its upper end at `certainty`."""

    confidence: _Share
    target: _Share
    certainty: _Share
    tried: _Count  # confidences looked at; the bound holds for all of them at once
    rows: _Count
    accepted: _Count
    wrong: _Count
    bound: _Share


class AnsweringDocument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything in the file."""

    format: Literal[1]
    model: str  # digest of the model it goes with
    mode: Literal["refuse", "clip", "abstain"]
    output: Output
    below: dict[str, _Share]  # class -> probability under which its label is not told
    threshold: Threshold | None
    ambiguous: bool
    above_ood: _Share | None
    tell_ood: bool
    coverage: _Share
    calibrate: Literal["platt", "isotonic"] | None
    usual: Usual | None
    calibration: Calibration | None
    conformal: Conformal | None


_DECODER = msgspec.json.Decoder(AnsweringDocument)


def read_answering(data: bytes, *, model: str) -> AnsweringDocument:
    """Read the file beside the model of this digest.

    Raises
    ------
    VerificationFailed
        It is too large, is no such document, is about another model, or asks for what it does not hold.
    """
    problem = ""
    if len(data) > MOST_BYTES:
        problem = f"it has {len(data):,} bytes; at most {MOST_BYTES:,} are read"
    else:
        try:
            found = _DECODER.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            problem = str(error)[:200]
        else:
            problem = "it is about another model" if found.model != model else _lacking(found)
            if not problem:
                return found
    raise VerificationFailed(
        f"The package's answering.json cannot be used: {problem}. Build the version again.",
        link="package/answering.json",
    )


def _lacking(found: AnsweringDocument) -> str:
    """What it asks for and does not hold, or ""."""
    if found.usual is None and (found.above_ood is not None or found.tell_ood):
        return "it asks how unusual a row is, and holds nothing learned about rows"
    if found.ambiguous and (found.conformal is None or found.conformal.limits.get(f"{found.coverage:g}") is None):
        return "it asks for unambiguous labels, and holds no quantile"
    if found.calibrate is not None and found.calibration is None:
        return "it asks for corrected probabilities, and holds no correction"
    if found.calibrate == "isotonic" and (found.calibration is None or found.calibration.curve is None):
        return "it asks for a curve, and holds none"
    return ""
