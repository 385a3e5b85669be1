"""Hours of decisions beside what else happens: an erasure while somebody reads, one that was killed, a server that was."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from acting import operator
from deciding import decide
from sealwright.kernel import FixedClock, VerificationFailed
from sealwright.pipeline import Workspace, create_workspace, open_workspace
from sealwright.pipeline import decision_erasure as erasure
from sealwright.pipeline import decision_hours as hours
from sealwright.pipeline.decision_check import check_hours
from sealwright.pipeline.decision_hours import KEYS, MANIFEST, hours_backwards, hours_folder, hours_of
from sealwright.pipeline.decision_records import decision_records, newest_records
from sealwright.pipeline.decision_sealing import seal_decisions
from sealwright.pipeline.person_erasure import erase_person
from sealwright.serving import decision_ledger_folder
from sealwright.trust import InsecurePassphraseForTests, Ledger, Secret

UNLOCK = InsecurePassphraseForTests(Secret("correct horse battery staple"))
BEGIN = datetime(2026, 3, 2, 6, 10, tzinfo=UTC)
BY = operator("ada")


@pytest.fixture(scope="module")
def sealed_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a closed workspace with two sealed hours, and a third that is not over."""
    home, clock = tmp_path_factory.mktemp("sealed") / "ws", FixedClock(BEGIN)
    with create_workspace(home, name="Bank", unlock=UNLOCK, clock=clock) as made:
        decide(made, clock, ["a1-p1", "a2-p2", "a3"], BEGIN)
        decide(made, clock, ["b1-p1", "b2-p2"], BEGIN + timedelta(hours=1))
        decide(made, clock, ["c1-p1"], BEGIN + timedelta(hours=3))
        seal_decisions(made, "loans", by=BY)
    return home


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(BEGIN + timedelta(hours=3))


@pytest.fixture
def sealed(tmp_path: Path, sealed_home: Path, clock: FixedClock) -> Iterator[Workspace]:
    shutil.copytree(sealed_home, tmp_path / "ws")
    with open_workspace(tmp_path / "ws", UNLOCK, clock=clock) as opened:
        yield opened


def found(workspace: Workspace) -> list[str]:
    return [record.decision.removeprefix("dec_") for _, _, record in decision_records(workspace, "loans")]


def test_who_reads_while_somebody_is_erased_reads_on_without_them(sealed: Workspace) -> None:
    reading = decision_records(sealed, "loans")
    assert next(reading)[2].decision == "dec_a1_p1"
    erase_person(sealed, "loans", "p2", by="dora")
    rest = [record.decision for _, _, record in reading]
    assert "dec_b2_p2" not in rest
    assert {"dec_a3", "dec_b1_p1", "dec_c1_p1"} <= set(rest)


def test_who_lists_hours_while_one_is_replaced_sees_the_new_one(
    sealed: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, replaced = hours.read_limited, []

    def replaced_first(path: Path, most: int) -> bytes:
        if not replaced:
            replaced.append(path)
            erase_person(sealed, "loans", "p2", by="dora")
        return read(path, most)

    monkeypatch.setattr(hours, "read_limited", replaced_first)
    assert [one.generation for one in hours_of(sealed, "loans", "live")][:2] == [2, 2]


def test_manifests_of_hours_that_are_not_asked_about_are_not_read(sealed: Workspace) -> None:
    """So that a look costs the same after a year of hours."""
    first, second = hours_of(sealed, "loans", "live")
    (first.folder / MANIFEST).unlink()
    assert [one.name for one in hours_of(sealed, "loans", "live", beyond=first.after)] == [second.name]
    assert next(hours_backwards(sealed, "loans", "live")).name == second.name
    fitting = newest_records(sealed, "loans", lambda *_: True, 3)
    assert [record.decision for _, _, record in fitting] == ["dec_c1_p1", "dec_b2_p2", "dec_b1_p1"]
    reading = decision_records(sealed, "loans", start={"live": first.after})
    assert [record.decision for _, _, record in reading] == ["dec_b1_p1", "dec_b2_p2", "dec_c1_p1"]
    for asked in (lambda: hours_of(sealed, "loans", "live"), lambda: list(hours_backwards(sealed, "loans", "live"))):
        with pytest.raises(VerificationFailed, match=r"manifest of .* is missing"):
            asked()


def test_a_gap_between_hours_is_seen_from_either_end(sealed: Workspace) -> None:
    first, _ = hours_of(sealed, "loans", "live")
    shutil.rmtree(first.folder)
    for asked in (lambda: hours_of(sealed, "loans", "live"), lambda: list(hours_backwards(sealed, "loans", "live"))):
        with pytest.raises(VerificationFailed, match="gap before entry 4"):
            asked()


def test_an_erasure_that_was_killed_before_the_old_keys_went_is_finished_before_it_is_signed_as_done_t56(
    sealed: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish, calls = erasure.finish_hours, []

    def killed(*known: object, **more: object) -> object:
        calls.append(known)
        if len(calls) == 2:  # the new generations are in place
            raise KeyboardInterrupt
        return finish(*known, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(erasure, "finish_hours", killed)
        with pytest.raises(KeyboardInterrupt):
            erase_person(sealed, "loans", "p2", by="dora")
    place = hours_folder(sealed, "loans", "live")
    assert [one.name for one in place.glob("*-0001") if (one / KEYS).exists()]
    assert erase_person(sealed, "loans", "p2", by="dora").statement
    assert list(place.glob("*-0001")) == []
    assert found(sealed) == ["a1_p1", "a3", "b1_p1", "c1_p1"]


def test_an_hour_that_is_gone_is_missed_though_it_was_the_newest(sealed: Workspace) -> None:
    for gone in reversed(hours_of(sealed, "loans", "live")):
        shutil.rmtree(gone.folder)
        with pytest.raises(VerificationFailed, match="is gone"):
            check_hours(sealed, "loans", "live", by=BY)


def test_an_hour_that_is_gone_is_missed_by_what_the_ledger_says_of_it(sealed: Workspace) -> None:
    """Though the database, too, is from before it was sealed."""
    with sealed.db.write() as tx:
        tx.run("DELETE FROM statements")
    shutil.rmtree(hours_of(sealed, "loans", "live")[-1].folder)
    with pytest.raises(VerificationFailed, match="file of the hour 2026-03-02T07, which is gone"):
        check_hours(sealed, "loans", "live", by=BY)


def test_an_hour_from_before_an_erasure_that_was_put_back_is_refused_t56(sealed: Workspace, tmp_path: Path) -> None:
    old = hours_of(sealed, "loans", "live")[0]
    shutil.copytree(old.folder, tmp_path / "kept")
    erase_person(sealed, "loans", "p1", by="dora")
    assert check_hours(sealed, "loans", "live", by=BY).erased == 2
    shutil.rmtree(hours_of(sealed, "loans", "live")[0].folder)
    shutil.copytree(tmp_path / "kept", old.folder)
    with pytest.raises(VerificationFailed, match="before something was erased was put back"):
        check_hours(sealed, "loans", "live", by=BY)


def test_what_a_killed_server_had_promised_is_found_and_erased_t56(
    tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last half second is under no checkpoint yet, and nobody writes that ledger any more."""
    with create_workspace(tmp_path / "ws", name="Bank", unlock=UNLOCK, clock=FixedClock(BEGIN)) as made:
        folder = decision_ledger_folder(made.home, "loans", "live")

        def killed(ledger: Ledger) -> None:
            shutil.copytree(folder, tmp_path / "left")
            close(ledger)

        close = Ledger.close
        with monkeypatch.context() as patch:
            patch.setattr(Ledger, "close", killed)
            decide(made, made.clock, ["a1-p1", "a2-p2"], BEGIN)  # type: ignore[arg-type]
        shutil.rmtree(folder)
        shutil.move(tmp_path / "left", folder)
        assert erase_person(made, "loans", "p1", by="dora").decisions == 1
        assert found(made) == ["a2_p2"]
        journal = (folder / "journal").read_bytes()
        assert journal.count(0) == len(journal)
