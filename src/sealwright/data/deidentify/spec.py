"""The `deidentify` block of a project file, or a file of its own: what is done to which column, and what must hold then.

Answers: which methods, in which order, on which columns; what may an attacker know; how indistinguishable must rows be?
Does not answer: what comes out. That is `contract` for the columns, `releasing` for the rows.
"""

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StrictBool, StrictInt, StrictStr, field_validator, model_validator

from sealwright.data.deidentify.identifiers import IdentifierKind
from sealwright.data.deidentify.steps import Generalise, Pseudonym, Redact, Section, ShiftDates, Step, Suppress
from sealwright.kernel import canonical_json, digest_of

__all__ = ["SAFE_HARBOR", "DeidentifySpec", "Enforce", "Quasi", "Sensitive"]

SAFE_HARBOR = "hipaa-safe-harbor"

_MOST_COLUMNS = 4096
_MOST_QUASI = 12


class Quasi(Section):
    """One column an attacker may know, and how it may be coarsened until rows cannot be told apart."""

    levels: tuple[Generalise, ...] | None = Field(
        default=None,
        max_length=12,
        description="From fine to coarse; each must only merge what the one before keeps apart. The last resort, taking"
        " the column out, always comes after them. Left out: chosen by the type of the column.",
    )


class Sensitive(Section):
    """One column an attacker must not learn, and how far apart its values are."""

    distance: Literal["equal", "ordered", "hierarchical"] | None = Field(
        default=None,
        description="How t-closeness measures: equal (any two values are equally far apart), ordered (by rank), or"
        " hierarchical (by `groups`). Left out: ordered for numbers and dates, equal for the rest.",
    )
    groups: dict[StrictStr, tuple[StrictStr, ...]] = Field(
        default={},
        max_length=1000,
        description="For hierarchical: each value and the groups it belongs to, from near to far, all equally many.",
    )

    @model_validator(mode="after")
    def _groups_fit(self) -> Self:
        if (self.distance == "hierarchical") != bool(self.groups):
            raise ValueError("`groups` belongs to distance: hierarchical, and is needed there")
        if len({len(path) for path in self.groups.values()}) > 1:
            raise ValueError("every value needs equally many groups; repeat the last one where there is no other")
        return self


class Enforce(Section):
    """What must hold for the rows that are given away."""

    k: StrictInt = Field(
        ge=2,
        le=1_000_000,
        description="Every row looks like at least k - 1 others to the attacker; where persons have several rows: k persons.",
    )
    l: float | None = Field(  # noqa: E741 - the name it has in the literature
        default=None, ge=1, description="Among rows that look alike, each sensitive column has at least l values."
    )
    l_kind: Literal["distinct", "entropy"] = Field(
        default="distinct",
        description="distinct: l different values. entropy: as undecided as between l equally likely values.",
    )
    t: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="Among rows that look alike, each sensitive column is spread as in the whole table, up to t.",
    )
    by: Literal["suppress", "generalise"] = Field(
        default="generalise",
        description="generalise: coarsen the quasi-identifiers as little as needed, then leave out what still stands"
        " out. suppress: leave rows out, coarsen nothing.",
    )
    most_suppressed: float = Field(
        default=0.05, ge=0, le=0.5, description="Largest share of rows that may be left out, 0 to 0.5."
    )


class DeidentifySpec(Section):
    """What is done before data is given away. Unknown keys are refused; columns nobody spoke of are, too."""

    profile: Literal["hipaa-safe-harbor"] | None = Field(
        default=None, description="Rules to start from: the 18 identifiers of 45 CFR 164.514(b)(2) are taken out."
    )
    identifiers: dict[StrictStr, IdentifierKind] = Field(
        default={}, max_length=_MOST_COLUMNS, description="For the profile: which column holds which identifier."
    )
    subject: StrictStr | None = Field(
        default=None, description="The column that names the person a row is about. Left out: `data.subject`."
    )
    columns: dict[StrictStr, tuple[Step, ...]] = Field(
        default={},
        max_length=_MOST_COLUMNS,
        description="Per column a method, or a list of methods in the order they are applied.",
    )
    keep: dict[StrictStr, Annotated[str, Field(min_length=8, max_length=500)]] = Field(
        default={},
        max_length=_MOST_COLUMNS,
        description="Columns of class personal or special, identifiers and texts that stay as they are, and why.",
    )
    quasi_identifiers: dict[StrictStr, Quasi] = Field(
        default={},
        max_length=_MOST_QUASI,
        description="Columns an attacker may know from elsewhere: age, postcode, sex, dates. A list of names will do.",
    )
    sensitive: dict[StrictStr, Sensitive] = Field(
        default={}, max_length=50, description="Columns an attacker must not learn. A list of names will do."
    )
    enforce: Enforce | None = Field(default=None, description="What must hold for the rows that are given away.")
    reversible: StrictBool = Field(
        default=False,
        description="Keep the way back from pseudonyms, sealed in the workspace. Each use needs a reason and is logged.",
    )
    population: StrictInt | None = Field(
        default=None, ge=1, description="How many persons the rows were drawn from, to estimate risks with."
    )
    as_of: date | None = Field(
        default=None, description="For the profile: the day ages are counted to. Left out: the day it is done."
    )

    @field_validator("columns", mode="before")
    @classmethod
    def _one_step_is_a_list_of_one(cls, value: Any) -> Any:
        """`name: suppress` and `name: {method: suppress}` mean a list with that one step."""
        if not isinstance(value, dict):
            return value
        return {name: [_step(one) for one in (v if isinstance(v, list) else [v])] for name, v in value.items()}

    @field_validator("quasi_identifiers", "sensitive", mode="before")
    @classmethod
    def _names_alone(cls, value: Any) -> Any:
        return {name: {} for name in value} if isinstance(value, list) else value

    @field_validator("as_of", mode="before")
    @classmethod
    def _written_day(cls, value: Any) -> Any:
        if isinstance(value, (int, float)):
            raise ValueError("a day is written like 2026-01-31")
        return value

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        self._check_steps()
        self._check_roles()
        if self.enforce and not self.quasi_identifiers:
            raise ValueError("`enforce` needs `quasi_identifiers`: what an attacker may know of a person")
        if self.enforce and (self.enforce.l or self.enforce.t) and not self.sensitive:
            raise ValueError("`l` and `t` are about `sensitive` columns; name at least one")
        if self.reversible and not self.pseudonymised:
            raise ValueError("`reversible` keeps the way back from pseudonyms; no column has method: pseudonym")
        if self.identifiers and self.profile is None:
            raise ValueError(f"`identifiers` belongs to profile: {SAFE_HARBOR}")
        return self

    def _check_steps(self) -> None:
        for name, steps in self.columns.items():
            if not steps:
                raise ValueError(f"{name!r} has no method; leave it out, or name it under `keep` with the reason")
            alone = [step.method for step in steps if isinstance(step, (Pseudonym, Suppress, Redact))]
            if alone and len(steps) > 1:
                raise ValueError(f"{name!r}: {alone[0]} leaves nothing for another method; keep one of them")
        if len({step.days for steps in self.columns.values() for step in steps if isinstance(step, ShiftDates)}) > 1:
            raise ValueError("shift_dates needs the same `days` in every column, so that intervals stay as they are")

    def _check_roles(self) -> None:
        gone = {name for name, steps in self.columns.items() if isinstance(steps[0], (Suppress, Redact))}
        for what, names in (("quasi_identifiers", self.quasi_identifiers), ("sensitive", self.sensitive)):
            if both := sorted(gone & set(names)):
                raise ValueError(f"{both[0]!r} is taken out, so it cannot be among {what}")
        if both := sorted(set(self.quasi_identifiers) & set(self.sensitive)):
            raise ValueError(f"{both[0]!r} is in quasi_identifiers and in sensitive; an attacker knows it or not")
        if both := sorted(set(self.keep) & set(self.columns)):
            raise ValueError(f"{both[0]!r} has a method, so it is not kept as it is")

    @property
    def pseudonymised(self) -> tuple[str, ...]:
        """The columns that become pseudonyms."""
        return tuple(name for name, steps in self.columns.items() if isinstance(steps[0], Pseudonym))

    @property
    def shifted(self) -> tuple[str, ...]:
        """The columns whose dates are shifted."""
        return tuple(
            name for name, steps in self.columns.items() if any(isinstance(step, ShiftDates) for step in steps)
        )

    @property
    def digest(self) -> str:
        """Digest of what it says, however it is written."""
        return digest_of(canonical_json({"format": 1, **self.model_dump(mode="json", exclude_none=True)}))


def _step(value: Any) -> Any:
    return {"method": value} if isinstance(value, str) else value
