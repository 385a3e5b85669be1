"""The page of a dataset: complete for scientist and officer, safe to open, and it shows no cell of a person."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from whole_way import PROJECT, Home

pytestmark = pytest.mark.slow

PROJECT_FILE: dict[str, Any] = {
    "format": 1,
    "project": "loans",
    "charter": {"purpose": "Estimate <b>repayment</b> to help.", "owner": "Head of credit", "risk_class": "minimal"},
    "data": {
        "source": "loans.csv",
        "target": "repaid",
        "positive": "yes",
        "subject": "person",
        "quarantine": {"at_most_share": 0.2},
        "columns": {
            "person": {"type": "text", "class": "personal", "role": "identifier"},
            "<script>x</script>": {"type": "number", "nullable": True},
            "doubled": {"type": "number", "nullable": True},
            "town": {"type": "category", "categories": ["Kanariental", "Ulm"], "class": "personal"},
            "branch": {"type": "category", "categories": ["a", "b", "A"], "class": "public"},
            "repaid": {"type": "category", "categories": ["yes", "no"]},
        },
    },
}


@pytest.fixture
def page(empty_home: Home) -> str:
    folder = empty_home.root / "loans"
    folder.mkdir()
    rows = [
        f"Kanari-{n},{'' if n % 5 == 0 else n},{'' if n % 5 == 0 else 2 * n},{'Kanariental' if n == 7 else 'Ulm'},"
        f"{'A' if n == 3 else 'ab'[n % 2]},{'yes' if n % 3 else 'no'}"
        for n in range(200)
    ]
    head = ",".join(PROJECT_FILE["data"]["columns"])
    (folder / "loans.csv").write_text(head + "\n" + "\n".join([*rows, "Kanari-bad,x,1,Ulm,a,yes"]) + "\n")
    (folder / "sealwright.yaml").write_text(yaml.safe_dump(PROJECT_FILE, sort_keys=False))
    empty_home.inside("ingest", "loans")
    said = empty_home.inside("data", "report", "loans", "--json").json
    return Path(said["page"]).read_text()


def test_the_page_says_what_is_there_what_is_wrong_and_on_what_basis(page: str) -> None:
    for section in ("findings", "columns", "together", "persons", "basis", "lineage", "evidence"):
        assert f'id="{section}"' in page
    text = re.sub(r"<[^>]+>", " ", page)
    assert "200" in text
    assert "quality.missing" in text
    assert "No complete lawful basis is stated for person, town" in " ".join(text.split())
    assert "sealed under a key of each person" in text
    assert page.count("data:image/svg+xml;base64,") >= 5


def test_no_cell_about_a_person_is_on_the_page_or_in_the_statement(page: str, empty_home: Home) -> None:
    assert "Kanari" not in page
    for path in empty_home.workspace.rglob("*"):
        if path.is_file():
            assert b"Kanari-" not in path.read_bytes(), path


def test_nothing_on_the_page_runs_or_loads(page: str) -> None:
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "Estimate &lt;b&gt;repayment" in page
    assert not re.findall(r"(?:src|href)=\"(?!data:|#)[^\"]*\"", page)
    assert "default-src 'none'" in page


def test_an_examination_is_signed_once_and_read_again(home: Home) -> None:
    first = home.inside("data", "report", home.root / "credit", "--json").json
    count = json.loads(home.inside("data", "report", home.root / "credit", "--json").out)
    assert count["findings"] == first["findings"]
    import sqlite3

    with sqlite3.connect(home.workspace / "db.sqlite") as db:
        filed = db.execute("SELECT COUNT(*) FROM statements WHERE predicate_type LIKE '%data-examination%'").fetchone()
    assert filed == (1,)
    page = Path(first["page"]).read_text()
    assert "substantial public interest" in page
    assert PROJECT in page


def test_before_an_ingest_it_says_what_to_do(empty_home: Home) -> None:
    from whole_way import credit_project

    credit_project(empty_home.root / "credit")
    empty_home.inside("workspace", "create")
    assert "sealwright run" in empty_home.inside("data", "report", "credit", expect=2).err
