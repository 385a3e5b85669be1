"""Refusals of the lawful basis that callers match on by type or by `code`."""

from collections.abc import Sequence

from sealwright.kernel import StoppedByPolicy

__all__ = ["BasisMissing", "PurposeNotCovered"]


class BasisMissing(StoppedByPolicy):
    """Columns about persons, or of a high-risk project, on which nobody said why they may be held."""

    code = "data.basis_missing"

    def __init__(self, project: str, gaps: Sequence[tuple[Sequence[str], str]]) -> None:
        """`gaps`: groups of columns, and what is missing for each."""
        self.gaps = tuple((tuple(columns), what) for columns, what in gaps)
        lines = [f"  {_names(columns)}: {what}" for columns, what in self.gaps]
        super().__init__(
            f"The data of {project} has {_count(len(lines), 'group')} of columns without a complete lawful basis:\n"
            + "\n".join(lines)
            + "\nSay it in data.basis of the project file: on what basis, for which purposes, from where, for how long."
            "\nSee what is there and what is missing with: sealwright data basis PROJECT"
        )


class PurposeNotCovered(StoppedByPolicy):
    """The model is for something the data was not collected for, and nobody signed that the two go together."""

    code = "data.purpose_not_covered"

    def __init__(self, project: str, purpose: str, uncovered: Sequence[tuple[Sequence[str], str]], way: str) -> None:
        """`uncovered`: groups of columns, and why each does not cover `purpose`; `way`: what would allow it."""
        self.purpose = purpose
        self.uncovered = tuple((tuple(columns), why) for columns, why in uncovered)
        lines = [f"  {_names(columns)}: {why}" for columns, why in self.uncovered]
        super().__init__(
            f"The data of {project} may not be used for {purpose or 'a purpose that is not named'}:\n"
            + "\n".join(lines)
            + f"\n{way}"
        )


def _names(columns: Sequence[str], most: int = 8) -> str:
    more = f" and {len(columns) - most} more" if len(columns) > most else ""
    return ", ".join(columns[:most]) + more


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
