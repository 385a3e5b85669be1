"""Every home of keys keeps the same promises. Each test runs on: files; a real SoftHSM 2 token; moto's KMS (a fake); a
strict loopback stand-in for the transit engine of Vault (a fake)."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from sealwright.kernel import Conflict, InvalidInput, NotFound, Refused, SealwrightError, VerificationFailed
from sealwright.trust import (
    ECDSA_P256,
    ED25519,
    InsecurePassphraseForTests,
    Secret,
    WrongUnlock,
    create_keyring,
    make_statement,
    open_keyring,
    sign_statement,
    verify_statement,
)
from sealwright.trust.backends.errors import BackendLied, BackendRefused, BackendUnavailable

PATH = "sealwright/ws_1/root/v1"
SECRET = bytes(range(100, 132))
STATEMENT = make_statement([("m", "sha256:" + "1" * 64)], "urn:x", {"a": 1})


def test_what_was_wrapped_opens_again_also_over_another_connection(home: Any) -> None:
    wrapped = home.backend.wrap(SECRET, PATH)
    assert SECRET not in wrapped
    assert home.backend.unwrap(wrapped, PATH) == SECRET
    assert home.another().unwrap(wrapped, PATH) == SECRET
    assert home.backend.wrap(SECRET, PATH) != wrapped


def test_it_does_not_open_for_another_key_path(home: Any) -> None:
    wrapped = home.backend.wrap(SECRET, PATH)
    for other in ("sealwright/ws_2/root/v1", PATH + "1", "", PATH.upper()):
        with pytest.raises(WrongUnlock):
            home.backend.unwrap(wrapped, other)


def test_it_does_not_open_with_the_key_of_somebody_else(home: Any) -> None:
    wrapped = home.backend.wrap(SECRET, PATH)
    with pytest.raises((WrongUnlock, BackendRefused)):
        home.stranger().unwrap(wrapped, PATH)


def test_no_changed_byte_opens(home: Any) -> None:
    wrapped = home.backend.wrap(SECRET, PATH)
    for at in range(0, len(wrapped), max(1, len(wrapped) // 25)):
        changed = wrapped[:at] + bytes([wrapped[at] ^ 1]) + wrapped[at + 1 :]
        with pytest.raises((Refused, VerificationFailed)):
            home.backend.unwrap(changed, PATH)
    for cut in (wrapped[:-1], wrapped[: len(wrapped) // 2], wrapped[:3], b"", wrapped + b"A"):
        with pytest.raises((Refused, VerificationFailed)):
            home.backend.unwrap(cut, PATH)


def test_rewrapping_keeps_the_secret_and_changes_the_wrap(home: Any) -> None:
    wrapped = home.backend.wrap(SECRET, PATH)
    again = home.backend.rewrap(wrapped, PATH)
    assert again != wrapped
    assert home.backend.unwrap(again, PATH) == home.backend.unwrap(wrapped, PATH) == SECRET
    with pytest.raises(WrongUnlock):
        home.backend.rewrap(wrapped, PATH + "x")


def test_old_versions_of_the_key_open_until_they_are_ended_and_then_fail_closed_t55(home: Any) -> None:
    old = home.backend.wrap(SECRET, PATH)
    if home.name == "file":
        with pytest.raises(Refused, match="not made here"):
            home.backend.make_root_key()
        return
    home.backend.make_root_key()
    new = home.backend.rewrap(old, PATH)
    assert home.backend.unwrap(old, PATH) == home.backend.unwrap(new, PATH) == SECRET
    home.end_old_versions()
    with pytest.raises((WrongUnlock, BackendRefused)):
        home.backend.unwrap(old, PATH)
    if home.name == "kms":  # a key is disabled as a whole
        with pytest.raises(BackendRefused, match="Disabled"):
            home.backend.wrap(SECRET, PATH)
    else:
        assert home.backend.unwrap(new, PATH) == SECRET


def test_a_destroyed_key_opens_and_wraps_nothing_and_there_is_no_plaintext_instead_t55(home: Any) -> None:
    wrapped = home.backend.wrap(SECRET, PATH)
    home.backend.destroy()
    for attempt in (
        lambda: home.backend.unwrap(wrapped, PATH),
        lambda: home.another().unwrap(wrapped, PATH),
        lambda: home.backend.wrap(SECRET, PATH),
        lambda: home.backend.rewrap(wrapped, PATH),
    ):
        with pytest.raises(Refused):
            attempt()


def test_a_home_that_is_down_means_a_refusal_and_comes_back_t55(home: Any) -> None:
    wrapped = home.backend.wrap(SECRET, PATH)
    signer = home.backend.make_signing_key(home.own("one"), ECDSA_P256)
    home.fault("down")
    wanted = Refused if home.name == "file" else BackendUnavailable
    for attempt in (
        lambda: home.backend.unwrap(wrapped, PATH),
        lambda: home.backend.wrap(SECRET, PATH),
        lambda: signer.sign(b"x"),
    ):
        with pytest.raises(wanted) as told:
            attempt()
        assert SECRET.hex() not in str(told.value)
    home.fault("down", on=False)
    assert home.backend.unwrap(wrapped, PATH) == SECRET
    signer.public().verify(signer.sign(b"x"), b"x")


def test_a_home_that_is_slow_is_not_waited_for_t55(home: Any) -> None:
    wrapped = home.backend.wrap(SECRET, PATH)
    home.fault("slow")
    begun = time.monotonic()
    with pytest.raises(BackendUnavailable, match=r"did not answer within 1\.5 seconds|could not be asked"):
        home.backend.unwrap(wrapped, PATH)
    assert time.monotonic() - begun < 3
    home.fault("slow", on=False)
    time.sleep(1)  # until the call that nobody waits for any more is over
    assert home.backend.unwrap(wrapped, PATH) == SECRET


def test_a_signature_that_does_not_verify_is_never_returned_t55(home: Any) -> None:
    signer = home.backend.make_signing_key(home.own("one"), ECDSA_P256)
    home.fault("lie")
    with pytest.raises(BackendLied, match="did not make over this"):
        signer.sign(b"data")
    home.fault("lie", on=False)
    signer.public().verify(signer.sign(b"data"), b"data")


@pytest.mark.parametrize("algorithm", [ECDSA_P256, ED25519])
def test_keys_sign_where_they_are(home: Any, algorithm: str) -> None:
    if algorithm not in home.backend.algorithms:
        with pytest.raises(InvalidInput, match="not with"):
            home.backend.make_signing_key(home.own("one"), algorithm)
        return
    signer = home.backend.make_signing_key(home.own("one"), algorithm)
    assert (signer.algorithm, signer.key_id) == (algorithm, signer.public().key_id)
    assert home.another().signer(home.own("one")).public() == signer.public()
    signer.public().verify(signer.sign(b"\0"), b"\0")
    assert verify_statement(sign_statement(STATEMENT, signer), [signer.public()]) == STATEMENT
    with pytest.raises(VerificationFailed):
        home.backend.make_signing_key(home.own("two"), algorithm).public().verify(signer.sign(b"data"), b"data")


@pytest.mark.parametrize("algorithm", [ECDSA_P256, ED25519])
def test_long_data_is_signed_as_a_whole(home: Any, algorithm: str) -> None:
    if algorithm not in home.backend.algorithms:
        pytest.skip(f"{home.name}: does not sign with {algorithm}")
    signer, data = home.backend.make_signing_key(home.own("one"), algorithm), b"x" * 20_000
    if home.name == "kms":  # moto hashes a digest once more, which the real KMS does not: what it returns is refused
        with pytest.raises(BackendLied):
            signer.sign(data)
        return
    signature = signer.sign(data)
    signer.public().verify(signature, data)
    with pytest.raises(VerificationFailed):
        signer.public().verify(signature, data[:-1])


def test_a_key_is_never_overwritten_and_an_unknown_one_is_missed(home: Any) -> None:
    before = home.backend.make_signing_key(home.own("one"), ECDSA_P256).key_id
    with pytest.raises(Conflict, match="never overwritten"):
        home.backend.make_signing_key(home.own("one"), ECDSA_P256)
    assert home.backend.signer(home.own("one")).key_id == before
    with pytest.raises(NotFound):
        home.backend.signer(home.own("two"))
    with pytest.raises(InvalidInput):
        home.backend.make_signing_key(home.own("three"), "rsa-1024")


def test_a_removed_signing_key_signs_no_more_t55(home: Any) -> None:
    signer = home.backend.make_signing_key(home.own("one"), ECDSA_P256)
    home.remove_signing_key(home.own("one"))
    with pytest.raises((Refused, NotFound)):
        signer.sign(b"data")


def test_a_wrong_pin_or_token_is_refused_and_no_secret_is_told_t61(home: Any) -> None:
    wrapped = home.backend.wrap(SECRET, PATH)
    wrong = home.with_wrong_secret()
    with pytest.raises(Refused) as told:
        wrong.unwrap(wrapped, PATH)
    said = f"{told.value!s} {told.value!r} {wrong!r} {home.unlock!r} {home.backend!r}"
    assert not [one for one in ("000000", "493817", "not-the-token", "a-token-of-the-fake") if one in said]


def test_a_workspace_opens_by_it_and_by_nothing_else(home: Any, tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    with create_keyring(folder, "ws_1", home.unlock) as made:
        expected = made.signer("statements").key_id
    with open_keyring(folder, home.unlock) as ring:
        assert ring.signer("statements").key_id == expected
    with pytest.raises(WrongUnlock):
        open_keyring(folder, InsecurePassphraseForTests(Secret("correct horse battery")))
    blob = (folder / "root.json").read_bytes()
    with create_keyring(tmp_path / "other" / "keys", "ws_2", home.unlock):
        pass
    (folder / "root.json").write_bytes((tmp_path / "other" / "keys" / "root.json").read_bytes())
    with pytest.raises(VerificationFailed):
        open_keyring(folder, home.unlock)
    (folder / "root.json").write_bytes(blob.replace(b"ws_1", b"ws_3"))
    with pytest.raises((WrongUnlock, VerificationFailed)):
        open_keyring(folder, home.unlock)
    (folder / "root.json").write_bytes(blob)
    home.fault("down")
    with pytest.raises(SealwrightError, match=r"not there|could not be asked|There is no key file"):
        open_keyring(folder, home.unlock)


def test_many_ask_at_once(home: Any) -> None:
    wrapped, failed = home.backend.wrap(SECRET, PATH), list[BaseException]()
    signer = home.backend.make_signing_key(home.own("one"), ECDSA_P256)

    def work() -> None:
        try:
            for _ in range(3):
                assert home.backend.unwrap(wrapped, PATH) == SECRET
                signer.sign(b"data")
        except BaseException as error:  # noqa: BLE001 - told below
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


def test_the_pair_that_is_meant_signs_and_no_other_of_its_name(home: Any) -> None:
    made = home.backend.make_signing_key(home.own("one"), ECDSA_P256)
    other = home.backend.make_signing_key(home.own("two"), ECDSA_P256)
    again = home.another().signer(home.own("one"), made.public())
    made.public().verify(again.sign(b"data"), b"data")
    with pytest.raises(BackendRefused, match="has another key"):
        home.backend.signer(home.own("one"), other.public())
    if home.name != "vault":
        return
    home.engine.keys[home.own("one")].rotate()  # by somebody, in the engine
    made.public().verify(home.another().signer(home.own("one"), made.public()).sign(b"x"), b"x")
    assert home.another().signer(home.own("one")).key_id != made.key_id
