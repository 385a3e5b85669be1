"""Who gets which columns, on whose word, and what is left of a key after a rotation."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from acting import operator, person
from sealwright.data import READERS
from sealwright.kernel import FixedClock, InvalidInput, NotFound, Refused
from sealwright.pipeline import Workspace, create_workspace, enrol, ingest, load_project, open_workspace
from sealwright.pipeline.key_rotation import rotate_data_keys
from sealwright.pipeline.project import Project
from sealwright.pipeline.reading import read_rows
from sealwright.pipeline.snapshots import SnapshotIndex, opened
from sealwright.trust import ROLES, InsecurePassphraseForTests, LedgerInUse, Secret, WrongUnlock

ANA = person("ana", "data_scientist", "compliance_officer")
UNLOCK = InsecurePassphraseForTests(Secret("correct horse battery staple"))
OTHER = InsecurePassphraseForTests(Secret("another passphrase altogether"))

SPEC: dict[str, Any] = {
    "format": 1,
    "project": "loans",
    "charter": {
        "purpose": "Estimate repayment to help an officer.",
        "owner": "Head of credit",
        "risk_class": "minimal",
    },
    "data": {
        "source": "loans.csv",
        "target": "repaid",
        "positive": "yes",
        "subject": "person",
        "columns": {
            "person": {"type": "text", "class": "personal", "role": "identifier"},
            "branch": {"type": "category", "categories": ["a", "b"], "class": "public"},
            "income": {"type": "integer", "class": "confidential"},
            "faith": {"type": "category", "categories": ["x", "y"], "class": "special", "role": "sensitive"},
            "repaid": {"type": "category", "categories": ["yes", "no"]},
        },
    },
}


@pytest.fixture
def workspace(db_url: str, tmp_path: Path) -> Iterator[Workspace]:
    clock = FixedClock(datetime(2026, 3, 2, tzinfo=UTC))
    with create_workspace(tmp_path / "ws", name="Bank", unlock=UNLOCK, clock=clock, database=db_url) as made:
        enrol(made, "ana", ["data_scientist", "compliance_officer"], UNLOCK, by=operator("root"))
        enrol(made, "bob", ["auditor"], OTHER, by=operator("root"))
        yield made


@pytest.fixture
def project(tmp_path: Path, workspace: Workspace) -> Project:
    folder = tmp_path / "loans"
    folder.mkdir()
    rows = [f"p{n},{'ab'[n % 2]},{n},{'xy'[n % 2]},{'yes' if n % 3 else 'no'}" for n in range(30)]
    (folder / "loans.csv").write_text("person,branch,income,faith,repaid\n" + "\n".join(rows) + "\n")
    (folder / "sealwright.yaml").write_text(yaml.safe_dump(SPEC, sort_keys=False))
    project = load_project(folder)
    ingest(workspace, project, by=ANA)
    return project


def read(workspace: Workspace, project: Project, **more: Any) -> Any:
    given = {"person": "ana", "role": "data_scientist", "unlock": UNLOCK, "reason": "looking at ranges"}
    return read_rows(workspace, project, **{**given, **more})


def test_a_role_reads_the_columns_it_has_keys_for_and_the_rest_is_named(workspace: Workspace, project: Project) -> None:
    done = read(workspace, project)
    assert done.table.column_names == ["branch", "income", "repaid"]
    assert done.withheld == ("person", "faith")
    assert read(workspace, project, role="compliance_officer").table.column_names == list(SPEC["data"]["columns"])
    assert read(workspace, project, person="bob", role="auditor", unlock=OTHER).table.column_names == ["branch"]


def test_every_unwrapping_is_on_record_with_person_role_and_reason(workspace: Workspace, project: Project) -> None:
    before = workspace.ledger.size
    read(workspace, project, reason="ticket 12")
    noted = [entry for entry in workspace.ledger.entries(before) if entry.action == "data.key_unwrapped"]
    told = workspace.discretion
    assert {(entry.actor, entry.detail["purpose"], told.words_of(entry)) for entry in noted} == {
        (told.name_of("ana"), "data_scientist", "ticket 12")
    }
    keys = {key for entry in noted for key in entry.detail["keys"]}
    assert keys == {"class/public/v1", "class/internal/v1", "class/confidential/v1", "footer/v1", "subject/v1"}


@pytest.mark.parametrize(
    ("more", "error", "reason"),
    [
        ({"columns": ["faith"]}, Refused, "no key for special"),
        ({"columns": ["person"]}, Refused, "no key for personal"),
        ({"role": "security_officer"}, Refused, "security_officer"),
        ({"person": "bob", "role": "auditor"}, WrongUnlock, "passphrase"),
        ({"person": "eve"}, NotFound, "eve"),
        ({"reason": " why  "}, InvalidInput, "what you read it for"),
    ],
)
def test_nobody_reads_more_than_their_role_or_without_their_key(
    workspace: Workspace, project: Project, more: dict[str, Any], error: Any, reason: str
) -> None:
    with pytest.raises(error, match=reason):
        read(workspace, project, **more)


def test_a_project_can_narrow_what_a_role_reads(workspace: Workspace, project: Project) -> None:
    path = project.folder / "sealwright.yaml"
    value = yaml.safe_load(path.read_text())
    value["data"]["readers"] = {"data_scientist": ["public"]}
    path.write_text(yaml.safe_dump(value, sort_keys=False))
    assert read(workspace, load_project(path)).table.column_names == ["branch"]


def test_every_role_has_classes_it_may_read() -> None:
    assert set(READERS) == set(ROLES)


def test_after_a_rotation_everything_reads_and_no_old_key_is_left_t55(workspace: Workspace, project: Project) -> None:
    home = workspace.home
    digest = SnapshotIndex(workspace.db).of_project("loans")[-1].digest
    folder = home / "snapshots" / digest.removeprefix("sha256:")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    rows = opened(workspace, digest, "loans", by="t", purpose="t").read().to_pylist()
    workspace.close()
    done = rotate_data_keys(home, UNLOCK, by=operator("sofia"))
    assert (done.snapshots, done.persons, done.versions) == (1, 30, {"data": 2, "subjects": 2})
    assert sorted(path.name for path in (home / "keys").glob("*.v1.json") if path.stem[:4] in {"data", "subj"}) == []
    with open_workspace(home, UNLOCK) as again:
        assert opened(again, digest, "loans", by="t", purpose="t").read().to_pylist() == rows
        rotated = [entry.actor for entry in again.ledger.entries() if entry.action == "data.keys_rotated"]
        assert rotated == [again.discretion.name_of("sofia")]
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert {name for name in before if before[name] != after[name]} == {"keys.json"}


def test_a_rotation_that_was_cut_off_goes_on_t55(
    workspace: Workspace, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = workspace.home
    workspace.close()

    def power_cut(*_args: Any, **_more: Any) -> None:
        raise RuntimeError("power cut")

    for moment in ("_wrap_anew", "retire_branch"):
        with monkeypatch.context() as broken:
            broken.setattr(f"sealwright.pipeline.key_rotation.{moment}", power_cut)
            with pytest.raises(RuntimeError, match="power cut"):
                rotate_data_keys(home, UNLOCK, by=operator("sofia"))
        with open_workspace(home, UNLOCK) as between:
            digest = SnapshotIndex(between.db).of_project("loans")[-1].digest
            assert opened(between, digest, "loans", by="t", purpose="t").read().num_rows == 30
    assert rotate_data_keys(home, UNLOCK, by=operator("sofia")).versions == {"data": 2, "subjects": 2}
    assert not list((home / "keys").glob("data.v1.json"))


def test_nobody_rotates_under_the_hands_of_another(workspace: Workspace, project: Project) -> None:
    workspace.hold_ledger()
    with pytest.raises(LedgerInUse):
        rotate_data_keys(workspace.home, UNLOCK, by=operator("sofia"))
    assert len(list((workspace.home / "keys").glob("data.v*.json"))) == 1
