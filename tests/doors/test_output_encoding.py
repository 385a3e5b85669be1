"""T-30, T-31, T-32: what somebody else wrote is only text where we show it: in a page, a terminal, a spreadsheet, a log."""

import ast
import csv
import html.parser
import io
import json
import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import sealwright as sw
from sealwright.data.basis import RopaField, RopaRecord, ropa_csv, ropa_html
from sealwright.data.deidentify.tables import table_bytes
from sealwright.doors.cli import options, show
from sealwright.doors.control.console import Console
from sealwright.doors.control.templates import render
from sealwright.kernel import csv_cell, csv_text, json_text, safe, safe_html, system_clock

SOURCE = Path(__file__).parents[2] / "src" / "sealwright"

MARKUP = [
    "<script>alert(1)</script>", "<img src=x onerror=document.title='pwned'>", "<svg onload=document.title='pwned'>", "\"><script>document.title='pwned'</script>",
    "'><img src=x onerror=document.title='pwned'>", "</td></table><h1>pwned</h1>", "</title><script>document.title='pwned'</script>",
    "</style><img src=x onerror=document.title='pwned'>", "<a href=javascript:document.title='pwned'>x</a>", "<iframe srcdoc='<script>parent.document.title=1</script>'>",
    "<body onload=document.title='pwned'>", "<details open ontoggle=document.title='pwned'>", "<math><mi//xlink:href='data:x,<script>'>", "<!--<img src='--><img src=x onerror=document.title=1>",
    "<meta http-equiv=refresh content=0;url=//evil.example>", "<base href=//evil.example>", "<form action=//evil.example><button>", "<link rel=stylesheet href=//evil.example>",
    "&lt;script&gt;alert(1)&lt;/script&gt;", "&#60;script&#62;", "\" onmouseover=document.title=1 x=\"", "' onfocus=document.title=1 autofocus='", "` onclick=x", "<scr\u0131pt>", "＜script＞", "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>", "]]><script>x</script>", "<?php echo 1 ?>", "<%= 7*7 %>",
]  # fmt: skip
TEMPLATES = ["{{7*7}}", "{{ config }}", "{% raw %}x{% endraw %}", "{{''.__class__.__mro__}}", "${7*7}", "#{7*7}", "<#assign x=1>", "{{=7*7}}", "%{7*7}", "{{caller.__init__}}"]  # fmt: skip
FORMULAS = ["=1+1", "=HYPERLINK(\"http://evil.example\",\"x\")", "+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "@SUM(1)", "=DDE(\"cmd\";\"/C calc\";\"x\")", "＝1+1", "＋1", "－1x", "＠SUM(1)"]  # fmt: skip
STEERING = [
    "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\x1b]8;;http://evil.example\x1b\\x", "\x1b[2J\x1b[H", "\x9b31mred", "a\rb", "a\bb", "bell\x07", "\x1bP1;1|x", "nul\x00x",
    "\u202egnp.exe", "\u2066x\u2069", "\u200fx", "line\u2028next", "form\x0cfeed", "del\x7f", "\ttab", "line\nbreak", "\x85next",
]  # fmt: skip
EVERY = [*MARKUP, *TEMPLATES, *FORMULAS, *STEERING]
EACH = pytest.mark.parametrize("text", EVERY, ids=[str(at) for at in range(len(EVERY))])
PRINTABLE = [one for one in EVERY if one.isprintable() and one == one.strip() and len(one) < 100]


def test_there_are_enough_payloads() -> None:
    assert len(EVERY) >= 60
    assert len(set(EVERY)) == len(EVERY)


# ---- pages


class _Shape(html.parser.HTMLParser):
    """The tags of a page with the names of their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))

    def handle_comment(self, data: str) -> None:  # noqa: ARG002
        self.tags.append(("!--", ()))

    def handle_decl(self, decl: str) -> None:  # noqa: ARG002
        self.tags.append(("!", ()))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


TRIED_LIVE = {
    "account", "add_app", "add_passkey", "enrol", "leave", "login", "macros", "recovery_codes", "second", "step_up",
}  # fmt: skip
"""By control/test_people.py, in a server whose organisation is called Example <b>Bank</b>."""


def console_pages(text: str) -> dict[str, str]:
    """Every template of the console with `text` wherever a text from outside may stand."""
    from sealwright.doors.control.seams import Caller
    from sealwright.doors.control.views import KeyFacts, LedgerFacts, Shown
    from sealwright.trust import Principal

    caller = Caller(principal=Principal(kind="person", name="ada", proof="session"), session="s")
    common = {
        "console": Console(organisation=text, clock=system_clock, login_path="/login", logout_path="/logout"),
        "caller": caller,
        "form_field": "form_token",
        "form_token": text,
    }
    detail = {"outcome": text, "reason": text}
    entry = Shown(index=1, at=text, action=text, actor=text, subject=text, detail=detail)
    ledger = LedgerFacts(origin=text, size=1, checkpoint=text, latest=[entry])
    signing = [{"branch": text, "algorithm": text, "key": text, "in_use": True}]
    keys = KeyFacts(fingerprint=text, signing=signing, sealing=[{"branch": text, "versions": [text], "in_use": text}])
    facts: dict[str, dict[str, Any]] = {
        "start": {},
        "ledger": {"facts": ledger, "verified": {"size": 0, "broken": text}},
        "keys": {"facts": keys},
        "refused": {"title": text, "detail": text, "number": 403},
        "rollouts": {"places": [(text, text)]},
        "rollout": _rollout(text),
        "decisions_of": {"projects": [text]},
        "decisions": _decisions(text),
        "decision": _decision(text),
    }
    return {name: render(f"{name}.html.j2", {**common, **more}) for name, more in facts.items()}


def _rollout(text: str) -> dict[str, Any]:
    finding = SimpleNamespace(measure=text, state="broken", words=text, low=0.1, value=0.2, high=0.3, limit=0.2)
    arm = SimpleNamespace(
        arm=text, version=1, share=0.5, answered=1, failed=0, refused=0, p95_ms=1.0, mean_score=0.5, outcomes=1, mean_outcome=0.5,
    )  # fmt: skip
    plan = SimpleNamespace(challenger=2, champion=1)
    found = SimpleNamespace(
        kind=text, reason=text, verdict="roll_back", next=text, reasons=[text], stage=1, stages=2, minutes=1.5, arms=[arm],
        findings=[finding], planned_by=text,
    )  # fmt: skip
    named = SimpleNamespace(number=1, name=text, share=5000)
    pointers = [
        SimpleNamespace(sequence=at, not_before=system_clock(), number=1, arms=arms, by=text, reason=text)
        for at, arms in ((2, [named]), (1, []))
    ]
    status = SimpleNamespace(plan=plan, verdict=SimpleNamespace(findings=[finding]), is_last=False)
    facts = SimpleNamespace(
        project=text, channel=text, status=status, current=SimpleNamespace(number=1), history=pointers, movers=[text]
    )
    return {"facts": facts, "found": found}


def _decisions(text: str) -> dict[str, Any]:
    form = SimpleNamespace(since=text, until=text, person=text, label=text, version=text, reason=text)
    record = SimpleNamespace(decision=text, number=1, person=text)
    return {
        "project": text,
        "form": form,
        "found": [SimpleNamespace(at=text, record=record, label=text, score=0.5)],
        "more": False,
    }


def _decision(text: str) -> dict[str, Any]:
    names = ("decision", "label", "channel", "at", "package", "subject", "person", "request", "answer")
    said = dict.fromkeys(names, text) | {"score": 0.5, "version": 1, "entry": 7}
    report = SimpleNamespace(checked=[text], not_checked=[text], origin=text)
    return {
        "project": text,
        "said": said,
        "one": SimpleNamespace(record=SimpleNamespace(arm=text)),
        "proof": SimpleNamespace(report=report, hour=text),
        "receipt": text,
    }


def test_every_console_template_is_tried() -> None:
    folder = SOURCE / "doors" / "control" / "templates"
    found = {path.name.removesuffix(".html.j2") for path in folder.glob("*.j2")}
    assert found == {*console_pages("x"), *TRIED_LIVE, "frame"}


@EACH
def test_a_page_of_the_console_keeps_its_shape_t30_t32(text: str) -> None:
    plain = {name: _Shape(page) for name, page in console_pages("harmless").items()}
    for name, page in console_pages(text).items():
        found = _Shape(page)
        assert found.tags == plain[name].tags, name
        assert "49" not in "".join(found.words), name
        _holds_no_steering(page)


def _holds_no_steering(page: str) -> None:
    assert re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page) is None


@pytest.fixture(scope="module")
def report() -> str:
    """The page about a model whose columns, categories, groups and classes are all hostile."""
    rng = np.random.default_rng(3)
    names = [*PRINTABLE[:6], "=1+1", "{{7*7}}"]
    rows = pd.DataFrame({name: rng.normal(size=400) for name in names})
    group = PRINTABLE[6]
    rows[group] = rng.choice([*PRINTABLE[:2], PRINTABLE[7], "{{7*7}}"], size=400)
    truth = np.where(rows[names[0]] + rng.normal(size=400) > 0, PRINTABLE[0], PRINTABLE[3])
    encode = make_column_transformer((OneHotEncoder(), [group]), remainder=StandardScaler())
    model = make_pipeline(encode, LogisticRegression()).fit(rows, truth)
    settings = {"suites": ["performance", "fairness"], "bootstrap": 200}
    found = sw.assess(model, rows, truth, groups=[group], positive=PRINTABLE[0], settings=settings)
    page: str = found.html()
    return page


def test_a_report_about_hostile_names_holds_them_as_text_t30_t32(report: str) -> None:
    page = _Shape(report)
    assert {tag for tag, _ in page.tags} & {
        "script",
        "iframe",
        "object",
        "embed",
        "base",
        "form",
        "body:onload",
    } == set()
    assert [name for _, names in page.tags for name in names if name.startswith("on")] == []
    text = "".join(page.words)
    assert "<script>alert(1)</script>" in text
    assert "{{7*7}}" in text
    _holds_no_steering(report)


@pytest.mark.browser
@pytest.mark.slow
def test_a_browser_runs_nothing_of_it_even_without_the_policy_t30(report: str, tmp_path: Path) -> None:
    """Escaping alone must do; the content policy is the second wall, so it is taken away here."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    pages = {"report": report} | {
        f"{name}-{at}": page for at, text in enumerate(MARKUP[:12]) for name, page in console_pages(text).items()
    }
    whole = "<!doctype html><title>calm</title>" + "".join(
        re.sub(
            r"<meta[^>]*Content-Security-Policy[^>]*>|<title>.*?</title>|<style>.*?</style>", "", page, flags=re.DOTALL
        )
        for page in pages.values()
    )
    proof = "<!doctype html><title>calm</title><img src=x onerror=\"document.title='pwned'\">"

    def dumped(page: str) -> str:
        path = tmp_path / "page.html"
        path.write_text(page, encoding="utf-8")
        done = subprocess.run(
            [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=3000", f"--user-data-dir={tmp_path}/profile", "--dump-dom", f"file://{path}"],
            capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip
        return done.stdout

    assert "<title>pwned</title>" in dumped(proof)  # this browser would run it
    seen = dumped(whole)
    assert "<title>calm</title>" in seen
    assert "<h1>pwned</h1>" not in seen
    assert "<script" not in seen


def test_no_template_marks_text_as_safe_and_none_is_made_from_text_t32() -> None:
    templates = [*SOURCE.rglob("*.j2")]
    assert len(templates) >= 9
    for path in templates:
        text = path.read_text(encoding="utf-8")
        assert re.search(r"\|\s*safe\b|autoescape\s+false|\{%-?\s*autoescape", text) is None, path
    for path in SOURCE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if "jinja2" in text:
            assert "from_string(" not in text, path
            assert "Markup(" not in text, path
            assert "Environment(" not in text or "autoescape=True" in text, path


@EACH
def test_the_record_of_processing_keeps_its_shape_t30(text: str) -> None:
    def records(word: str) -> list[RopaRecord]:
        field = RopaField(name=word, article=word, values=(word, word), unstated_for=(word,))
        return [RopaRecord(project=word, dataset=word, stated_at=word, statement=word, fields=(field,))]

    assert (
        _Shape(ropa_html(records(text), organisation=text, at=text)).tags
        == _Shape(ropa_html(records("x"), organisation="x", at="x")).tags
    )
    rows = list(csv.reader(io.StringIO(ropa_csv(records(text)), newline="")))
    assert len(rows) == 2
    assert all(_runs_nothing(cell) for cell in rows[1])


# ---- spreadsheets


def _runs_nothing(cell: str) -> bool:
    return not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))


@EACH
def test_a_spreadsheet_shows_it_and_runs_nothing_t30(text: str) -> None:
    written = csv_text([["name", text], [text, f'"{text}"'], [1, text]])
    assert "\n" not in written.replace("\r\n", "").replace(text, "")
    rows = list(csv.reader(io.StringIO(written, newline="")))
    assert [len(row) for row in rows] == [2, 2, 2]
    assert all(_runs_nothing(cell) for row in rows for cell in row)
    if text.isprintable():
        assert rows[0][1].removeprefix("'") == text.removeprefix("'")


def test_numbers_stay_numbers_and_nothing_stays_nothing() -> None:
    assert [csv_cell(one) for one in (-1, 2.5, "-1", "+3.5", "-1e-9", None, "", "a,b", "-", "- 1", "-1\n")] == [
        "-1", "2.5", "-1", "+3.5", "-1e-9", "", "", "a,b", "'-", "'- 1", "'-1\n",
    ]  # fmt: skip
    assert csv_text([['a"b', "c,d", "e\nf"]]) == '"a""b","c,d","e\nf"\r\n'  # RFC 4180


def test_an_extract_for_a_spreadsheet_runs_nothing_t30() -> None:
    words = [one for one in EVERY if "\0" not in one]
    table = pa.table(
        {"=cmd()": words, "number": pa.array(np.arange(len(words)) - 3.5), "kind": pa.array(words).dictionary_encode()}
    )
    rows = list(csv.reader(io.StringIO(table_bytes(table, ".csv").decode(), newline="")))
    assert len(rows) == len(words) + 1
    assert rows[0] == ["'=cmd()", "number", "kind"]
    assert all(_runs_nothing(row[0]) and _runs_nothing(row[2]) for row in rows[1:])
    assert [float(row[1]) for row in rows[1:4]] == [-3.5, -2.5, -1.5]  # a negative number is no formula
    assert "".join(row[0].removeprefix("'") for row in rows[1:]) == "".join(one.removeprefix("'") for one in words)


# ---- terminals


@EACH
def test_a_terminal_shows_it_and_obeys_nothing_t30(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    show.title(text)
    show.facts({text: text})
    show.rows([text, "b"], [[text, text]])
    show.next_step(text)
    options.say(text)
    options.say(text, err=True)
    options.out(True, {text: [text]}, lambda: None)
    captured = capsys.readouterr()
    for said in (captured.out, captured.err):
        assert re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]", said) is None, said


@EACH
def test_json_reads_back_the_same_though_a_terminal_may_show_it(text: str) -> None:
    value = {text: [text, 1, None, {"x": text}]}
    assert json.loads(json_text(value)) == value
    assert re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]", json_text(value)) is None


def test_every_word_a_command_prints_goes_through_one_of_these() -> None:
    """`typer.echo` takes a constant, or JSON that was escaped; names and values go through `say` or `show`."""
    for path in (SOURCE / "doors" / "cli").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines()
        for call in [one for one in ast.walk(ast.parse(text)) if isinstance(one, ast.Call)]:
            name = ast.unparse(call.func)
            if name not in ("typer.echo", "print", "typer.secho", "click.echo") or not call.args:
                continue
            given = ast.unparse(call.args[0])
            fine = isinstance(call.args[0], ast.Constant) or given.startswith(
                ("json_text(", "safe(", "json.dumps(body)")
            )
            assert fine or "escaped where it was made" in lines[call.end_lineno - 1 if call.end_lineno else 0], (
                f"{path.name}: {name}({given})"
            )


def test_a_table_of_hostile_columns_on_the_command_line_t30(empty_home: Any) -> None:
    """Names and cells of a real file through real commands; `inside` refuses escape sequences in any output."""
    names = [one for one in PRINTABLE if "," not in one][:25]
    rows = [
        [EVERY[(at + col) % len(EVERY)].replace("\0", "").replace("\r", " ") for col in range(len(names))]
        for at in range(60)
    ]
    with (empty_home.root / "hostile.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([names, *rows])
    for command in (
        ["data", "profile", "hostile.csv"],
        ["data", "profile", "hostile.csv", "--json"],
        ["data", "scan", "hostile.csv"],
    ):
        done = empty_home.inside(*command, expect=None)
        assert done.code in (0, 2, 3), (command, done)
        assert re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", done.out + done.err) is None


# ---- logs


def test_one_event_is_one_line_whatever_it_holds_t31() -> None:
    from sealwright.serving import EventLog

    stream = io.StringIO()
    log = EventLog(stream, system_clock)
    for text in [*EVERY, 'x\r\n{"event": "forged"}', "]|x", "y" * 1_000_000]:
        log.tell("event", said=text)
    lines = stream.getvalue().split("\n")
    assert lines.pop() == ""
    assert len(lines) == len(EVERY) + 3
    assert {json.loads(line)["event"] for line in lines} == {"event"}
    assert not any(re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e]", line) for line in lines)


@EACH
def test_the_two_plain_functions_are_plain(text: str) -> None:
    assert re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", safe(text)) is None
    assert re.search("[<>\"']", safe_html(text)) is None
