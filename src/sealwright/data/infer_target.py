"""What kind of prediction a target column asks for, and whether it can be made at all."""

from collections.abc import Mapping
from dataclasses import dataclass

from sealwright.data.column_spec import ColumnSpec
from sealwright.data.errors import TargetUnusable
from sealwright.data.infer_column import describe_values
from sealwright.data.names import shown
from sealwright.data.profile import ColumnProfile

__all__ = ["GuessedTarget", "infer_target"]

_MOST_NUMBER_CLASSES = 20  # whole numbers with more different values are a quantity
_FEW_OF_A_CLASS = 10
_GOOD_WORDS = """good yes true 1 1.0 y t positive approved approve accepted accept pass passed paid granted hired employed
success successful survived eligible won active"""
_BAD_WORDS = "bad no false 0 0.0 n f negative rejected reject denied deny fail failed unemployed -1 lost"
_GOOD, _BAD = frozenset(_GOOD_WORDS.split()), frozenset(_BAD_WORDS.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class GuessedTarget:
    """The target's contract and the guesses around it."""

    column: ColumnSpec
    positive: str | None
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]


def infer_target(profile: ColumnProfile) -> GuessedTarget:
    """Guess the task from the target's values.

    Raises
    ------
    TargetUnusable
        Every cell is empty or the same, or it holds dates or free text.
    """
    name = shown(profile.name)
    labels = profile.labels
    if profile.rows == profile.missing:
        raise TargetUnusable(f"Every cell of the target {name} is empty. Choose another column with --target.")
    if labels is not None and len(labels) == 1:
        raise TargetUnusable(
            f"The target {name} has the same value in every row, so there is nothing to predict.\n"
            "Choose another column with --target, or data that holds other outcomes, too."
        )
    kind, values = describe_values(profile)
    if kind == "date":
        raise TargetUnusable(f"The target {name} holds dates, which are not predicted. Choose a number or a category.")
    if kind == "text":
        raise TargetUnusable(
            f"The target {name} holds texts with too many different values to be classes, and they are no numbers."
        )
    if kind == "number" or (kind == "integer" and not _few_numbers(profile)):
        reasons = (values, "target: a quantity, so this is a regression")
        return GuessedTarget(
            column=ColumnSpec.model_validate({"type": kind, "role": "target"}),
            positive=None,
            reasons=reasons,
            warnings=(),
        )
    return _classes(profile, values)


def _few_numbers(profile: ColumnProfile) -> bool:
    """Whole numbers that are rather names of classes: two values, or few and each seen often."""
    labels = profile.labels
    if labels is None or len(labels) > _MOST_NUMBER_CLASSES:
        return False
    return len(labels) == 2 or sum(labels.values()) / len(labels) >= _FEW_OF_A_CLASS


def _classes(profile: ColumnProfile, values: str) -> GuessedTarget:
    boolean = profile.type == "boolean"
    classes = ("false", "true") if boolean else profile.categories
    counts: Mapping[str, int] = profile.labels or {}
    warnings = [
        f"class {shown(label)} of the target has only {count} row{'' if count == 1 else 's'}"
        for label, count in sorted(counts.items())
        if count < _FEW_OF_A_CLASS
    ]
    said = f"target: {len(classes)} classes, so this is a classification"
    if profile.type == "integer":
        values = f"category: {len(classes)} different whole numbers, read as names of classes"
    if profile.type == "integer" and len(classes) > 2:
        warnings.append(
            f"the target {shown(profile.name)} has {len(classes)} different whole numbers and is read as classes;"
            " if it is a quantity, set type: integer"
        )
    content = {"type": "boolean"} if boolean else {"type": "category", "categories": classes}
    column = ColumnSpec.model_validate({**content, "role": "target"})
    if len(classes) != 2:
        return GuessedTarget(column=column, positive=None, reasons=(values, said), warnings=tuple(warnings))
    positive, why, sure = _positive(classes, counts)
    if not sure:
        warnings.append(f"positive: {positive} is a guess ({why}); check which outcome is the good or looked-for one")
    return GuessedTarget(
        column=column,
        positive=positive,
        reasons=(values, said, f"positive: {positive}, because {why}"),
        warnings=tuple(warnings),
    )


def _positive(classes: tuple[str, ...], counts: Mapping[str, int]) -> tuple[str, str, bool]:
    """The positive class of two, why, and whether that is more than a coin toss."""
    good = [label for label in classes if label.strip().lower() in _GOOD]
    bad = [label for label in classes if label.strip().lower() in _BAD]
    if len(good) == 1:
        return good[0], "the word says so", True
    if len(bad) == 1:
        return next(label for label in classes if label != bad[0]), "the other class is worded as the bad one", True
    rarer = min(classes, key=lambda label: (counts.get(label, 0), label))
    return rarer, "it is the rarer one", False
