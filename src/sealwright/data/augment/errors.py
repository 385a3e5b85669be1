"""Refusals of this package that callers match on by type or by `code`."""

from collections.abc import Mapping

from sealwright.kernel import InvalidInput, StoppedByPolicy

__all__ = ["TooClose", "TooFewToLearnFrom"]


class TooFewToLearnFrom(InvalidInput):
    """A group has too few real rows to make others up from."""

    code = "data.too_few_to_learn_from"

    def __init__(self, where: Mapping[str, str], fewest: int) -> None:
        super().__init__(
            f"The group {words_of(where)} has fewer than {fewest} training rows; what would be made up from them is the"
            " same few people again.\nCollect rows of this group, or name a wider one in data.augment.groups."
        )


class TooClose(StoppedByPolicy):
    """Made-up rows lie too close to real persons. Nothing was kept."""

    code = "data.too_close"

    def __init__(self, reasons: tuple[str, ...]) -> None:
        self.reasons = reasons
        super().__init__(
            "The made-up rows are too close to real persons, so none of them are used:\n"
            + "\n".join(f"  {reason}" for reason in reasons)
            + "\nUse method: synthesiser, a wider group or fewer columns; or, with a reason in data.augment.why, other"
            " limits in data.augment.most_near and most_found."
        )


def words_of(where: Mapping[str, str]) -> str:
    """A group in words: "sex = female, age = under 26"."""
    return ", ".join(f"{name} = {level}" for name, level in where.items())
