"""Suites as sections of a page: the same words, plots and tables wherever findings are shown.

Answers: in which order, under which question, with which plots first?
Does not answer: are they good enough. Nothing is computed here.
"""

from collections.abc import Mapping
from typing import Any

from sealwright.oversight.report.charts import picture
from sealwright.oversight.report.words import interval_words, number_words, plain_check

__all__ = ["SECTIONS", "section_of", "tiles_of"]

SECTIONS = {
    "performance": ("How good is it?", "Measured on rows the training never saw."),
    "fairness": (
        "Does it treat groups alike?",
        "Differences between the groups that were named. Whether one is justified, a person decides.",
    ),
    "robustness": ("Does it hold under strain?", "What happens when rows are a little wrong, or changed on purpose."),
    "stress": (
        "From which strain on does it break?",
        "Mistaken units, swapped columns, absurd values, other base rates, drift, and what the project says must hold.",
    ),
    "slices": ("Where is it worse than elsewhere?", "Parts of the data the project names, and parts found by search."),
    "uncertainty": (
        "When is it sure, and rightly?",
        "Sets and intervals that hold the truth as often as promised, and the error left if unsure rows go to a person.",
    ),
    "privacy": (
        "What does it give away?",
        "Whether attackers recognise rows it learned from, guess attributes from it, or find what was planted in it.",
    ),
    "explanation": (
        "What does it look at?",
        "What it loses without a column, a word or a part of the picture, and in which direction each pulls.",
    ),
    "quality": ("Was the data fit for it?", "What the checks of the snapshot found."),
}
_LEAD_FIGURES = 4  # per section; the rest fold away
_LEAD_FINDINGS = 8


def section_of(name: str, suite: Mapping[str, Any]) -> dict[str, Any]:
    """One suite as a section of a page: the plots and findings to lead with, and those that fold away."""
    title, lead = SECTIONS[name]
    figures = [
        {"title": figure["title"], "note": figure["note"], "src": picture(figure), "alt": _alternative(figure)}
        for figure in suite["figures"]
        if figure["series"]
    ]
    whole_first = sorted(suite["findings"], key=lambda one: (one.get("group") or {}).get("level") is not None)
    findings = [{**one, "spread": interval_words(one), "about": _about(one)} for one in whole_first]
    return {
        "name": name,
        "title": title,
        "lead": lead,
        "sampled": _sampled(suite["rows"]),
        "figures": figures[:_LEAD_FIGURES],
        "more_figures": figures[_LEAD_FIGURES:],
        "findings": findings[:_LEAD_FINDINGS],
        "more_findings": findings[_LEAD_FINDINGS:],
        "not_performed": [one for one in suite["not_performed"] if one["applicable"]],
    }


def _sampled(rows: Mapping[str, int]) -> str:
    """How many rows were looked at where not all were; "" where all were."""
    parts = [
        f"{rows[judged]:,} of the {rows[whole]:,} {words}"
        for whole, judged, words in (("test", "test_judged", "test rows"), ("train", "train_judged", "training rows"))
        if 0 < rows[judged] < rows[whole]
    ]
    if not parts:
        return ""
    return (
        f"Predictions were made for {' and '.join(parts)}, drawn by lot; the intervals include the chance of that draw,"
        " and each measure says on how many rows it rests."
    )


def _about(finding: Mapping[str, Any]) -> str:
    group = finding.get("group")
    if not group:
        return ""
    return f"{group['attribute']}: {group['level']}" if group.get("level") is not None else str(group["attribute"])


def _alternative(figure: Mapping[str, Any]) -> str:
    """What the picture shows, for those who do not see it."""
    names = ", ".join(str(series["name"]) for series in figure["series"][:4])
    return f"{figure['title']}: {figure['y'] or 'value'} over {figure['x'] or 'name'}, for {names}"


def tiles_of(suites: Mapping[str, Mapping[str, Any]]) -> list[dict[str, str]]:
    """The few numbers a reader wants first."""
    wanted = (
        "performance.roc_auc",
        "performance.r2",
        "performance.accuracy",
        "performance.mae",
        "fairness.selection_gap",
        "fairness.equal_opportunity_gap",
        "performance.calibration_error",
        "robustness.noise_flip_share",
    )
    tiles = []
    for check in wanted:
        suite = suites.get(check.split(".")[0], {})
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
