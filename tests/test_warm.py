"""A command of the program that is started already is like one that is started for itself."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from warm import Warm

_REAL = [sys.executable, "-c", "from sealwright.doors.cli import main; main()"]


def variables(folder: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "SEALWRIGHT_HOME": str(folder / "ws"), "COLUMNS": "72"}


@pytest.mark.parametrize("words", [["--version"], ["gate", "--help"], ["gate", "absent", "--json"], ["no-such-verb"]])
def test_it_says_the_same_and_ends_the_same(words: list[str], warm: Warm, tmp_path: Path) -> None:
    options: dict[str, Any] = {"env": variables(tmp_path), "cwd": tmp_path, "capture_output": True, "text": True}
    real = subprocess.run([*_REAL, *words], stdin=subprocess.DEVNULL, check=False, **options)
    done = warm.run(words, environment=variables(tmp_path), folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (real.returncode, real.stdout, real.stderr)


def test_it_gets_every_descriptor_and_has_its_own_variables_and_folder(warm: Warm, tmp_path: Path) -> None:
    warm.write_program(tmp_path / "sealwright")
    (tmp_path / "words").write_text("correct horse battery staple")
    (tmp_path / "words").chmod(0o600)
    script = "SEALWRIGHT_PASSPHRASE_FD=3 ./sealwright workspace create --passphrase 3< words && ./sealwright x"
    done = subprocess.run(
        ["sh", "-c", script], env=variables(tmp_path), cwd=tmp_path, check=False, capture_output=True, text=True
    )
    assert done.returncode == 2, "the status of the last one"
    assert "No such command 'x'" in done.stderr
    assert (tmp_path / "ws" / "workspace.json").is_file(), done.stderr


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_to_it_ends_the_command(how: signal.Signals, warm: Warm, tmp_path: Path) -> None:
    warm.write_program(tmp_path / "sealwright")
    reads, writes = os.pipe()
    process = subprocess.Popen(
        [str(tmp_path / "sealwright"), "workspace", "create", "--passphrase"],
        env=variables(tmp_path) | {"SEALWRIGHT_PASSPHRASE_FD": str(reads)},
        cwd=tmp_path,
        pass_fds=[reads],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    os.close(reads)
    os.write(writes, b"a passphrase that does not end")
    assert not _nobody_reads(writes, seconds=0.5), "it waits for the rest"
    process.send_signal(how)
    process.communicate(timeout=20)
    assert _nobody_reads(writes, seconds=20)
    assert process.returncode == (130 if how == signal.SIGINT else -how)
    os.close(writes)


def _nobody_reads(pipe: int, *, seconds: float) -> bool:
    poll = select.poll()
    poll.register(pipe, 0)
    return bool(poll.poll(seconds * 1000))
