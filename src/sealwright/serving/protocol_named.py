"""The named-feature protocol: `{"row": {"age": 41, …}}` in, `{"answer": …, "receipt": …}` out.

Many rows come as `{"rows": [{…}, …]}`, or faster by column: `{"columns": {"age": [41, …], …}}`, answered by column.

A decoder compiled from the contract accepts a good body in about a microsecond. Whatever it
refuses is read again, slowly and completely, to name every field that is wrong.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import islice
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import UNSET, Meta, UnsetType

from sealwright.serving.contract import Batch, Contract, Feature, days_of
from sealwright.serving.field_rules import MOST_PROBLEMS, columns_problems, row_problems
from sealwright.serving.options import NO_OPTIONS, OPTIONS, Options, option_problems, options_in, too_many_rows
from sealwright.serving.outcome import Outcome
from sealwright.serving.problems import FieldProblem, RowsRefused
from sealwright.serving.reasons import Reasons
from sealwright.serving.reply import Decided, Reply
from sealwright.serving.strict_bodies import strict_body
from sealwright.serving.telling import compiled_lines, told_lines

__all__ = ["NamedProtocol", "NamedRequest", "told_columns"]

_LARGE = 32 << 10  # bytes
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class NamedRequest(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Checked rows, and in which form they came: the answer has the same."""

    form: Literal["row", "rows", "columns"]
    count: int
    rows: Sequence[Sequence[Any]] | None = None  # each in the order of the contract
    batch: Batch | None = None  # or the model's inputs
    options: Options = NO_OPTIONS


class NamedProtocol:
    """Reads requests and words answers for one contract."""

    media = "named"

    def __init__(self, contract: Contract, *, most_rows: int) -> None:
        self.contract, self.most_rows = contract, most_rows
        self._known = contract.names | {"row", "rows", "columns", *OPTIONS}
        self._decoder = _compiled(contract, most_rows)
        self._usual_lines = compiled_lines(contract.classes if contract.output == "probabilities" else ())
        self._width = len(contract.features)
        self._names_hold = sum(name.count(":") for name in contract.names)  # colons
        self._values_hold = [
            (at, {None: 0} | {word: word.count(":") for word in feature.categories})
            for at, feature in enumerate(contract.features)
            if feature.kind == "category" and (feature.open or any(":" in word for word in feature.categories))
        ]
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
        columns, rows_there = found.columns, found.rows is not UNSET
        if (found.row is not UNSET) + rows_there + (columns is not UNSET) != 1:
            return self._read_slowly(body)
        structs = found.rows if rows_there else [found.row]
        options, asked = NO_OPTIONS, 0
        if found.explain is not UNSET or found.counterfactual is not UNSET or found.interval is not UNSET:
            given = {name: value for name in OPTIONS if (value := getattr(found, name)) is not UNSET}
            asked, options = len(given), options_in(given)
        if columns is not UNSET:
            lists = msgspec.structs.astuple(columns)
            self._refuse_twins(body, 1 + asked + self._width, self._names_hold, lists)
            return self._columns(lists, options) or self._read_slowly(body)
        if asked and too_many_rows(options, len(structs)):
            return self._read_slowly(body)
        rows = [msgspec.structs.astuple(row) for row in structs]
        keys = 1 + asked + self._width * len(rows)
        if _colons_in(body) != keys:
            self._refuse_twins(body, keys, self._names_hold * len(rows), list(zip(*rows, strict=True)))
        if self._dates and not self._dates_fit(rows):
            return self._read_slowly(body)
        return NamedRequest(form="rows" if rows_there else "row", count=len(rows), rows=rows, options=options)

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
        head: dict[str, Any] = {"decision": decision, "model": model}
        if request.form == "columns":
            told: dict[str, Any] = {"columns": told_columns(self.contract, outcome)}
            if outcome.beside is not None:
                told["rows"] = outcome.beside
            return msgspec.json.encode(head | told | ({"reasons": reasons} if reasons else {}))
        if not reasons and outcome.beside is None and outcome.whole is None:
            lines = self._usual_lines(outcome)
            only = msgspec.structs.asdict(lines[0]) if request.form == "row" else {}
        else:
            lines = told_lines(self.contract.classes, outcome)
            if reasons:
                lines = [line | {"reasons": one} for line, one in zip(lines, reasons, strict=True)]
            only = lines[0]
        return msgspec.json.encode(head | only if request.form == "row" else head | {"rows": lines})

    def reply(self, one: Decided, receipt: bytes) -> Reply:
        """The response."""
        return Reply(self.wrap(one.answer, receipt))

    def wrap(self, answer: bytes, receipt: bytes) -> bytes:
        """The response body: the answer as it was recorded, and its receipt."""
        return b'{"answer":' + answer + b',"receipt":' + receipt + b"}"

    def _dates_fit(self, rows: Sequence[tuple[Any, ...]]) -> bool:
        """Ranges of dates, which the compiled decoder cannot check."""
        return all(
            row[at] is None or feature.low <= days_of(row[at]) <= feature.high
            for at, feature in self._dates
            for row in rows
        )

    def _refuse_twins(self, body: bytes, keys: int, in_names: int, lists: Sequence[Sequence[Any]]) -> None:
        """Every known key is there once, so more colons are a repeated key, or stand in names and values."""
        known = keys
        if b"\\" not in body:  # nothing is escaped, so names and values hold the colons they hold in the body
            known += in_names + sum(_colons(lists[at], colons) for at, colons in self._values_hold)
        if _colons_in(body) != known:
            strict_body(body, self._known)

    def _read_slowly(self, body: bytes) -> NamedRequest:
        value = strict_body(body, self._known)
        if problems := self._problems(value):
            raise RowsRefused(problems=problems)
        if self._decoder is not None:
            raise RowsRefused("The body does not have the expected form.")  # the two readers disagree: refuse
        if "columns" in value:
            lists = [
                [_plain(feature, one) for one in value["columns"][feature.name]] for feature in self.contract.features
            ]
            batch = self.contract.pack_columns(lists)
            return NamedRequest(form="columns", count=batch.rows, batch=batch, options=options_in(value))
        form: Literal["row", "rows"] = "row" if "row" in value else "rows"
        found = [value["row"]] if form == "row" else value["rows"]
        rows = [[_plain(feature, row[feature.name]) for feature in self.contract.features] for row in found]
        return NamedRequest(form=form, count=len(rows), rows=rows, options=options_in(value))

    def _columns(self, lists: Sequence[Sequence[Any]], options: Options) -> NamedRequest | None:
        """Columns that the decoder accepted value by value; None where they do not fit together."""
        count = len(lists[0])
        if any(len(column) != count for column in lists) or too_many_rows(options, count):
            return None
        for at, feature in self._dates:
            days = [day for day in lists[at] if day is not None]
            if days and not (feature.low <= days_of(min(days)) and days_of(max(days)) <= feature.high):
                return None
        return NamedRequest(form="columns", count=count, batch=self.contract.pack_columns(lists), options=options)

    def _problems(self, value: Any) -> list[FieldProblem]:
        if not isinstance(value, dict) or set(value) - set(OPTIONS) not in ({"row"}, {"rows"}, {"columns"}):
            return [FieldProblem("", "wrong_type", 'Expected an object with "row", "rows" or "columns", and options.')]
        if wrong := option_problems(value):
            return wrong
        if "columns" in value:
            wrong = columns_problems(self.contract.features, value["columns"], self.most_rows)
            return wrong or too_many_rows(options_in(value), len(next(iter(value["columns"].values()))))
        if "row" in value:
            return list(islice(row_problems(self.contract.features, value["row"], "/row"), MOST_PROBLEMS))
        rows = value["rows"]
        if not isinstance(rows, list) or not 1 <= len(rows) <= self.most_rows:
            return [FieldProblem("/rows", "wrong_length", f"Expected a list of 1 to {self.most_rows} rows.", "rows")]
        problems = too_many_rows(options_in(value), len(rows))
        for at, row in enumerate(rows):
            problems += islice(row_problems(self.contract.features, row, f"/rows/{at}"), MOST_PROBLEMS - len(problems))
            if len(problems) >= MOST_PROBLEMS:
                break
        return problems


def told_columns(contract: Contract, outcome: Outcome) -> dict[str, Any]:
    """An outcome by column: what `rows` tells line by line. What is not told of any row is left out, of some it is null."""
    if contract.output == "value":
        return {"value": outcome.values} if any(value is not None for value in outcome.values) else {}
    columns: dict[str, Any] = {}
    if any(outcome.labels):
        columns["label"] = outcome.labels if all(outcome.labels) else [label or None for label in outcome.labels]
    shares = dict(zip(contract.classes, map(list, zip(*outcome.probabilities, strict=True)), strict=True))
    if told := {name: column for name, column in shares.items() if any(share is not None for share in column)}:
        columns["probabilities"] = told
    return columns


def _colons_in(body: bytes) -> int:
    if len(body) < _LARGE:
        return body.count(b":")
    return int(np.count_nonzero(np.frombuffer(body, dtype=np.uint8) == ord(":")))  # a quarter of what `count` takes


def _colons(values: Sequence[str | None], known: Mapping[str | None, int]) -> int:
    return sum(known[value] if value in known else (value or "").count(":") for value in values)


def _compiled(contract: Contract, most_rows: int) -> "msgspec.json.Decoder[Any] | None":
    """The fast decoder, or None where a feature's name cannot be a compiled field (it holds a quote or backslash)."""
    if any('"' in name or "\\" in name or min(name, default=" ") < " " for name in contract.names):
        return None
    fields = [(f"f{at}", _type_of(feature)) for at, feature in enumerate(contract.features)]
    rename = {f"f{at}": feature.name for at, feature in enumerate(contract.features)}
    row: Any = msgspec.defstruct("Row", fields, rename=rename, forbid_unknown_fields=True, gc=False)
    rows: Any = Annotated[list[row], Meta(min_length=1, max_length=most_rows)]
    lists: Any = [
        (f"f{at}", Annotated[list[_type_of(feature)], Meta(min_length=1, max_length=most_rows)])  # type: ignore[misc]
        for at, feature in enumerate(contract.features)
    ]
    columns: Any = msgspec.defstruct("Columns", lists, rename=rename, forbid_unknown_fields=True, gc=False)
    body = msgspec.defstruct(
        "Body",
        [
            ("row", row | UnsetType, UNSET),
            ("rows", rows | UnsetType, UNSET),
            ("columns", columns | UnsetType, UNSET),
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
