"""A slip in a notebook is answered as on the command line: in the same words, never with Python's own error."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import sealwright as sw
from sealwright.doors.assessment import Assessment
from sealwright.doors.notebook import Workspace
from sealwright.kernel import InvalidInput
from whole_way import PROJECT, Home

WHY = "Weekly look at refusals"


@pytest.fixture(scope="module")
def shared(sealed: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    root = tmp_path_factory.mktemp("notebook") / "home"
    shutil.copytree(sealed, root)
    return Home(root)


@pytest.fixture
def workspace(shared: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.chdir(shared.root)
    with sw.open(shared.workspace, key_file=shared.key, actor="ops") as opened:
        yield opened


@pytest.mark.parametrize(
    ("slip", "words"),
    [
        (lambda ws: ws.report("credit", to="nodir/x.html"), "There is no folder nodir to write x.html into"),
        (lambda ws: ws.report("credit", to="credit"), "credit is a folder. Name the file to write"),
        (lambda ws: ws.compare("credit", to="nodir/x.html"), "There is no folder nodir"),
        (lambda ws: ws.export(PROJECT, 1, "credit"), "credit is a folder. Name the file to write"),
        (lambda ws: ws.export(PROJECT, 1, "row.json/x.json"), "There is no folder row.json"),
        (lambda ws: ws.score(PROJECT, "row.csv", out="nodir/x.jsonl"), "There is no folder nodir"),
        (lambda ws: ws.decisions(PROJECT).list(since="yesterday", reason=WHY), "Expected a time like"),
        (lambda ws: ws.decisions(PROJECT).list(until="2026-13-01", reason=WHY), "Expected a day like"),
        (lambda ws: ws.decisions(PROJECT).list(since=7, reason=WHY), "Expected a day like .* got int"),
        (lambda ws: ws.decisions(PROJECT).list(limit=0, reason=WHY), "A limit is at least 1"),
    ],
)
def test_a_slip_in_a_workspace_is_said_in_words(
    workspace: Workspace, slip: Callable[[Workspace], Any], words: str
) -> None:
    with pytest.raises(InvalidInput, match=words):
        slip(workspace)


def test_the_same_words_stand_in_the_terminal(shared: Home) -> None:
    told = shared.inside("report", "credit", "--to", "nodir/x.html", expect=2).err
    assert "There is no folder nodir to write x.html into" in told
    told = shared.inside("init", "new", "--data", "credit/german_credit.csv", "--target", "outcome", "--risk", "low",
                         expect=2).err  # fmt: skip
    assert "There is no risk class 'low'. The classes are: minimal, limited, high" in told


def test_a_risk_class_that_is_none_begins_nothing(workspace: Workspace) -> None:
    with pytest.raises(InvalidInput, match=r"There is no risk class 'low'\. The classes are: minimal, limited, high"):
        sw.init("new", data="credit/german_credit.csv", target="outcome", risk="low")
    assert not Path("new").exists()


def test_nothing_is_no_contract_and_no_table() -> None:
    with pytest.raises(InvalidInput, match="A contract is a file, a project or plain values; got NoneType"):
        sw.check_data(None, None)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="NoneType"):
        sw.check_data(None, {"columns": {"a": {"type": "integer"}}})


def test_a_page_that_cannot_be_written_is_refused_before_it_is_drawn(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"is a folder\. Name the file"):
        Assessment(title="x", results=(), policy="minimal", explainer=None).save(tmp_path)
