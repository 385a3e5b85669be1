"""What may not be held or used is stopped before anything is taken in; what has to go goes, with proof."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from acting import operator
from sealwright.data import dispose_snapshot
from sealwright.data.basis import FACTORS, BasisMissing, PurposeNotCovered, Weighed
from sealwright.kernel import Conflict, FixedClock, InvalidInput, OperationFailed, Refused, VerificationFailed
from sealwright.pipeline import (
    Workspace,
    basis_of_snapshot,
    basis_view,
    consents_of,
    create_workspace,
    dispose_past_limit,
    enrol,
    file_compatibility,
    holds_of,
    import_consents,
    load_project,
    name_in,
    record_of_processing,
    require_basis,
    retention_plan,
    state_basis,
    withdraw_consent,
)
from sealwright.pipeline import end_enrolment as end
from sealwright.pipeline.desk import Desk
from sealwright.pipeline.snapshots import SnapshotIndex
from sealwright.pipeline.take_in import ingest
from sealwright.trust import InsecurePassphraseForTests, Secret

UNLOCK = InsecurePassphraseForTests(Secret("correct horse battery staple"))
WORDS = dict.fromkeys(FACTORS, "Both serve to judge the same loans.")
SPEC: dict[str, Any] = {
    "format": 1,
    "project": "loans",
    "charter": {
        "purpose": "Estimate who repays.",
        "purpose_id": "credit-decision",
        "owner": "Head of credit",
        "risk_class": "limited",
    },
    "data": {
        "source": "loans.csv",
        "target": "repaid",
        "positive": "yes",
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
            "person": {"type": "text", "class": "personal", "role": "identifier"},
            "income": {"type": "integer", "class": "personal"},
            "repaid": {"type": "category", "categories": ["yes", "no"]},
        },
    },
}
Make = Callable[..., Desk]


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))


@pytest.fixture
def workspace(db_url: str, tmp_path: Path, clock: FixedClock) -> Iterator[Workspace]:
    with create_workspace(tmp_path / "ws", name="Bank", unlock=UNLOCK, clock=clock, database=db_url) as made:
        yield made


@pytest.fixture
def desk(workspace: Workspace, tmp_path: Path) -> Make:
    """The project with some settings changed, e.g. {"data.basis.retention": {...}}; None takes one out."""

    def make(changes: dict[str, Any] | None = None, rows: int = 40) -> Desk:
        value = yaml.safe_load(yaml.safe_dump(SPEC, sort_keys=False))
        for path, new in (changes or {}).items():
            *way, last = path.split(".")
            at = value
            for name in way:
                at = at[name]
            if new is None:
                at.pop(last)
            else:
                at[last] = new
        folder = tmp_path / "loans"
        folder.mkdir(exist_ok=True)
        lines = [f"p{n},{1000 + n},{'yes' if n % 3 else 'no'}" for n in range(rows)]
        (folder / "loans.csv").write_text("person,income,repaid\n" + "\n".join(lines) + "\n")
        (folder / "sealwright.yaml").write_text(yaml.safe_dump(value, sort_keys=False))
        return Desk(workspace, load_project(folder))

    return make


def taken_in(desk: Desk) -> str:
    """The project's data as a snapshot, with its basis on file."""
    snapshot = ingest(desk.workspace, desk.project, by=operator("ada")).snapshot.digest
    state_basis(desk, snapshot, by="ada")
    return snapshot


def sign(desk: Desk, *, compatible: bool = True, person: str = "dora", **more: Any) -> str:
    given = {
        "purpose": "marketing",
        "until": desk.workspace.clock() + timedelta(days=300),
        "role": "compliance_officer",
    }
    filed = file_compatibility(
        desk.workspace, desk.project, person=person, unlock=UNLOCK, weighed=Weighed(**WORDS, compatible=compatible),
        **{**given, **more},
    )  # fmt: skip
    return filed.statement


MARKETING = {"charter.purpose_id": "marketing"}


def test_data_with_a_basis_and_its_purpose_passes(desk: Make) -> None:
    cleared = require_basis(desk(), by="ada")
    assert (cleared.compatibility, cleared.consent_for) == (None, None)
    assert basis_view(desk(), by=operator()).holds


HIGH = {"charter.risk_class": "high"}


def test_data_of_a_high_risk_project_without_a_basis_stops_before_anything_is_read(desk: Make) -> None:
    with pytest.raises(BasisMissing, match="person, income, repaid: no lawful basis"):
        require_basis(desk({**HIGH, "data.basis": None}))
    require_basis(desk(HIGH))


def test_a_basis_that_was_begun_must_be_complete(desk: Make) -> None:
    with pytest.raises(BasisMissing, match="person, income: no source"):
        require_basis(desk({"data.basis.source": None}))


def test_a_first_look_at_a_table_is_not_stopped_and_what_is_missing_is_shown(desk: Make) -> None:
    assert require_basis(desk({"data.basis": None})).consent_for is None
    view = basis_view(desk({"data.basis": None}), by=operator())
    assert not view.holds
    assert view.to_json()["missing"][0]["columns"] == ["person", "income"]


def test_columns_on_consent_name_the_purpose_rows_are_filtered_for(desk: Make) -> None:
    assert require_basis(desk({"data.basis.lawful_basis": "consent"})).consent_for == "credit-decision"


def test_another_purpose_passes_with_an_officers_signature_and_not_without(desk: Make, workspace: Workspace) -> None:
    enrol(workspace, "dora", ["compliance_officer"], UNLOCK, by=operator("ada"))
    with pytest.raises(PurposeNotCovered, match="collected for credit-decision"):
        require_basis(desk(MARKETING), by="ada")
    statement = sign(desk(MARKETING))
    assert require_basis(desk(MARKETING), by="ada").compatibility == statement
    assert basis_view(desk(MARKETING), by=operator()).compatibility == statement


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"charter.purpose": "Sell their addresses."}, "worded otherwise"),
        ({"data.basis.recipients": ["a broker"]}, "before data.basis changed"),
        ({"data.basis.lawful_basis": "public_task"}, "before data.basis changed"),
    ],
)
def test_a_record_does_not_outlive_what_was_weighed(
    desk: Make, workspace: Workspace, changes: dict[str, Any], why: str
) -> None:
    enrol(workspace, "dora", ["compliance_officer"], UNLOCK, by=operator("ada"))
    sign(desk(MARKETING))
    with pytest.raises(PurposeNotCovered, match=why):
        require_basis(desk({**MARKETING, **changes}), by="ada")


def test_whose_signature_counts(desk: Make, workspace: Workspace, clock: FixedClock) -> None:
    enrol(workspace, "dora", ["compliance_officer"], UNLOCK, by=operator("ada"))
    enrol(workspace, "eve", ["data_scientist"], UNLOCK, by=operator("ada"))
    with pytest.raises(Refused, match="not enrolled as compliance_officer"):
        sign(desk(MARKETING), person="eve")
    with pytest.raises(InvalidInput, match="signed by a compliance_officer"):
        sign(desk(MARKETING), person="eve", role="data_scientist")
    with pytest.raises(InvalidInput, match="purpose_id is credit-decision"):
        sign(desk())
    sign(desk(MARKETING))
    with pytest.raises(PurposeNotCovered, match="it takes somebody else"):
        require_basis(desk(MARKETING), by="dora")
    end(workspace, "dora", reason="left the company", by=operator("ada"))
    with pytest.raises(PurposeNotCovered, match="was revoked: left the company"):
        require_basis(desk(MARKETING), by="ada")


def test_a_record_ends_and_a_later_no_ends_an_earlier_yes(desk: Make, workspace: Workspace, clock: FixedClock) -> None:
    enrol(workspace, "dora", ["compliance_officer"], UNLOCK, by=operator("ada"))
    sign(desk(MARKETING))
    clock.advance(timedelta(days=1))
    sign(desk(MARKETING), compatible=False)
    with pytest.raises(PurposeNotCovered, match="found the purposes not compatible"):
        require_basis(desk(MARKETING), by="ada")
    clock.advance(timedelta(days=1))
    sign(desk(MARKETING))
    require_basis(desk(MARKETING), by="ada")
    clock.advance(timedelta(days=300))
    with pytest.raises(PurposeNotCovered, match="ran to"):
        require_basis(desk(MARKETING), by="ada")


def test_a_no_taken_out_of_the_database_is_missed(desk: Make, workspace: Workspace) -> None:
    enrol(workspace, "dora", ["compliance_officer"], UNLOCK, by=operator("ada"))
    sign(desk(MARKETING))
    refusal = sign(desk(MARKETING), compatible=False)
    with workspace.db.write() as tx:
        tx.run("DELETE FROM statements WHERE digest = :digest", digest=refusal)
    with pytest.raises(VerificationFailed, match="no longer on file"):
        require_basis(desk(MARKETING), by="ada")


def test_the_same_basis_is_stated_once_and_a_changed_one_again(desk: Make, workspace: Workspace) -> None:
    snapshot = taken_in(desk())
    first = state_basis(desk(), snapshot, by="ada")
    assert state_basis(desk(), snapshot, by="ada") == first
    assert state_basis(desk({"data.basis.retention": {"keep": "1 year"}}), snapshot, by="ada") != first
    filed = basis_of_snapshot(workspace, "loans", snapshot)
    assert filed is not None
    assert filed.spec is not None
    assert filed.spec.retention is not None
    assert filed.spec.retention.keep == "1 year"
    assert basis_of_snapshot(workspace, "other", snapshot) is None


def test_what_is_past_its_limit_goes_with_proof_and_not_before_it_is_asked(
    desk: Make, workspace: Workspace, clock: FixedClock
) -> None:
    snapshot = taken_in(desk())
    folder = workspace.folder("snapshots") / snapshot.partition(":")[2]
    assert [one.verdict for one in retention_plan(workspace, by=operator()).judged] == ["keep"]
    assert dispose_past_limit(workspace, by=operator("job")) == []
    clock.advance(datetime(2027, 1, 2, tzinfo=UTC) - clock())
    (found,) = retention_plan(workspace, by=operator()).findings
    assert (found.verdict, found.days_left, str(found.item.limit)) == ("dispose", -1, "2027-01-01")
    assert folder.is_dir()
    (gone,) = dispose_past_limit(workspace, by=operator("job"))
    assert not folder.exists()
    assert gone.receipt is not None
    assert gone.receipt.bytes > 0
    entry = workspace.ledger.entry(gone.ledger_index)
    assert (entry.action, entry.subject, entry.actor) == (
        "data.disposed",
        snapshot,
        workspace.discretion.name_of("job"),
    )
    assert entry.detail["proof"]["statement"] == gone.receipt.statement
    assert SnapshotIndex(workspace.db).find(snapshot).state == "disposed"
    assert retention_plan(workspace, by=operator()).judged == ()


def test_a_hold_keeps_it_until_it_is_lifted(desk: Make, workspace: Workspace, clock: FixedClock) -> None:
    snapshot = taken_in(desk())
    hold = holds_of(workspace).add("loans", reason="Case 12/26 at the county court", by="dora")
    clock.advance(timedelta(days=400))
    (held,) = retention_plan(workspace, by=operator()).judged
    assert (held.verdict, held.held_by, held.is_past) == ("held", (hold.id,), True)
    assert dispose_past_limit(workspace, by=operator("job")) == []
    holds_of(workspace).lift(hold.id, reason="The case was settled", by="dora")
    assert [one.item.digest for one in dispose_past_limit(workspace, by=operator("job"))] == [snapshot]


def test_data_without_a_stated_limit_is_a_finding(desk: Make, workspace: Workspace) -> None:
    ingest(
        workspace,
        desk(
            {"data.basis": None, "data.columns.person.class": "internal", "data.columns.income.class": "internal"}
        ).project,
        by=operator("ada"),
    )
    (found,) = retention_plan(workspace, by=operator()).findings
    assert found.verdict == "no_limit"
    assert dispose_past_limit(workspace, by=operator("job")) == []


def test_a_period_that_was_shortened_reaches_older_snapshots_and_a_longer_one_does_not(
    desk: Make, workspace: Workspace, clock: FixedClock
) -> None:
    old = taken_in(desk())
    clock.advance(timedelta(days=1))
    taken_in(desk({"data.basis.retention": {"keep": "9 years"}}, rows=41))
    limits = {one.item.digest: one.item.limit for one in retention_plan(workspace, by=operator()).judged}
    assert str(limits[old]) == "2027-01-01"
    clock.advance(timedelta(days=1))
    taken_in(desk({"data.basis.retention": {"keep": "25 months"}}, rows=42))
    assert {str(one.item.limit) for one in retention_plan(workspace, by=operator()).judged} == {"2026-02-01"}


def test_a_crash_between_removal_and_proof_is_finished_by_the_next_run(
    desk: Make, workspace: Workspace, clock: FixedClock
) -> None:
    snapshot = taken_in(desk())
    clock.advance(timedelta(days=400))

    def power_cut(digest: str) -> Any:
        dispose_snapshot(digest, snapshots=workspace.folder("snapshots"))
        raise OperationFailed("power cut")

    with pytest.raises(OperationFailed, match="power cut"):
        dispose_past_limit(workspace, by=operator("job"), dispose=power_cut)
    (gone,) = dispose_past_limit(workspace, by=operator("job"))
    assert (gone.item.digest, gone.receipt) == (snapshot, None)
    assert retention_plan(workspace, by=operator()).judged == ()


def test_the_record_of_processing_is_that_of_the_last_statement(desk: Make, workspace: Workspace) -> None:
    taken_in(desk({"data.basis.subjects": None}))
    (before,) = record_of_processing(workspace, by=operator())
    assert before.missing == ("categories of persons",)
    taken_in(desk())
    (after,) = record_of_processing(workspace, by=operator())
    assert (after.project, after.dataset, after.missing) == ("loans", "applications", ())


def test_a_project_that_holds_data_and_says_nothing_is_in_the_record(desk: Make, workspace: Workspace) -> None:
    ingest(workspace, desk().project, by=operator("ada"))
    with workspace.db.write() as tx:
        tx.run("DELETE FROM statements WHERE predicate_type LIKE '%data-basis%'")
    (found,) = record_of_processing(workspace, by=operator())
    assert (found.project, found.dataset, len(found.missing)) == ("loans", "", 8)


ON_CONSENT = {"data.basis.lawful_basis": "consent", "data.subject": "person"}


def everybody_agrees(workspace: Workspace, tmp_path: Path) -> None:
    lines = "\n".join(f"p{n},credit-decision,2026-02-01" for n in range(40))
    (tmp_path / "all.csv").write_text(f"subject,purpose,at\n{lines}\n")
    text = ("1", "sha256:" + "7" * 64)
    import_consents(workspace, tmp_path / "all.csv", project="loans", text=text, channel="shop", by=operator("ada"))


def test_who_takes_consent_back_leaves_the_snapshots_that_were_held_on_it(
    desk: Make, workspace: Workspace, clock: FixedClock, tmp_path: Path
) -> None:
    everybody_agrees(workspace, tmp_path)
    first = ingest(workspace, desk(ON_CONSENT).project, by=operator("ada")).snapshot
    assert first.rows == 40
    clock.advance(timedelta(days=1))
    done = withdraw_consent(workspace, "loans", "p7", None, channel="letter", by=operator("ada"))
    assert (done.withdrawn.before, done.left) == (("credit-decision",), ())
    assert [(one.before, one.rows) for one in done.rewritten] == [(first.digest, 1)]
    (kept,) = SnapshotIndex(workspace.db).of_project("loans")
    assert (kept.digest, kept.rows) == (done.rewritten[0].after, 39)
    assert not (workspace.folder("snapshots") / first.digest.partition(":")[2]).exists()
    (judged,) = retention_plan(workspace, by=operator()).judged
    assert str(judged.item.limit) == "2027-01-01", "what is left keeps the limit of what it was made from"
    again = withdraw_consent(workspace, "loans", "p7", None, channel="letter", by=operator("ada"))
    assert (again.withdrawn.before, again.rewritten) == ((), ())


def test_a_withdrawal_for_another_purpose_or_of_data_held_on_a_contract_rewrites_nothing(
    desk: Make, workspace: Workspace, clock: FixedClock, tmp_path: Path
) -> None:
    everybody_agrees(workspace, tmp_path)
    ingest(workspace, desk(ON_CONSENT).project, by=operator("ada"))
    clock.advance(timedelta(days=1))
    done = withdraw_consent(workspace, "loans", "p7", "marketing", channel="letter", by=operator("ada"))
    assert (done.rewritten, done.left) == ((), ())
    ingest(workspace, desk({"data.subject": "person"}).project, by=operator("ada"))
    done = withdraw_consent(workspace, "loans", "p8", "credit-decision", channel="letter", by=operator("ada"))
    assert (done.rewritten, done.left) == ((), ()), "the newest statement says contract"


def test_a_legal_hold_keeps_the_rows_and_says_so(
    desk: Make, workspace: Workspace, clock: FixedClock, tmp_path: Path
) -> None:
    everybody_agrees(workspace, tmp_path)
    first = ingest(workspace, desk(ON_CONSENT).project, by=operator("ada")).snapshot.digest
    clock.advance(timedelta(days=1))
    hold = holds_of(workspace).add(
        "loans", scope="subject", target=name_in(workspace, "loans", "p7"), reason="Case 12/26", by="dora"
    )
    done = withdraw_consent(workspace, "loans", "p7", None, channel="letter", by=operator("ada"))
    assert (done.left, done.rewritten) == ((first,), ())
    assert hold.id in done.why_left
    assert consents_of(workspace).state("loans", "credit-decision").withdrawn == {name_in(workspace, "loans", "p7")}
    only = withdraw_consent(workspace, "loans", "p8", None, channel="letter", by=operator("ada"), rewrite=False)
    assert (only.left, only.why_left) == ((first,), "as you asked")


def test_a_file_of_consents_names_persons_as_the_data_does(desk: Make, workspace: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "consents.csv"
    file.write_text(
        f"subject,purpose,at\np1,research,2026-02-01\n{name_in(workspace, 'loans', 'p2')},research,2026-02-01\n"
    )
    text = ("1", "sha256:" + "7" * 64)
    assert import_consents(workspace, file, project="loans", text=text, channel="shop", by=operator("ada")) == (2, 2)
    assert import_consents(workspace, file, project="loans", text=text, channel="shop", by=operator("ada")) == (2, 0)
    state = consents_of(workspace).state("loans", "research")
    assert state.given == {name_in(workspace, "loans", "p1"), name_in(workspace, "loans", "p2")}
    with pytest.raises(Conflict, match="with other words before"):
        other = ("1", "sha256:" + "8" * 64)
        file.write_text("subject,purpose,at\np3,research,2026-02-01\n")
        import_consents(workspace, file, project="loans", text=other, channel="shop", by=operator("ada"))
