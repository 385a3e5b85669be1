"""`sealwright up`: all processes of a machine start in order and end in order, and none is left behind."""

import json
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from people_house import Bank

_RUN = "from sealwright.doors.cli import main; main()"


@pytest.fixture
def started(tmp_path: Path) -> Iterator[tuple[Bank, "subprocess.Popen[str]", dict[str, Any]]]:
    bank = Bank(tmp_path / "home", people=False)
    command = [sys.executable, "-c", _RUN, "up", "--control-port", "0", "--first", "ada", "--json"]
    process = subprocess.Popen(
        command, env=bank.environment, cwd=bank.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        if line == "}\n":
            break
    try:
        yield bank, process, json.loads(text)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(one) for one in found]


def _gone(pids: list[int]) -> bool:
    end = time.monotonic() + 10
    while any(Path(f"/proc/{pid}/stat").exists() for pid in pids):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def test_ctrl_c_ends_all_of_them_in_good_order(started: Any) -> None:
    bank, process, facts = started
    assert list(facts) == ["signer", "control"]
    with httpx.Client(verify=ssl.create_default_context(cafile=facts["control"]["ca"]), trust_env=False) as client:
        assert client.get(f"{facts['control']['url']}health/ready").json() == {"ready": True}
        assert client.get(facts["control"]["first account"]).status_code == 200
    assert Path(facts["signer"]["socket"]).exists()
    children = _children(process.pid)
    assert len(children) == 2
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert _gone(children)
    assert not Path(facts["signer"]["socket"]).exists()
    assert [json.loads(line)["event"] for line in err.splitlines()] == ["serving", "stopped"]
    assert bank.first_link == ""


def test_when_one_ends_all_end_and_it_is_said_which(started: Any) -> None:
    _, process, _ = started
    children = _children(process.pid)
    os.kill(children[0], signal.SIGKILL)
    _, err = process.communicate(timeout=60)
    assert process.returncode not in (0, 2, 3)
    assert "signer ended by itself" in err
    assert _gone(children)


def test_when_it_is_killed_none_is_left_behind(started: Any) -> None:
    _, process, facts = started
    children = _children(process.pid)
    process.kill()
    process.communicate(timeout=60)
    assert _gone(children)
    assert not Path(facts["signer"]["socket"]).exists()
