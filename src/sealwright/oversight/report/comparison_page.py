"""The page of a comparison: several ways to make one model, side by side.

Answers: what does each way gain and cost, for all and for each group, and how is one chosen?
Does not answer: which one is right. Nothing on this page was signed, and it says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sealwright.kernel import rfc3339
from sealwright.oversight.report.charts import picture
from sealwright.oversight.report.templates import page_template
from sealwright.oversight.report.tradeoff import front_of
from sealwright.oversight.report.words import number_words, plain_check

__all__ = ["ComparisonFacts", "render_comparison"]

_GOOD = ("performance.accuracy", "performance.r2")
_HEADLINE = ("performance.accuracy", "performance.roc_auc", "performance.r2", "performance.mae")
_PAIRED = ("performance.gain_over_previous", "performance.decisions_over_previous")
_BY_GROUP = (
    "fairness.selection_rate",
    "fairness.true_positive_rate",
    "fairness.false_positive_rate",
    "fairness.accuracy",
    "fairness.mean_prediction",
    "fairness.mean_error",
)
_WHOLE = ("fairness.", "robustness.", "privacy.", "stress.")

Key = tuple[str, str | None, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonFacts:
    """What the page may speak of."""

    title: str
    at: datetime
    comparison: Mapping[str, Any]  # a Comparison as JSON
    trade: Sequence[str]  # checks to draw against accuracy; smaller is better


def render_comparison(facts: ComparisonFacts) -> str:
    """The whole page as one HTML text that loads nothing from anywhere.

    Raises
    ------
    MissingExtra
        The template or drawing library is not installed.
    """
    ways = list(facts.comparison["ways"])
    tables = {way["name"]: _by_key(way) for way in ways}
    done = [way for way in ways if not way["failed"]]
    measured = [key for key in _keys(done, tables) if key[2] is None]
    trade = [key for key in measured if key[0] in facts.trade]
    return page_template("comparison_page.html.j2").render(
        facts=facts,
        at=rfc3339(facts.at)[:16].replace("T", " ") + " UTC",
        ways=ways,
        done=done,
        figures=[made for key in trade if (made := _figure(key, done, tables)) is not None],
        summary=_table([*_those(measured, _HEADLINE), *_those(measured, _PAIRED), *trade], done, tables),
        every=_table([key for key in measured if key[0].startswith(_WHOLE) and key not in trade], done, tables),
        groups=_group_tables(done, tables),
    )


def _by_key(way: Mapping[str, Any]) -> dict[Key, Mapping[str, Any]]:
    return {(one["check"], one["attribute"], one["level"]): one for one in way["findings"]}


def _keys(ways: Sequence[Mapping[str, Any]], tables: Mapping[str, Mapping[Key, Any]]) -> list[Key]:
    """What some way was measured by, in the order of the suites."""
    return list(dict.fromkeys(key for way in ways for key in tables[way["name"]]))


def _those(keys: Sequence[Key], checks: Sequence[str]) -> list[Key]:
    return [key for check in checks for key in keys if key[0] == check]


def _name(key: Key) -> str:
    words = {_PAIRED[0]: "Gain over the present way (paired)", _PAIRED[1]: "Right decisions gained (paired)"}
    return words.get(key[0], plain_check(key[0])) + (f", {key[1]}" if key[1] else "")


def _table(
    keys: Sequence[Key], ways: Sequence[Mapping[str, Any]], tables: Mapping[str, Mapping[Key, Any]]
) -> dict[str, Any]:
    """A line for each measure, a column for each way, so that many measures and few ways fit on a page."""
    return {
        "heads": [way["name"] for way in ways],
        "rows": [
            {"name": _name(key), "check": key[0], "cells": [_cell(tables[way["name"]].get(key)) for way in ways]}
            for key in keys
        ],
    }


def _cell(finding: Mapping[str, Any] | None) -> dict[str, str]:
    if finding is None:
        return {"value": "", "spread": ""}
    spread = "" if finding["low"] is None else f"{number_words(finding['low'])} to {number_words(finding['high'])}"
    return {"value": number_words(finding["value"]), "spread": spread}


def _figure(
    key: Key, ways: Sequence[Mapping[str, Any]], tables: Mapping[str, Mapping[Key, Any]]
) -> dict[str, Any] | None:
    good = next((check for check in _GOOD if any((check, None, None) in tables[way["name"]] for way in ways)), None)
    points = []
    for way in ways:
        if way["about"] not in {None, key[1]}:
            continue
        across, up = tables[way["name"]].get(key), tables[way["name"]].get((str(good), None, None))
        if across is not None and up is not None:
            points.append({"name": way["name"], **_place("x", across), **_place("y", up)})
    if len(points) < 2 or good is None:
        return None
    figure = {
        "kind": "trade_off",
        "name": "comparison.trade_off",
        "points": points,
        "x": f"{_name(key)} (less is better)",
        "y": plain_check(good),
    }
    front = ", ".join(point["name"] for point in points if point["name"] in front_of(points))
    return {
        "title": f"{plain_check(good)} against {_name(key)[:1].lower()}{_name(key)[1:]}",
        "src": picture(figure),
        "alt": f"One point for each way; on the front: {front}",
        "note": f"No other way beats these in both: {front}. Bars are intervals; ways whose bars"
        " overlap may differ by chance.",
    }


def _place(axis: str, finding: Mapping[str, Any]) -> dict[str, float]:
    value = finding["value"]
    low, high = (value if finding[end] is None else finding[end] for end in ("low", "high"))
    return {axis: value, f"{axis}_low": low, f"{axis}_high": high}


def _group_tables(ways: Sequence[Mapping[str, Any]], tables: Mapping[str, Mapping[Key, Any]]) -> list[dict[str, Any]]:
    """What each group gets under each way, with the change against the present one."""
    keys = [key for key in _keys(ways, tables) if key[2] is not None]
    made = []
    for attribute in dict.fromkeys(key[1] for key in keys):
        for check in _BY_GROUP:
            levels = [key[2] for key in keys if key[0] == check and key[1] == attribute]
            if levels:
                lines = [
                    {
                        "name": way["name"],
                        "cells": [_change(tables, ways, way, (check, attribute, level)) for level in levels],
                    }
                    for way in ways
                ]
                made.append({"title": f"{plain_check(check)} by {attribute}", "heads": levels, "rows": lines})
    return made


def _change(
    tables: Mapping[str, Mapping[Key, Any]], ways: Sequence[Mapping[str, Any]], way: Mapping[str, Any], key: Key
) -> dict[str, str]:
    now, before = tables[way["name"]].get(key), tables[ways[0]["name"]].get(key)
    if now is None:
        return {"value": "", "change": ""}
    same = before is None or way is ways[0]
    return {
        "value": number_words(now["value"]),
        "change": "" if same or before is None else f"{now['value'] - before['value']:+.3f}",
    }
