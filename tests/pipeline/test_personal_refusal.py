"""A high-risk project takes in no rows whose personal columns its contract does not name, at first or later."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from acting import operator
from sealwright.data.personal import PersonalDataUnclassified
from sealwright.kernel import FixedClock
from sealwright.pipeline import Workspace, create_workspace, ingest, load_project
from sealwright.pipeline.incremental import change_data
from sealwright.pipeline.project import Project
from sealwright.trust import InsecurePassphraseForTests, Secret

UNLOCK = InsecurePassphraseForTests(Secret("correct horse battery staple"))
HEAD = "remark,income,repaid\n"
Make = Callable[..., Project]


def rows(remark: str, many: int = 60) -> str:
    return "".join(f"{remark.format(n=n)},{1000 + n},{'yes' if n % 3 else 'no'}\n" for n in range(many))


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    clock = FixedClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
    with create_workspace(tmp_path / "ws", name="Bank", unlock=UNLOCK, clock=clock) as made:
        yield made


@pytest.fixture
def project(tmp_path: Path) -> Make:
    def make(remark: str, risk: str = "high", **column: Any) -> Project:
        spec: dict[str, Any] = {
            "format": 1,
            "project": "loans",
            "charter": {
                "purpose": "Estimate who repays.",
                "purpose_id": "credit-decision",
                "owner": "Head of credit",
                "risk_class": risk,
            },
            "data": {
                "source": "loans.csv",
                "target": "repaid",
                "positive": "yes",
                "key": ["remark"],
                "basis": {
                    "dataset": "applications",
                    "controller": {"name": "Example Bank AG", "contact": "privacy@bank.example"},
                    "source": {"from": "branches", "collected_from": "2024-01-01"},
                    "lawful_basis": "contract",
                    "purposes": {"credit-decision": "Decide on an application."},
                    "subjects": ["applicants"],
                    "recipients": [],
                    "transfers": [],
                    "retention": {"keep": "3 years"},
                },
                "columns": {
                    "remark": {"type": "text", "role": "identifier", **column},
                    "income": {"type": "integer", "class": "personal"},
                    "repaid": {"type": "category", "categories": ["yes", "no"]},
                },
            },
        }
        folder = tmp_path / "loans"
        folder.mkdir(exist_ok=True)
        (folder / "loans.csv").write_text(HEAD + rows(remark))
        (folder / "sealwright.yaml").write_text(yaml.safe_dump(spec, sort_keys=False))
        return load_project(folder)

    return make


def snapshots(workspace: Workspace) -> list[str]:
    return sorted(path.name for path in workspace.folder("snapshots").iterdir())


def test_a_column_of_addresses_the_contract_calls_internal_is_refused_before_a_row_is_kept(
    workspace: Workspace, project: Make
) -> None:
    with pytest.raises(PersonalDataUnclassified, match="'remark': e-mail address") as stopped:
        ingest(workspace, project("person{n}@mail.example"), by=operator("ada"))
    assert snapshots(workspace) == []
    assert "person1@" not in str(stopped.value)


@pytest.mark.parametrize(
    ("risk", "column"),
    [("high", {"class": "personal"}), ("high", {"not_personal": "Addresses of machines only."}), ("minimal", {})],
)
def test_a_column_that_is_named_or_a_project_of_low_risk_goes_on(
    workspace: Workspace, project: Make, risk: str, column: dict[str, Any]
) -> None:
    assert ingest(workspace, project("person{n}@mail.example", risk, **column), by=operator("ada")).snapshot.rows == 60


@pytest.mark.parametrize("verb", ["append", "upsert"])
def test_rows_that_come_later_are_looked_at_like_the_first(
    workspace: Workspace, project: Make, tmp_path: Path, verb: Any
) -> None:
    said = project("visit {n}")
    ingest(workspace, said, by=operator("ada"))
    before = snapshots(workspace)
    (tmp_path / "more.csv").write_text(HEAD + rows("person{n}@mail.example"))
    with pytest.raises(PersonalDataUnclassified, match="'remark': e-mail address"):
        change_data(workspace, said, verb, tmp_path / "more.csv", by=operator("ada"))
    assert snapshots(workspace) == before


def test_two_rows_more_of_a_column_whose_name_was_judged_before_go_on(
    workspace: Workspace, project: Make, tmp_path: Path
) -> None:
    said = project("visit {n}")
    folder = said.folder
    (folder / "loans.csv").write_text("telephone,income,repaid\n" + rows("none"))
    text = (folder / "sealwright.yaml").read_text().replace("remark", "telephone")
    (folder / "sealwright.yaml").write_text(text)
    said = load_project(folder)
    ingest(workspace, said, by=operator("ada"))
    (tmp_path / "more.csv").write_text("telephone,income,repaid\n" + rows("none", 2))
    assert change_data(workspace, said, "append", tmp_path / "more.csv", by=operator("ada")).added == 2
