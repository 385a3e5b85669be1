"""The report of one version, or of one that was stopped: a page that reads like a page.

Answers: was it let through, on which evidence, and what is missing?
Every number on it comes from a verified statement and links to it; nothing is computed here.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sealwright.kernel import rfc3339
from sealwright.oversight.report.sections import SECTIONS, section_of, tiles_of
from sealwright.oversight.report.templates import page_template
from sealwright.oversight.report.words import OUTCOME_WORDS

__all__ = ["ReportFacts", "render_report"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFacts:
    """What a report may speak of: content of verified statements, and their digests."""

    project: str
    version: int | None  # None: not registered
    package: str
    workspace: str
    fingerprint: str  # of the trust root that signed everything
    at: datetime
    charter: Mapping[str, Any]
    snapshot: Mapping[str, Any]
    provenance: Mapping[str, Any]
    suites: Mapping[str, Mapping[str, Any]]  # suite name -> its result as JSON
    decision: Mapping[str, Any]  # the gate's decision as JSON
    interface: Mapping[str, Any]
    statements: Mapping[str, str]  # name -> digest of the statement
    approvals: Sequence[Mapping[str, Any]] = ()
    training: Mapping[str, Any] = field(default_factory=dict)


def render_report(facts: ReportFacts) -> str:
    """The whole page as one HTML text that loads nothing from anywhere.

    Raises
    ------
    MissingExtra
        The template or drawing library is not installed.
    """
    return page_template("page.html.j2").render(
        facts=facts,
        at=rfc3339(facts.at)[:16].replace("T", " ") + " UTC",
        verdict=_verdict(facts),
        tiles=tiles_of(facts.suites),
        blocking=[row for row in facts.decision["results"] if not _opens(row)],
        outcomes=Counter(row["outcome"] for row in facts.decision["results"]).most_common(),
        outcome_words=OUTCOME_WORDS,
        opens=_opens,
        sections=[section_of(name, facts.suites[name]) for name in SECTIONS if name in facts.suites],
        absent=[name for name in SECTIONS if name not in facts.suites],
        statement_of=_statement_names(facts),
    )


def _verdict(facts: ReportFacts) -> tuple[str, str]:
    """A class for the style sheet and a sentence for the reader."""
    waiting = [row for row in facts.decision["results"] if not _opens(row)]
    if not waiting:
        if facts.version is not None:
            return "good", f"Version {facts.version} passed every check its policy asks for, and is sealed."
        return "good", "It passed every check its policy asks for. It is not sealed yet."
    if all(row["outcome"] == "not_yet" for row in waiting):
        return "wait", f"The evidence is in. {len(waiting)} step{'s' * (len(waiting) > 1)} by people remain."
    return (
        "stop",
        f"Stopped by its policy: {len(waiting)} of {len(facts.decision['results'])} requirements stand in the way.",
    )


def _opens(row: Mapping[str, Any]) -> bool:
    return row["outcome"] in {"pass", "attested", "not_applicable"}


def _statement_names(facts: ReportFacts) -> dict[str, str]:
    return {digest: name for name, digest in facts.statements.items()}
