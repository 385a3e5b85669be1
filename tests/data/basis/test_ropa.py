"""The record of processing shows what was stated, and what was not as missing, never as blank."""

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sealwright.data import DataSpec
from sealwright.data.basis import (
    RopaRecord,
    basis_predicate,
    read_basis,
    ropa_csv,
    ropa_html,
    ropa_record,
    unstated_record,
)
from sealwright.kernel import canonical_json

Made = Callable[..., DataSpec]
SNAPSHOT = "sha256:" + "5" * 64


def record(spec: DataSpec, **more: Any) -> RopaRecord:
    predicate = basis_predicate(
        spec.basis, project="credit", snapshot=SNAPSHOT, columns=spec.columns, purpose="credit-decision",
        purpose_words="Decide.", now=datetime(2026, 3, 2, tzinfo=UTC),
    )  # fmt: skip
    filed = read_basis(json.loads(canonical_json(predicate)))
    given = {"statement": SNAPSHOT, "stated_at": "2026-03-02T00:00:00.000Z", "systems": ["credit version 1"]}
    return ropa_record(filed, **{**given, **more})


def fields(found: RopaRecord) -> dict[str, str]:
    return {one.name: one.text for one in found.fields}


def test_every_field_of_article_30_is_there(data: Made) -> None:
    found = record(data())
    assert found.missing == ()
    assert {one.article for one in found.fields} >= {f"30(1)({letter})" for letter in "abcdefg"}
    text = fields(found)
    assert text["controller"] == "Example Bank AG"
    assert text["purposes"] == "credit-decision: Decide on an application for a loan."
    assert text["recipients"] == "none, as stated"
    assert text["transfers to third countries"] == "Switzerland (adequacy decision)"
    assert text["time limits for erasure"] == "10 years from the first day of collection"
    assert text["systems"] == "credit version 1"
    assert "health (special)" in text["categories of data"]
    assert "health: the persons agreed, Article 6(1)(a)" in text["lawful basis"]
    assert "remark" not in text["categories of data"], "a column that is not read is not processed"


def test_what_nobody_said_is_missing_and_not_blank(data: Made) -> None:
    found = record(data(recipients=None, subjects=None, controller={"name": "Example Bank AG"}))
    assert found.missing == ("contact of the controller", "categories of persons", "recipients")
    assert fields(found)["recipients"] == "missing"
    assert "asked for only where there is one" in fields(found)["representative"]


def test_what_was_said_for_some_columns_only_is_missing_for_the_others(data: Made) -> None:
    found = record(
        data(
            recipients=None, columns={"income": {"recipients": ["tax office"]}, "health": {"article_9": "health_care"}}
        )
    )
    assert "recipients" in found.missing
    assert fields(found)["recipients"] == "income: tax office; missing for id, height, repaid, health"


def test_a_project_that_never_said_anything_is_in_the_record(data: Made) -> None:
    found = unstated_record("silent", systems=[])
    assert len(found.missing) == 8
    assert all(text for text in fields(found).values())


def test_a_spreadsheet_gets_lines_and_no_formula(data: Made) -> None:
    found = record(data(controller={"name": "=HYPERLINK(evil)", "contact": "@x"}))
    lines = list(csv.DictReader(io.StringIO(ropa_csv([found]), newline="")))
    assert len(lines) == len(found.fields)
    assert lines[0]["value"] == "'=HYPERLINK(evil)"
    assert {line["missing"] for line in lines} == {"no"}


def test_the_page_escapes_what_it_shows_and_claims_nothing(data: Made) -> None:
    found = record(data(controller={"name": "<script>alert(1)</script>"}, subjects=None))
    page = ropa_html(
        [found, unstated_record("silent", systems=[])], organisation="A & B", at="2026-03-02T00:00:00.000Z"
    )
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "A &amp; B" in page
    assert "compliant" not in page.lower()
    assert "Supports evidence for Article 30(1)" in page
    assert page.count('class="missing"') > 5
