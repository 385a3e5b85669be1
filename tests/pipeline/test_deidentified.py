"""Rows leave only when every limit holds and the ledger knows; the way back opens only with a key and a logged reason."""

import csv
import datetime as dt
import random
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from acting import operator
from sealwright.data.deidentify import DeidentifySpec, LimitsNotReached, PseudonymVault
from sealwright.engines import Database
from sealwright.evidence import verify_any
from sealwright.kernel import Conflict, FixedClock, InvalidInput, NotFound, Refused, SealwrightError, VerificationFailed
from sealwright.pipeline import Project, Workspace, create_workspace, load_project, open_workspace
from sealwright.pipeline import workspace as workspace_module
from sealwright.pipeline.data_consent import suppressions_of
from sealwright.pipeline.data_risk import risk_of_file, risk_of_project
from sealwright.pipeline.deidentified import deidentify, reidentify
from sealwright.pipeline.desk import evidence_of
from sealwright.pipeline.extracts import EXTRACT_TYPE, write_extract
from sealwright.pipeline.extracts import given_away as extracts_given
from sealwright.pipeline.person_rights import Asked, answer_person
from sealwright.pipeline.recipes import read_recipe
from sealwright.pipeline.take_in import ingest
from sealwright.trust import InsecurePassphraseForTests, Keyring, Ledger, Secret, create_keyring, pseudonym_of

UNLOCK = InsecurePassphraseForTests(Secret("correct horse battery staple"))
CLOCK = FixedClock(dt.datetime(2026, 6, 1, tzinfo=dt.UTC))
REASON = "Call back about the recall"
RECIPE: dict[str, Any] = {
    "columns": {
        "person": {"method": "pseudonym", "prefix": "p_"},
        "email": {"method": "pseudonym"},
        "born": {"method": "shift_dates", "days": 20},
    },
    "quasi_identifiers": {"age": {"levels": [{"bands": 10}, {"bands": 20}]}, "town": {}},
    "sensitive": ["ill"],
    "enforce": {"k": 5, "l": 2},
    "reversible": True,
    "population": 10_000,
}
SPEC: dict[str, Any] = {
    "format": 1,
    "project": "clinic",
    "charter": {
        "purpose": "Estimate who comes back.",
        "purpose_id": "care",
        "owner": "Head of care",
        "risk_class": "limited",
    },
    "data": {
        "source": "clinic.csv",
        "target": "back",
        "positive": "yes",
        "subject": "person",
        "basis": {
            "dataset": "visits",
            "controller": {"name": "Example Clinic", "contact": "privacy@clinic.example"},
            "source": {"from": "the wards", "collected_from": "2024-01-01"},
            "lawful_basis": "contract",
            "article_9": "health_care",
            "purposes": {"care": "Care for patients."},
            "subjects": ["patients"],
            "recipients": [],
            "transfers": [],
            "retention": {"keep": "9 years"},
        },
        "columns": {
            "person": {"type": "text", "class": "personal", "role": "identifier"},
            "email": {"type": "text", "class": "personal", "role": "identifier", "nullable": True},
            "born": {"type": "date", "class": "personal", "min": "1926-01-01", "max": "2025-12-31"},
            "age": {"type": "integer", "class": "personal", "min": 0, "max": 99},
            "town": {"type": "category", "categories": ["Bonn", "Ulm"], "class": "personal"},
            "ill": {"type": "category", "categories": ["cough", "flu", "none"], "class": "special"},
            "back": {"type": "category", "categories": ["no", "yes"]},
        },
    },
    "deidentify": RECIPE,
}


def write_rows(path: Path, rows: int = 300) -> None:
    draw = random.Random(5)
    with path.open("w", newline="", encoding="utf-8") as stream:
        write = csv.writer(stream).writerow
        write(list(SPEC["data"]["columns"]))
        for row in range(rows):
            age = draw.randrange(20, 60)
            write(
                [
                    f"canary-person-{row:04d}",
                    f"canary{row:04d}@clinic.example" if row % 7 else "",
                    dt.date(2026 - age, 1, 1) - dt.timedelta(days=draw.randrange(300)),
                    age,
                    draw.choice(["Bonn", "Ulm"]),
                    draw.choice(["cough", "flu", "none"]),
                    draw.choice(["no", "yes"]),
                ]
            )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    folder = tmp_path / "clinic"
    folder.mkdir()
    write_rows(folder / "clinic.csv")
    (folder / "sealwright.yaml").write_text(yaml.safe_dump(SPEC, sort_keys=False))
    return load_project(folder)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with create_workspace(tmp_path / "ws", name="Clinic", unlock=UNLOCK, clock=CLOCK) as opened:
        yield opened


@pytest.fixture
def taken(workspace: Workspace, project: Project) -> Workspace:
    ingest(workspace, project, by=operator("ada"))
    return workspace


@pytest.fixture
def given_away(taken: Workspace, project: Project, tmp_path: Path) -> Callable[..., Any]:
    def run(name: str = "extract.parquet", **recipe: Any) -> Any:
        spec = DeidentifySpec.model_validate({**RECIPE, **recipe})
        extract = deidentify(taken, project, by=operator("ada"), recipe=spec)
        return write_extract(taken, project, extract, tmp_path / name, by=operator("ada"))

    return run


def entries(workspace: Workspace, action: str) -> list[Any]:
    return [entry for entry in workspace.ledger.entries() if entry.action == action]


def test_an_extract_holds_its_limits_and_nothing_that_names_anybody(given_away: Callable[..., Any]) -> None:
    written = given_away()
    table = pq.read_table(written.path)
    assert stat.S_IMODE(written.path.stat().st_mode) == 0o600
    assert b"canary" not in written.path.read_bytes()
    assert "canary" not in str(table.to_pylist())
    report = written.to_json()["report"]
    assert report["after"]["k"] >= 5
    assert report["after"]["sensitive"]["ill"]["distinct"] >= 2
    assert report["suppressed"]["share"] <= 0.05
    assert report["before"]["k"] < 5
    assert table.column_names == list(written.to_json()["contract"])


def test_the_ledger_has_a_signed_statement_of_file_snapshot_and_recipe(
    given_away: Callable[..., Any], taken: Workspace
) -> None:
    written = given_away()
    (filed,) = evidence_of(taken).statements.of_project("clinic", EXTRACT_TYPE)
    statement = verify_any(filed.envelope, taken.trust_root)
    assert statement.digest == written.statement
    assert statement.subject_digests == (written.digest, written.extract.snapshot)
    assert statement.predicate["report"]["recipe"] == written.extract.released.report.recipe.digest
    assert b"canary" not in filed.envelope
    unwrapped = [entry.detail["purpose"] for entry in entries(taken, "data.key_unwrapped")]
    assert "de-identification" in unwrapped


def test_whom_to_tell_when_a_person_is_erased(
    given_away: Callable[..., Any], taken: Workspace, project: Project, tmp_path: Path
) -> None:
    written = given_away()
    spec = DeidentifySpec.model_validate({**RECIPE, "columns": {**RECIPE["columns"], "person": "suppress"}})
    other = deidentify(taken, project, by=operator("ada"), recipe=spec)
    write_extract(taken, project, other, tmp_path / "other.csv", by=operator("ada"), recipient="University of Ulm")
    first, second = extracts_given(taken, "clinic", "canary-person-0003")
    assert (first.file, first.recipient, second.recipient) == (written.digest, "", "University of Ulm")
    assert second.pseudonym is None
    rows = {row["person"]: row for row in pq.read_table(written.path).to_pylist()}
    assert first.pseudonym in rows
    assert first.pseudonym is not None
    assert reidentify(taken, "clinic", first.pseudonym, reason=REASON, by=operator("cara")) == "canary-person-0003"
    (filed, _) = evidence_of(taken).statements.of_project("clinic", EXTRACT_TYPE)
    said = verify_any(filed.envelope, taken.trust_root).predicate
    assert DeidentifySpec.model_validate(said["recipe"]).digest == said["report"]["recipe"]
    with pytest.raises(InvalidInput, match="recipient"):
        write_extract(taken, project, other, tmp_path / "third.csv", by=operator("ada"), recipient="x" * 300)


def test_nothing_leaves_without_a_limit_or_over_a_file(
    given_away: Callable[..., Any], taken: Workspace, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInput, match="sets no limit that could hold"):
        given_away(enforce=None)
    with pytest.raises(LimitsNotReached):
        given_away(enforce={"k": 5, "l": 4})
    with pytest.raises(InvalidInput, match=r"written as \.parquet or \.csv"):
        given_away("extract.xlsx")
    assert not list(tmp_path.glob("extract*"))
    assert evidence_of(taken).statements.of_project("clinic", EXTRACT_TYPE) == []
    given_away("extract.csv")
    with pytest.raises(Conflict, match="is there already"):
        given_away("extract.csv")
    assert (tmp_path / "extract.csv").read_text().startswith('"person","email","born"')


def test_no_file_without_its_place_in_the_ledger(taken: Workspace, project: Project, tmp_path: Path) -> None:
    extract = deidentify(taken, project, by=operator("ada"))
    taken.ledger.close()
    with pytest.raises(SealwrightError):
        write_extract(taken, project, extract, tmp_path / "out.parquet", by=operator("ada"))
    assert not (tmp_path / "out.parquet").exists()


def test_whoever_is_restricted_is_in_no_extract(taken: Workspace, project: Project) -> None:
    before = deidentify(taken, project, by=operator("ada")).released.report.rows
    name = pseudonym_of(taken.keyring, "clinic", "canary-person-0001")
    suppressions_of(taken).suppress("clinic", name, "restrict", by="ada")
    assert deidentify(taken, project, by=operator("ada")).released.report.rows == before - 1


def test_pseudonyms_are_stable_in_the_project(taken: Workspace, project: Project) -> None:
    one, again = (deidentify(taken, project, by=operator("ada")).table["person"].to_pylist() for _ in range(2))
    assert one == again


def test_the_way_back_is_told_after_the_ledger_knows(given_away: Callable[..., Any], taken: Workspace) -> None:
    row = pq.read_table(given_away().path).to_pylist()[0]
    assert reidentify(taken, "clinic", row["person"], reason=REASON, by=operator("cara")).startswith("canary-person-")
    (entry,) = entries(taken, "data.reidentified")
    cara = taken.discretion.name_of("cara")
    allowed = {"permission": "data.reidentify", "policies": ["operator.unstaffed"]}
    assert (entry.subject, entry.actor, entry.detail) == (row["person"], cara, {"project": "clinic"} | allowed)
    assert taken.discretion.words_of(entry) == REASON
    assert REASON.encode() not in (taken.home / "ledger" / "entries.log").read_bytes()
    assert b"canary" not in entry.leaf


def test_a_second_column_finds_its_way_back_too(given_away: Callable[..., Any], taken: Workspace) -> None:
    rows = pq.read_table(given_away().path).to_pylist()
    name = next(row["email"] for row in rows if row["email"] is not None)
    assert reidentify(taken, "clinic", name, reason=REASON, by=operator("cara")).endswith("@clinic.example")


@pytest.mark.parametrize("reason", ["", "short", "       x      ", "x" * 501])
def test_without_a_reason_nothing_is_told(given_away: Callable[..., Any], taken: Workspace, reason: str) -> None:
    name = pq.read_table(given_away().path)["person"][0].as_py()
    with pytest.raises(InvalidInput, match="Say why"):
        reidentify(taken, "clinic", name, reason=reason, by=operator("cara"))
    assert entries(taken, "data.reidentified") == []


def test_a_reason_that_names_the_person_is_refused_and_noted_without_it(
    given_away: Callable[..., Any], taken: Workspace
) -> None:
    name = pq.read_table(given_away().path)["person"][0].as_py()
    value = PseudonymVault(taken.db, taken.keyring, "clinic").original(name)
    with pytest.raises(InvalidInput, match="must not hold personal data"):
        reidentify(taken, "clinic", name, reason=f"is this {value.upper()}?", by=operator("cara"))
    (refused,) = entries(taken, "data.reidentification_refused")
    assert b"canary" not in refused.leaf.lower()
    assert name.encode() not in refused.leaf


def test_no_ledger_no_answer(given_away: Callable[..., Any], taken: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program holds the ledger: the value was decrypted by then, and is not told."""
    name = pq.read_table(given_away().path)["person"][0].as_py()
    taken.ledger.close()
    taken._ledger = None
    monkeypatch.setattr(workspace_module, "_PATIENCE_SECONDS", 0.0)
    holder = Ledger.open(
        taken.home / "ledger",
        origin=workspace_module.ledger_origin(taken.id),
        signer=taken.keyring.signer("checkpoints"),
    )
    try:
        with pytest.raises(Conflict, match=r"[Pp]rocess|program"):
            reidentify(taken, "clinic", name, reason=REASON, by=operator("cara"))
    finally:
        holder.close()
    assert entries(taken, "data.reidentified") == []


def test_a_closed_ledger_is_no_ledger(given_away: Callable[..., Any], taken: Workspace) -> None:
    name = pq.read_table(given_away().path)["person"][0].as_py()
    taken.ledger.close()
    with pytest.raises(Refused):
        reidentify(taken, "clinic", name, reason=REASON, by=operator("cara"))


def test_a_pseudonym_of_another_project_is_not_found_and_the_attempt_is_noted(
    given_away: Callable[..., Any], taken: Workspace
) -> None:
    name = pq.read_table(given_away().path)["person"][0].as_py()
    with pytest.raises(NotFound, match="another project's"):
        reidentify(taken, "hospital", name, reason=REASON, by=operator("mallory"))
    (refused,) = entries(taken, "data.reidentification_refused")
    assert refused.actor == taken.discretion.name_of("mallory")
    assert refused.detail == {"project": "hospital", "why": "not_found"}
    assert name.encode() not in refused.leaf
    for typed in ("canary-person-0001", "", "p_zz", "p_" + "0" * 90):
        with pytest.raises(InvalidInput, match="no pseudonym"):
            reidentify(taken, "clinic", typed, reason=REASON, by=operator("mallory"))


def test_a_row_moved_to_another_project_or_pseudonym_does_not_open(
    given_away: Callable[..., Any], taken: Workspace
) -> None:
    """Who can write to the database but has no key gains nothing by copying rows about."""
    one, other = pq.read_table(given_away().path)["person"].to_pylist()[:2]
    with taken.db.write() as tx:
        tx.run("UPDATE pseudonym_vault SET project = 'hospital' WHERE pseudonym = :one", one=one)
        tx.run(
            "UPDATE pseudonym_vault SET sealed = (SELECT sealed FROM pseudonym_vault WHERE pseudonym = :one)"
            " WHERE pseudonym = :other",
            one=one,
            other=other,
        )
    with pytest.raises(VerificationFailed):
        reidentify(taken, "hospital", one, reason=REASON, by=operator("mallory"))
    with pytest.raises(VerificationFailed):
        reidentify(taken, "clinic", other, reason=REASON, by=operator("mallory"))
    assert len(entries(taken, "data.reidentification_refused")) == 2


def test_the_vault_needs_the_key_of_its_workspace(db: Database, tmp_path: Path) -> None:
    with (
        create_keyring(tmp_path / "a", "ws_a", UNLOCK) as ours,
        create_keyring(tmp_path / "b", "ws_b", UNLOCK) as theirs,
    ):
        vault = PseudonymVault(db, ours, "clinic")
        assert vault.keep({"p_1": "canary", "p_2": "other"}, {"p_1": "sub_1", "p_2": "sub_2"}) == 2
        assert vault.keep({"p_1": "canary", "p_3": "third"}, {"p_1": "sub_1", "p_3": "sub_1"}) == 1
        assert vault.original("p_1") == "canary"
        with pytest.raises(VerificationFailed):
            _other(db, theirs).original("p_1")
        with pytest.raises(NotFound):
            PseudonymVault(db, ours, "elsewhere").original("p_1")
        with db.read() as tx:
            assert b"canary" not in b"".join(
                bytes(row["sealed"]) for row in tx.run("SELECT sealed FROM pseudonym_vault")
            )
        assert vault.forget("sub_1") == 2
        assert vault.forget("sub_1") == 0
        with pytest.raises(NotFound):
            vault.original("p_1")
        assert vault.original("p_2") == "other"


def _other(db: Database, keyring: Keyring) -> PseudonymVault:
    return PseudonymVault(db, keyring, "clinic")


def test_without_reversible_no_way_back_is_kept(given_away: Callable[..., Any], taken: Workspace) -> None:
    name = pq.read_table(given_away(reversible=False).path)["person"][0].as_py()
    with pytest.raises(NotFound):
        reidentify(taken, "clinic", name, reason=REASON, by=operator("cara"))


def test_a_reversible_recipe_needs_to_know_the_person(workspace: Workspace, project: Project) -> None:
    bare = project.spec.model_copy(update={"data": project.spec.data.model_copy(update={"subject": None})})
    from dataclasses import replace

    with pytest.raises(InvalidInput, match="destroyed with them"):
        deidentify(workspace, replace(project, spec=bare), by=operator("ada"))
    with pytest.raises(NotFound, match="sealwright ingest"):
        deidentify(workspace, project, by=operator("ada"))
    nothing = replace(project, spec=project.spec.model_copy(update={"deidentify": None}))
    with pytest.raises(InvalidInput, match="does not say how"):
        deidentify(workspace, nothing, by=operator("ada"))


def test_the_workspace_can_be_closed_in_between(given_away: Callable[..., Any], taken: Workspace) -> None:
    name = pq.read_table(given_away().path)["person"][0].as_py()
    taken.close()
    with open_workspace(taken.home, UNLOCK, clock=CLOCK) as again:
        assert reidentify(again, "clinic", name, reason=REASON, by=operator("cara")).startswith("canary")


def test_risk_is_measured_on_files_and_snapshots_alike(taken: Workspace, project: Project) -> None:
    of_file = risk_of_file(project.folder / "clinic.csv", ["age", "town"], ["ill"], population=10_000)
    of_snapshot = risk_of_project(taken, "clinic", ["age", "town"], ["ill"], by=operator("ada"), population=10_000)
    assert of_file.risk == of_snapshot.risk
    assert of_file.measured == of_snapshot.measured
    with pytest.raises(InvalidInput, match="Did you mean 'town'"):
        risk_of_file(project.folder / "clinic.csv", ["twon"])
    by_number = risk_of_file(project.folder / "clinic.csv", ["town"], ["age"])
    assert by_number.measured.sensitive["age"].distance == "ordered"


def test_a_recipe_in_a_file_is_read_and_its_mistakes_have_lines(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump({"deidentify": RECIPE}))
    assert read_recipe(path) == DeidentifySpec.model_validate(RECIPE)
    path.write_text("deidentify:\n  columns:\n    a: {method: generalise, bands: -1}\n  quasi: [a]\n")
    with pytest.raises(InvalidInput, match=r"(?s)line 3: deidentify\.columns\.a.*line 4: deidentify\.quasi"):
        read_recipe(path)


def test_t56_an_erased_person_has_no_way_back_and_those_who_have_extracts_are_named(
    taken: Workspace, project: Project, given_away: Callable[..., Any]
) -> None:
    person = reidentify(
        taken, "clinic", pq.read_table(given_away().path)["person"][0].as_py(), reason=REASON, by=operator("c")
    )
    answered = answer_person(taken, project.name, person, Asked(right="erase"), by=operator("dora"))
    (extract,) = answered.found.extracts
    assert answered.detail["erased"]["tell"] == [extract.recipient]
    assert extract.pseudonym is not None
    with pytest.raises(NotFound):
        reidentify(taken, "clinic", extract.pseudonym, reason=REASON, by=operator("cara"))


def test_what_stands_in_the_cells_cannot_be_declared_away_under_the_safe_harbor(
    taken: Workspace, project: Project
) -> None:
    """The town column is called none by the recipe; e-mail addresses in it are found all the same."""
    kinds = {"person": "medical_record", "email": "none", "born": "birth_date", "age": "age", "town": "place",
             "ill": "none", "back": "none"}  # fmt: skip
    columns = {name: {"method": "suppress"} for name in ("person", "born", "age", "town")}
    recipe = DeidentifySpec.model_validate(
        {
            "profile": "hipaa-safe-harbor",
            "identifiers": kinds,
            "columns": columns,
            "keep": dict.fromkeys(["email", "ill", "back"], "needed for the study"),
        }
    )
    with pytest.raises(SealwrightError, match="scanner found email"):
        deidentify(taken, project, by=operator("ada"), recipe=recipe)


def test_free_text_is_masked_by_the_scanner(taken: Workspace, project: Project) -> None:
    columns = {**RECIPE["columns"], "email": {"method": "mask_text"}}
    recipe = DeidentifySpec.model_validate({**RECIPE, "columns": columns, "reversible": False})
    extract = deidentify(taken, project, by=operator("ada"), recipe=recipe)
    texts = {text for text in extract.table.column("email").to_pylist() if text}
    assert texts
    assert not any("@" in text for text in texts)
