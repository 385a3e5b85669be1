"""The record of processing activities of Article 30(1) of the GDPR, from what was signed at ingest.

Answers: what does an organisation process, for whom, why, who receives it, for how long, how is it protected?
Does not answer: is that lawful. It supports evidence for Article 30(1); what is missing stands in it as missing.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sealwright.data.basis.rules import ColumnGroup
from sealwright.data.basis.statement import FiledBasis
from sealwright.data.basis.words import BASES, CONDITIONS, SECURITY_OF_THE_SYSTEM

__all__ = ["MISSING", "RopaField", "RopaRecord", "ropa_record", "unstated_record"]

MISSING = "missing"
_NONE = "none, as stated"


@dataclass(frozen=True, slots=True, kw_only=True)
class RopaField:
    """One field of a record. `values` is empty where nobody said; `optional` where the law asks only if there is one."""

    name: str
    article: str
    values: tuple[str, ...]
    optional: bool = False
    unstated_for: tuple[str, ...] = ()  # columns for which nobody said, where others have a value

    @property
    def missing(self) -> bool:
        return (not self.values and not self.optional) or bool(self.unstated_for)

    @property
    def text(self) -> str:
        if not self.values:
            return "not stated, asked for only where there is one" if self.optional else MISSING
        return "; ".join(self.values) + (f"; {MISSING} for {', '.join(self.unstated_for)}" if self.unstated_for else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class RopaRecord:
    """One processing activity: a dataset of a project, and the systems made from it."""

    project: str
    dataset: str  # empty where no basis was stated
    stated_at: str  # RFC 3339; empty where no basis was stated
    statement: str  # digest of the basis statement; empty where there is none
    fields: tuple[RopaField, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the fields the law asks for and nobody stated, or not for every column."""
        return tuple(one.name for one in self.fields if one.missing)

    def to_json(self) -> dict[str, Any]:
        return {
            "project": self.project,
            "dataset": self.dataset or None,
            "stated_at": self.stated_at or None,
            "statement": self.statement or None,
            "fields": [
                {
                    "name": one.name,
                    "article": one.article,
                    "values": list(one.values),
                    "missing": one.missing,
                    "missing_for": list(one.unstated_for),
                }
                for one in self.fields
            ],
            "missing": list(self.missing),
        }


def ropa_record(filed: FiledBasis, *, statement: str, stated_at: str, systems: Sequence[str]) -> RopaRecord:
    """The record of one dataset.

    Parameters
    ----------
    statement, stated_at : str
        Digest of the basis statement, and its time.
    systems : sequence of str
        The registered versions of the project, in words.
    """
    spec, groups = filed.spec, filed.groups
    if spec is None:
        return unstated_record(filed.project, systems=systems, statement=statement, stated_at=stated_at)
    who = spec.controller
    fields = (
        _field("controller", "30(1)(a)", [who.name]),
        _field("contact of the controller", "30(1)(a)", [who.contact]),
        _field("joint controllers", "30(1)(a)", who.joint, optional=True),
        _field("representative", "30(1)(a)", [who.representative], optional=True),
        _field("data protection officer", "30(1)(a)", [who.dpo], optional=True),
        _by_group("purposes", "30(1)(b)", groups, _purposes),
        _field("purpose of the systems", "30(1)(b)", [_purpose_of_model(filed)]),
        _by_group("lawful basis", "6(1), 9(2)", groups, _bases),
        _by_group("categories of persons", "30(1)(c)", groups, lambda one: one.ground.subjects),
        _by_group("categories of data", "30(1)(c)", groups, _data),
        _by_group("source", "14(2)(f)", groups, _source),
        _by_group("recipients", "30(1)(d)", groups, lambda one: _or_none(one.ground.recipients)),
        _by_group("transfers to third countries", "30(1)(e)", groups, _transfers),
        _by_group("time limits for erasure", "30(1)(f)", groups, _retention),
        _field("security measures", "30(1)(g)", filed.security),
        _field("systems", "", systems, optional=True),
    )
    return RopaRecord(
        project=filed.project, dataset=spec.dataset, stated_at=stated_at, statement=statement, fields=fields
    )


def unstated_record(project: str, *, systems: Sequence[str], statement: str = "", stated_at: str = "") -> RopaRecord:
    """The record of a project that holds data and never said on what basis: everything is missing but what we know."""
    asked = (
        ("controller", "30(1)(a)"),
        ("purposes", "30(1)(b)"),
        ("lawful basis", "6(1), 9(2)"),
        ("categories of persons", "30(1)(c)"),
        ("categories of data", "30(1)(c)"),
        ("recipients", "30(1)(d)"),
        ("transfers to third countries", "30(1)(e)"),
        ("time limits for erasure", "30(1)(f)"),
    )
    fields = (
        *(_field(name, article, ()) for name, article in asked),
        _field("security measures", "30(1)(g)", SECURITY_OF_THE_SYSTEM),
        _field("systems", "", systems, optional=True),
    )
    return RopaRecord(project=project, dataset="", stated_at=stated_at, statement=statement, fields=fields)


def _field(name: str, article: str, values: Iterable[str | None], *, optional: bool = False) -> RopaField:
    said = tuple(dict.fromkeys(value for value in values if value))
    return RopaField(name=name, article=article, values=said, optional=optional)


def _by_group(
    name: str, article: str, groups: Sequence[ColumnGroup], of: Callable[[ColumnGroup], Sequence[str] | None]
) -> RopaField:
    """What holds for all groups once, what holds for some with their columns, and for which nobody said."""
    found: dict[tuple[str, ...], list[str]] = {}
    for group in groups:
        found.setdefault(tuple(of(group) or ()), []).extend(group.columns)
    unsaid = tuple(found.pop((), ()))
    if len(found) == 1 and not unsaid:
        return _field(name, article, next(iter(found)))
    values = [f"{', '.join(columns)}: {'; '.join(said)}" for said, columns in found.items()]
    return RopaField(name=name, article=article, values=tuple(values), unstated_for=unsaid if values else ())


def _purposes(group: ColumnGroup) -> list[str]:
    return [f"{name}: {words}" for name, words in (group.ground.purposes or {}).items()]


def _bases(group: ColumnGroup) -> list[str]:
    basis, condition = group.ground.lawful_basis, group.ground.article_9
    return ([BASES[basis]] if basis else []) + ([CONDITIONS[condition]] if condition else [])


def _data(group: ColumnGroup) -> list[str]:
    return [f"{', '.join(group.columns)} ({', '.join(group.classes)})"]


def _source(group: ColumnGroup) -> list[str]:
    source = group.ground.source
    if source is None:
        return []
    days = [day.isoformat() for day in (source.collected_from, source.collected_until) if day is not None]
    return [
        source.from_ + (f", collected {' to '.join(days)}" if days else "") + (f", by {source.by}" if source.by else "")
    ]


def _transfers(group: ColumnGroup) -> list[str] | None:
    transfers = group.ground.transfers
    return None if transfers is None else [f"{one.to} ({one.safeguard})" for one in transfers] or [_NONE]


def _retention(group: ColumnGroup) -> list[str]:
    kept = group.ground.retention
    if kept is None:
        return []
    return [f"{kept.keep} from {'the first day of collection' if kept.counts_from == 'collected' else 'ingest'}"]


def _or_none(values: tuple[str, ...] | None) -> Sequence[str] | None:
    return None if values is None else values or (_NONE,)


def _purpose_of_model(filed: FiledBasis) -> str:
    return f"{filed.purpose}: {filed.purpose_words}" if filed.purpose else filed.purpose_words
