"""Hashes cost what they should, for everybody, and never more at once than the machine can bear."""

import secrets
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealwright.kernel import VerificationFailed
from sealwright.trust import ARGON2ID, PBKDF2, HashCost, Secret, SignInBusy, insecure_cost_for_tests
from sealwright.trust.identity.password_cost import floor_of
from sealwright.trust.identity.password_hash import PasswordHasher

FAST = insecure_cost_for_tests()
WORDS = Secret("lantern okapi velvet rivers")


def hasher(
    cost: HashCost = FAST, *, floor: HashCost = FAST, slots: int = 2, queue: int = 8, wait_s: float = 5
) -> PasswordHasher:
    return PasswordHasher(cost, floor=floor, slots=slots, queue=queue, wait_s=wait_s, random=secrets.token_bytes)


@settings(max_examples=20)
@given(st.text(min_size=1, max_size=40).filter(lambda text: text.isprintable()))
def test_the_password_opens_and_another_does_not(words: str) -> None:
    ours = hasher()
    stored = ours.hash(Secret(words))
    assert ours.check(stored, Secret(words)).matches
    assert not ours.check(stored, Secret(words + "x")).matches
    assert ours.hash(Secret(words)) != stored  # a salt of its own


def test_two_ways_to_type_one_character_are_one_password() -> None:
    ours = hasher()
    assert ours.check(ours.hash(Secret("caf\u00e9 lantern okapi")), Secret("cafe\u0301 lantern okapi")).matches


@pytest.mark.parametrize("words", ["", "x" * 257, "y" * 100_000, "\ud800"])
def test_what_cannot_be_a_password_is_wrong_and_nothing_worse(words: str) -> None:
    ours = hasher()
    assert not ours.check(ours.hash(WORDS), Secret(words)).matches
    assert not ours.check(None, Secret(words)).matches


def test_nobody_has_no_password() -> None:
    assert not hasher().check(None, WORDS).matches


def test_the_cost_is_what_we_say() -> None:
    assert (ARGON2ID.passes, ARGON2ID.memory_kib, ARGON2ID.lanes) == (3, 64 * 1024, 4)
    stored = hasher(ARGON2ID, floor=floor_of("argon2id")).hash(WORDS)
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_argon2_agrees_with_the_reference_library() -> None:
    import argon2

    stored = hasher().hash(WORDS)
    assert argon2.PasswordHasher().verify(stored, WORDS.reveal())
    theirs = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(WORDS.reveal())
    assert hasher().check(theirs, WORDS).matches


def test_pbkdf2_is_there_for_those_bound_to_fips() -> None:
    ours = hasher(PBKDF2, floor=floor_of("pbkdf2-sha256"))
    stored = ours.hash(WORDS)
    assert stored.startswith("$pbkdf2-sha256$i=600000$")
    assert ours.check(stored, WORDS).matches


@pytest.mark.parametrize(
    "cost",
    [
        "m=19455,t=2,p=1",
        "m=65536,t=1,p=4",
        "m=65536,t=3,p=0",
        "m=262145,t=3,p=4",
        "m=65536,t=11,p=4",
        "m=65536,t=3,p=9",
    ],
)
def test_a_stored_cost_that_is_weak_or_a_bomb_is_not_believed(cost: str) -> None:
    ours = hasher(ARGON2ID, floor=floor_of("argon2id"))
    began = time.monotonic()
    with pytest.raises(VerificationFailed, match="is accepted"):
        ours.check(f"$argon2id$v=19${cost}${'A' * 22}${'A' * 43}", WORDS)
    assert time.monotonic() - began < 0.1


@pytest.mark.parametrize("passes", [1, 599_999, 4_000_001])
def test_a_stored_pbkdf2_cost_is_checked_too(passes: int) -> None:
    with pytest.raises(VerificationFailed, match="is accepted"):
        hasher().check(f"$pbkdf2-sha256$i={passes}${'A' * 22}${'A' * 43}", WORDS)


@pytest.mark.parametrize(
    "stored", ["", "x", "$argon2i$v=19$m=64,t=1,p=1$" + "A" * 22 + "$" + "A" * 43, "$2b$12$abc", "plain words"]
)
def test_another_kind_of_hash_is_not_believed(stored: str) -> None:
    with pytest.raises(VerificationFailed, match="not as we write it"):
        hasher().check(stored, WORDS)


def test_a_hash_is_made_anew_when_the_cost_has_grown() -> None:
    dearer = HashCost(algorithm="argon2id", passes=2, memory_kib=128, lanes=1)
    old = hasher().hash(WORDS)
    now = hasher(dearer)
    checked = now.check(old, WORDS)
    assert checked.matches
    assert "m=128,t=2" in checked.renewed
    assert now.check(checked.renewed, WORDS) == type(checked)(matches=True)
    assert now.check(old, Secret("another one entirely")).renewed == ""
    assert hasher().check(checked.renewed, WORDS).renewed == ""  # a cost that shrank changes nothing


def test_no_more_run_at_once_than_there_are_slots_and_the_rest_are_turned_away() -> None:
    ours = hasher(HashCost(algorithm="argon2id", passes=8, memory_kib=32 * 1024, lanes=1), slots=2, queue=3)
    running, most, lock = 0, 0, threading.Lock()
    import sealwright.trust.identity.password_hash as module

    derive, results = module._derive, []

    def counted(*args: object) -> bytes:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        try:
            return derive(*args)  # type: ignore[arg-type]
        finally:
            with lock:
                running -= 1

    def one() -> None:
        try:
            ours.hash(WORDS)
            results.append("done")
        except SignInBusy:
            results.append("busy")

    module._derive = counted  # type: ignore[assignment]
    try:
        threads = [threading.Thread(target=one) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        module._derive = derive
    assert most == 2
    assert results.count("done") == 5
    assert results.count("busy") == 15
    assert ours.check(ours.hash(WORDS), WORDS).matches  # and afterwards it goes on


def test_waiting_ends_with_an_answer() -> None:
    ours = hasher(slots=1, wait_s=0.05)
    with ours._a_slot(), pytest.raises(SignInBusy) as busy:
        ours.hash(WORDS)
    assert (busy.value.status, busy.value.code) == (503, "identity.busy")
