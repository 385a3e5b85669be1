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
from sealwright.oversight.report.pdf import to_pdf
from sealwright.oversight.report.sections import SECTIONS, section_of, tiles_of
from sealwright.oversight.report.templates import page_template
from sealwright.oversight.report.words import OUTCOME_WORDS
from sealwright.oversight.report.worst import worst_findings

__all__ = ["ReportFacts", "print_report", "render_report"]


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
    policy: Mapping[str, Any]  # the policy it was judged by, as JSON
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
        worst=worst_findings(facts.decision["results"], facts.policy, tuple(SECTIONS)),
        tiles=tiles_of(facts.suites),
        blocking=[row for row in facts.decision["results"] if not _opens(row)],
        outcomes=Counter(row["outcome"] for row in facts.decision["results"]).most_common(),
        outcome_words=OUTCOME_WORDS,
        opens=_opens,
        sections=[section_of(name, facts.suites[name]) for name in SECTIONS if name in facts.suites],
        absent=[name for name in SECTIONS if name not in facts.suites],
        statement_of=_statement_names(facts),
    )


def print_report(facts: ReportFacts) -> bytes:
    """The same report as PDF.

    Raises
    ------
    MissingExtra
        The typesetting or the drawing library is not installed.
    """
    results = facts.decision["results"]
    name = facts.project if facts.version is None else f"{facts.project}, version {facts.version}"
    interface, snapshot = facts.interface, facts.snapshot
    return to_pdf(
        title=name,
        kicker=f"Evidence report, {rfc3339(facts.at)[:16].replace('T', ' ')} UTC",
        lead=str(facts.charter["charter"]["purpose"]),
        verdict=_verdict(facts),
        worst=[one.words for one in worst_findings(results, facts.policy, tuple(SECTIONS))],
        tiles=tiles_of(facts.suites),
        results=results,
        sections=[section_of(suite, facts.suites[suite]) for suite in SECTIONS if suite in facts.suites],
        facts={
            "Risk class": str(facts.charter["charter"]["risk_class"]),
            "Data": f"{snapshot['rows']:,} rows accepted, {snapshot['quarantined']:,} set aside in quarantine",
            "Target": f"{interface['target']} ({interface['task']})",
            "Features": ", ".join(interface["order"]),
            **facts.training,
            "Approvals": "; ".join(f"{one['approver']} as {one['role']}: {one['reason']}" for one in facts.approvals)
            or "nobody has approved this package",
            "Model": str(facts.provenance["model"]),
            "Package": facts.package,
            **{f"Statement {label}": digest for label, digest in facts.statements.items()},
            "Trust root": facts.fingerprint,
        },
        closing="Every number stands in a signed statement of the package. To check it offline and without an account: "
        "sealwright verify PACKAGE --trust trust.json. This report supports an assessment; it does not replace one.",
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
