"""The `data.basis` block of a project file: why this data may be held, what for, and for how long.

Answers: who is responsible, where did the data come from, on what lawful basis, for which purposes, who receives it,
how long is it kept? For the whole dataset, and for columns where another answer holds.
Does not answer: is the basis a good one. A person signs for that; the system holds to what is written here.
"""

import re
import unicodedata
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from sealwright.data.basis.words import Condition, LawfulBasis
from sealwright.data.terms import SPAN
from sealwright.kernel import InvalidInput, check_name

__all__ = ["BasisSpec", "ColumnBasis", "Controller", "GroupBasis", "Origin", "Retention", "Transfer"]

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOST_MONTHS = 1200


def _readable(text: str) -> str:
    """Text a person can read on any screen."""
    stripped = " ".join(text.split())
    if not stripped:
        raise ValueError("say it in words; this text is empty")
    if any(unicodedata.category(c) in {"Cc", "Cf", "Co", "Cs"} for c in stripped):
        raise ValueError("this text holds invisible control characters; type it again")
    return stripped


def _purpose_id(name: str) -> str:
    try:
        return check_name(name, what="purpose")
    except InvalidInput as error:
        raise ValueError(str(error)) from None


def _span(text: str) -> str:
    found = SPAN.fullmatch(text)
    if not found:
        raise ValueError("write a span like 30 days, 6 months or 3 years")
    if {"day": 1 / 30, "week": 7 / 30, "month": 1, "year": 12}[found[2]] * int(found[1]) > _MOST_MONTHS:
        raise ValueError("a limit of more than a hundred years is none; give a shorter one")
    return text


def _written_day(value: Any) -> Any:
    """A number would be read as seconds since 1970, and be another day than the one that was meant."""
    if value is None or isinstance(value, date) or (isinstance(value, str) and _DAY.fullmatch(value)):
        return value
    raise ValueError("a day is written like 2019-01-31")


Prose = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_readable)]
PurposeId = Annotated[str, AfterValidator(_purpose_id)]
Day = Annotated[date, BeforeValidator(_written_day)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Controller(_Section):
    """Who decides why and how the data is processed, and how to reach them."""

    name: Prose = Field(description="The organisation that answers for the data.")
    contact: Prose | None = Field(default=None, description="How to reach it about data: an address or mailbox.")
    representative: Prose | None = Field(
        default=None, description="Its representative in the Union, where it has no seat there."
    )
    dpo: Prose | None = Field(default=None, description="The data protection officer and how to reach them.")
    joint: tuple[Prose, ...] = Field(default=(), max_length=20, description="Other controllers who decide together.")


class Origin(_Section):
    """Where the data came from."""

    from_: Prose = Field(alias="from", description="From whom or from which system, in words.")
    by: Prose | None = Field(default=None, description="Who collected it, on whose behalf.")
    collected_from: Day | None = Field(default=None, description="First day of collection, e.g. 2019-01-01.")
    collected_until: Day | None = Field(default=None, description="Last day of collection, e.g. 2021-12-31.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.collected_from and self.collected_until and self.collected_from > self.collected_until:
            raise ValueError("`collected_from` is later than `collected_until`")
        return self


class Transfer(_Section):
    """Data that leaves for a third country, and what protects it there."""

    to: Prose = Field(description="The country or international organisation.")
    safeguard: Prose = Field(description="E.g. adequacy decision, standard contractual clauses, binding rules.")


class Retention(_Section):
    """How long the data may be kept."""

    keep: Annotated[str, AfterValidator(_span)] = Field(description="A span such as 30 days, 6 months or 3 years.")
    counts_from: Literal["collected", "ingested"] = Field(
        default="collected",
        description="collected: from the first day of collection, so that the oldest rows are in time, too."
        " ingested: from the day the snapshot was made.",
    )


class ColumnBasis(_Section):
    """What holds for some columns instead of what holds for the dataset. What is left out is as for the dataset."""

    lawful_basis: LawfulBasis | None = Field(default=None, description="Which basis of Article 6(1) of the GDPR.")
    article_9: Condition | None = Field(
        default=None, description="Article 9(2): what allows data of class special to be held."
    )
    purposes: dict[PurposeId, Prose] | None = Field(
        default=None, max_length=50, description="What it was collected for: a short id and a sentence for each."
    )
    source: Origin | None = Field(default=None, description="Where it came from, when and by whom.")
    subjects: tuple[Prose, ...] | None = Field(
        default=None, max_length=50, description="Categories of persons, e.g. applicants for credit."
    )
    recipients: tuple[Prose, ...] | None = Field(
        default=None, max_length=50, description="Categories of who receives it. Write [] where nobody does."
    )
    transfers: tuple[Transfer, ...] | None = Field(
        default=None, max_length=50, description="Transfers to third countries. Write [] where there are none."
    )
    retention: Retention | None = Field(default=None, description="How long it may be kept.")

    @field_validator("purposes")
    @classmethod
    def _some_purpose(cls, value: dict[str, str] | None) -> dict[str, str] | None:
        if value is not None and not value:
            raise ValueError("name at least one purpose, or leave the key out")
        return value

    def stated(self) -> dict[str, Any]:
        """The fields that were given, by name."""
        names = (name for name in ColumnBasis.model_fields if getattr(self, name) is not None)
        return {name: getattr(self, name) for name in names}


class GroupBasis(ColumnBasis):
    """The same for several columns under one name."""

    columns: tuple[str, ...] = Field(min_length=1, max_length=4096, description="The columns of this group, by name.")


class BasisSpec(ColumnBasis):
    """The `data.basis` block. Missing answers are listed, not guessed."""

    dataset: PurposeId = Field(description="Short name of the dataset, as the organisation calls it.")
    controller: Controller = Field(description="Who answers for the data.")
    security: tuple[Prose, ...] = Field(
        default=(), max_length=50, description="Security measures besides those that hold for every snapshot."
    )
    groups: dict[Prose, GroupBasis] = Field(
        default={}, max_length=200, description="Groups of columns for which another answer holds."
    )
    columns: dict[str, ColumnBasis] = Field(
        default={}, max_length=4096, description="Single columns for which another answer holds."
    )

    @model_validator(mode="after")
    def _each_column_in_one_group(self) -> Self:
        seen: dict[str, str] = {}
        for name, group in self.groups.items():
            for column in group.columns:
                if column in seen:
                    raise ValueError(f"the column {column!r} is in two groups: {seen[column]!r} and {name!r}")
                seen[column] = name
        return self

    @property
    def named_columns(self) -> tuple[str, ...]:
        """Every column the block speaks of by name."""
        grouped = [column for group in self.groups.values() for column in group.columns]
        return tuple(dict.fromkeys([*grouped, *self.columns]))

    def plain(self) -> dict[str, Any]:
        """The block as plain JSON values, without what was not said."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
