"""The report of one version, or of one that was stopped: a page that reads like a page.

Answers: was it let through, on which evidence, and what is missing?
Every number on it comes from a verified statement and links to it; nothing is computed here.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sealwright.kernel import MissingExtra, rfc3339
from sealwright.oversight.report.charts import picture
from sealwright.oversight.report.words import OUTCOME_WORDS, interval_words, number_words, plain_check

__all__ = ["ReportFacts", "render_report"]

_SECTIONS = {
    "performance": ("How good is it?", "Measured on rows the training never saw."),
    "fairness": (
        "Does it treat groups alike?",
        "Differences between the groups the charter names. Whether one is justified, a person decides.",
    ),
    "robustness": ("Does it hold under strain?", "What happens when values are noisy, missing or swapped."),
    "stress": (
        "From which strain on does it break?",
        "Mistaken units, swapped columns, absurd values, other base rates, drift, and what the project says must hold.",
    ),
    "slices": ("Where is it worse than elsewhere?", "Parts of the data the project names, and parts found by search."),
    "explanation": (
        "What does it look at?",
        "How much worse it gets when a column is shuffled, and in which direction it pulls.",
    ),
    "quality": ("Was the data fit for it?", "What the checks of the snapshot found."),
}
_LEAD_FIGURES = 4  # per section; the rest fold away
_LEAD_FINDINGS = 8


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
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError:
        raise MissingExtra("Writing a report", "build") from None
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number_words, "check": plain_check, "short": _short}
    return environment.get_template("page.html.j2").render(
        facts=facts,
        at=rfc3339(facts.at)[:16].replace("T", " ") + " UTC",
        verdict=_verdict(facts),
        tiles=_tiles(facts),
        blocking=[row for row in facts.decision["results"] if not _opens(row)],
        outcomes=Counter(row["outcome"] for row in facts.decision["results"]).most_common(),
        outcome_words=OUTCOME_WORDS,
        opens=_opens,
        sections=[_section(name, facts) for name in _SECTIONS if name in facts.suites],
        absent=[name for name in _SECTIONS if name not in facts.suites],
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


def _tiles(facts: ReportFacts) -> list[dict[str, str]]:
    """The few numbers a reader wants first."""
    wanted = (
        "performance.roc_auc",
        "performance.r2",
        "performance.accuracy",
        "performance.mae",
        "fairness.selection_gap",
        "fairness.equal_opportunity_gap",
        "performance.calibration_error",
        "robustness.noise_auc_drop",
    )
    tiles = []
    for check in wanted:
        suite = facts.suites.get(check.split(".")[0], {})
        found = [one for one in suite.get("findings", ()) if one["check"] == check]
        if found:
            worst = max(found, key=lambda one: abs(one["value"]))
            about = f" by {worst['group']['attribute']}" if worst.get("group") else ""
            tiles.append(
                {
                    "name": plain_check(check) + about,
                    "value": number_words(worst["value"]),
                    "spread": interval_words(worst),
                    "link": f"#evidence-{check.split('.')[0]}",
                }
            )
    return tiles[:4]


def _section(name: str, facts: ReportFacts) -> dict[str, Any]:
    suite = facts.suites[name]
    title, lead = _SECTIONS[name]
    figures = [
        {"title": figure["title"], "note": figure["note"], "src": picture(figure), "alt": _alternative(figure)}
        for figure in suite["figures"]
        if figure["series"]
    ]
    findings = [{**one, "spread": interval_words(one), "about": _about(one)} for one in suite["findings"]]
    return {
        "name": name,
        "title": title,
        "lead": lead,
        "figures": figures[:_LEAD_FIGURES],
        "more_figures": figures[_LEAD_FIGURES:],
        "findings": findings[:_LEAD_FINDINGS],
        "more_findings": findings[_LEAD_FINDINGS:],
        "not_performed": [one for one in suite["not_performed"] if one["applicable"]],
    }


def _about(finding: Mapping[str, Any]) -> str:
    group = finding.get("group")
    if not group:
        return ""
    return f"{group['attribute']}: {group['level']}" if group.get("level") is not None else str(group["attribute"])


def _alternative(figure: Mapping[str, Any]) -> str:
    """What the picture shows, for those who do not see it."""
    names = ", ".join(str(series["name"]) for series in figure["series"][:4])
    return f"{figure['title']}: {figure['y'] or 'value'} over {figure['x'] or 'name'}, for {names}"


def _statement_names(facts: ReportFacts) -> dict[str, str]:
    return {digest: name for name, digest in facts.statements.items()}


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]
