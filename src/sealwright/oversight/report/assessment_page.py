"""The page of an assessment nobody signed: any model, any rows, the same measures and the same plots.

Answers: how good, fair, robust and explainable is it, how sure is that, and where does it miss the limits of a risk class?
Does not answer: may it go live. Nothing on this page was signed, and it says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sealwright.kernel import rfc3339
from sealwright.oversight.report.pdf import to_pdf
from sealwright.oversight.report.sections import SECTIONS, section_of, tiles_of
from sealwright.oversight.report.templates import page_template
from sealwright.oversight.report.words import OUTCOME_WORDS
from sealwright.oversight.report.worst import WORST, worst_findings

__all__ = ["AssessmentFacts", "print_assessment", "render_assessment"]

_SEVERITY = ("fail", "not_performed", "missing", "stale")


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentFacts:
    """What the page may speak of."""

    title: str
    at: datetime
    suites: Sequence[Mapping[str, Any]]  # suite results as JSON
    policy: str  # the risk class whose limits they are held against
    limits: Mapping[str, Any]  # its policy as JSON
    results: Sequence[Mapping[str, Any]]  # what came of each limit, as JSON


def render_assessment(facts: AssessmentFacts) -> str:
    """The whole page as one HTML text that loads nothing from anywhere.

    Raises
    ------
    MissingExtra
        The template or drawing library is not installed.
    """
    by_name = {str(one["suite"]): one for one in facts.suites}
    missed = _missed(facts)
    return page_template("assessment_page.html.j2").render(
        facts=facts,
        at=rfc3339(facts.at)[:16].replace("T", " ") + " UTC",
        verdict=_verdict(facts, missed),
        worst=worst_findings(facts.results, facts.limits, tuple(SECTIONS)),
        tiles=tiles_of(by_name),
        missed=missed[:WORST],
        more_missed=missed[WORST:],
        outcome_words=OUTCOME_WORDS,
        sections=[section_of(name, by_name[name]) for name in SECTIONS if name in by_name],
        first=facts.suites[0] if facts.suites else None,
    )


def print_assessment(facts: AssessmentFacts) -> bytes:
    """The same page as PDF.

    Raises
    ------
    MissingExtra
        The typesetting or the drawing library is not installed.
    """
    by_name = {str(one["suite"]): one for one in facts.suites}
    first = facts.suites[0]
    rows = first["rows"]
    return to_pdf(
        title=facts.title,
        kicker=f"Assessment, {rfc3339(facts.at)[:16].replace('T', ' ')} UTC. Not signed: it shows numbers, it proves nothing.",
        lead="",
        verdict=_verdict(facts, _missed(facts)),
        worst=[one.words for one in worst_findings(facts.results, facts.limits, tuple(SECTIONS))],
        tiles=tiles_of(by_name),
        results=facts.results,
        sections=[section_of(name, by_name[name]) for name in SECTIONS if name in by_name],
        facts={
            "Task": first["task"],
            "Rows judged": f"{rows['test_judged']:,} of {rows['test']:,}",
            "Rows learned from": f"{rows['train']:,}" if rows["train"] else "not given",
            "Seed": str(first["seed"]),
            "Model": first["model"] or "an object in memory; it has no digest",
            "Rows": first["data"],
            "Settings": first["settings_digest"],
            "Environment": ", ".join(f"{name} {number}" for name, number in first["packages"].items()),
        },
        closing=f"The same model, rows, settings and seed give the same numbers. Limits are those of the {facts.policy} policy. "
        "A limit that is kept says what was measured, not that the model may be used.",
    )


def _missed(facts: AssessmentFacts) -> list[Mapping[str, Any]]:
    found = (one for one in facts.results if one["outcome"] in _SEVERITY)
    return sorted(found, key=lambda one: _SEVERITY.index(one["outcome"]))


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
