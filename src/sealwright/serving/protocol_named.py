"""The named-feature protocol: `{"row": {"age": 41, …}}` in, `{"answer": …, "receipt": …}` out.

A decoder compiled from the contract accepts a good body in about a microsecond. Whatever it
refuses is read again, slowly and completely, to name every field that is wrong.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from sealwright.serving.contract import Contract, Feature, days_of
from sealwright.serving.field_rules import MOST_PROBLEMS, row_problems
from sealwright.serving.options import NO_OPTIONS, OPTIONS, Options, option_problems, options_in, too_many_rows
from sealwright.serving.outcome import Outcome
from sealwright.serving.problems import FieldProblem, RowsRefused
from sealwright.serving.reasons import Reasons
from sealwright.serving.strict_bodies import strict_body
from sealwright.serving.telling import told_lines

__all__ = ["NamedProtocol", "NamedRequest"]

_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


@dataclass(frozen=True, slots=True)
class NamedRequest:
    """Checked rows. `single` says that one row was asked for, not a list of one."""

    rows: Sequence[Sequence[Any]]  # each in the order of the contract
    single: bool
    options: Options = NO_OPTIONS


class NamedProtocol:
    """Reads requests and words answers for one contract."""

    media = "named"

    def __init__(self, contract: Contract, *, most_rows: int) -> None:
        self._contract, self._most_rows = contract, most_rows
        self._known = contract.names | {"row", "rows", *OPTIONS}
        self._decoder = _compiled(contract, most_rows)
        self._width = len(contract.features)
        self._dates = [(at, feature) for at, feature in enumerate(contract.features) if feature.kind == "date"]

    def read(self, body: bytes) -> NamedRequest:
        """Decode and check a body.

        Raises
        ------
        BodyMalformed, DuplicateKey
            Not one strict JSON value (400).
        RowsRefused
            JSON outside the contract; names each field (422).
        """
        if self._decoder is None:
            return self._read_slowly(body)
        try:
            found = self._decoder.decode(body)
        except _UNREADABLE:
            return self._read_slowly(body)
        single = found.rows is UNSET
        if single == (found.row is UNSET):
            return self._read_slowly(body)
        structs = [found.row] if single else found.rows
        options = NO_OPTIONS
        asked = 0
        if found.explain is not UNSET or found.counterfactual is not UNSET or found.interval is not UNSET:
            given = {name: value for name in OPTIONS if (value := getattr(found, name)) is not UNSET}
            asked, options = len(given), options_in(given)
            if too_many_rows(options, len(structs)):
                return self._read_slowly(body)
        if body.count(b":") != 1 + asked + self._width * len(structs):
            # Every known key is there once, so more colons are a repeated key, or text that holds one.
            strict_body(body, self._known)
        rows = [msgspec.structs.astuple(row) for row in structs]
        if self._dates and not self._dates_fit(rows):
            return self._read_slowly(body)
        return NamedRequest(rows, single, options)

    def answer(
        self,
        request: NamedRequest,
        outcome: Outcome,
        *,
        decision: str,
        model: Mapping[str, Any],
        reasons: Sequence[Reasons] = (),
    ) -> bytes:
        """The exact answer text, which the receipt then vouches for."""
        lines = self._lines(outcome)
        if reasons:
            lines = [line | {"reasons": one} for line, one in zip(lines, reasons, strict=True)]
        head: dict[str, Any] = {"decision": decision, "model": model}
        return msgspec.json.encode(head | lines[0] if request.single else head | {"rows": lines})

    def wrap(self, answer: bytes, receipt: bytes) -> bytes:
        """The response body: the answer as it was recorded, and its receipt."""
        return b'{"answer":' + answer + b',"receipt":' + receipt + b"}"

    def _lines(self, outcome: Outcome) -> list[dict[str, Any]]:
        if outcome.beside is not None or outcome.whole is not None:
            return told_lines(self._contract.classes, outcome)
        if self._contract.output == "value":
            return [{"value": value} for value in outcome.values]
        classes = self._contract.classes
        return [
            {"label": label, "probabilities": dict(zip(classes, line, strict=True))}
            for label, line in zip(outcome.labels, outcome.probabilities, strict=True)
        ]

    def _dates_fit(self, rows: Sequence[tuple[Any, ...]]) -> bool:
        """Ranges of dates, which the compiled decoder cannot check."""
        return all(
            row[at] is None or feature.low <= days_of(row[at]) <= feature.high
            for at, feature in self._dates
            for row in rows
        )

    def _read_slowly(self, body: bytes) -> NamedRequest:
        value = strict_body(body, self._known)
        if problems := self._problems(value):
            raise RowsRefused(problems=problems)
        if self._decoder is not None:
            raise RowsRefused("The body does not have the expected form.")  # the two readers disagree: refuse
        single = "row" in value
        found = [value["row"]] if single else value["rows"]
        rows = [[_plain(feature, row[feature.name]) for feature in self._contract.features] for row in found]
        return NamedRequest(rows, single, options_in(value))

    def _problems(self, value: Any) -> list[FieldProblem]:
        if not isinstance(value, dict) or set(value) - set(OPTIONS) not in ({"row"}, {"rows"}):
            return [FieldProblem("", "wrong_type", 'Expected an object with either "row" or "rows", and options.')]
        if wrong := option_problems(value):
            return wrong
        if "row" in value:
            return list(row_problems(self._contract.features, value["row"], "/row"))[:MOST_PROBLEMS]
        rows = value["rows"]
        if not isinstance(rows, list) or not 1 <= len(rows) <= self._most_rows:
            return [FieldProblem("/rows", "wrong_length", f"Expected a list of 1 to {self._most_rows} rows.", "rows")]
        problems = too_many_rows(options_in(value), len(rows))
        for at, row in enumerate(rows):
            problems += row_problems(self._contract.features, row, f"/rows/{at}")
            if len(problems) >= MOST_PROBLEMS:
                break
        return problems[:MOST_PROBLEMS]


def _compiled(contract: Contract, most_rows: int) -> "msgspec.json.Decoder[Any] | None":
    """The fast decoder, or None where a feature's name cannot be a compiled field (it holds a quote or backslash)."""
    if any('"' in name or "\\" in name or min(name, default=" ") < " " for name in contract.names):
        return None
    fields = [(f"f{at}", _type_of(feature)) for at, feature in enumerate(contract.features)]
    rename = {f"f{at}": feature.name for at, feature in enumerate(contract.features)}
    row: Any = msgspec.defstruct("Row", fields, rename=rename, forbid_unknown_fields=True, gc=False)
    rows: Any = Annotated[list[row], Meta(min_length=1, max_length=most_rows)]
    body = msgspec.defstruct(
        "Body",
        [
            ("row", row | UnsetType, UNSET),
            ("rows", rows | UnsetType, UNSET),
            *((name, bool | UnsetType, UNSET) for name in OPTIONS),
        ],
        forbid_unknown_fields=True,
        gc=False,
    )
    return msgspec.json.Decoder(body)


def _type_of(feature: Feature) -> Any:
    kind: Any
    match feature.kind:
        case "boolean":
            kind = bool
        case "date":
            kind = date
        case "category":
            kind = str if feature.open else Literal[tuple(sorted(feature.categories))] if feature.categories else None
        case "integer":
            kind = Annotated[int, Meta(ge=math.ceil(feature.low), le=math.floor(feature.high))]
        case _:
            kind = Annotated[float, Meta(ge=float(feature.low), le=float(feature.high))]
    return kind | None if feature.nullable and kind is not None else kind


def _plain(feature: Feature, value: Any) -> Any:
    return date.fromisoformat(value) if feature.kind == "date" and value is not None else value
