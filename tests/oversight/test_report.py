"""The report says what the evidence says, loads nothing, and shows hostile names as text."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from sealwright.oversight import (
    ReportFacts,
    interval_words,
    number_words,
    plain_check,
    print_report,
    render_report,
)
from sealwright.oversight.report.charts import picture

HOSTILE = "<script>alert(1)</script>\"'&{{7*7}}{% raw %}\x1b[31m"
DIGEST = "sha256:" + "a" * 64


def series(
    name: str, x: list[Any], y: list[float], low: list[float] | None = None, high: list[float] | None = None
) -> dict[str, Any]:
    return {"name": name, "x": x, "y": y, "low": low, "high": high, "n": None}


def figure(kind: str, *lines: dict[str, Any], name: str = "performance.roc") -> dict[str, Any]:
    return {"name": name, "kind": kind, "title": f"A {kind}", "x": "x", "y": "y", "series": list(lines), "note": ""}


LINES = figure("lines", series("good", [0.0, 0.5, 1.0], [0.0, 0.8, 1.0], [0.0, 0.7, 1.0], [0.0, 0.9, 1.0]))
BARS = figure(
    "bars",
    series("rate", ["a", "b"], [0.2, 0.4], [0.1, 0.3], [0.3, 0.5]),
    series("other", ["a", "b"], [0.1, 0.2], [0.0, 0.1], [0.2, 0.3]),
)
PLAIN_BARS = figure("bars", series("n", ["a", HOSTILE], [5.0, 7.0]))
MATRIX = figure("matrix", series("bad", ["bad", "good"], [3.0, 1.0]), series("good", ["bad", "good"], [2.0, 9.0]))


def finding(check: str, value: float, **more: Any) -> dict[str, Any]:
    return {
        "check": check,
        "value": value,
        "low": value - 0.05,
        "high": value + 0.05,
        "n": 250,
        "unit": "auc",
        "definition": "A measure.",
        "group": None,
        "note": "",
        **more,
    }


def instance(value: float | None, **more: Any) -> dict[str, Any]:
    spread = {"low": None, "high": None} if value is None else {"low": value - 0.05, "high": value + 0.05}
    return {
        "outcome": "pass",
        "found": "?",
        "attribute": None,
        "value": value,
        "n": 250,
        "unit": "auc",
        **spread,
        **more,
    }


ROWS = {"test": 250, "test_judged": 250, "train": 750, "train_judged": 750}
POLICY = {"requirements": [{"check": "performance.roc_auc", "at_least": 0.7, "at_most": None}]}


@pytest.fixture
def facts() -> ReportFacts:
    performance = {
        "findings": [finding("performance.roc_auc", 0.8123)],
        "figures": [LINES, MATRIX],
        "rows": ROWS,
        "not_performed": [],
    }
    fairness = {
        "findings": [finding("fairness.selection_gap", 0.1, group={"attribute": HOSTILE, "level": None})],
        "figures": [BARS, PLAIN_BARS],
        "rows": ROWS,
        "not_performed": [
            {
                "check": "fairness.coverage",
                "why": HOSTILE,
                "group": {"attribute": "sex", "level": None},
                "applicable": True,
            },
            {"check": "fairness.error_gap", "why": "NOT-SHOWN", "group": None, "applicable": False},
        ],
    }
    result = {
        "check": "performance.roc_auc", "outcome": "pass", "found": "0.81", "limit": "at least 0.7", "why": "because",
        "who": "data_scientist", "next_step": "", "source": "class", "evidence": [DIGEST], "instances": [instance(0.81)],
    }  # fmt: skip
    return ReportFacts(
        project="german-credit",
        version=1,
        package=DIGEST,
        workspace="ws_1",
        fingerprint=DIGEST,
        at=datetime(2026, 11, 22, 15, tzinfo=UTC),
        charter={"charter": {"purpose": HOSTILE, "risk_class": "high"}},
        snapshot={"rows": 1000, "quarantined": 3},
        provenance={"model": DIGEST},
        suites={"performance": performance, "fairness": fairness},
        decision={"results": [result], "below_class": [], "loosened": []},
        policy=POLICY,
        interface={"target": "outcome", "task": "binary", "classes": ["bad", "good"], "order": ["age", HOSTILE]},
        statements={"performance": DIGEST, "fairness": DIGEST, "snapshot": DIGEST, "provenance": DIGEST},
        approvals=[{"approver": "sofia", "role": "security_officer", "at": "2026-11-22T15:00:00", "reason": HOSTILE}],
        training={"Recipe": HOSTILE},
    )


class Page(HTMLParser):
    """Tags, ids and link targets of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.sources: list[str] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id" and value:
                self.ids.add(value)
            elif name == "href" and value:
                self.links.append(value)
            elif name == "src" and value:
                self.sources.append(value)
            elif name.startswith("on"):
                self.handlers.append(name)


def parsed(html: str) -> Page:
    page = Page()
    page.feed(html)
    return page


def test_t30_hostile_names_are_text_and_t32_templates_stay_literal(facts: ReportFacts) -> None:
    html = render_report(facts)
    page = parsed(html)
    assert "script" not in page.tags
    assert page.handlers == []
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "{{7*7}}" in html


def test_the_page_loads_nothing_and_forbids_it(facts: ReportFacts) -> None:
    html = render_report(facts)
    page = parsed(html)
    assert all(source.startswith("data:image/svg+xml;base64,") for source in page.sources)
    assert all(link.startswith("#") for link in page.links)
    assert "default-src 'none'" in html
    assert not {"link", "iframe", "object", "embed", "form"} & set(page.tags)


def test_every_link_leads_somewhere_on_the_page(facts: ReportFacts) -> None:
    page = parsed(render_report(facts))
    assert {link.removeprefix("#") for link in page.links} <= page.ids


def test_a_number_on_the_page_is_the_number_of_the_statement(facts: ReportFacts) -> None:
    html = render_report(facts)
    assert re.search(r'<a href="#evidence-performance">0\.812</a>', html)
    assert "0.762 to 0.862, n 250" in html


def test_what_was_not_measured_is_said_and_what_cannot_be_is_not(facts: ReportFacts) -> None:
    html = render_report(facts)
    assert "1 not measured" in html
    assert "NOT-SHOWN" not in html


@pytest.mark.parametrize(
    ("outcomes", "words"),
    [
        (["pass", "not_applicable"], "passed every check"),
        (["pass", "not_yet"], "1 step by people remain"),
        (["fail", "not_yet"], "Stopped by its policy: 2 of 2"),
        (["missing", "pass"], "Stopped by its policy: 1 of 2"),
    ],
)
def test_the_verdict_follows_from_the_outcomes(facts: ReportFacts, outcomes: list[str], words: str) -> None:
    rows = [{**facts.decision["results"][0], "outcome": outcome} for outcome in outcomes]
    html = render_report(replace(facts, decision={**facts.decision, "results": rows}))
    assert words in html
    assert ("What stands in the way" in html) == (not {"fail", "missing", "not_yet"}.isdisjoint(outcomes))


@pytest.mark.parametrize("drawn", [LINES, BARS, PLAIN_BARS, MATRIX], ids=["lines", "bars", "plain bars", "matrix"])
def test_each_kind_of_figure_is_drawn_the_same_way_twice(drawn: dict[str, Any]) -> None:
    first = picture(drawn)
    assert first == picture(drawn)
    assert len(first) > 2000


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.0, "0"),
        (1.0, "1"),
        (250.0, "250"),
        (0.81234, "0.812"),
        (1.7e-7, "1.7e-07"),
        (12345.6, "12,346"),
        (-0.25, "-0.250"),
    ],
)
def test_numbers_have_three_digits_that_mean_something(value: float, words: str) -> None:
    assert number_words(value) == words


def test_names_and_intervals_read_like_words() -> None:
    assert plain_check("performance.roc_auc") == "ROC AUC"
    assert plain_check("parity.flips") == "Parity: flips"
    assert plain_check("privacy.membership_tpr_at_0_1_pct_fpr") == "Membership TPR at 0.1 % FPR"
    assert interval_words({"n": 1000, "low": None, "high": None}) == "n 1,000"


def test_a_reader_learns_the_worst_before_any_table(facts: ReportFacts) -> None:
    html = render_report(facts)
    first = html.index("What to know first", html.index("<main>") + html[html.index("<main>") :].index("</header>"))
    assert first < html.index('id="gate"')
    assert "ROC AUC is 0.810 (0.760 to 0.860, 250 rows), within its limit of at least 0.700." in html


def test_the_printed_report_has_the_same_words_and_takes_none_as_markup(facts: ReportFacts) -> None:
    hostile = '#panic("x") $ * _ ` @ref <label> // #read("/etc/passwd") ' + HOSTILE
    changed = replace(facts, project=hostile, training={"Recipe": hostile})
    pdf = print_report(changed)
    assert pdf.startswith(b"%PDF-")
    assert b"/Count" in pdf
    assert len(pdf) < 3_000_000
    assert pdf == print_report(changed)
