"""Finished hours go into encrypted files: nothing is lost, nothing is there twice, and every reader finds both places."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from acting import operator, person
from deciding import PACKAGE, decide
from sealwright.kernel import FixedClock, InvalidInput, NotFound, VerificationFailed
from sealwright.pipeline import Workspace, create_workspace, enrol, open_workspace
from sealwright.pipeline import decision_hour_writing as hour_writing
from sealwright.pipeline import decision_sealing as sealing
from sealwright.pipeline.data_consent import name_in
from sealwright.pipeline.data_retention import holds_of
from sealwright.pipeline.decision_check import check_hours
from sealwright.pipeline.decision_erasure import erase_decisions
from sealwright.pipeline.decision_hour_rows import rows_of
from sealwright.pipeline.decision_hour_writing import Decided, write_hour
from sealwright.pipeline.decision_hours import FILE, KEYS, hours_folder, hours_of
from sealwright.pipeline.decision_reading import (
    SoughtDecisions,
    find_decision,
    find_decisions,
    find_newest_decisions,
)
from sealwright.pipeline.decision_records import decision_records, shadow_records, shadows_of
from sealwright.pipeline.decision_retention import end_old_decisions
from sealwright.pipeline.decision_sealing import seal_decisions
from sealwright.pipeline.person_erasure import erase_person
from sealwright.serving import DECISION_KEY_PURPOSE, ShadowRecord, decision_ledger_folder, decision_origin
from sealwright.serving.shadow_records import ShadowSealer
from sealwright.trust import InsecurePassphraseForTests, Ledger, PermissionDenied, Secret, verify_ledger

UNLOCK = InsecurePassphraseForTests(Secret("correct horse battery staple"))
BEGIN = datetime(2026, 3, 2, 6, 10, tzinfo=UTC)
BY = operator("ada")


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a closed workspace with three hours of decisions, the last of which is not over."""
    home, clock = tmp_path_factory.mktemp("stocked") / "ws", FixedClock(BEGIN)
    with create_workspace(home, name="Bank", unlock=UNLOCK, clock=clock) as made:
        decide(made, clock, ["a1-p1", "a2-p2", "a3"], BEGIN)
        decide(made, clock, ["b1-p1", "b2-p2"], BEGIN + timedelta(hours=1))
        decide(made, clock, ["c1-p1"], BEGIN + timedelta(hours=3))
    return home


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(BEGIN + timedelta(hours=3))


@pytest.fixture
def decided(tmp_path: Path, stocked: Path, clock: FixedClock) -> Iterator[Workspace]:
    shutil.copytree(stocked, tmp_path / "ws")
    with open_workspace(tmp_path / "ws", UNLOCK, clock=clock) as opened:
        yield opened


def found(workspace: Workspace) -> list[str]:
    return [record.decision.removeprefix("dec_") for _, _, record in decision_records(workspace, "loans")]


EVERYTHING = ["a1_p1", "a2_p2", "a3", "b1_p1", "b2_p2", "c1_p1"]


def entries_log(workspace: Workspace) -> bytes:
    return (decision_ledger_folder(workspace.home, "loans", "live") / "entries.log").read_bytes()


def ledger_holds(workspace: Workspace) -> list[str]:
    """Verify the ledger; what was not checked in it."""
    folder = decision_ledger_folder(workspace.home, "loans", "live")
    return verify_ledger(folder, workspace.trust_root.keys_of("decision-checkpoints")).not_checked


def test_finished_hours_are_sealed_once_and_every_record_is_read_from_where_it_is(decided: Workspace) -> None:
    before = list(decision_records(decided, "loans"))
    sealed = seal_decisions(decided, "loans", by=BY)
    assert [(one.hour, one.rows, one.first, one.after) for one in sealed] == [
        ("2026-03-02T06", 3, 0, 4),
        ("2026-03-02T07", 2, 4, 7),
    ]
    assert list(decision_records(decided, "loans")) == before
    assert seal_decisions(decided, "loans", by=BY) == []
    assert next(iter(decision_records(decided, "loans", start={"live": 5})))[1].index == 5
    assert check_hours(decided, "loans", "live", by=BY).decisions == 5
    assert any("5 erased attachments, or moved" in line for line in ledger_holds(decided))


def test_a_sealed_hour_shows_nothing_without_its_keys_and_has_left_the_ledger(decided: Workspace) -> None:
    seal_decisions(decided, "loans", by=BY)
    [first, _] = hours_of(decided, "loans", "live")
    data = (first.folder / FILE).read_bytes()
    assert data[:4] == b"PARE"  # encrypted footer
    assert b"a1_p1" not in data
    assert b"shop" not in data
    assert b"moved:2026-03-02T06..." in entries_log(decided)
    with decided.db.read() as tx:
        [row] = tx.run("SELECT count(*) AS n FROM statements WHERE predicate_type LIKE '%decision-hour%'")
    assert row["n"] == 2


@pytest.mark.parametrize("at", ["write_hour", "put_in_place", "evidence_of", "release_attachments", "touch"])
def test_a_crash_at_any_step_loses_nothing_and_leaves_nothing_twice(
    decided: Workspace, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """The power goes before the step, and once more after it; then the next run goes on."""

    class PowerCut(BaseException):
        pass

    before = found(decided)
    place = {"put_in_place": "sealwright.pipeline.decision_hour_writing"}.get(at, sealing.__name__)
    target = "pathlib.Path.touch" if at == "touch" else f"{place}.{at}"
    for late in (False, True):
        with monkeypatch.context() as patch:
            real = Path.touch if at == "touch" else getattr(__import__(place, fromlist=[at]), at)

            def cut(*known: Any, late: bool = late, real: Any = real, **more: Any) -> Any:
                if late:
                    real(*known, **more)
                raise PowerCut

            patch.setattr(target, cut)
            with pytest.raises(PowerCut):
                seal_decisions(decided, "loans", by=BY)
        assert found(decided) == before
    seal_decisions(decided, "loans", by=BY)
    assert found(decided) == before == EVERYTHING
    assert check_hours(decided, "loans", "live", by=BY).decisions == 5
    place_of = hours_folder(decided, "loans", "live")
    assert len([one for one in place_of.iterdir() if one.is_dir()]) == 2
    ledger_holds(decided)


@pytest.mark.parametrize("what", ["file", "keys", "manifest", "hour gone", "newest hour gone", "file of another hour"])
def test_an_hour_that_was_changed_is_refused(decided: Workspace, what: str) -> None:
    seal_decisions(decided, "loans", by=BY)
    first, second = hours_of(decided, "loans", "live")
    if what == "hour gone":
        shutil.rmtree(first.folder)
    elif what == "newest hour gone":
        shutil.rmtree(second.folder)
        with pytest.raises(VerificationFailed, match="which is gone"):
            seal_decisions(decided, "loans", by=BY)
    elif what == "file of another hour":
        for name in (FILE, KEYS):
            shutil.copy(second.folder / name, first.folder / name)
    else:
        path = first.folder / {"file": FILE, "keys": KEYS, "manifest": "manifest.json"}[what]
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    with pytest.raises(VerificationFailed):
        found(decided)


def test_a_record_that_cannot_be_read_back_from_its_file_stays_in_the_ledger(
    decided: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk, or a fault of ours, wrote something else."""
    real = hour_writing._row
    with monkeypatch.context() as patch:
        patch.setattr(hour_writing, "_row", lambda one: real(one) | {"answer": b"{}"})
        with pytest.raises(VerificationFailed, match="something else for entry"):
            seal_decisions(decided, "loans", by=BY)
    assert b"moved:" not in entries_log(decided)
    shutil.rmtree(hours_of(decided, "loans", "live")[0].folder)
    seal_decisions(decided, "loans", by=BY)
    assert found(decided) == EVERYTHING


def shadowed(workspace: Workspace, clock: FixedClock) -> ShadowRecord:
    """What a shadow would have said to p1 in the third hour, on record; the hour is over afterwards."""
    shadow = ShadowRecord(
        decision="dec_c1_p1", project="loans", arm="shadow", number=4, package=PACKAGE, sequence=7,
        answered_by=PACKAGE, told=[],
    )  # fmt: skip
    sealer = ShadowSealer(workspace.keyring.key("decisions", DECISION_KEY_PURPOSE), "loans", "live/2026-03-02")
    clock.advance(timedelta(minutes=20))
    with Ledger.open(
        decision_ledger_folder(workspace.home, "loans", "live"),
        origin=decision_origin(workspace.id, "loans", "live"),
        signer=workspace.keyring.signer("decision-checkpoints"),
        clock=clock,
    ) as ledger:
        entry = sealer.entry(shadow)
        ledger.append(entry.action, entry.subject, entry.detail, entry.attachment)
    clock.advance(timedelta(hours=1))
    return shadow


def test_what_a_shadow_would_have_said_goes_into_the_hour_and_is_erased_with_its_decision(
    decided: Workspace, clock: FixedClock
) -> None:
    shadow = shadowed(decided, clock)
    before = list(shadow_records(decided, "loans", {"dec_c1_p1"}))
    where = shadows_of(decided, "loans", {"dec_c1_p1"})
    assert before == [shadow]
    seal_decisions(decided, "loans", by=BY)
    assert list(shadow_records(decided, "loans", {"dec_c1_p1", "dec_a3"})) == before
    assert list(shadow_records(decided, "loans", {"dec_a3"})) == []
    assert check_hours(decided, "loans", "live", by=BY).decisions == 6
    assert erase_decisions(decided, "loans", "live", where["live"], by="dora") == 1
    assert shadows_of(decided, "loans", {"dec_c1_p1"}) == {}
    assert found(decided) == EVERYTHING
    assert check_hours(decided, "loans", "live", by=BY).erased == 0


@pytest.mark.parametrize("sealed", [True, False])
def test_who_is_erased_takes_along_what_a_shadow_would_have_said_t56(
    decided: Workspace, clock: FixedClock, sealed: bool
) -> None:
    """Also out of the file of an hour that was sealed before."""
    shadow = shadowed(decided, clock)
    if sealed:
        seal_decisions(decided, "loans", by=BY)
    assert list(shadow_records(decided, "loans", {shadow.decision})) == [shadow]
    erase_person(decided, "loans", "p1", by="dora")
    assert shadows_of(decided, "loans", {shadow.decision}) == {}
    assert list(shadow_records(decided, "loans", {shadow.decision})) == []
    assert found(decided) == ["a2_p2", "a3", "b2_p2"]


def test_one_person_is_erased_from_files_and_ledger_and_everything_signed_still_holds(decided: Workspace) -> None:
    seal_decisions(decided, "loans", by=BY)
    [old, _] = hours_of(decided, "loans", "live")
    name = name_in(decided, "loans", "p1")
    theirs = [
        (where.index, record.decision)
        for _, where, record in decision_records(decided, "loans")
        if record.person == name
    ]
    assert erase_decisions(decided, "loans", "live", theirs, by="dora") == 3
    assert erase_decisions(decided, "loans", "live", theirs, by="dora") == 0
    assert found(decided) == ["a2_p2", "a3", "b2_p2"]
    [first, second] = hours_of(decided, "loans", "live")
    assert (first.generation, first.rows, first.erased, first.leaves) == (2, 3, 1, old.leaves)
    assert second.erased == 1
    assert not old.folder.exists()
    assert check_hours(decided, "loans", "live", by=BY).erased == 2
    ledger_holds(decided)


def test_hours_past_their_days_go_with_their_keys_unless_somebody_holds_them(
    decided: Workspace, clock: FixedClock
) -> None:
    seal_decisions(decided, "loans", by=BY)
    folders = [hour.folder for hour in hours_of(decided, "loans", "live")]
    clock.advance(BEGIN + timedelta(days=30) - clock())
    assert not end_old_decisions(decided, "loans", 30, by=BY).ended
    clock.advance(BEGIN + timedelta(days=40) - clock())
    person = name_in(decided, "loans", "p2")
    hold = holds_of(decided).add(
        "loans", scope="subject", target=person, reason="a case at court", by="dora", until=None
    )
    kept = end_old_decisions(decided, "loans", 30, by=BY)
    assert (len(kept.ended), [one[1] for one in kept.held]) == (0, [hold.id] * 2)
    holds_of(decided).lift(hold.id, reason="the case is over", by="dora")
    assert [one.hour for one in end_old_decisions(decided, "loans", 30, by=BY).ended] == [
        "2026-03-02T06",
        "2026-03-02T07",
    ]
    assert not any(folder.exists() for folder in folders)
    assert all(one.disposed and not (one.folder / KEYS).exists() for one in hours_of(decided, "loans", "live"))
    assert found(decided) == ["c1_p1"]
    assert check_hours(decided, "loans", "live", by=BY).disposed == 2
    assert seal_decisions(decided, "loans", by=BY)[0].first == 7  # and what comes after goes on


def test_decisions_are_found_by_time_person_and_label_and_it_is_on_record(decided: Workspace) -> None:
    seal_decisions(decided, "loans", by=BY)
    enrol(decided, "dora", ["compliance_officer"], UNLOCK, by=BY)
    dora = person("dora", "compliance_officer")

    def ids(**sought: Any) -> list[str]:
        got = find_decisions(decided, "loans", SoughtDecisions(**sought), by=dora, reason="a weekly look")
        return [one.record.decision.removeprefix("dec_") for one in got]

    assert ids() == EVERYTHING
    assert ids(since="2026-03-02T07", until="2026-03-02T09") == ["b1_p1", "b2_p2"]
    assert ids(person="p2") == ["a2_p2", "b2_p2"]
    assert ids(person="p2", since="2026-03-02T07") == ["b2_p2"]
    assert ids(number=4) == []
    assert ids(label="no") == ["a2_p2", "a3", "b2_p2"]
    one = find_decision(decided, "loans", "dec_b1_p1", by=dora, reason="a complaint")
    assert (one.to_json()["score"], one.to_json()["label"]) == (0.25, "yes")
    with pytest.raises(NotFound, match="no record"):
        find_decision(decided, "loans", "dec_x", by=dora, reason="a complaint")
    with pytest.raises(InvalidInput, match="what you read"):
        find_decisions(decided, "loans", SoughtDecisions(), by=dora, reason="")
    with pytest.raises(PermissionDenied):
        find_decisions(decided, "loans", SoughtDecisions(), by=BY, reason="a weekly look")
    told = [entry for entry in decided.ledger.entries() if entry.action == "decisions.read"]
    assert len(told) == 8
    assert b"p2" not in told[2].leaf


def test_the_newest_that_fit_come_first_and_no_older_hour_is_opened_than_they_need(decided: Workspace) -> None:
    enrol(decided, "dora", ["compliance_officer"], UNLOCK, by=BY)
    dora = person("dora", "compliance_officer")

    def ids(most: int, **sought: Any) -> list[str]:
        wanted = SoughtDecisions(**sought)
        got = find_newest_decisions(decided, "loans", wanted, most, by=dora, reason="a weekly look")
        return [one.record.decision.removeprefix("dec_") for one in got]

    backwards = EVERYTHING[::-1]
    unsealed = [ids(most) for most in range(len(EVERYTHING) + 2)]
    seal_decisions(decided, "loans", by=BY)
    assert unsealed == [ids(most) for most in range(len(EVERYTHING) + 2)] == [
        backwards[:most] for most in range(len(EVERYTHING) + 2)
    ]  # fmt: skip
    assert ids(1, person="p2") == ["b2_p2"]
    assert ids(9, until="2026-03-02T07") == [one for one in backwards if one.startswith("a")]
    oldest = hours_of(decided, "loans", "live")[0]
    (oldest.folder / FILE).unlink()
    assert ids(2) == backwards[:2]
    assert ids(9, since="2026-03-02T07") == [one for one in backwards if not one.startswith("a")]
    with pytest.raises(VerificationFailed, match="missing"):
        ids(9)


def test_one_decision_is_found_by_its_id_wherever_it_lies_and_no_hour_before_it_is_opened(decided: Workspace) -> None:
    enrol(decided, "dora", ["compliance_officer"], UNLOCK, by=BY)
    dora = person("dora", "compliance_officer")

    def find(name: str) -> str:
        one = find_decision(decided, "loans", f"dec_{name}", by=dora, reason="a complaint")
        return one.record.decision.removeprefix("dec_")

    assert [find(name) for name in EVERYTHING] == EVERYTHING
    seal_decisions(decided, "loans", by=BY)
    assert [find(name) for name in EVERYTHING] == EVERYTHING
    [last] = [where.index for _, where, record in decision_records(decided, "loans") if record.decision == "dec_b2_p2"]
    assert erase_decisions(decided, "loans", "live", [(last, "dec_b2_p2")], by="dora") == 1
    with pytest.raises(NotFound, match="may have been erased"):
        find("b2_p2")
    oldest = hours_of(decided, "loans", "live")[0]
    (oldest.folder / FILE).unlink()
    assert find("b1_p1") == "b1_p1"
    with pytest.raises(VerificationFailed, match="missing"):
        find("a1_p1")


def test_a_reader_that_began_before_its_hour_was_sealed_misses_nothing(decided: Workspace) -> None:
    reading = decision_records(decided, "loans")
    got = [next(reading)[2].decision]
    seal_decisions(decided, "loans", by=BY)
    got += [record.decision for _, _, record in reading]
    assert [name.removeprefix("dec_") for name in got] == EVERYTHING


def test_rows_come_in_groups_so_memory_does_not_grow_with_the_hour(
    decided: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sealwright.pipeline.decision_hour_writing._GROUP_ROWS", 2)
    seal_decisions(decided, "loans", by=BY)
    assert found(decided) == EVERYTHING
    assert (hours_of(decided, "loans", "live")[0].folder / FILE).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("what", ["changed", "missing", "another", "erased"])
def test_a_file_that_was_signed_with_other_decisions_than_the_ledger_has_is_found(
    decided: Workspace, what: str
) -> None:
    """Whoever holds the workspace can sign; the decision ledger was signed before them."""
    seal_decisions(decided, "loans", by=BY)
    [hour, _] = hours_of(decided, "loans", "live")
    rows = [Decided(one.index, one.at, one.decision, one.package, one.record) for one in rows_of(decided, hour)]
    record = rows[1].record
    assert record is not None
    if what == "changed":
        rows[1] = replace(rows[1], record=msgspec.structs.replace(record, answer=b'{"label":"yes"}'))
    elif what == "missing":
        del rows[1]
    elif what == "another":
        rows[1] = replace(rows[1], decision="dec_other")
    else:
        rows[1] = replace(rows[1], record=None)  # which anybody who may erase can do, and is counted
    write_hour(decided, hour.folder.parent, replace(hour, generation=2), rows)
    if what == "erased":
        assert check_hours(decided, "loans", "live", by=BY).erased == 1
    else:
        with pytest.raises(VerificationFailed, match="something else for entry"):
            check_hours(decided, "loans", "live", by=BY)
