"""What opens keys is safe to hold, and an unsafe key file is refused with the reason."""

import os
import pickle
from pathlib import Path

import pytest

from sealwright.kernel import Conflict, InvalidInput
from sealwright.trust import (
    InsecurePassphraseForTests,
    KeyFile,
    KeyFileUnsafe,
    Passphrase,
    Secret,
    WrongUnlock,
    create_key_file,
)
from sealwright.trust.wrapping import unwrap, wrap

PATH = "sealwright/ws_1/root/v1"
WORDS = "seven green lanterns"


def test_a_secret_is_not_shown_compared_or_pickled_by_accident() -> None:
    secret = Secret(WORDS)
    assert WORDS not in f"{secret!r} {secret} {Passphrase(secret)!r} {secret!s:>5}"
    assert secret != Secret(WORDS)
    assert secret.reveal() == WORDS
    with pytest.raises(TypeError, match="explicitly"):
        pickle.dumps(secret)


@pytest.mark.parametrize("text", ["", "elevenchars", "aaaaaaaaaaaaaaaa", "abababababababab", "short"])
def test_a_weak_passphrase_wraps_nothing(text: str) -> None:
    with pytest.raises(InvalidInput, match="too weak"):
        wrap(b"k" * 32, PATH, Passphrase(Secret(text)))


def test_a_passphrase_that_is_not_text_is_refused() -> None:
    with pytest.raises(InvalidInput, match="not valid text"):
        wrap(b"k" * 32, PATH, InsecurePassphraseForTests(Secret("twelve chars \ud800")))


def test_the_same_words_open_however_they_were_typed() -> None:
    composed, decomposed = "déjà vu à Montréal", "de\u0301ja\u0300 vu a\u0300 Montre\u0301al"
    wrapped = wrap(b"k" * 32, PATH, InsecurePassphraseForTests(Secret(composed)))
    assert unwrap(wrapped, PATH, InsecurePassphraseForTests(Secret(decomposed)), link="root") == b"k" * 32


def test_a_strong_passphrase_is_stretched_as_promised() -> None:
    wrapped = wrap(b"k" * 32, PATH, Passphrase(Secret(WORDS)))
    assert b'"lanes":4,"memory_kib":65536,"method":"argon2id","passes":3' in wrapped
    assert unwrap(wrapped, PATH, Passphrase(Secret(WORDS)), link="root") == b"k" * 32


def test_keys_made_for_tests_do_not_open_in_earnest() -> None:
    wrapped = wrap(b"k" * 32, PATH, InsecurePassphraseForTests(Secret(WORDS)))
    with pytest.raises(WrongUnlock, match="more weakly"):
        unwrap(wrapped, PATH, Passphrase(Secret(WORDS)), link="root")


def test_a_changed_cost_cannot_exhaust_the_machine() -> None:
    words = InsecurePassphraseForTests(Secret(WORDS))
    greedy = wrap(b"k" * 32, PATH, words).replace(b'"memory_kib":64', b'"memory_kib":1000000000')
    with pytest.raises(WrongUnlock, match="memory_kib"):
        unwrap(greedy, PATH, words, link="root")


def test_a_key_file_is_made_once_for_us_only(tmp_path: Path) -> None:
    path = tmp_path / "root.key"
    first = create_key_file(path).read()
    assert (len(first), path.stat().st_mode & 0o777) == (32, 0o600)
    with pytest.raises(Conflict, match="never overwritten"):
        create_key_file(path)
    assert KeyFile(path).read() == first
    assert create_key_file(tmp_path / "other.key").read() != first


def test_a_key_file_is_not_written_through_a_dangling_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Conflict):
        create_key_file(tmp_path / "link")
    with pytest.raises(InvalidInput, match="Cannot write"):
        create_key_file(tmp_path / "no such folder" / "k")


def test_a_missing_key_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyFileUnsafe, match="no key file"):
        KeyFile(tmp_path / "gone").read()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o602, 0o610])
def test_a_key_file_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    key = create_key_file(tmp_path / "k")
    key.path.chmod(mode)
    with pytest.raises(KeyFileUnsafe, match=f"mode {mode:o}.*\nClose it with: chmod 600"):
        key.read()


def test_a_linked_key_file_is_refused(tmp_path: Path) -> None:
    create_key_file(tmp_path / "k")
    (tmp_path / "link").symlink_to(tmp_path / "k")
    with pytest.raises(KeyFileUnsafe, match="not a link"):
        KeyFile(tmp_path / "link").read()


def test_a_folder_or_pipe_in_place_of_a_key_file_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(KeyFileUnsafe, match="regular file"):
        KeyFile(tmp_path).read()
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(KeyFileUnsafe, match="regular file"):
        KeyFile(tmp_path / "pipe").read()


@pytest.mark.parametrize("data", [b"", b"x" * 31, b"x" * 33, b"\0" * 32, b"x" * 5000])
def test_a_key_file_of_another_size_or_of_zeros_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "k"
    path.write_bytes(data)
    path.chmod(0o600)
    with pytest.raises(KeyFileUnsafe, match="exactly 32"):
        KeyFile(path).read()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_key_file_of_another_user_is_refused(tmp_path: Path) -> None:
    key = create_key_file(tmp_path / "k")
    os.chown(key.path, 12345, 12345)
    with pytest.raises(KeyFileUnsafe, match="another user"):
        key.read()
