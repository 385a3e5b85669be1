"""The account of one de-identification: what was done, what holds now, what risk stays. Holds no cell.

Answers: what would a reviewer have to know of the extract who never sees a row of it?
Does not answer: may it go to that recipient. A person decides that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sealwright.data.column_spec import ColumnSpec
from sealwright.data.deidentify.lattice import Chosen
from sealwright.data.deidentify.measuring import Measured
from sealwright.data.deidentify.risk import STILL_PERSONAL, Risk
from sealwright.data.deidentify.safe_harbor import Harbor
from sealwright.data.deidentify.spec import DeidentifySpec
from sealwright.data.deidentify.steps import Generalise, MaskText, Pseudonym, Round, ShiftDates, Step

__all__ = ["DeidentifyReport", "said"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeidentifyReport:
    """One de-identification, accounted for."""

    recipe: DeidentifySpec  # as it was applied, with what a profile added
    rows: int  # before
    released: int  # after
    columns: Mapping[str, ColumnSpec]  # of the extract
    done: Mapping[str, str]  # every column of the snapshot -> what was done with it
    before: Measured | None  # None: no quasi-identifiers were named
    after: Measured | None
    fewest_persons: int | None  # in a class; None: no two rows are about one person, or nobody said whom they are about
    chosen: Chosen | None  # None: nothing was enforced
    risk: Risk | None
    harbor: Harbor | None

    @property
    def suppressed(self) -> int:
        """Rows left out."""
        return self.rows - self.released

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values: counts, shares, names of columns, and what the recipe says. No cell."""
        wanted = self.recipe.enforce
        return {
            "format": 1,
            "recipe": self.recipe.digest,
            "rows": self.rows,
            "released": self.released,
            "suppressed": {"rows": self.suppressed, "share": self.suppressed / self.rows if self.rows else 0.0},
            "done": dict(self.done),
            "columns": [
                {"name": name, "type": one.type, "class": one.data_class} for name, one in self.columns.items()
            ],
            "reversible": self.recipe.reversible,
            "kept": dict(self.recipe.keep),
            "enforced": None if wanted is None else wanted.model_dump(mode="json", exclude_none=True),
            "levels": None if self.chosen is None else dict(self.chosen.words),
            "loss": None if self.chosen is None else self.chosen.loss,
            "before": None if self.before is None else self.before.to_json(),
            "after": None if self.after is None else self.after.to_json(),
            "fewest_persons": self.fewest_persons,
            "risk": None if self.risk is None else self.risk.to_json(),
            "safe_harbor": None if self.harbor is None else self.harbor.to_json(),
            "note": STILL_PERSONAL,
        }


def said(step: Step) -> str:
    """One method in words."""
    match step:
        case Pseudonym():
            return f"pseudonym: HMAC-SHA256 under a key of the project, {step.length} hex digits"
        case Generalise():
            return step.words()
        case ShiftDates():
            return f"dates of one person moved alike, by at most {step.days} days"
        case Round():
            return f"rounded to a multiple of {step.to:g}"
        case MaskText():
            return "what the scanner takes for personal in the text is replaced"
        case _:
            return {"suppress": "left out", "redact": "emptied"}[step.method]
