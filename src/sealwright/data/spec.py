"""The `data:` section of a project file: where the data is, and the contract it must keep.

Answers: which columns, of what type and range, how sensitive, used for what?
Does not answer: whether a file keeps the contract. That is `check`; guessing a first contract is `infer`.
"""

import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    StringConstraints,
    field_validator,
    model_validator,
)

from sealwright.data.augment.spec import AugmentSpec
from sealwright.data.basis.model import BasisSpec
from sealwright.data.clean_spec import CleanStep, check_steps
from sealwright.data.dates import day_number
from sealwright.data.diversity.spec import DiversitySpec
from sealwright.data.names import check_column_names, nearest, printable, shown
from sealwright.data.privacy_budget import PrivacyBudgetSpec
from sealwright.data.quality_spec import QualitySpec
from sealwright.data.relevance_spec import RelevanceSpec
from sealwright.kernel import SealwrightError, canonical_json, digest_of

__all__ = [
    "ColumnSpec",
    "ColumnType",
    "DataClass",
    "DataSpec",
    "FileSource",
    "LARGEST_INTEGER",
    "MOST_CATEGORIES",
    "QuarantineSpec",
    "READERS",
    "Role",
    "S3Source",
    "SqlSource",
    "Task",
    "TransportSpec",
]

ColumnType = Literal["integer", "number", "category", "boolean", "date", "text"]
DataClass = Literal["public", "internal", "confidential", "personal", "special"]
Role = Literal["feature", "target", "identifier", "sensitive", "ignore"]
Task = Literal["binary", "multiclass", "regression"]

READERS: Mapping[str, tuple[DataClass, ...]] = MappingProxyType(
    {
        "data_scientist": ("public", "internal", "confidential"),
        "ml_engineer": ("public", "internal"),
        "security_officer": ("public", "internal"),
        "compliance_officer": ("public", "internal", "confidential", "personal", "special"),
        "business_owner": ("public", "internal"),
        "reviewer": ("public", "internal", "confidential", "personal"),
        "auditor": ("public",),
    }
)
"""Which classes of columns the keys of a role open, unless the project says otherwise."""
LARGEST_INTEGER = 2**53
"""Beyond this, neighbouring integers are one and the same double."""
MOST_CATEGORIES = 1000

_RANGED = {"integer", "number", "date"}


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


_Encoding = Annotated[
    Literal["utf-8", "utf-16", "latin-1", "cp1252"],
    Field(description="Encoding of a CSV or JSON lines file. Excel on Windows often writes cp1252."),
]
_Delimiter = Annotated[
    Literal[",", ";", "\t", "|"] | None,
    Field(description="What separates the fields of a CSV file. Left out: found from the header."),
]
_Decimal = Annotated[Literal[".", ","], Field(description="Decimal mark of the numbers in a CSV file.")]
_Keys = Annotated[
    tuple[StrictStr, ...],
    Field(
        max_length=4096,
        exclude_if=lambda value: not value,
        description="JSON lines only: keys that may be missing in the first rows, where columns are looked for.",
    ),
]


class FileSource(_Section):
    """A file that needs more said about it than its name."""

    file: StrictStr = Field(
        description="Path of the file, relative to the project folder."
        " CSV (.csv, .tsv, .txt, also .gz), JSON lines (.jsonl, .ndjson, also .gz), Parquet (.parquet) or Arrow (.arrow,"
        " .feather). A folder, or a pattern such as parts/*.parquet: part files of one table, read in the order of"
        " their names."
    )
    encoding: _Encoding = "utf-8"
    delimiter: _Delimiter = None
    decimal: _Decimal = "."
    keys: _Keys = ()


class TransportSpec(_Section):
    """What is allowed on the way from the source to this machine."""

    unencrypted: Annotated[str, StringConstraints(strict=True, strip_whitespace=True)] = Field(
        min_length=8,
        max_length=500,
        description="Why rows may travel unencrypted here. Goes into the ledger each time it is made use of.",
    )


class SqlSource(_Section):
    """One query against a database. The address, which may hold a password, stays out of the project file."""

    sql: StrictStr = Field(min_length=1, max_length=100_000, description="One SELECT statement. It is only ever read.")
    url_env: StrictStr = Field(
        pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$",
        description="Name of the environment variable that holds the SQLAlchemy URL, e.g. CREDIT_DB_URL.",
    )
    transport: TransportSpec | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="Only where the database is on another machine and cannot be asked for TLS: {unencrypted: why}.",
    )


class S3Source(_Section):
    """An object in an S3-compatible store, or all whose names begin alike. Credentials come from the usual AWS
    environment variables and profiles, never from the project file."""

    s3: StrictStr = Field(
        pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^\x00-\x1f\x7f]{1,1024}$",
        description="s3://bucket/key of a file of a kind that `file` may name; a key that ends in / or holds * names all"
        " parts of a table.",
    )
    endpoint: StrictStr | None = Field(
        default=None,
        pattern=r"^https?://[A-Za-z0-9.\[\]:_-]+/?$",
        description="Address of the store, e.g. https://s3.example.org. Left out: AWS.",
    )
    region: StrictStr | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9-]{1,64}$",
        description="Region of the bucket. Left out: as AWS is configured.",
    )
    version: StrictStr | None = Field(
        default=None,
        pattern=r"^[\x21-\x7e]{1,1024}$",
        description="Version id of the object, where the bucket keeps versions. Left out: the newest when it is opened.",
    )
    encoding: _Encoding = "utf-8"
    delimiter: _Delimiter = None
    decimal: _Decimal = "."
    keys: _Keys = ()
    transport: TransportSpec | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="Only where the store on another machine speaks no https: {unencrypted: why}.",
    )


class QuarantineSpec(_Section):
    """How many rows may break the contract before the whole ingest is refused."""

    at_most_share: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="Largest share of rows that may be set aside, 0 to 1. More stops the ingest.",
    )


class ColumnSpec(_Section):
    """What one column may hold, how sensitive it is, and what it is used for."""

    type: ColumnType = Field(
        description="integer (whole, within ±2^53), number (finite double), category (one of `categories`),"
        " boolean (true, false, 1, 0), date (2026-11-22), text (anything; never given to a model)."
    )
    nullable: StrictBool = Field(
        default=False, description="Whether a cell may be empty. An empty field is a missing value, for every type."
    )
    nulls: tuple[StrictStr, ...] = Field(
        default=(), max_length=20, description="Words that mean missing besides the empty field, e.g. [NA, '?']."
    )
    min: StrictInt | StrictFloat | StrictStr | None = Field(
        default=None, description="Smallest value allowed: a number, or a date such as 2015-01-01."
    )
    max: StrictInt | StrictFloat | StrictStr | None = Field(
        default=None, description="Largest value allowed: a number, or a date such as 2015-12-31."
    )
    categories: tuple[StrictStr, ...] | None = Field(
        default=None, description="The values a category may have, exactly as written in the data. Others are refused."
    )
    data_class: DataClass = Field(
        default="internal",
        alias="class",
        description="How sensitive the column is. Each class is encrypted under its own key."
        " special: data such as health, origin or belief that the law protects most.",
    )
    role: Role = Field(
        default="feature",
        description="feature (given to the model), target, identifier (kept, not given), sensitive (kept to compare"
        " groups, not given), ignore (not read into the snapshot at all).",
    )
    not_personal: StrictStr | None = Field(
        default=None,
        min_length=8,
        max_length=500,
        exclude_if=lambda value: value is None,
        description="Why the column holds no data about persons, where the scanner takes it for such:"
        " sealwright data scan. Part of the contract, so the statement is signed with it.",
    )

    @field_validator("categories", "nulls", mode="before")
    @classmethod
    def _whole_numbers_as_text(cls, value: Any) -> Any:
        """`[1, 2]` means the texts 1 and 2; true, false and 1.0 have several spellings and must be quoted."""
        if not isinstance(value, (list, tuple)):
            return value
        for item in value:
            if isinstance(item, (bool, float)):
                raise ValueError(f"write the value {item!r} in quotes, exactly as it stands in the data")
        return tuple(str(item) if isinstance(item, int) else item for item in value)

    @field_validator("categories")
    @classmethod
    def _usable_categories(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value is None:
            return None
        if not 1 <= len(value) <= MOST_CATEGORIES:
            raise ValueError(f"list 1 to {MOST_CATEGORIES:,} categories; got {len(value):,}")
        if len(set(value)) != len(value):
            raise ValueError("a category is listed twice")
        if "" in value:
            raise ValueError("the empty text is a missing value, never a category; set nullable: true instead")
        if not all(printable(item) and len(item) <= 500 for item in value):
            raise ValueError("a category holds control characters or is longer than 500 characters")
        return value

    @model_validator(mode="after")
    def _parts_agree(self) -> "ColumnSpec":
        if (self.type == "category") != (self.categories is not None):
            raise ValueError("`categories` belongs to type: category, and is needed there")
        if set(self.nulls) & set(self.categories or ()):
            raise ValueError("a word cannot be both in `nulls` and in `categories`")
        if self.nulls and not self.nullable:
            raise ValueError("`nulls` names words for missing values; set nullable: true as well")
        if self.type == "text" and self.role not in {"identifier", "ignore"}:
            raise ValueError("text cannot be given to a model or compared; set role: ignore or role: identifier")
        if self.type == "date" and self.role == "target":
            raise ValueError("a date cannot be the target")
        if self.not_personal is not None and self.data_class in {"personal", "special"}:
            raise ValueError(
                f"`not_personal` says it is no personal data, class: {self.data_class} that it is; keep one"
            )
        least, most = self.bounds
        if least is not None and most is not None and least > most:
            raise ValueError("`min` is larger than `max`")
        return self

    def plain(self) -> dict[str, Any]:
        """The column as plain values: what a person needs to read, without unused parts."""
        always = {"type", "nullable", "data_class", "role"}
        used = self.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude=always)
        return {"type": self.type, "nullable": self.nullable, **used, "class": self.data_class, "role": self.role}

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """`min` and `max` as numbers; a date as days since 1970-01-01."""
        return self._bound("min", self.min), self._bound("max", self.max)

    def _bound(self, name: str, value: float | str | None) -> float | None:
        if value is None:
            return None
        if self.type not in _RANGED:
            raise ValueError(f"`{name}` belongs to integer, number and date; a {self.type} has none")
        if self.type == "date":
            days = day_number(value) if isinstance(value, str) else None
            if days is None:
                raise ValueError(f"`{name}` of a date is written like 2015-01-31")
            return days
        if isinstance(value, str) or not math.isfinite(value):
            raise ValueError(f"`{name}` must be a finite number")
        whole = isinstance(value, int) or (self.type == "integer" and value == int(value))
        if (self.type == "integer" and not whole) or (whole and abs(value) > LARGEST_INTEGER):
            raise ValueError(f"`{name}` must be within ±2^53, and whole for an integer")
        return value


class DataSpec(_Section):
    """Where the data is and the contract it must keep. Unknown keys are refused."""

    source: StrictStr | FileSource | SqlSource | S3Source = Field(
        description="A file, relative to the project folder; or {file, encoding, …}; or {sql, url_env}; or {s3, endpoint,"
        " …}."
    )
    target: StrictStr = Field(description="The column to predict.")
    positive: StrictStr | None = Field(
        default=None, description="Two classes only: the one that is the good or looked-for outcome."
    )
    test_share: float = Field(
        default=0.25, ge=0.05, le=0.5, description="Share of rows kept apart to test the model, 0.05 to 0.5."
    )
    quarantine: QuarantineSpec = Field(
        default=QuarantineSpec(), description="Rows that break the contract are set aside, encrypted, up to this limit."
    )
    basis: BasisSpec | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="Why this data may be held: who answers for it, where it came from, on what lawful basis, for which"
        " purposes, for how long. Needed for columns about persons and for high-risk projects.",
    )
    subject: StrictStr | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="The identifier column that names the person each row is about. Their personal and special cells are"
        " then sealed under a key of their own, and the person can be found, exported and erased.",
    )
    privacy_budget: PrivacyBudgetSpec | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="How much all numbers released about this dataset may say about one person (differential privacy)."
        " Without it nothing is released; with it, sealwright data release counts against it in the ledger.",
    )
    readers: dict[StrictStr, tuple[DataClass, ...]] | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="Which classes of columns each role may read, where it differs from the usual, e.g."
        " {data_scientist: [public, internal]}. Training and assurance are no role: they run in the system.",
    )
    key: tuple[StrictStr, ...] = Field(
        default=(),
        max_length=20,
        exclude_if=lambda value: not value,
        description="The columns that together name a row, so that new data can replace or delete it:"
        " sealwright data upsert, sealwright data delete.",
    )
    diversity: DiversitySpec | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="Whose share in the data is looked at, and the population it is held against. Left out: the"
        " sensitive columns are counted, against no reference.",
    )
    augment: AugmentSpec | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="Groups for which rows are made up. They are marked for ever, used for training only, never to test.",
    )
    quality: QualitySpec | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="Where findings about the quality of the data begin, and which checks are left out.",
    )
    relevance: RelevanceSpec | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="Which column says when a row was collected, and how old data may be for this purpose.",
    )
    clean: tuple[CleanStep, ...] = Field(
        default=(),
        max_length=100,
        exclude_if=lambda value: not value,
        description="The steps that make the cleaned snapshot, in order. Every change is counted, logged and can be undone.",
    )
    columns: dict[StrictStr, ColumnSpec] = Field(
        min_length=1, description="Every column of the source by name, in the order the snapshot keeps them."
    )

    @model_validator(mode="before")
    @classmethod
    def _target_role_follows(cls, value: Any) -> Any:
        """The column named by `target` need not repeat `role: target`; and `positive: 1` means the text 1."""
        if not isinstance(value, dict) or not isinstance(value.get("columns"), dict):
            return value
        column = value["columns"].get(value.get("target"))
        if isinstance(column, dict) and "role" not in column:
            value = {**value, "columns": {**value["columns"], value["target"]: {**column, "role": "target"}}}
        positive = value.get("positive")
        if isinstance(positive, int) and not isinstance(positive, bool):
            value = {**value, "positive": str(positive)}
        return value

    @model_validator(mode="after")
    def _parts_agree(self) -> "DataSpec":
        try:
            check_column_names(tuple(self.columns), what="data.columns")
        except SealwrightError as error:
            raise ValueError(str(error)) from None
        self._check_target()
        self._check_subject()
        self._check_care()
        if self.diversity is not None:
            self.diversity.refuse_unknown(self.kept)
        if self.augment is not None:
            self.augment.refuse_unknown(self.kept)
        self._check_key()
        if self.privacy_budget is not None:
            self.privacy_budget.refuse_unit(self.subject)
        if not self.features:
            raise ValueError("no column has role: feature, so there is nothing to learn from")
        return self

    def _check_target(self) -> None:
        column = self.columns.get(self.target)
        if column is None:
            raise ValueError(
                f"the target {shown(self.target)} is not among the columns.{nearest(self.target, self.columns)}"
            )
        targets = [name for name, found in self.columns.items() if found.role == "target"]
        if targets != [self.target]:
            raise ValueError(f"exactly the column {shown(self.target)} has role: target; found {targets}")
        if column.nullable:
            raise ValueError("the target cannot be empty; set nullable: false, and rows without it are set aside")
        if column.type == "category" and len(self.classes) < 2:
            raise ValueError("the target has one category only; there is nothing to predict")
        if self.task == "binary" and self.positive not in self.classes:
            raise ValueError(f"set `positive` to one of the two classes of the target: {', '.join(self.classes)}")
        if self.task != "binary" and self.positive is not None:
            raise ValueError(f"`positive` is for a target with two classes; this is a {self.task} task")

    def _check_key(self) -> None:
        unknown = [name for name in self.key if name not in self.kept]
        if unknown:
            raise ValueError(f"the key names {shown(unknown[0])}, which is not kept.{nearest(unknown[0], self.kept)}")
        if any(self.columns[name].nullable for name in self.key) or len(set(self.key)) != len(self.key):
            raise ValueError("the columns of the key need nullable: false, and each stands there once")

    def _check_subject(self) -> None:
        if self.subject is None:
            return
        column = self.columns.get(self.subject)
        if column is None:
            raise ValueError(
                f"the subject {shown(self.subject)} is not among the columns.{nearest(self.subject, self.columns)}"
            )
        if column.role != "identifier" or column.nullable or column.type not in {"integer", "text", "category"}:
            raise ValueError(
                f"the subject {shown(self.subject)} needs role: identifier, nullable: false, and type integer, text or"
                " category, so that every row names its person"
            )

    def _check_care(self) -> None:
        """`clean` and `relevance` name columns that are there and of the right type."""
        try:
            check_steps(self.clean, self.columns, self.subject)
        except ValueError as error:
            raise ValueError(f"clean: {error}") from None
        day = None if self.relevance is None else self.relevance.date
        if day is not None and (day not in self.kept or self.columns[day].type != "date"):
            raise ValueError(f"relevance.date: {shown(day)} is not a column of type date.{nearest(day, self.kept)}")

    @property
    def task(self) -> Task:
        """What kind of prediction the target asks for."""
        if self.columns[self.target].type in {"integer", "number"}:
            return "regression"
        return "binary" if len(self.classes) == 2 else "multiclass"

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of the target in the order of the contract; none for regression."""
        column = self.columns[self.target]
        return ("false", "true") if column.type == "boolean" else tuple(column.categories or ())

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the columns given to the model, in order."""
        return tuple(self._with_role("feature"))

    @property
    def sensitive(self) -> tuple[str, ...]:
        """Names of the columns kept to compare groups, in order."""
        return tuple(self._with_role("sensitive"))

    @property
    def kept(self) -> tuple[str, ...]:
        """Names of the columns a snapshot holds, in order: all but those with role ignore."""
        return tuple(name for name, column in self.columns.items() if column.role != "ignore")

    @property
    def contract_digest(self) -> str:
        """Digest of the columns and what they may hold, in order. Where the data came from is no part of it."""
        columns = [{"name": name, **column.plain()} for name, column in self.columns.items()]
        return digest_of(canonical_json({"format": 1, "columns": columns}))

    def plain(self) -> dict[str, Any]:
        """The section as plain YAML or JSON values, in reading order, without what is default anyway."""
        plain = self.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"columns"})
        return {**plain, "columns": {name: column.plain() for name, column in self.columns.items()}}

    def _with_role(self, role: Role) -> Iterator[str]:
        return (name for name, column in self.columns.items() if column.role == role)
