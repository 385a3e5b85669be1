"""Attributes crossed into one: young women, not only the young and women.

Answers: which crossed groups are there to compare?
Does not answer: how they fare; a check for each kind of outcome does.
"""

from itertools import combinations

import numpy as np

from sealwright.assurance.attributes import Attribute
from sealwright.assurance.case import Case

__all__ = ["crossed_attributes", "crossed_groups"]


def crossed_attributes(case: Case) -> list[Attribute] | str:
    """Every two, three, … attributes as one, up to `assurance.crossed`; or why there is nothing to cross."""
    usable = [attribute for attribute in case.attributes if not attribute.problem]
    if case.spec.crossed < 2 or len(usable) < 2:
        why = "assurance.crossed is 1" if case.spec.crossed < 2 else "only one attribute can be compared"
        return f"{why}, so there is nothing to cross"
    depths = range(2, case.spec.crossed + 1)
    return [crossed_groups(members) for depth in depths for members in combinations(usable, depth)]


def crossed_groups(members: tuple[Attribute, ...]) -> Attribute:
    """Attributes as one, its levels being those combinations that occur."""
    codes, sizes = np.stack([one.codes for one in members]), [len(one.levels) for one in members]
    present, places = np.unique(np.ravel_multi_index(tuple(codes), sizes), return_inverse=True)
    parts = np.unravel_index(present, sizes)
    levels = (
        " × ".join(one.levels[at] for one, at in zip(members, place, strict=True)) for place in zip(*parts, strict=True)
    )
    name = " × ".join(one.name for one in members)
    return Attribute(name=name, levels=tuple(levels), codes=places.astype(np.int64), how="")
