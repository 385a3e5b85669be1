"""The page of an assessment nobody signed: any model, any rows, the same measures and the same plots.

Answers: how good, fair, robust and explainable is it, how sure is that, and where does it miss the limits of a risk class?
Does not answer: may it go live. Nothing on this page was signed, and it says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sealwright.kernel import rfc3339
from sealwright.oversight.report.sections import SECTIONS, section_of, tiles_of
from sealwright.oversight.report.templates import page_template
from sealwright.oversight.report.words import OUTCOME_WORDS

__all__ = ["AssessmentFacts", "render_assessment"]

_WORST = 5
_SEVERITY = ("fail", "not_performed", "missing", "stale")


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentFacts:
    """What the page may speak of."""

    title: str
    at: datetime
    suites: Sequence[Mapping[str, Any]]  # suite results as JSON
    policy: str  # the risk class whose limits they are held against
    results: Sequence[Mapping[str, Any]]  # what came of each limit, as JSON


def render_assessment(facts: AssessmentFacts) -> str:
    """The whole page as one HTML text that loads nothing from anywhere.

    Raises
    ------
    MissingExtra
        The template or drawing library is not installed.
    """
    by_name = {str(one["suite"]): one for one in facts.suites}
    missed = sorted(
        (one for one in facts.results if one["outcome"] in _SEVERITY), key=lambda one: _SEVERITY.index(one["outcome"])
    )
    return page_template("assessment_page.html.j2").render(
        facts=facts,
        at=rfc3339(facts.at)[:16].replace("T", " ") + " UTC",
        verdict=_verdict(facts, missed),
        tiles=tiles_of(by_name),
        missed=missed[:_WORST],
        more_missed=missed[_WORST:],
        outcome_words=OUTCOME_WORDS,
        sections=[section_of(name, by_name[name]) for name in SECTIONS if name in by_name],
        first=facts.suites[0] if facts.suites else None,
    )


def _verdict(facts: AssessmentFacts, missed: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """A class for the style sheet and a sentence for the reader."""
    failed = sum(one["outcome"] == "fail" for one in missed)
    asked = sum(one["outcome"] != "not_applicable" for one in facts.results)
    if failed:
        limits = "limit" if asked == 1 else "limits"
        return "stop", f"Misses {failed} of the {asked} {limits} that {facts.policy} risk asks for."
    if missed:
        return "wait", f"Misses no limit of {facts.policy} risk; {len(missed)} of {asked} could not be measured."
    return "good", f"Keeps the {asked} limits that {facts.policy} risk asks of a model by itself."
