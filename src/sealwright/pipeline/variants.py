"""Other ways to make the project's model, to be compared with it side by side."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Variant"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One other way. What it changes is a part of `training:`, so the one that is chosen is written into the project file."""

    name: str  # "reweighing"
    words: str  # what it does, in one sentence
    training: Mapping[str, Any]  # fields of the `training:` section that differ from the project's
    about: str | None = None  # the attribute it is for, where it is for one; plots of another leave it out
