"""One batch of rows decided by the version in service, with what a server does around its model.

Answers: what is each row told, which are refused and why, and which have no label?
Does not answer: who may ask. They are told what `serving.output` lets the usual caller be told.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from sealwright.serving.options import NO_OPTIONS
from sealwright.serving.outcome import Outcome, outcome_of
from sealwright.serving.places import predict_scope
from sealwright.serving.problems import FieldProblem
from sealwright.serving.scoring.reading import RowsRead
from sealwright.serving.served import Served
from sealwright.serving.telling import told_lines

__all__ = ["RowsDecided", "decide_rows"]

_NO_PREDICTION = FieldProblem("", "model.misbehaved", "The model returned numbers that are no prediction.")
_BESIDE = frozenset({"calibrated", "ood", "marks"})
_ENCODER = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class RowsDecided:
    """What rows are told, in their order: label and probabilities, or a value; or why there is no answer."""

    told: list[dict[str, Any]]
    kept: list[bytes]  # for the record, where a row is told less than there was; empty where all are told everything
    refused: Mapping[str, int]  # by field and code, such as "age out_of_range"; a row counts for each of its reasons
    refusals: int  # rows
    abstained: int  # rows without a label or value
    beside: frozenset[str]  # what else stands beside some answer: "calibrated", "ood", "marks"


def decide_rows(served: Served, rows: RowsRead) -> RowsDecided:
    """Ask the version in service about rows that were read with its contract (`served.answering.asked`)."""
    places, batch = rows.good()
    problems: dict[int, Sequence[FieldProblem]] = dict(rows.problems)
    told: list[dict[str, Any]] = [{}] * rows.count
    kept: list[bytes] = []
    beside: frozenset[str] = frozenset()
    if batch is not None:
        answering = served.answering
        batch, found = answering.checked(batch)
        outcome = answering.judged(found, outcome_of(served.contract, batch.rows, served.engine.run(batch)))
        shown, _, _, _ = answering.told({predict_scope(served.contract.project)}, NO_OPTIONS, outcome, ())
        for place, line in zip(places.tolist(), told_lines(served.contract.classes, shown), strict=True):
            told[place] = line
        beside = _BESIDE & {name for line in shown.beside or () for name in line}
        if shown.whole is not None:
            kept = [b""] * rows.count
            for place, whole in zip(places.tolist(), _each(shown.whole), strict=True):
                kept[place] = whole
        problems |= {int(places[at]): why for at, why in (outcome.refused or {}).items()}
        problems |= {int(places[at]): [_NO_PREDICTION] for at, sound in enumerate(outcome.sound) if not sound}
    counted: Counter[str] = Counter()
    for place, why in problems.items():
        told[place] = {"refused": [{"code": one.code, "field": one.field, "detail": one.detail} for one in why]}
        counted.update({f"{one.field} {one.code}".strip() for one in why})
        if kept:
            kept[place] = b""
    return RowsDecided(told, kept, counted, len(problems), sum("abstained" in line for line in told), beside)


def _each(whole: Outcome) -> list[bytes]:
    """The whole outcome of each row, as records of single rows keep it."""
    return [
        _ENCODER.encode(
            {
                "labels": whole.labels[at : at + 1],
                "probabilities": whole.probabilities[at : at + 1],
                "values": whole.values[at : at + 1],
                "beside": None if whole.beside is None else whole.beside[at : at + 1],
            }
        )
        for at in range(len(whole.sound))
    ]
