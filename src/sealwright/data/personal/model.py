"""What a scan speaks of: kinds of personal data, spans in a text, findings in a column, a report.

Answers: which kinds are known, how sensitive is each, and what does a report hold?
Does not answer: how they are found. No object here holds a cell's value; a shape has letters and digits replaced.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from sealwright.data.column_spec import DataClass
from sealwright.data.personal.declared import DeclaredRecall

__all__ = [
    "CONFIDENCES",
    "KINDS",
    "ColumnReport",
    "Confidence",
    "Finding",
    "Kind",
    "KindFacts",
    "PersonalDataReport",
    "ScanSettings",
    "Span",
    "TEXT_KINDS",
]

Kind = Literal[
    "person_name",
    "email",
    "phone",
    "address",
    "birth_date",
    "national_id",
    "card",
    "iban",
    "ip_address",
    "mac_address",
    "url_credentials",
    "coordinates",
    "username",
    "account",
    "document_number",
    "vehicle",
    "image",
    "age",
    "postcode",
    "nationality",
    "marital_status",
    "sex",
    "origin",
    "religion",
    "disability",
    "orientation",
    "politics",
    "health",
    "genetic",
    "criminal",
    "free_text",
]
Confidence = Literal["high", "medium", "low"]
CONFIDENCES: tuple[Confidence, ...] = ("low", "medium", "high")


@dataclass(frozen=True, slots=True)
class KindFacts:
    """A kind in words, and the class a column of it belongs into."""

    about: str
    data_class: DataClass | None  # None: no personal data as such
    identifies: bool = True  # names or reaches one person; else it describes one
    keep_as_feature: bool = False  # useful to many honest models, so a person decides


KINDS: Mapping[Kind, KindFacts] = MappingProxyType(
    {
        "person_name": KindFacts("name of a person", "personal"),
        "email": KindFacts("e-mail address", "personal"),
        "phone": KindFacts("telephone number", "personal"),
        "address": KindFacts("postal address", "personal"),
        "birth_date": KindFacts("date of birth", "personal"),
        "national_id": KindFacts("national identity, tax or insurance number", "personal"),
        "card": KindFacts("payment card number", "personal"),
        "iban": KindFacts("bank account (IBAN)", "personal"),
        "ip_address": KindFacts("IP address", "personal"),
        "mac_address": KindFacts("hardware address of a device", "personal"),
        "url_credentials": KindFacts("web address with user name or password", "personal"),
        "coordinates": KindFacts("geographic coordinates", "personal"),
        "username": KindFacts("user name or handle", "personal"),
        "account": KindFacts("number of an account or customer", "personal"),
        "document_number": KindFacts("passport, licence or other document number", "personal"),
        "vehicle": KindFacts("vehicle plate or number", "personal"),
        "image": KindFacts("picture, voice or signature of a person", "personal"),
        "age": KindFacts("age", "personal", identifies=False, keep_as_feature=True),
        "postcode": KindFacts(
            "place of residence, which may stand in for origin", "personal", identifies=False, keep_as_feature=True
        ),
        "nationality": KindFacts("nationality or origin", "personal", identifies=False),
        "marital_status": KindFacts("marital status", "personal", identifies=False),
        "sex": KindFacts("sex or gender", "special", identifies=False),
        "origin": KindFacts("race or ethnic origin", "special", identifies=False),
        "religion": KindFacts("religion or belief", "special", identifies=False),
        "disability": KindFacts("disability", "special", identifies=False),
        "orientation": KindFacts("sexual orientation", "special", identifies=False),
        "politics": KindFacts("political opinion", "special", identifies=False),
        "health": KindFacts("health", "special", identifies=False, keep_as_feature=True),
        "genetic": KindFacts("genetic or biometric data", "special", identifies=False),
        "criminal": KindFacts("convictions or offences", "special", identifies=False, keep_as_feature=True),
        "free_text": KindFacts("free text, which may hold anything", None, identifies=False),
    }
)
"""Every kind, what it is called, and its class. Sex is special here because models must not learn from it unseen."""

TEXT_KINDS: tuple[Kind, ...] = (
    "person_name",
    "email",
    "phone",
    "address",
    "birth_date",
    "national_id",
    "card",
    "iban",
    "ip_address",
    "mac_address",
    "url_credentials",
    "coordinates",
)
"""Kinds that are found in a text. The others are known by the name of a column, or by its values together."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A place in a text, `start` to `end` (exclusive), as indices of the text that was given."""

    start: int
    end: int
    kind: Kind
    confidence: Confidence = "high"
    scheme: str = ""  # which national number, e.g. "us_ssn"; "" for kinds without schemes


class ScanSettings(BaseModel):
    """How far a scan looks. More takes longer; the report says what was looked at."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sample_rows: int = Field(
        default=1000, ge=100, le=1_000_000, description="Rows drawn at random and looked at whole."
    )
    most_characters: int = Field(
        default=4000,
        ge=100,
        le=1_000_000,
        description="Characters of one cell that are looked at; longer cells are cut.",
    )
    exact_megabytes: int = Field(
        default=4096,
        ge=0,
        le=1 << 20,
        description="Megabytes of text in which e-mails, cards and IBANs are looked for in every cell, not a sample.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One kind in one column. `cells` and `share` are of the non-empty cells looked at."""

    kind: Kind
    confidence: Confidence
    by_name: bool  # the column's name says so
    cells: int  # cells in which the content says so; 0 where only the name does
    of_cells: int  # cells looked at
    exact: bool  # every cell was looked at, not a sample
    schemes: tuple[str, ...] = ()  # national numbers seen, e.g. ("de_steuer_id",)
    shape: str = ""  # the most frequent shape, letters as a/A, digits as 9: never a value

    @property
    def share(self) -> float:
        """Share of the cells looked at that hold it, 0 to 1."""
        return self.cells / self.of_cells if self.of_cells else 0.0

    @property
    def data_class(self) -> DataClass | None:
        return KINDS[self.kind].data_class

    @property
    def counts(self) -> bool:
        """Sure enough to act on, and personal."""
        return self.confidence != "low" and self.data_class is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnReport:
    """What one column seems to hold, and what the contract says of it."""

    name: str
    findings: tuple[Finding, ...]
    contract_class: DataClass | None = None  # None: no contract, or not in it
    not_personal: str | None = None  # the reason the contract gives, if it does
    cells_cut: int = 0  # cells longer than what was looked at

    @property
    def suggested(self) -> DataClass | None:
        """ "special" or "personal", or None where nothing counts."""
        classes = {finding.data_class for finding in self.findings if finding.counts}
        return "special" if "special" in classes else "personal" if "personal" in classes else None

    @property
    def covered(self) -> bool | None:
        """Whether the contract treats it as personal, or says why it is not; None without a contract."""
        if self.contract_class is None:
            return None
        return self.suggested is None or self.contract_class in {"personal", "special"} or self.not_personal is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalDataReport:
    """What was looked at, what was found, and how much such a scan finds at all. Holds no value of any cell."""

    source: str
    rows: int
    rows_sampled: int
    rows_exact: int  # rows in which e-mails, cards and IBANs were looked for in every cell
    columns: tuple[ColumnReport, ...]  # every column looked at, in order
    declared: DeclaredRecall = field(repr=False)
    unread: Mapping[str, int] = field(default_factory=dict)  # rows nobody could look at, by reason (`cells.REASONS`)
    columns_unread: tuple[str, ...] = ()  # of a kind we do not read: nested, binary

    @property
    def rows_unread(self) -> int:
        """Rows nobody could look at; they are not among `rows`."""
        return sum(self.unread.values())

    def found(self) -> Iterator[ColumnReport]:
        """The columns with any finding."""
        return (column for column in self.columns if column.findings)

    def to_json(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "rows": self.rows,
            "rows_sampled": self.rows_sampled,
            "rows_exact": self.rows_exact,
            "rows_unread": self.rows_unread,
            "unread": dict(self.unread),
            "columns_unread": list(self.columns_unread),
            "columns": [
                {
                    "name": column.name,
                    "suggested": column.suggested,
                    "contract_class": column.contract_class,
                    "not_personal": column.not_personal,
                    "covered": column.covered,
                    "cells_cut": column.cells_cut,
                    "findings": [{**asdict(one), "share": round(one.share, 6)} for one in column.findings],
                }
                for column in self.columns
            ],
            "declared_recall": self.declared.model_dump(mode="json"),
        }
