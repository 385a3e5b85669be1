"""What must not be taken in unseen: columns that look personal and whose contract does not say so.

Answers: which columns, of what kind, in what share of cells, and which two ways lead out?
Does not answer: whether the contract is right where it does speak.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sealwright.charter import RiskClass
from sealwright.data.column_spec import DataClass
from sealwright.data.names import shown
from sealwright.data.personal.model import KINDS, Confidence, Kind, PersonalDataReport
from sealwright.data.personal.scanning import Columns
from sealwright.kernel import StoppedByPolicy

__all__ = ["PersonalDataUnclassified", "Unclassified", "refuse_unclassified", "unclassified"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclassified:
    """One column the contract should speak about. Holds no data."""

    column: str
    kind: Kind  # the surest one
    others: tuple[Kind, ...]  # further kinds that count
    by_name: bool
    cells: int
    of_cells: int
    confidence: Confidence
    contract_class: DataClass
    suggested: DataClass

    @property
    def ground(self) -> str:
        """Why, in words."""
        seen = (
            f"in {self.cells:,} of {self.of_cells:,} cells looked at ({self.cells / self.of_cells:.1%})"
            if self.cells
            else ""
        )
        return " and ".join(part for part in ("by its name" if self.by_name else "", seen) if part) or "by its values"


class PersonalDataUnclassified(StoppedByPolicy):
    """Columns look personal, the contract gives them another class, and says nothing about it. Nothing was kept."""

    code = "data.personal_unclassified"

    def __init__(self, found: Sequence[Unclassified]) -> None:
        self.found = tuple(found)
        lines = [
            f"  {shown(one.column)}: {KINDS[one.kind].about}, {one.ground}; class {one.contract_class}"
            for one in self.found[:20]
        ]
        if len(self.found) > 20:
            lines.append(f"  and {len(self.found) - 20} more")
        one = self.found[0]
        super().__init__(
            f"{len(self.found)} column{'s look' if len(self.found) > 1 else ' looks'} like data about persons, and the"
            " contract does not say so:\n" + "\n".join(lines) + "\nFor each, in data.columns, either set"
            f" class: {one.suggested} (its key then opens only to roles that may read persons' data), or"
            ' not_personal: "the reason", if it is none. To see them again: sealwright data scan PROJECT'
        )


def unclassified(report: PersonalDataReport, spec: Columns, *, names: bool = True) -> tuple[Unclassified, ...]:
    """The columns with personal data whose class is public, internal or confidential, without a reason in the contract.

    Findings of low confidence do not count; nor do columns the contract does not keep. `names`: whether the name of a
    column alone is enough; not where rows come to a table whose names were judged before, with all its cells.
    """
    result = []
    for column in report.columns:
        said = spec.columns.get(column.name)
        counting = [one for one in column.findings if one.counts and (names or one.cells)]
        if said is None or said.role == "ignore" or not counting or column.suggested is None:
            continue
        if said.data_class in {"personal", "special"} or said.not_personal is not None:
            continue
        first = counting[0]
        result.append(
            Unclassified(
                column=column.name,
                kind=first.kind,
                others=tuple(one.kind for one in counting[1:]),
                by_name=first.by_name,
                cells=first.cells,
                of_cells=first.of_cells,
                confidence=first.confidence,
                contract_class=said.data_class,
                suggested=column.suggested,
            )
        )
    return tuple(result)


def refuse_unclassified(
    report: PersonalDataReport, spec: Columns, risk_class: RiskClass, *, names: bool = True
) -> None:
    """Stop a high-risk project that holds personal columns its contract does not know.

    Raises
    ------
    PersonalDataUnclassified
        The project is high-risk and `unclassified` is not empty. Names every column, kind, share, and the ways out.
    """
    found = unclassified(report, spec, names=names)
    if found and risk_class is RiskClass.HIGH:
        raise PersonalDataUnclassified(found)
