"""From counts to findings: what a column holds, and how sure that is.

Answers: is this a column of that kind, or did chance make some cells look like it?
Does not answer: where the counts come from (`cells`), or what to do about it (`policy`).

A random number fulfils a check digit modulo 10 or 11 one time in ten. So a rule alone proves nothing for a single cell,
and much for a column: of 40 cells of the right shape 4 fulfil it by chance, 36 never do. Where fewer than a quarter of 20
or more such cells fulfil it, it is taken for chance; where more than half do, for the real thing.
"""

from collections.abc import Sequence

from sealwright.data.personal.cells import CellCounts
from sealwright.data.personal.column_names import Named
from sealwright.data.personal.detectors.national_id import CHANCE
from sealwright.data.personal.model import CONFIDENCES, KINDS, TEXT_KINDS, Confidence, Finding, Kind

__all__ = ["content_grade", "findings_of"]

_ENOUGH = 20  # cells of the right shape from which on a share says something
_BY_CHANCE, _NO_CHANCE = 0.25, 0.5
_TELLING = 0.15  # a rule that random numbers fulfil more often tells nothing
_EXACT_KINDS: tuple[Kind, ...] = ("email", "iban", "ip_address", "mac_address", "url_credentials")
_SHARE_IN_PROSE, _SHARE_OF_CODES = 0.01, 0.2


def findings_of(
    counts: CellCounts,
    said: Named | None,
    *,
    attribute: Kind | None = None,
    fitting: bool = True,
    names_in_mail: bool = False,
) -> tuple[Finding, ...]:
    """Everything a column's cells and name say, the surest first.

    Parameters
    ----------
    said : Named, optional
        What the name announces.
    attribute : Kind, optional
        The attribute whose words the values are.
    fitting : bool
        Whether the cells can hold what the name announces at all (a flag is no telephone number).
    names_in_mail : bool
        The cells stand in the local part of the e-mail addresses of the same rows.
    """
    graded: dict[Kind, Confidence] = {}
    for kind in TEXT_KINDS:
        grade = content_grade(kind, counts)
        if grade is not None:
            graded[kind] = grade
    if names_in_mail:
        graded["person_name"] = "high"
    if attribute is not None:
        graded[attribute] = "medium"
    if said is not None:
        graded[said.kind] = _with_name(said, graded.get(said.kind), counts, fitting=fitting)
    if counts.cells and counts.prose * 2 >= counts.cells and counts.distinct >= _ENOUGH:
        graded["free_text"] = "high"
    found = [_finding(kind, grade, counts, said) for kind, grade in graded.items()]
    order = list(KINDS)
    return tuple(sorted(found, key=lambda one: (-CONFIDENCES.index(one.confidence), order.index(one.kind))))


def _with_name(said: Named, content: Confidence | None, counts: CellCounts, *, fitting: bool) -> Confidence:
    """Name and content together: two that agree are sure; a name alone is likely, a vague one is a hint."""
    if not fitting:
        return content or "low"
    if content in {"medium", "high"}:
        return "high"
    if said.plain:
        return "medium"
    return (
        "medium" if said.kind == "person_name" and counts.cells and counts.name_shaped >= counts.cells * 0.8 else "low"
    )


def content_grade(kind: Kind, counts: CellCounts) -> Confidence | None:
    """How sure the cells alone make it, None where nothing was seen."""
    if kind == "card":
        return _card(counts)
    if kind == "national_id":
        return _national(counts)
    if kind == "person_name":
        return _person(counts)
    total, every = counts.total(kind), counts.total(kind, low=True)
    if not every:
        return None
    if kind in _EXACT_KINDS:
        return "high" if counts.by_grade[kind, "high"] else "medium" if total else "low"
    if kind == "phone" and not total:
        return "medium" if every >= counts.cells * 0.8 and counts.distinct >= _ENOUGH else "low"
    if not total:
        return "low"
    if counts.whole[kind] >= counts.cells * 0.5 or counts.by_grade[kind, "high"] >= max(
        3, counts.cells * _SHARE_IN_PROSE
    ):
        return "high"
    if kind == "phone" and not counts.by_grade[kind, "high"] and total < counts.cells * _SHARE_OF_CODES:
        return "low"  # codes, a few of which some numbering plan would accept
    often = total >= max(3, counts.cells * _SHARE_IN_PROSE) or counts.by_grade[kind, "high"]
    return "medium" if often else "low"


def _card(counts: CellCounts) -> Confidence | None:
    total = counts.total("card", low=True)
    if not total:
        return None
    if counts.card_like >= _ENOUGH:
        share = counts.card_passed / counts.card_like
        if share >= _NO_CHANCE:
            return "high"
        if share < _BY_CHANCE:
            return "low" if total <= counts.card_like else "medium"
    return "high" if counts.by_grade["card", "high"] else "medium" if counts.total("card") else "low"


def _national(counts: CellCounts) -> Confidence | None:
    grades: list[Confidence] = []
    for scheme in counts.scheme_like:
        grade = _scheme(scheme, counts)
        if grade is not None:
            grades.append(grade)
    in_text = counts.total("national_id") - sum(counts.scheme_like[scheme] for scheme in counts.schemes)
    if in_text > 0:
        grades.append("high" if counts.by_grade["national_id", "high"] >= 3 else "medium")
    if not grades:
        return "low" if counts.total("national_id", low=True) else None
    return max(grades, key=CONFIDENCES.index)


def _scheme(scheme: str, counts: CellCounts) -> Confidence | None:
    """One scheme in cells that are one number each."""
    like, passed, chance = counts.scheme_like[scheme], counts.scheme_passed[scheme], CHANCE[scheme]
    found = counts.schemes[scheme]
    if like < _ENOUGH:
        return ("medium" if passed >= like * 0.9 else "low") if found else None
    share = passed / like
    if chance <= _TELLING:
        if share >= 0.9:
            return "high"
        if share >= _NO_CHANCE:
            return "medium"
        return "low" if found else None
    return ("high" if share >= 0.98 else "low") if found >= like * _NO_CHANCE else None


def _person(counts: CellCounts) -> Confidence | None:
    if counts.cells and counts.name_shaped >= counts.cells * 0.7 and counts.named_distinct >= 5:
        share = counts.named / counts.cells
        if share >= 0.5:
            return "high"
        if share >= 0.2:
            return "medium"
    in_prose = counts.by_grade["person_name", "high"] + counts.by_grade["person_name", "medium"]
    if counts.prose and in_prose:
        return "high" if in_prose >= max(3, counts.cells * 0.05) else "medium" if in_prose >= 3 else "low"
    if in_prose >= max(3, counts.cells * 0.2):
        return "medium"
    return "low" if in_prose else None


def _finding(kind: Kind, grade: Confidence, counts: CellCounts, said: Named | None) -> Finding:
    cells = counts.total(kind, low=True)
    if kind == "person_name":
        cells = max(cells, counts.named)
    if kind == "free_text":
        cells = counts.prose
    schemes: Sequence[str] = ()
    if kind == "national_id":
        likely = [one for one in counts.scheme_like if _scheme(one, counts) in {"medium", "high"}]
        schemes = sorted(likely, key=lambda one: (-counts.scheme_passed[one], CHANCE[one]))[:3] or [
            one for one, _ in counts.schemes.most_common(3)
        ]
        cells = max([cells, *(counts.scheme_passed[one] for one in schemes)])
    return Finding(
        kind=kind,
        confidence=grade,
        by_name=said is not None and said.kind == kind,
        cells=min(cells, counts.cells),
        of_cells=counts.cells,
        exact=False,
        schemes=tuple(schemes),
        shape=counts.shape(kind),
    )
