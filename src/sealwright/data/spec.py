"""The `data:` section of a project file: where the data is, and the contract it must keep.

Answers: which columns, of what type and range, how sensitive, used for what?
Does not answer: whether a file keeps the contract. That is `check`; guessing a first contract is `infer`.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictStr,
    model_validator,
)

from sealwright.data.augment.spec import AugmentSpec
from sealwright.data.basis.model import BasisSpec
from sealwright.data.clean_spec import CleanStep, check_steps
from sealwright.data.column_spec import ColumnSpec, DataClass, Role
from sealwright.data.diversity.spec import DiversitySpec
from sealwright.data.names import check_column_names, nearest, shown
from sealwright.data.privacy_budget import PrivacyBudgetSpec
from sealwright.data.quality_spec import QualitySpec
from sealwright.data.relevance_spec import RelevanceSpec
from sealwright.data.rule_spec import RuleSpec, check_rules
from sealwright.data.source_spec import FileSource, S3Source, SqlSource
from sealwright.kernel import SealwrightError, canonical_json, digest_of

__all__ = ["DataSpec", "QuarantineSpec", "READERS", "Task"]

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
        "administrator": ("public",),
    }
)
"""Which classes of columns the keys of a role open, unless the project says otherwise."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class QuarantineSpec(_Section):
    """How many rows may break the contract before the whole ingest is refused."""

    at_most_share: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="Largest share of rows that may be set aside, 0 to 1. More stops the ingest.",
    )


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
        description="How much all numbers released about this dataset, and all models trained privately on it, may say about"
        " one person (differential privacy). Without it nothing is released and nothing trained with training.privacy;"
        " with it, each counts against it in the ledger.",
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
    rules: tuple[RuleSpec, ...] = Field(
        default=(),
        max_length=100,
        exclude_if=lambda value: not value,
        description="What must hold between the columns of a row. Rows that break one are set aside at ingest, and refused or"
        " given no label by the served model.",
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
        check_rules(self.rules, self.columns)
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
        """Digest of the columns and what they may hold, in order, and of the rules between them. Where the data came from is no part of it."""
        columns = [{"name": name, **column.plain()} for name, column in self.columns.items()]
        rules = {"rules": [rule.plain() for rule in self.rules]} if self.rules else {}
        return digest_of(canonical_json({"format": 1, "columns": columns, **rules}))

    def plain(self) -> dict[str, Any]:
        """The section as plain YAML or JSON values, in reading order, without what is default anyway."""
        plain = self.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"columns"})
        return {**plain, "columns": {name: column.plain() for name, column in self.columns.items()}}

    def _with_role(self, role: Role) -> Iterator[str]:
        return (name for name, column in self.columns.items() if column.role == role)
