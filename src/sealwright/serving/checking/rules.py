"""Rules between the fields of a row, from the interface of a package, held on whole batches.

Answers: which rows break which rule?
Does not answer: what happens then. The mode of the version says whether they are refused or get no label.

Values are compared as the model sees them: numbers as float32, dates as days, a missing value as unknown. A rule holds
unless what it asks is known to be false where all its conditions are known to be true, as CHECK does in SQL.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from sealwright.kernel import VerificationFailed
from sealwright.serving.contract import Batch, Contract, days_of

__all__ = ["Rule", "rules_of"]

_Sign = Literal["<", "<=", ">", ">=", "==", "!="]
_Mask = NDArray[np.bool_]
_Judged = tuple[_Mask, _Mask]  # known, and true
_SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "==": np.equal, "!=": np.not_equal,
}  # fmt: skip


class _Comparison(msgspec.Struct, forbid_unknown_fields=True):
    column: str
    sign: _Sign
    value: bool | int | float | str | None = None
    other: str | None = None


class _Written(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    then: list[_Comparison]
    when: list[_Comparison] = []
    text: str = ""


class Rule:
    """One rule, compiled for one contract."""

    def __init__(self, written: _Written, contract: Contract) -> None:
        self.name = written.name
        self.text = written.text.rstrip(".") or "; ".join(_said(one) for one in written.then)
        self._when = [_compiled(one, contract) for one in written.when]
        self._then = [_compiled(one, contract) for one in written.then]

    def broken(self, batch: Batch) -> _Mask:
        """Which rows break it."""
        applies = np.ones(batch.rows, dtype=np.bool_)
        for judge in self._when:
            known, true = judge(batch)
            applies &= known & true
        wrong = np.zeros(batch.rows, dtype=np.bool_)
        for judge in self._then:
            known, true = judge(batch)
            wrong |= known & ~true
        return applies & wrong


def rules_of(interface: Mapping[str, Any], contract: Contract) -> tuple[Rule, ...]:
    """The rules of an interface; () where it has none.

    Raises
    ------
    VerificationFailed
        They name no feature, or compare what cannot be compared.
    """
    found = interface.get("rules")
    if not found:
        return ()
    try:
        return tuple(Rule(written, contract) for written in msgspec.convert(found, list[_Written]))
    except (msgspec.ValidationError, ValueError, KeyError) as error:
        raise VerificationFailed(
            f"The package's rules between fields cannot be read: {str(error)[:200]}", link="package/interface.json"
        ) from None


def _compiled(one: _Comparison, contract: Contract) -> Callable[[Batch], _Judged]:
    if (one.value is None) == (one.other is None):
        raise ValueError(f"{one.column} is compared with one value or one column")
    compare = _SIGNS[one.sign]
    left = _taken(one.column, contract)
    if _is_text(one.column, contract):
        if one.sign not in ("==", "!="):
            raise ValueError(f"{one.column} has no order")
        right = _taken(one.other, contract) if one.other is not None else None
        return lambda batch: _texts(left(batch), one.value if right is None else right(batch), compare)
    if one.other is not None:
        if _is_text(one.other, contract):
            raise ValueError(f"{one.column} and {one.other} are of different kinds")
        right = _taken(one.other, contract)
        return lambda batch: _numbers(left(batch), right(batch), compare)
    number = np.float32(_number(one.value))
    return lambda batch: _numbers(left(batch), number, compare)


def _is_text(name: str, contract: Contract) -> bool:
    return contract.feature(name).kind == "category"


def _taken(name: str, contract: Contract) -> Callable[[Batch], NDArray[Any]]:
    """Reads one column of a batch."""
    feature = contract.feature(name)
    columns: Sequence[Any] = contract.strings if feature.kind == "category" else contract.numbers
    at = next(place for place, found in enumerate(columns) if found.name == name)
    text = feature.kind == "category"

    def column(batch: Batch) -> NDArray[Any]:
        packed: NDArray[Any] | None = batch.strings if text else batch.numbers
        assert packed is not None  # a batch of this contract has the input
        return np.asarray(packed[:, at])

    return column


def _texts(left: Any, right: Any, compare: Callable[[Any, Any], Any]) -> _Judged:
    return (left != "") & (right != ""), np.asarray(compare(left, right), dtype=np.bool_)


def _numbers(left: Any, right: Any, compare: Callable[[Any, Any], Any]) -> _Judged:
    return ~(np.isnan(left) | np.isnan(right)), np.asarray(compare(left, right), dtype=np.bool_)


def _number(value: object) -> float:
    if isinstance(value, str):
        return float(days_of(date.fromisoformat(value)))
    return float(value)  # type: ignore[arg-type]


def _said(one: _Comparison) -> str:
    if one.other is not None:
        return f"{one.column} {one.sign} {one.other}"
    value = "true" if one.value is True else "false" if one.value is False else one.value
    return f"{one.column} {one.sign} {value}"
