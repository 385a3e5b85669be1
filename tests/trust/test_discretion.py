"""The ledger's lines name nobody; whoever holds the keys gets names and words back."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sealwright.kernel import FixedClock, InvalidInput, VerificationFailed
from sealwright.trust import (
    Discretion,
    Entry,
    Event,
    InsecurePassphraseForTests,
    Keyring,
    Ledger,
    LedgerAudit,
    LocalSigner,
    Secret,
    create_keyring,
    erase_attachments,
    verify_ledger,
)

ORIGIN = "sealwright/ws_test/ledger"
WORDS = "Margarethe asked us to, by letter of 3 March"


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keyring]:
    unlock = InsecurePassphraseForTests(Secret("a passphrase for tests"))
    with create_keyring(tmp_path_factory.mktemp("ring") / "keys", "ws_test", unlock) as opened:
        yield opened


@pytest.fixture
def ledger(tmp_path: Path, ring: Keyring) -> Iterator[Ledger]:
    with Ledger.open(
        tmp_path / "ledger",
        origin=ORIGIN,
        signer=LocalSigner("ed25519", bytes(31) + b"\x01"),
        clock=FixedClock(datetime(2026, 11, 26, tzinfo=UTC)),
        discretion=Discretion(ring),
        create=True,
    ) as opened:
        yield opened


def test_names_and_words_are_in_no_file_of_the_ledger(ledger: Ledger, tmp_path: Path) -> None:
    ledger.append("model.decided", "s", {"choice": "keep"}, actor="margarethe", words=WORDS)
    ledger.append_many([Entry(action="a.b", subject="s", detail={}, actor="margarethe")])
    ledger.submit(Entry(action="a.b", subject="s", detail={}, actor="margarethe")).result()
    ledger.close()
    written = b"".join(path.read_bytes() for path in (tmp_path / "ledger").rglob("*") if path.is_file())
    assert b"model.decided" in written
    assert b"argarethe" not in written
    assert b"letter" not in written


def test_whoever_has_the_keys_finds_name_and_words(ledger: Ledger, ring: Keyring) -> None:
    ledger.append("model.decided", "s", {}, actor="ada", words=WORDS)
    told = Discretion(ring)
    (entry,) = ledger.entries()
    assert told.who(["bob", "ada", ""])[entry.actor] == "ada"
    assert entry.actor not in told.who(["bob"])
    assert told.words_of(entry) == WORDS


def test_an_actor_who_looks_like_a_pseudonym_is_not_taken_for_one(ledger: Ledger, ring: Keyring) -> None:
    """Somebody enrolled under the pseudonym of another would act in their name."""
    told = Discretion(ring)
    ledger.append("a.b", "s", {}, actor=told.name_of("ada"))
    (entry,) = ledger.entries()
    assert entry.actor != told.name_of("ada")


def test_words_moved_to_another_entry_do_not_open(ledger: Ledger, ring: Keyring) -> None:
    ledger.append("hold.added", "hold_1", {}, words="for the court")
    moved = ledger.entry(0).attachment
    ledger.append("hold.added", "hold_2", {}, attachment=moved)
    with pytest.raises(VerificationFailed, match="do not open"):
        Discretion(ring).words_of(ledger.entry(1))


def test_words_can_be_erased_and_the_ledger_still_holds(ledger: Ledger, ring: Keyring, tmp_path: Path) -> None:
    ledger.append("hold.added", "hold_1", {}, words="a word too many")
    assert erase_attachments(tmp_path / "ledger", [0]) == 1
    assert Discretion(ring).words_of(ledger.entry(0)) == ""
    ledger.close()
    verify_ledger(tmp_path / "ledger", [LocalSigner("ed25519", bytes(31) + b"\x01").public()], ORIGIN)


def test_a_ledger_without_discretion_writes_no_words(tmp_path: Path, ring: Keyring) -> None:
    signer = LocalSigner("ed25519", bytes(31) + b"\x01")
    with Ledger.open(tmp_path / "bare", origin=ORIGIN, signer=signer, create=True) as bare:
        with pytest.raises(InvalidInput, match="seals words"):
            bare.append("a.b", "s", {}, words="in the clear")
        assert bare.size == 0


@pytest.mark.parametrize(
    ("more", "why"), [({"attachment": b"x"}, "one attachment"), ({"words": "x" * 4001}, "at most")]
)
def test_words_that_do_not_fit_are_refused(ledger: Ledger, more: dict[str, object], why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        ledger.append("a.b", "s", {}, **{"words": "w", **more})  # type: ignore[arg-type]
    assert ledger.size == 0


def test_an_event_is_hidden_once_and_the_same_with_either_ledger(ledger: Ledger, ring: Keyring, tmp_path: Path) -> None:
    event = Event(action="login", outcome="refused", actor="ada", source="192.0.2.7", words="I forgot it")
    signer = LocalSigner("ed25519", bytes(31) + b"\x01")
    with Ledger.open(tmp_path / "bare", origin=ORIGIN, signer=signer, create=True) as bare:
        for one in (ledger, bare):
            LedgerAudit(one, ring).record(event)
        found = [one.entry(0) for one in (ledger, bare)]
    told = Discretion(ring)
    assert [entry.actor for entry in found] == [told.name_of("ada")] * 2
    assert [told.words_of(entry) for entry in found] == ["I forgot it"] * 2
