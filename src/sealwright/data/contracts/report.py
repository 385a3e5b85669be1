"""What a check found: counts, rules and row numbers. Never a cell, unless values were asked for and are not personal.

Answers: is the contract kept, and if not, which rule is broken where and how often?
Does not answer: how to mend the data. It says what was expected.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Literal

from sealwright.data.cells import REASONS
from sealwright.kernel import StoppedByPolicy

__all__ = ["RULES", "Breach", "ContractBroken", "ContractReport"]

RULES: Mapping[str, str] = MappingProxyType(
    {
        **REASONS,
        "column_missing": "the column is not there",
        "column_unexpected": "the contract does not name the column",
        "column_unreadable": "the column holds nested or binary values, which are not read",
        "columns_out_of_order": "the columns come in another order",
        "too_few_rows": "the table has fewer rows",
        "too_many_rows": "the table has more rows",
        "not_above": "not greater than the contract's above",
        "not_below": "not smaller than the contract's below",
        "not_one_of": "not one of the values allowed",
        "one_of_refused": "one of the values refused",
        "pattern_not_found": "the pattern is not found in the text",
        "too_short": "fewer characters",
        "too_long": "more characters",
        "repeated": "the value, or the key, stood in an earlier row",
        "rule_broken": "the comparison of two columns does not hold",
    }
)
"""Every rule a check can find broken, in words. The codes are stable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One rule of one column, key or table, and where it is broken."""

    column: str  # name, "a + b" for a key, "" for the whole table
    rule: str  # a code of `RULES`
    expected: str  # what the contract asks for, in words
    scope: Literal["cells", "table"]
    count: int  # cells or rows; 1 for a breach of the table
    share: float  # of all rows, 0 to 1; 1 for a breach of the table
    first_rows: tuple[int, ...]  # 1-based data rows, the first few
    limit: float | None = None  # largest share its column allows; None: the contract's limit for rows counts
    values: tuple[str, ...] = ()  # only where they were asked for, of columns that are public or internal

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractReport:
    """One table held against one contract."""

    source: str  # name of the file, or the kind of object
    source_digest: str  # of the file's bytes; empty for what is in memory or a query
    contract: str  # digest of the contract
    rows: int
    bad_rows: int  # rows with at least one breach, columns with a limit of their own left out
    at_most_share: float  # how many of them the contract allows
    checked: tuple[str, ...]  # columns looked at
    breaches: tuple[Breach, ...]  # of the table first, then by number of cells
    notes: tuple[str, ...] = ()  # how the source was understood

    @property
    def passed(self) -> bool:
        """Whether the contract is kept, within the limits it sets itself."""
        return not self.reasons

    @property
    def bad_share(self) -> float:
        return self.bad_rows / self.rows if self.rows else 0.0

    @property
    def reasons(self) -> tuple[Breach, ...]:
        """The breaches that decide; empty where the contract is kept."""
        return tuple(found for found in self.breaches if self._decides(found))

    def _decides(self, found: Breach) -> bool:
        if found.scope == "table":
            return True
        if found.limit is not None:
            return found.count > found.limit * self.rows
        return self.bad_rows > self.at_most_share * self.rows

    def raise_for_breach(self) -> None:
        """Do nothing if the contract is kept.

        Raises
        ------
        ContractBroken
            It is not; carries this report.
        """
        if not self.passed:
            raise ContractBroken(self)

    def to_json(self) -> dict[str, Any]:
        facts = {name: getattr(self, name) for name in self.__slots__ if name != "breaches"}
        return {
            "passed": self.passed,
            **facts,
            "bad_share": self.bad_share,
            "checked": list(self.checked),
            "notes": list(self.notes),
            "breaches": [found.to_json() for found in self.breaches],
        }


class ContractBroken(StoppedByPolicy):
    """The data does not keep its contract. Carries the whole report, and no cell of the data."""

    code = "data.contract_broken"

    def __init__(self, report: ContractReport) -> None:
        self.report = report
        lines = [f"  {line}" for line in map(in_words, report.reasons[:20])]
        if len(report.reasons) > 20:
            lines.append(f"  and {len(report.reasons) - 20} more")
        super().__init__(
            f"{report.source} does not keep its contract: {report.bad_rows:,} of {report.rows:,} rows break it"
            f" ({report.bad_share:.2%}; at most {report.at_most_share:.2%} may).\n"
            + "\n".join(lines)
            + "\nRepair the data; or change the contract, if it asks for too much."
        )


def in_words(breach: Breach) -> str:
    """One breach on one line."""
    where = breach.column or "the table"
    if breach.scope == "table":
        return f"{where}: {RULES[breach.rule]}; expected {breach.expected}"
    rows = ", ".join(f"{row:,}" for row in breach.first_rows)
    return (
        f"{where}: {RULES[breach.rule]}, {breach.count:,} times ({breach.share:.2%}), first in row {rows};"
        f" expected {breach.expected}"
    )
