"""Constraints for a case: what the project says, and where it is silent, what contract and rows show.

A column whose groups are compared is fixed: nobody becomes another age or sex to please a model.
"""

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.case import Case
from sealwright.assurance.constraint_spec import ChangeSpec
from sealwright.assurance.constraints.model import Constraints
from sealwright.kernel import InvalidInput

__all__ = ["constraints_of"]


def constraints_of(case: Case) -> Constraints:
    """The constraints of `assurance.constraints`, completed.

    Raises
    ------
    InvalidInput
        A constraint is about no feature, or asks of a category what only a number has; columns that are said to
        exclude each other do not.
    """
    numbers, strings = case.interface.numbers, case.interface.strings
    names, said = case.interface.names, case.spec.constraints
    if unknown := [name for name in said if name not in names]:
        raise InvalidInput(
            f"assurance.constraints names {', '.join(unknown[:10])}, which is no feature of the model.\n"
            f"Its features are: {', '.join(names[:40])}."
        )
    each = [said.get(name, ChangeSpec()) for name in names]
    compared = {attribute.name for attribute in case.attributes}
    learned = case.train.features
    for item, change in zip(strings, each[len(numbers) :], strict=True):
        if (change.direction, change.least, change.most, change.whole) != (None, None, None, None):
            raise InvalidInput(f"assurance.constraints.{item.name}: a category has neither a range nor a direction.")
    columns = [learned.numbers[:, place].astype(np.float64) for place in range(len(numbers))]
    seen = [column[np.isfinite(column)] for column in columns]
    ends = [
        (
            _first(change.least, item.least, float(values.min()) if values.size else 0.0),
            _first(change.most, item.most, float(values.max()) if values.size else 0.0),
        )
        for item, change, values in zip(numbers, each, seen, strict=False)
    ]
    dtype = learned.numbers.dtype
    return Constraints(
        names=names,
        fixed=np.array(
            [change.fixed or name in compared for name, change in zip(names, each, strict=True)], dtype=np.bool_
        ),
        price=np.array([change.cost for change in each]),
        least=np.array([low for low, _ in ends], dtype=dtype).astype(np.float64),
        most=np.array([high for _, high in ends], dtype=dtype).astype(np.float64),
        whole=np.array(
            [
                change.whole
                if change.whole is not None
                else item.type in ("integer", "boolean", "date")
                or bool(values.size and (values == np.round(values)).all())
                for item, change, values in zip(numbers, each, seen, strict=False)
            ],
            dtype=np.bool_,
        ),
        rises=np.array([change.direction == "up" for change in each[: len(numbers)]], dtype=np.bool_),
        falls=np.array([change.direction == "down" for change in each[: len(numbers)]], dtype=np.bool_),
        scale=np.array([_spread(values) for values in seen]),
        levels=tuple(
            change.categories or item.categories or _known(learned.strings[:, place])
            for place, (item, change) in enumerate(zip(strings, each[len(numbers) :], strict=True))
        ),
        exclusive=_exclusive(case, [item.name for item in numbers]),
    )


def _first(*ends: float | None) -> float:
    return next(float(end) for end in ends if end is not None)


def _spread(values: NDArray[np.float64]) -> float:
    return float(values.std()) or 1.0 if values.size else 1.0


def _known(column: NDArray[np.object_]) -> tuple[str, ...]:
    return tuple(sorted({value for value in column if value != ""}))


def _exclusive(case: Case, numbers: list[str]) -> tuple[tuple[int, ...], ...]:
    found = []
    for columns in case.spec.exclusive:
        absent = [name for name in columns if name not in numbers]
        if absent:
            raise InvalidInput(f"assurance.exclusive names {', '.join(absent[:10])}, which is no number of the model.")
        places = [numbers.index(name) for name in columns]
        values = np.nan_to_num(case.test.features.numbers[:, places])
        if not np.isin(values, (0.0, 1.0)).all() or (values.sum(axis=1) != 1).any():
            raise InvalidInput(
                f"assurance.exclusive says that of {', '.join(columns)} exactly one is 1, and some test rows are otherwise."
            )
        found.append(tuple(places))
    return tuple(found)
