"""Refusals of this room that callers match on by type or by `code`."""

from collections.abc import Sequence
from dataclasses import dataclass

from sealwright.kernel import InvalidInput, StoppedByPolicy

__all__ = [
    "ColumnsUnusable",
    "ContractMismatch",
    "QuarantineFull",
    "ReasonCount",
    "SourceUnreadable",
    "TargetUnusable",
    "TransportRefused",
]


class SourceUnreadable(InvalidInput):
    """The file or query does not hold a table we can read: empty, another format, another encoding."""

    code = "data.source_unreadable"


class TransportRefused(StoppedByPolicy):
    """Rows would travel over a network where others can read or change them, and nobody said why they may."""

    code = "data.transport_refused"


class ColumnsUnusable(InvalidInput):
    """The column names cannot be used: repeated, unprintable, or far too many."""

    code = "data.columns_unusable"


class ContractMismatch(InvalidInput):
    """The source has columns the contract does not name, or lacks some it names."""

    code = "data.contract_mismatch"


class TargetUnusable(InvalidInput):
    """The target column cannot be predicted: missing, empty, or always the same."""

    code = "data.target_unusable"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonCount:
    """How many cells of one column were refused for one reason. Holds no data."""

    column: str  # "" when the whole row was unreadable
    reason: str  # a code of `cast.REASONS`
    cells: int
    first_rows: tuple[int, ...]  # 1-based data rows, a few of them


class QuarantineFull(StoppedByPolicy):
    """More rows break the contract than the project allows. Nothing was kept."""

    code = "data.quarantine_full"

    def __init__(self, quarantined: int, rows: int, at_most_share: float, reasons: Sequence[ReasonCount]) -> None:
        self.quarantined, self.rows, self.at_most_share = quarantined, rows, at_most_share
        self.reasons = tuple(reasons)
        lines = [
            f"  {found.column or 'whole row'}: {found.reason}, {found.cells:,} times,"
            f" first in row {', '.join(str(row) for row in found.first_rows)}"
            for found in self.reasons[:20]
        ]
        if len(self.reasons) > 20:
            lines.append(f"  and {len(self.reasons) - 20} more")
        super().__init__(
            f"{quarantined:,} of {rows:,} rows break the data contract ({quarantined / rows:.2%});"
            f" at most {at_most_share:.2%} may. No snapshot was made.\n"
            + "\n".join(lines)
            + "\nRepair the data, or change the contract: data.columns for what a value may be,"
            " data.quarantine.at_most_share for how many rows may be set aside."
        )
