"""Versions and pointers, on every engine: what serves where, since when; and nothing older can be shown again."""

import json
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sealwright.engines import Database, open_database
from sealwright.kernel import Conflict, InvalidInput, NotFound, Refused, VerificationFailed, canonical_json, hex_of
from sealwright.registry import (
    DatabaseOlder,
    PackageRevoked,
    PointerExpired,
    PointerOlder,
    Registry,
    SealedPackage,
    verify_pointer,
    verify_revocations,
)
from sealwright.registry.high_water import HighWater
from sealwright.registry.pointer import make_pointer
from sealwright.trust import Ledger, LedgerUnavailable, SignerRefused

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def pointer_file(house: Any, channel: str = "live", project: str = "credit") -> Path:
    return Path(house.home / "pointers" / project / f"{channel}.json")


def promote(house: Any, number: int = 1, channel: str = "live", **more: Any) -> Any:
    return house.registry.promote("credit", number, channel, by="dora", reason="ready", **more)


# ---- the usual way ----------------------------------------------------------------------------------------------


def test_versions_are_numbered_per_project_in_the_order_of_registering(house: Any) -> None:
    first, second, other = house.version(), house.version(bias=0.1), house.version(project="hiring")
    assert [(one.project, one.number) for one in (first, second, other)] == [
        ("credit", 1),
        ("credit", 2),
        ("hiring", 1),
    ]
    assert house.registry.versions("credit") == [first, second]
    assert house.registry.version("credit", 2).package == second.package
    with pytest.raises(NotFound, match="no version 3"):
        house.registry.version("credit", 3)


def test_registering_the_same_package_again_gives_the_same_version(house: Any) -> None:
    sealed = house.package()
    assert house.registry.register(sealed) == house.registry.register(sealed)
    assert [entry.action for entry in house.ledger.entries()].count("version.registered") == 1


def test_promoting_signs_a_pointer_that_serving_can_verify(house: Any) -> None:
    version = house.version()
    pointer = promote(house, days=3)
    assert (pointer.sequence, pointer.package, pointer.previous) == (1, version.package, None)
    assert pointer.expires - pointer.not_before == 3 * DAY
    published = verify_pointer(
        pointer_file(house).read_bytes(),
        house.trust_root,
        project="credit",
        channel="live",
        now=house.clock(),
        at_least=0,
    )
    assert published == pointer == house.registry.current("credit", "live")
    assert verify_revocations((house.home / "revocations.json").read_bytes(), house.trust_root).packages == {}


def test_every_change_is_in_the_ledger_with_the_bytes_that_were_signed(house: Any) -> None:
    version = house.version()
    promote(house)
    house.registry.revoke(version.package, by="dora", reason="wrong data")
    told = [entry for entry in house.ledger.entries() if entry.action.startswith(("version.", "pointer.", "package."))]
    assert [(entry.action, entry.actor) for entry in told] == [
        ("version.registered", ""),
        ("pointer.promoted", "dora"),
        ("package.revoked", "dora"),
    ]
    assert {entry.subject for entry in told} == {version.package}
    assert told[1].attachment == pointer_file(house).read_bytes()
    assert told[2].attachment == (house.home / "revocations.json").read_bytes()


def test_rolling_back_is_a_new_pointer_with_a_higher_sequence(house: Any) -> None:
    house.version()
    house.version(bias=0.1)
    first, second = promote(house, 1), promote(house, 2)
    back = house.registry.rollback("credit", "live", 1, by="dora", reason="worse in the south")
    assert (back.sequence, back.number, back.package) == (3, 1, first.package)
    assert back.previous == second.digest
    assert [facts.number for facts in house.registry.history("credit", "live")] == [1, 2, 1]
    with pytest.raises(InvalidInput, match="did not serve"):
        house.registry.rollback("credit", "test", 1, by="dora", reason="never was there")


def test_what_served_at_a_moment_is_answered_from_signed_pointers(house: Any) -> None:
    house.version()
    house.version(bias=0.1)
    times: list[datetime] = []
    for number, days in ((1, 2), (2, 2)):
        times.append(house.clock())
        promote(house, number, days=days)
        house.clock.advance(DAY)
    registry = house.registry
    assert registry.served_at("credit", "live", times[0]).number == 1
    assert registry.served_at("credit", "live", times[1] - HOUR).number == 1
    assert registry.served_at("credit", "live", times[1] + HOUR).number == 2
    for when, words in ((times[0] - HOUR, "first pointer came later"), (times[1] + 3 * DAY, "had expired")):
        with pytest.raises(NotFound, match=words):
            registry.served_at("credit", "live", when)
    revoked = registry.revoke(registry.version("credit", 2).package, by="dora", reason="wrong data")
    assert registry.served_at("credit", "live", revoked.at - HOUR).number == 2
    with pytest.raises(NotFound, match="had been revoked"):
        registry.served_at("credit", "live", revoked.at)


def test_a_registry_without_keys_can_be_read_and_refuses_to_change(house: Any) -> None:
    version = house.version()
    promote(house)
    reader = house.reader()
    assert reader.current("credit", "live").package == version.package
    with pytest.raises(Refused, match="opened to read"):
        reader.revoke(version.package, by="dora", reason="no keys here")


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"project": "../x"}, InvalidInput),
        ({"channel": "a/b"}, InvalidInput),
        ({"channel": ".."}, InvalidInput),
        ({"by": "Dora\n"}, InvalidInput),
        ({"reason": " "}, InvalidInput),
        ({"reason": "x" * 501}, InvalidInput),
        ({"days": 0}, InvalidInput),
        ({"days": 91}, InvalidInput),
        ({"number": 2}, NotFound),
        ({"project": "hiring"}, NotFound),
    ],
)
def test_unusable_requests_change_nothing(fields: dict[str, Any], error: type[Exception], house: Any) -> None:
    house.version()
    wanted = {"project": "credit", "number": 1, "channel": "live", "by": "dora", "reason": "ready"} | fields
    with pytest.raises(error):
        house.registry.promote(**wanted)
    assert house.registry.history("credit", "live") == []


# ---- revocation -------------------------------------------------------------------------------------------------


def test_a_revoked_package_is_never_registered_promoted_or_served_again(house: Any) -> None:
    house.version()
    second = house.version(bias=0.1)
    promote(house, 1)
    promote(house, 2)
    house.registry.revoke(second.package, by="dora", reason="wrong data")
    sealed = SealedPackage(
        digest=second.package, model=second.model, project="credit", folder=house.home / "packages" / second.package[7:]
    )
    attempts: list[Callable[[], Any]] = [
        lambda: house.registry.current("credit", "live"),
        lambda: promote(house, 2),
        lambda: house.registry.rollback("credit", "live", 2, by="dora", reason="try again"),
        lambda: house.registry.register(sealed),
    ]
    for attempt in attempts:
        with pytest.raises(PackageRevoked, match="revoked"):
            attempt()
    assert house.registry.rollback("credit", "live", 1, by="dora", reason="the older one").revocations == 1
    with pytest.raises(Conflict, match="already"):
        house.registry.revoke(second.package, by="dora", reason="once more")
    with pytest.raises(NotFound):
        house.registry.revoke("sha256:" + "0" * 64, by="dora", reason="unknown")


def test_an_older_revocation_list_is_refused_t50(house: Any) -> None:
    one, two = house.version(), house.version(bias=0.1)
    house.registry.revoke(one.package, by="dora", reason="wrong data")
    old = (house.home / "revocations.json").read_bytes()
    house.registry.revoke(two.package, by="dora", reason="wrong too")
    assert set(verify_revocations(old, house.trust_root, at_least=1).packages) == {one.package}
    with pytest.raises(PointerOlder, match="old one"):
        verify_revocations(old, house.trust_root, at_least=2)


# ---- pointers that must not be believed (T-50, T-51, T-52) ------------------------------------------------------


def believed(house: Any, data: bytes, at_least: int = 0, project: str = "credit", channel: str = "live") -> Any:
    return verify_pointer(
        data, house.trust_root, project=project, channel=channel, now=house.clock(), at_least=at_least
    )


def test_an_older_pointer_shown_again_is_refused_t50(house: Any) -> None:
    house.version()
    house.version(bias=0.1)
    promote(house, 1)
    old = pointer_file(house).read_bytes()
    promote(house, 2)
    with pytest.raises(PointerOlder, match="sequence 1, and 2 was seen"):
        believed(house, old, at_least=2)
    pointer_file(house).write_bytes(old)
    with pytest.raises(PointerOlder):
        house.registry.current("credit", "live")
    house.registry.check()  # the file is put right, and the ledger says so
    assert house.registry.current("credit", "live").number == 2
    assert [entry.detail for entry in house.ledger.entries() if entry.action == "registry.repaired"] == [
        {"file": "pointers/credit/live.json"}
    ]


def test_an_expired_pointer_is_refused_t51(house: Any) -> None:
    house.version()
    promote(house, days=1)
    house.clock.advance(DAY - timedelta(seconds=1))
    assert house.registry.current("credit", "live").number == 1
    house.clock.advance(timedelta(seconds=1))
    with pytest.raises(PointerExpired, match="expired"):
        house.registry.current("credit", "live")
    assert promote(house).sequence == 2
    assert house.registry.current("credit", "live").number == 1


def test_a_pointer_from_the_future_is_refused(house: Any) -> None:
    house.version()
    promote(house)
    house.clock.advance(-HOUR)
    with pytest.raises(VerificationFailed, match="check the clock"):
        believed(house, pointer_file(house).read_bytes())


def test_a_pointer_of_another_project_or_channel_is_refused_t52(house: Any) -> None:
    house.version()
    house.version(project="hiring")
    promote(house, channel="live")
    promote(house, channel="test")
    house.registry.promote("hiring", 1, "live", by="dora", reason="ready")
    for path in (pointer_file(house, "test"), pointer_file(house, "live", "hiring")):
        data = path.read_bytes()
        with pytest.raises(VerificationFailed, match="not for credit/live"):
            believed(house, data)
        pointer_file(house).write_bytes(data)
        with pytest.raises(VerificationFailed, match="not for credit/live"):
            house.registry.current("credit", "live")


def test_a_pointer_signed_by_another_key_or_edited_is_refused(house: Any) -> None:
    from sealwright.registry.pointer import make_pointer

    version = house.version()
    good = promote(house)
    facts = {
        "project": "credit", "channel": "live", "sequence": 2, "number": 1, "not_before": house.clock(),
        "expires": house.clock() + DAY, "previous": good.digest, "revocations": 0, "reason": "x y", "by": "dora",
    }  # fmt: skip
    for branch in ("statements", "checkpoints"):
        data, _ = make_pointer(facts, version.package, house.stolen(branch))
        with pytest.raises(VerificationFailed, match="unknown key"):
            believed(house, data)
    data = pointer_file(house).read_bytes()
    for place in range(0, len(data), 7):
        spoiled = bytearray(data)
        spoiled[place] ^= 1
        with pytest.raises(VerificationFailed):
            believed(house, bytes(spoiled))
    for other in (b"", b"{}", b"null", canonical_json(json.loads(data)) + b"\n", b"\xff" * 100):
        with pytest.raises(VerificationFailed):
            believed(house, other)


@pytest.mark.parametrize(
    "change",
    [
        {"sequence": 0}, {"sequence": True}, {"sequence": 2**31}, {"number": 0}, {"sequence": 1}, {"by": "A b"},
        {"reason": ""}, {"reason": "a\nb"}, {"revocations": -1}, {"channel": "test/.."}, {"extra": 1},
    ],
    ids=str,
)  # fmt: skip
def test_a_pointer_that_makes_no_sense_is_never_signed(change: dict[str, Any], house: Any) -> None:
    from sealwright.registry.pointer import make_pointer

    facts = {
        "project": "credit", "channel": "live", "sequence": 2, "number": 1, "not_before": house.clock(),
        "expires": house.clock() + DAY, "previous": "sha256:" + "0" * 64, "revocations": 0, "reason": "x y", "by": "dora",
    }  # fmt: skip
    make_pointer(facts, "sha256:" + "1" * 64, house.stolen("releases"))
    with pytest.raises(InvalidInput):
        make_pointer(facts | change, "sha256:" + "1" * 64, house.stolen("releases"))


# ---- packages that are not what the registry knows (T-52) -------------------------------------------------------


def _folders(house: Any) -> tuple[Path, Path]:
    one, two = house.version(), house.version(bias=0.1)
    return house.home / "packages" / one.package[7:], house.home / "packages" / two.package[7:]


def test_a_swapped_package_folder_is_refused_t52(house: Any) -> None:
    first, second = _folders(house)
    spare = first.with_name("spare")
    first.rename(spare)
    second.rename(first)
    spare.rename(second)
    for number in (1, 2):
        with pytest.raises(VerificationFailed, match="it was swapped"):
            promote(house, number)
    assert house.registry.history("credit", "live") == []


def test_a_package_of_another_project_is_refused_even_if_the_database_says_so_t52(house: Any) -> None:
    house.version()
    other = house.version(project="hiring")
    with house.db.write() as tx:
        tx.run("DELETE FROM versions WHERE project = 'hiring'")
        tx.run("UPDATE versions SET package = :p, model = :m WHERE project = 'credit'", p=other.package, m=other.model)
    with pytest.raises(VerificationFailed, match="is a package of hiring"):
        promote(house)


def test_a_package_that_is_damaged_or_gone_is_not_promoted(house: Any) -> None:
    first, second = _folders(house)
    (first / "card.md").write_bytes(b"better card")
    with pytest.raises(VerificationFailed) as caught:
        promote(house, 1)
    assert caught.value.link == "package/card.md"
    shutil.rmtree(second)
    with pytest.raises(NotFound, match="no package"):
        promote(house, 2)


# ---- a pointer that was signed and not recorded ------------------------------------------------------------------


def test_a_number_signed_for_a_pointer_that_was_never_recorded_stays_unused(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signer signs no number twice: what a full disk kept from the ledger leaves a gap, and the registry goes on."""
    house.version()
    promote(house)
    real = Ledger.append

    def full(self: Ledger, action: str, *rest: Any, **more: Any) -> Any:
        if action == "pointer.promoted":
            raise LedgerUnavailable("The disk is full.")
        return real(self, action, *rest, **more)

    with monkeypatch.context() as broken:
        broken.setattr(Ledger, "append", full)
        for _ in range(2):
            house.clock.advance(HOUR)
            with pytest.raises(LedgerUnavailable):
                promote(house)
    house.clock.advance(HOUR)
    facts = promote(house)
    assert (facts.sequence, facts.previous) == (4, house.registry.history("credit", "live")[0].digest)
    assert [one.sequence for one in house.registry.history("credit", "live")] == [1, 4]
    assert house.registry.current("credit", "live") == facts
    again = house.reopen()
    again.registry.check()
    assert promote(again).sequence == 5


def test_only_a_package_with_a_passed_gate_inside_is_promoted_by_the_signer(house: Any) -> None:
    """A program that holds the keyring cannot release around the gate, whatever it does to the registry."""
    version = house.version()
    facts = {
        "project": "credit", "channel": "live", "sequence": 1, "number": 1, "not_before": house.clock(),
        "expires": house.clock() + DAY, "previous": None, "revocations": 0, "reason": "around the gate", "by": "eve",
    }  # fmt: skip
    signer = house.keyring.signer("releases")
    gate = (house.home / "packages" / hex_of(version.package) / "statements" / "gate.json").read_bytes()
    with pytest.raises(SignerRefused) as error:
        make_pointer(facts, version.package, signer)
    assert error.value.reason == "pointer.gate_missing"
    with pytest.raises(SignerRefused) as error:
        make_pointer(facts, "sha256:" + "1" * 64, signer.showing(gate))
    assert error.value.reason == "pointer.gate_of_another"
    make_pointer(facts, version.package, signer.showing(gate))


# ---- an old or edited database (T-50) ---------------------------------------------------------------------------


@pytest.fixture
def sqlite_house(tmp_path: Path, make_house: Any) -> Any:
    return make_house(tmp_path / "home", f"sqlite:///{tmp_path / 'db.sqlite'}")


def _copy(source: Path, target: Path) -> None:
    """A database file as a backup has it: with everything that its write-ahead log held."""
    import sqlite3

    with sqlite3.connect(source) as one, sqlite3.connect(target) as other:
        one.backup(other)
    one.close()
    other.close()


def test_a_restored_old_database_is_refused_t50(sqlite_house: Any, tmp_path: Path) -> None:
    house = sqlite_house
    house.version()
    house.version(bias=0.1)
    promote(house, 1)
    _copy(tmp_path / "db.sqlite", tmp_path / "old.sqlite")
    promote(house, 2)
    promote(house, 1)
    house.db.close()
    shutil.copy(tmp_path / "old.sqlite", tmp_path / "db.sqlite")
    for left in ("db.sqlite-wal", "db.sqlite-shm"):
        (tmp_path / left).unlink(missing_ok=True)
    again = house.reopen(open_database(f"sqlite:///{tmp_path / 'db.sqlite'}"))
    attempts: list[Callable[[], Any]] = [
        lambda: again.registry.check(),
        lambda: promote(again, 2),
        lambda: again.registry.rollback("credit", "live", 1, by="dora", reason="old one"),
        lambda: again.registry.revoke(again.registry.version("credit", 1).package, by="dora", reason="old one"),
        lambda: again.registry.current("credit", "live"),
    ]
    for attempt in attempts:
        with pytest.raises(DatabaseOlder, match="old"):
            attempt()
    again.ledger.close()
    again.db.close()


def test_an_old_database_that_lacks_only_the_last_change_is_refused_too_t50(sqlite_house: Any, tmp_path: Path) -> None:
    house = sqlite_house
    house.version()
    _copy(tmp_path / "db.sqlite", tmp_path / "old.sqlite")
    promote(house)
    house.db.close()
    again = house.reopen(open_database(f"sqlite:///{tmp_path / 'old.sqlite'}"))
    with pytest.raises(DatabaseOlder, match=r"1 change\(s\) are missing"):
        again.registry.check()
    again.ledger.close()
    again.db.close()


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("DELETE FROM pointers WHERE sequence = 2", DatabaseOlder),
        ("DELETE FROM pointers", DatabaseOlder),
        ("DELETE FROM versions", DatabaseOlder),
        ("DELETE FROM revocations", DatabaseOlder),
        ("UPDATE pointers SET sequence = 9 WHERE sequence = 2", VerificationFailed),
        ("UPDATE versions SET package = 'sha256:x' WHERE number = 1", VerificationFailed),
        ("UPDATE revocations SET package = 'sha256:x'", VerificationFailed),
        (
            "INSERT INTO versions VALUES ('credit', 9, 'sha256:y', 'sha256:z', '2026-01-01T00:00:00.000Z')",
            VerificationFailed,
        ),
    ],
)
def test_rows_that_were_removed_edited_or_invented_are_noticed(
    statement: Any, error: type[Exception], house: Any
) -> None:
    house.version()
    house.version(bias=0.1)
    gone = house.version(bias=0.2)
    promote(house, 1)
    promote(house, 2)
    house.registry.revoke(gone.package, by="dora", reason="wrong data")
    house.registry.check()
    with house.db.write() as tx:
        tx.run(statement)
    with pytest.raises(error):
        house.registry.check()
    with pytest.raises((VerificationFailed, NotFound)):
        promote(house, 2)


@pytest.mark.parametrize("column", ["envelope", "package", "number"])
def test_history_is_believed_only_where_row_and_signature_agree(column: str, house: Any) -> None:
    house.version()
    promote(house)
    promote(house)
    with house.db.write() as tx:
        if column == "envelope":
            tx.run(
                "UPDATE pointers SET envelope = (SELECT envelope FROM pointers WHERE sequence = 1) WHERE sequence = 2"
            )
        elif column == "package":
            tx.run("UPDATE pointers SET package = 'sha256:x' WHERE sequence = 1")
        else:
            tx.run("UPDATE pointers SET number = 7 WHERE sequence = 1")
    with pytest.raises(VerificationFailed, match="not the one that was signed"):
        house.registry.history("credit", "live")


@pytest.mark.parametrize("gone", [1, 2])
def test_history_is_not_believed_with_a_pointer_left_out(gone: int, house: Any) -> None:
    house.version()
    for _ in range(3):
        promote(house)
    with house.db.write() as tx:
        tx.run("DELETE FROM pointers WHERE sequence = :gone", gone=gone)
    with pytest.raises(VerificationFailed, match="not the one that was signed"):
        house.reader().history("credit", "live")


def test_revocations_are_not_believed_with_one_left_out_or_exchanged(house: Any) -> None:
    one, two, three = (house.version(bias=0.1 * place) for place in range(3))
    for version in (one, two):
        house.registry.revoke(version.package, by="dora", reason="wrong data")
    assert set(house.reader().revocations().packages) == {one.package, two.package}
    with house.db.write() as tx:
        tx.run("UPDATE revocations SET package = :other WHERE sequence = 1", other=three.package)
    with pytest.raises(VerificationFailed, match="not those that were signed"):
        house.reader().revocations()
    with house.db.write() as tx:
        tx.run("DELETE FROM revocations WHERE sequence = 1")
    with pytest.raises(VerificationFailed, match="not those that were signed"):
        house.reader().revocations()


def test_an_old_ledger_under_a_newer_mark_is_refused_t50(sqlite_house: Any, tmp_path: Path) -> None:
    house = sqlite_house
    house.version()
    house.ledger.close()
    shutil.copytree(house.home / "ledger", tmp_path / "old-ledger")
    house = house.reopen()
    promote(house)
    house.ledger.close()
    shutil.rmtree(house.home / "ledger")
    shutil.copytree(tmp_path / "old-ledger", house.home / "ledger")
    again = house.reopen()
    with pytest.raises(VerificationFailed, match="old or another ledger"):
        again.registry.check()
    again.ledger.close()


def test_a_whole_old_home_under_a_newer_pointer_file_is_refused_t50(sqlite_house: Any, tmp_path: Path) -> None:
    house, mark = sqlite_house, sqlite_house.home / "pointers" / "_high-water.json"
    house.version()
    promote(house)
    house.ledger.close()
    _copy(tmp_path / "db.sqlite", tmp_path / "old.sqlite")
    shutil.copytree(house.home / "ledger", tmp_path / "old-ledger")
    shutil.copy(mark, tmp_path / "old-mark")
    house = house.reopen()
    promote(house)
    house.ledger.close()
    shutil.rmtree(house.home / "ledger")
    shutil.copytree(tmp_path / "old-ledger", house.home / "ledger")
    shutil.copy(tmp_path / "old-mark", mark)
    again = house.reopen(open_database(f"sqlite:///{tmp_path / 'old.sqlite'}"))
    for attempt in (again.registry.check, lambda: again.registry.current("credit", "live")):
        with pytest.raises(DatabaseOlder, match="has sequence 2, the database ends at 1"):
            attempt()
    again.ledger.close()
    again.db.close()


def test_a_damaged_mark_is_refused_not_forgotten(house: Any) -> None:
    house.version()
    mark = house.home / "pointers" / "_high-water.json"
    for text in ("", "{}", '{"entry":1,"format":1,"leaf":"x"}', "[]"):
        mark.write_text(text)
        with pytest.raises(VerificationFailed, match="cannot be read"):
            house.registry.check()


# ---- crashes ----------------------------------------------------------------------------------------------------


class PowerCutError(Exception):
    pass


def _cut(*_: Any, **__: Any) -> None:
    raise PowerCutError


@pytest.mark.parametrize(
    "moment",
    ["sealwright.registry.store.insert_pointer", "sealwright.registry.published.write_atomically",
     "sealwright.registry.high_water.write_atomically"],
)  # fmt: skip
def test_a_promotion_cut_off_at_any_moment_is_finished_at_the_next_start_t58(
    moment: str, house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.version()
    promote(house)
    with monkeypatch.context() as patched:
        patched.setattr(moment, _cut)
        with pytest.raises(PowerCutError):
            promote(house)
    again = house.reopen()
    again.registry.check()
    assert again.registry.current("credit", "live").sequence == 2
    assert promote(again).sequence == 3
    sequences = [e.detail["sequence"] for e in again.ledger.entries() if e.action == "pointer.promoted"]
    assert sequences == [1, 2, 3]
    again.ledger.close()


def test_a_registration_and_a_revocation_cut_off_are_finished_too_t58(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed = house.package()
    with monkeypatch.context() as patched:
        patched.setattr("sealwright.registry.store.insert_version", _cut)
        with pytest.raises(PowerCutError):
            house.registry.register(sealed)
    again = house.reopen()
    version = again.registry.register(sealed)
    assert version.number == 1
    with monkeypatch.context() as patched:
        patched.setattr("sealwright.registry.store.insert_revocation", _cut)
        with pytest.raises(PowerCutError):
            again.registry.revoke(version.package, by="dora", reason="wrong data")
    with pytest.raises(PackageRevoked):
        promote(again)
    assert [e.detail["action"] for e in again.ledger.entries() if e.action == "registry.repaired"] == [
        "version.registered",
        "package.revoked",
    ]
    again.ledger.close()


def test_nothing_changes_when_the_ledger_does_not_take_it(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    house.version()
    with monkeypatch.context() as patched:
        patched.setattr(house.ledger, "append", _cut)
        with pytest.raises(PowerCutError):
            promote(house)
    assert house.registry.history("credit", "live") == []
    assert not pointer_file(house).exists()
    assert promote(house).sequence == 1


def test_a_link_in_place_of_a_pointer_file_is_replaced_not_followed(house: Any, tmp_path: Path) -> None:
    house.version()
    promote(house)
    outside = tmp_path / "outside"
    outside.write_text("mine")
    pointer_file(house).unlink()
    pointer_file(house).symlink_to(outside)
    with pytest.raises(VerificationFailed):
        house.registry.current("credit", "live")
    promote(house)
    assert outside.read_text() == "mine"
    assert not pointer_file(house).is_symlink()


# ---- many at once (T-84) ----------------------------------------------------------------------------------------


def test_parallel_promotions_get_strictly_increasing_sequences_t84(house: Any) -> None:
    house.version()
    house.version(bias=0.1)
    registries = [house.registry for _ in range(4)]
    ready = threading.Barrier(8)

    def work(worker: int) -> list[int]:
        ready.wait()
        registry: Registry = registries[worker % 4]
        return [
            registry.promote("credit", 1 + (worker + turn) % 2, "live", by="dora", reason="ready").sequence
            for turn in range(3)
        ]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(work, range(8)))
    assert sorted(number for numbers in found for number in numbers) == list(range(1, 25))
    assert all(numbers == sorted(numbers) for numbers in found)
    history = house.registry.history("credit", "live")
    assert [facts.sequence for facts in history] == list(range(1, 25))
    assert house.registry.current("credit", "live") == history[-1]
    told = [entry.detail["sequence"] for entry in house.ledger.entries() if entry.action == "pointer.promoted"]
    assert told == list(range(1, 25))


def test_after_a_revocation_is_acknowledged_no_promotion_of_it_succeeds_t84(house: Any) -> None:
    package = house.version().package
    promote(house)
    ready, revoked = threading.Barrier(7), threading.Event()
    late: list[int] = []

    def promoting() -> None:
        ready.wait()
        for _ in range(4):
            after = revoked.is_set()
            try:
                sequence = promote(house).sequence
            except PackageRevoked:
                return
            if after:
                late.append(sequence)

    def revoking() -> int:
        ready.wait()
        try:
            house.registry.revoke(package, by="dora", reason="wrong data")
        except Conflict:
            return 0
        revoked.set()
        return 1

    with ThreadPoolExecutor(7) as pool:
        promotions = [pool.submit(promoting) for _ in range(4)]
        winners = sum(job.result() for job in [pool.submit(revoking) for _ in range(3)])
        for job in promotions:
            job.result()
    assert winners == 1
    assert late == []
    with pytest.raises(PackageRevoked):
        house.registry.current("credit", "live")


def test_a_change_waits_until_the_one_before_has_reached_the_files_t84(house: Any) -> None:
    house.version()
    with ThreadPoolExecutor(1) as pool:
        with HighWater(house.home / "pointers").alone():
            waiting = pool.submit(promote, house)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.5)
        assert waiting.result(timeout=30).sequence == 1


def test_many_registrations_at_once_give_each_package_one_number_t84(house: Any) -> None:
    sealed = [house.package(bias=0.1 * place) for place in range(4)]
    with ThreadPoolExecutor(8) as pool:
        numbers = [version.number for version in pool.map(house.registry.register, [*sealed, *sealed])]
    assert numbers[:4] == numbers[4:]
    assert sorted(numbers[:4]) == [1, 2, 3, 4]


def test_the_database_of_the_contract_is_the_one_under_test(db: Database, db_url: str) -> None:
    with db.read() as tx:
        assert tx.run("SELECT project FROM versions") == []
    assert db_url.startswith(("sqlite:///", "postgresql+psycopg://"))
