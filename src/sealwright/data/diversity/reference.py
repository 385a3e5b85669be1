"""The reference population: which share each group should have, exactly.

Answers: the share of a group, or of a crossed group, in the population the data is held against?
Does not answer: is it the right population. A person says so, with the source and the date of the figures.
Shares are fractions of whole numbers, so that a shortfall is solved without rounding.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Any

from sealwright.data.diversity.spec import CROSS, DiversitySpec, ReferenceSpec, band_labels
from sealwright.data.names import nearest, shown
from sealwright.kernel import InvalidInput

__all__ = ["Group", "Reference", "read_reference"]

Group = tuple[str, ...]

_MOST_BYTES = 256 << 20
_AGREE = Fraction(1, 100)  # how far a share may be from the sum of the crossed shares under it


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Shares by margin. A margin is the names of its attributes in the order of the spec."""

    source: str
    date: str
    shares: Mapping[tuple[str, ...], Mapping[Group, Fraction]]  # each margin adds up to exactly 1

    def levels(self) -> dict[str, set[str]]:
        """Every level it names, by attribute."""
        found: dict[str, set[str]] = {}
        for names, groups in self.shares.items():
            for place, name in enumerate(names):
                found.setdefault(name, set()).update(group[place] for group in groups)
        return found


def read_reference(spec: DiversitySpec, folder: Path | None = None) -> Reference | None:
    """The reference of a spec; None where it has none.

    Parameters
    ----------
    folder : Path, optional
        The project folder, where the reference is a file.

    Raises
    ------
    InvalidInput
        The file cannot be read or lacks a column, or crossed shares contradict the plain ones.
    """
    wanted = spec.reference
    if wanted is None:
        return None
    order = list(spec.cut_points())
    declared: dict[tuple[str, ...], dict[Group, Fraction]] = {}
    if wanted.shares is not None:
        for name, groups in wanted.shares.items():
            names = tuple(name.split(CROSS))
            places = sorted(range(len(names)), key=lambda place: order.index(names[place]))
            of = {group: Fraction(str(amount)) for group, amount in groups.items()}
            declared[tuple(names[place] for place in places)] = {
                tuple(group.split(CROSS)[place] for place in places): amount for group, amount in of.items()
            }
    else:
        if folder is None:
            raise InvalidInput("The reference is a file; say in which folder it lies.")
        declared = _from_file(spec, wanted, folder)
    whole = {names: _to_one(names, groups) for names, groups in declared.items()}
    return Reference(source=wanted.source, date=wanted.date, shares=_with_sums(whole, order))


def _to_one(names: tuple[str, ...], groups: Mapping[Group, Fraction]) -> dict[Group, Fraction]:
    total = sum(groups.values(), Fraction(0))
    if not total:
        raise InvalidInput(f"The reference of {CROSS.join(names)} counts nobody.")
    return {group: amount / total for group, amount in groups.items()}


def _with_sums(
    declared: Mapping[tuple[str, ...], Mapping[Group, Fraction]], order: list[str]
) -> dict[tuple[str, ...], Mapping[Group, Fraction]]:
    """Crossed shares added up to those of fewer attributes; where both are declared, they must agree."""
    found = dict(declared)
    for names, groups in sorted(declared.items(), key=lambda item: -len(item[0])):
        for size in range(1, len(names)):
            for places in combinations(range(len(names)), size):
                sums: dict[Group, Fraction] = {}
                for group, share in groups.items():
                    part = tuple(group[place] for place in places)
                    sums[part] = sums.get(part, Fraction(0)) + share
                _agree(found.setdefault(tuple(names[place] for place in places), sums), sums, names)
    return {names: found[names] for names in sorted(found, key=lambda n: (len(n), [order.index(one) for one in n]))}


def _agree(one: Mapping[Group, Fraction], other: Mapping[Group, Fraction], names: tuple[str, ...]) -> None:
    for group in {*one, *other}:
        here, there = one.get(group, Fraction(0)), other.get(group, Fraction(0))
        if abs(here - there) > _AGREE:
            raise InvalidInput(
                f"The reference contradicts itself: {shown(CROSS.join(group))} has the share {float(here):.3f}, and"
                f" {float(there):.3f} by the groups of {CROSS.join(names)}.\nCorrect data.diversity.reference."
            )


def _from_file(
    spec: DiversitySpec, wanted: ReferenceSpec, folder: Path
) -> dict[tuple[str, ...], dict[Group, Fraction]]:
    """Counts by all attributes of the file at once; the sums over fewer follow."""
    table = _read(folder / str(wanted.file))
    count = str(wanted.count)
    if count not in table:
        raise InvalidInput(f"{wanted.file} has no column {shown(count)}.{nearest(count, table)}")
    cuts = spec.cut_points()
    names = tuple(name for name in cuts if name in table)
    if not names:
        raise InvalidInput(f"{wanted.file} has none of the columns {', '.join(list(cuts)[:10])}.")
    found: dict[tuple[str, ...], dict[Group, Fraction]] = {}
    for part in combinations(names, min(len(names), 3)):
        groups = found.setdefault(part, {})
        levels = [[_level(value, cuts[name]) for value in table[name]] for name in part]
        for *group, amount in zip(*levels, table[count], strict=True):
            if isinstance(amount, bool) or not isinstance(amount, (int, float)) or not 0 <= amount < 2**53:
                raise InvalidInput(f"{wanted.file}: {shown(count)} must hold numbers of zero or more in every row.")
            groups[tuple(group)] = groups.get(tuple(group), Fraction(0)) + Fraction(str(amount))
    return found


def _level(value: Any, cuts: tuple[float, ...] | None) -> str:
    """A cell of the file as a level: numbers are cut where the attribute is."""
    if value is None or value == "":
        raise InvalidInput(
            "The reference file has an empty cell among its attributes; a reference has no missing people."
        )
    if cuts is not None and isinstance(value, (int, float)) and not isinstance(value, bool):
        return band_labels(cuts)[sum(value >= cut for cut in cuts)]
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _read(path: Path) -> dict[str, list[Any]]:
    import pyarrow as pa
    import pyarrow.csv as pcsv
    import pyarrow.parquet as pq

    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InvalidInput(f"{path.name} is larger than a table of counts needs to be; add its rows up first.")
        table = pq.read_table(path) if path.suffix == ".parquet" else pcsv.read_csv(path)
    except (OSError, pa.ArrowException) as error:
        raise InvalidInput(
            f"The reference file {path.name} cannot be read as CSV or Parquet ({type(error).__name__})."
            " Its place is relative to the project folder."
        ) from None
    columns: dict[str, list[Any]] = table.to_pydict()
    return columns
