"""How much this scanner finds on a known set, as measured and written down.

Answers: of what was planted in that set, what share did the scanner find, and how much did it find that was not there?
Does not answer: how much it finds in your data. `tools/measure_scanner.py` measures; a test repeats it.
"""

from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict

__all__ = ["DeclaredRecall", "KindMeasured", "declared_recall"]


class KindMeasured(BaseModel):
    """Counts for one kind. A planted value is found if every letter and digit of it lies in spans of that kind."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    planted: int
    found: int
    touched: int  # some of it found, or found as another kind: it would not pass unseen
    false_alarms: int  # spans that touch nothing planted
    recall: float
    precision: float


class DeclaredRecall(BaseModel):
    """The declaration: which set, and what was found in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    set: str  # name of the set, e.g. "seeded-2, held out"
    seed: int
    texts: int
    texts_without: int  # texts with nothing personal in them
    texts_missed: int  # texts with something planted, of which a letter or digit is in no span
    texts_false: int  # texts with nothing personal in which something was found
    kinds: dict[str, KindMeasured]
    columns: dict[str, KindMeasured]  # whole columns, judged by content alone


@cache
def declared_recall() -> DeclaredRecall:
    """The declaration that belongs to this version."""
    text = files("sealwright.data.personal").joinpath("declared_recall.json").read_text(encoding="utf-8")
    return DeclaredRecall.model_validate_json(text)
