"""n people hold the root together: any k of them open it, fewer do not, and a wrong share is noticed."""

import re
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealwright.kernel import InvalidInput, SealwrightError, VerificationFailed
from sealwright.trust import (
    Event,
    InsecurePassphraseForTests,
    Keyring,
    Secret,
    WrongUnlock,
    create_keyring,
    open_keyring,
)
from sealwright.trust.root_recovery import protect_root, recover_root, split_root
from sealwright.trust.shamir import split
from sealwright.trust.shares import Share, join_shares, make_shares, read_share

OLD = InsecurePassphraseForTests(Secret("the old passphrase"))
NEW = InsecurePassphraseForTests(Secret("another passphrase"))
SECRET = bytes(range(32))


class Kept:
    """An audit that keeps events, or refuses to."""

    def __init__(self, *, full: bool = False) -> None:
        self.events: list[Event] = []
        self.full = full

    def record(self, event: Event) -> None:
        if self.full:
            raise OSError("disk full")
        self.events.append(event)

    def __call__(self, keyring: Keyring) -> "Kept":
        assert keyring.signer("checkpoints")
        return self


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create_keyring(tmp_path / "keys", "ws_1", OLD).close()
    return tmp_path / "keys"


def test_any_three_of_five_recover_the_root_under_a_new_lock(folder: Path) -> None:
    audit = Kept()
    lines = [one.line() for one in split_root(folder, OLD, needed=3, count=5, audit=audit, by="ada")]
    before = open_keyring(folder, OLD).signer("statements").key_id
    for group in combinations(lines, 3):
        assert recover_root(folder, [read_share(one) for one in group], NEW, audit=audit, by="ada") == "ws_1"
        assert open_keyring(folder, NEW).signer("statements").key_id == before
        with pytest.raises(WrongUnlock):
            open_keyring(folder, OLD)
    assert [one.action for one in audit.events] == ["root.split"] + 10 * ["root.recover"]
    assert not [line for line in lines if line.rsplit(":", 2)[1] in repr(audit.events)]


def test_the_root_comes_back_when_root_json_is_lost(folder: Path) -> None:
    shares = split_root(folder, OLD, needed=2, count=2, audit=Kept(), by="ada")
    (folder / "root.json").unlink()
    recover_root(folder, shares, NEW, audit=Kept(), by="ada")
    open_keyring(folder, NEW).close()


def test_what_cannot_be_recorded_does_not_happen(folder: Path) -> None:
    shares = split_root(folder, OLD, needed=2, count=2, audit=Kept(), by="ada")
    before = (folder / "root.json").read_bytes()
    for attempt in (
        lambda: split_root(folder, OLD, needed=2, count=2, audit=Kept(full=True), by="ada"),
        lambda: recover_root(folder, shares, NEW, audit=Kept(full=True), by="ada"),
        lambda: protect_root(folder, OLD, NEW, audit=Kept(full=True), by="ada"),
    ):
        with pytest.raises(OSError, match="disk full"):
            attempt()
    assert (folder / "root.json").read_bytes() == before


def test_too_few_twice_the_same_and_mixed_sets_are_refused(folder: Path) -> None:
    first = split_root(folder, OLD, needed=3, count=5, audit=Kept(), by="ada")
    second = split_root(folder, OLD, needed=3, count=5, audit=Kept(), by="ada")
    cases = [
        (first[:2], "3 shares of this set are needed, and 2 were given"),
        ((), "do not belong together"),
        ((first[0], first[1], first[1]), "given twice"),
        ((first[0], first[1], second[2]), "do not belong together"),
    ]
    for shares, words in cases:
        with pytest.raises(InvalidInput, match=words):
            recover_root(folder, shares, NEW, audit=Kept(), by="ada")
    open_keyring(folder, OLD).close()


def test_shares_of_another_workspace_do_not_open_this_one(folder: Path, tmp_path: Path) -> None:
    create_keyring(tmp_path / "other", "ws_2", OLD).close()
    shares = split_root(tmp_path / "other", OLD, needed=2, count=2, audit=Kept(), by="ada")
    with pytest.raises(VerificationFailed, match=r"of ws_2, and the keys here are of ws_1"):
        recover_root(folder, shares, NEW, audit=Kept(), by="ada")
    create_keyring(tmp_path / "twin", "ws_1", OLD).close()
    twins = split_root(tmp_path / "twin", OLD, needed=2, count=2, audit=Kept(), by="ada")
    with pytest.raises(VerificationFailed, match="belongs to other keys"):
        recover_root(folder, twins, NEW, audit=Kept(), by="ada")
    open_keyring(folder, OLD).close()


def forged(share: Share, value: bytes) -> Share:
    """A share with a checksum that is right."""
    return Share(
        workspace=share.workspace,
        index=share.index,
        count=share.count,
        needed=share.needed,
        set_id=share.set_id,
        value=value,
    )


def test_a_share_that_was_made_up_is_noticed_in_whatever_place() -> None:
    shares = make_shares(SECRET, "ws_1", needed=3, count=5)
    for place in range(4):
        for byte in (0, 31, 32, 47):
            value = bytearray(shares[place].value)
            value[byte] ^= 1
            group = [forged(one, bytes(value)) if one.index == place + 1 else one for one in shares[:4]]
            with pytest.raises(VerificationFailed, match="at least one of them was made up"):
                join_shares(group)


def test_shares_that_were_all_made_for_another_secret_are_noticed() -> None:
    shares = make_shares(SECRET, "ws_1", needed=2, count=2)
    values = split(bytes(48), 2, 2)
    with pytest.raises(VerificationFailed, match="made up"):
        join_shares([forged(one, values[one.index]) for one in shares])


@given(st.binary(min_size=32, max_size=32), st.integers(2, 5), st.integers(0, 3))
def test_a_share_survives_paper(secret: bytes, needed: int, more: int) -> None:
    shares = make_shares(secret, "ws_01k", needed=needed, count=needed + more)
    lines = [f"  {one.line()} \n" for one in shares]
    assert [read_share(line) for line in lines] == list(shares)
    assert join_shares([read_share(line) for line in lines]) == secret
    head, value, check = lines[0].strip().rsplit(":", 2)
    assert read_share(f"{head}:{value.lower()}:{check.lower()}") == shares[0]


def test_every_wrong_character_is_noticed_and_never_repeated() -> None:
    line = make_shares(SECRET, "ws_1", needed=2, count=3)[0].line()
    assert re.fullmatch(r"[!-~]{150,260}", line)
    for at, letter in enumerate(line):
        for other in {"A", "B", "2", "3", "-", ":"} - {letter.upper()}:
            with pytest.raises(SealwrightError) as told:
                read_share(line[:at] + other + line[at + 1 :])
            assert line.rsplit(":", 2)[1] not in str(told.value)
        with pytest.raises(SealwrightError):
            read_share(line[:at] + line[at + 1 :])
    for wrong in ("", line + "A", line.replace("share-1", "share-2"), line.replace("-needs-2", "-needs-1")):
        with pytest.raises(InvalidInput):
            read_share(wrong)


def test_a_share_is_not_in_its_repr() -> None:
    share = make_shares(SECRET, "ws_1", needed=2, count=2)[0]
    assert share.value.hex() not in repr(share)
    assert "value" not in repr(share)


def test_the_root_moves_to_another_lock(folder: Path) -> None:
    audit = Kept()
    protect_root(folder, OLD, NEW, audit=audit, by="ada")
    open_keyring(folder, NEW).close()
    with pytest.raises(WrongUnlock):
        open_keyring(folder, OLD)
    assert [(one.action, one.detail) for one in audit.events] == [
        ("root.protect", {"from": "argon2id", "to": "argon2id"})
    ]
