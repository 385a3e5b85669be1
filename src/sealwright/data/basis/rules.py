"""Which basis holds for which column, what is missing, and whether a purpose is covered. Pure decisions.

Answers: may these columns be held at all, and may they be used for this?
Does not answer: did a person sign that another purpose is compatible. `compatibility` reads that; it is handed in here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sealwright.data.basis.errors import BasisMissing, PurposeNotCovered
from sealwright.data.basis.model import BasisSpec, Origin, Retention, Transfer
from sealwright.data.basis.words import Condition, LawfulBasis
from sealwright.data.names import nearest, shown
from sealwright.kernel import InvalidInput, canonical_json

__all__ = [
    "ColumnGroup",
    "ColumnLike",
    "Ground",
    "check_basis",
    "check_purpose",
    "column_groups",
    "gaps_of",
    "ground_of",
    "uncovered_by",
    "unknown_columns",
]

_ABOUT_PERSONS = {"personal", "special"}
_USED = {"feature", "target", "sensitive"}  # what a model is trained on or compared by
_FIELDS = ("lawful_basis", "article_9", "purposes", "source", "subjects", "recipients", "transfers", "retention")


class ColumnLike(Protocol):
    """What the rules need to know of a column of the contract."""

    @property
    def data_class(self) -> str: ...

    @property
    def role(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Everything that holds for one column, after the exceptions were applied. None: nobody said."""

    lawful_basis: LawfulBasis | None = None
    article_9: Condition | None = None
    purposes: Mapping[str, str] | None = None
    source: Origin | None = None
    subjects: tuple[str, ...] | None = None
    recipients: tuple[str, ...] | None = None
    transfers: tuple[Transfer, ...] | None = None
    retention: Retention | None = None

    @property
    def key(self) -> bytes:
        """Equal for equal grounds."""
        return canonical_json({name: _plain(getattr(self, name)) for name in _FIELDS})


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnGroup:
    """Columns for which the same holds."""

    columns: tuple[str, ...]
    classes: tuple[str, ...]  # of the columns, in the order of the contract, each once
    ground: Ground

    @property
    def about_persons(self) -> bool:
        return bool(_ABOUT_PERSONS & set(self.classes))


def ground_of(basis: BasisSpec | None, column: str) -> Ground:
    """What holds for a column: its own words before those of its group, those before the dataset's."""
    if basis is None:
        return Ground()
    group = next((one for one in basis.groups.values() if column in one.columns), None)
    said = basis.stated()
    for exception in (group, basis.columns.get(column)):
        said |= exception.stated() if exception is not None else {}
    return Ground(**said)


def column_groups(basis: BasisSpec | None, columns: Mapping[str, ColumnLike]) -> list[ColumnGroup]:
    """The kept columns of a contract, sorted into groups for which the same holds, in the order of the contract."""
    found: dict[bytes, tuple[Ground, list[str]]] = {}
    for name, column in columns.items():
        if column.role != "ignore":
            ground = ground_of(basis, name)
            found.setdefault(ground.key, (ground, []))[1].append(name)
    return [
        ColumnGroup(
            columns=tuple(names),
            classes=tuple(dict.fromkeys(columns[name].data_class for name in names)),
            ground=ground,
        )
        for ground, names in found.values()
    ]


def gaps_of(
    basis: BasisSpec | None, columns: Mapping[str, ColumnLike], *, high_risk: bool
) -> list[tuple[tuple[str, ...], str]]:
    """Groups of columns that may not be held as it stands, and what is missing for each.

    Parameters
    ----------
    high_risk : bool
        Of a high-risk project every kept column needs a basis; of others those about persons.
    """
    found: dict[str, list[str]] = {}
    for name, column in columns.items():
        if column.role == "ignore" or not (high_risk or column.data_class in _ABOUT_PERSONS):
            continue
        missing = _missing(ground_of(basis, name), column.data_class)
        if missing:
            found.setdefault("no " + ", no ".join(missing), []).append(name)
    return [(tuple(names), what) for what, names in found.items()]


def check_basis(project: str, basis: BasisSpec | None, columns: Mapping[str, ColumnLike], *, high_risk: bool) -> None:
    """Return if every column that needs a basis has one.

    Raises
    ------
    InvalidInput
        The block speaks of columns the contract does not have.
    BasisMissing
        Something is missing; every group of columns is named.
    """
    unknown = unknown_columns(basis, columns)
    if unknown:
        lines = "\n".join(f"  {shown(name)}.{nearest(name, columns)}" for name in unknown)
        raise InvalidInput(f"data.basis speaks of columns the contract does not have:\n{lines}")
    gaps = gaps_of(basis, columns, high_risk=high_risk)
    if gaps:
        raise BasisMissing(project, gaps)


def unknown_columns(basis: BasisSpec | None, columns: Iterable[str]) -> list[str]:
    """Columns the block names and the contract does not have. A slip there would leave a column without its words."""
    known = set(columns)
    return [name for name in basis.named_columns if name not in known] if basis is not None else []


def uncovered_by(
    purpose: str, groups: Sequence[ColumnGroup], columns: Mapping[str, ColumnLike], *, high_risk: bool
) -> list[ColumnGroup]:
    """The groups a model with this purpose would use although they were collected for others.

    Columns that are kept and not learned from (identifiers) do not count. Columns that are about nobody count where a
    purpose was stated for them, or the project is high-risk.
    """
    found = []
    for group in groups:
        used = tuple(name for name in group.columns if columns[name].role in _USED)
        if not used or purpose in (group.ground.purposes or {}):
            continue
        if high_risk or group.about_persons or group.ground.purposes:
            classes = tuple(dict.fromkeys(columns[name].data_class for name in used))
            found.append(ColumnGroup(columns=used, classes=classes, ground=group.ground))
    return found


def check_purpose(
    project: str,
    purpose: str | None,
    groups: Sequence[ColumnGroup],
    columns: Mapping[str, ColumnLike],
    *,
    high_risk: bool,
    compatible: bool = False,
    why_not: str = "",
) -> None:
    """Return if every used group of columns was collected for `purpose`, or may be used for it all the same.

    Parameters
    ----------
    purpose : str, optional
        `charter.purpose_id`.
    compatible : bool
        A valid compatibility record for exactly this dataset and purpose is on file. It never covers columns held on
        consent: who agreed to one thing has not agreed to another (Article 6(4) leaves consent to be asked anew).
    why_not : str
        Why a record that is on file does not count, for the message.

    Raises
    ------
    PurposeNotCovered
    """
    uncovered = uncovered_by(purpose or "", groups, columns, high_risk=high_risk)
    if purpose is None and any(one.about_persons or one.ground.lawful_basis == "consent" for one in uncovered):
        known = sorted({name for one in uncovered for name in one.ground.purposes or {}})
        raise PurposeNotCovered(
            project,
            "",
            [(one.columns, "collected for a purpose, and the charter names none") for one in uncovered],
            f"Set charter.purpose_id in the project file. Purposes the data was collected for: {', '.join(known)}.",
        )
    if purpose is None:
        return
    left = [one for one in uncovered if not compatible or one.ground.lawful_basis == "consent"]
    if left:
        raise PurposeNotCovered(project, purpose, _by_reason(left), _way(left, purpose, why_not))


def _by_reason(left: Sequence[ColumnGroup]) -> list[tuple[list[str], str]]:
    found: dict[str, list[str]] = {}
    for one in left:
        found.setdefault(_why(one), []).extend(one.columns)
    return [(columns, why) for why, columns in found.items()]


def _missing(ground: Ground, data_class: str) -> list[str]:
    missing = [
        words
        for words, value in (
            ("lawful basis", ground.lawful_basis),
            ("purpose", ground.purposes),
            ("source", ground.source),
            ("retention period", ground.retention),
        )
        if not value
    ]
    counts = ground.retention.counts_from if ground.retention is not None else ""
    if counts == "collected" and ground.source is not None and ground.source.collected_from is None:
        missing.append("first day of collection, from which its retention period counts")
    if data_class == "special" and ground.article_9 is None:
        missing.append("condition of Article 9(2) for special data")
    return missing


def _why(group: ColumnGroup) -> str:
    purposes = ", ".join(group.ground.purposes or {}) or "nothing that was stated"
    consent = ", on consent, which covers no other purpose" if group.ground.lawful_basis == "consent" else ""
    return f"collected for {purposes}{consent}"


def _way(left: Sequence[ColumnGroup], purpose: str, why_not: str) -> str:
    lines = [why_not] if why_not else []
    if any(one.ground.lawful_basis == "consent" for one in left):
        lines.append("Ask the persons for their consent to this purpose and add it to data.basis, or leave these out.")
    if any(one.ground.lawful_basis != "consent" for one in left):
        lines.append(
            "A data protection officer may sign that this purpose is compatible with those (Article 6(4) of the GDPR):\n"
            f"sealwright data compatibility PROJECT --as NAME --role compliance_officer --purpose {purpose} --link …"
        )
    return "\n".join(lines)


def _plain(value: object) -> object:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
