"""Refusals of de-identification that callers match on by type or by `code`."""

from collections.abc import Mapping, Sequence

from sealwright.kernel import InvalidInput, StoppedByPolicy

__all__ = ["ColumnsNotDecided", "LimitsNotReached", "SafeHarborNotReached"]


class ColumnsNotDecided(InvalidInput):
    """Columns that may identify a person, of which the recipe says nothing. All at once."""

    code = "data.deidentify_undecided"

    def __init__(self, reasons: Mapping[str, str]) -> None:
        self.columns = tuple(reasons)
        listed = "\n".join(f"  {name}: {why}" for name, why in reasons.items())
        count = "a column" if len(reasons) == 1 else f"{len(reasons)} columns"
        super().__init__(
            f"The recipe does not say what happens to {count} that may tell who a person is:\n{listed}\n"
            "Give each a method under deidentify.columns, name it among quasi_identifiers or sensitive,"
            " or under keep with the reason it may stay."
        )


class LimitsNotReached(StoppedByPolicy):
    """The rows cannot be made indistinguishable enough within the recipe. Nothing was given away.

    `reached` holds what the nearest solution has: k, l, t by column, and the share of rows it would leave out.
    """

    code = "data.deidentify_stopped"

    def __init__(self, wanted: str, reached: Mapping[str, float], changes: Sequence[str]) -> None:
        self.wanted, self.reached, self.changes = wanted, dict(reached), tuple(changes)
        have = ", ".join(f"{name} {value:.4g}" for name, value in reached.items())
        super().__init__(
            f"Wanted: {wanted}.\nReached: {have}.\nNothing was given away. What helps:\n"
            + "\n".join(f"  {change}" for change in changes)
        )


class SafeHarborNotReached(StoppedByPolicy):
    """The recipe keeps what the Safe Harbor wants gone. Every reason at once."""

    code = "data.safe_harbor_stopped"

    def __init__(self, reasons: Mapping[str, str]) -> None:
        self.columns = tuple(reasons)
        listed = "\n".join(f"  {name}: {why}" for name, why in reasons.items())
        super().__init__(
            f"This recipe does not keep to 45 CFR 164.514(b)(2):\n{listed}\n"
            "Change these columns, or leave them to the profile by taking them out of deidentify.columns and keep."
        )
