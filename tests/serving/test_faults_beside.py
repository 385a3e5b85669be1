"""What runs beside the answers never ends unseen: a fault in it that nobody foresaw ends the process, in order, to be started again."""

import asyncio
import io
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from sealwright.kernel import system_clock
from sealwright.serving import Limits, starting
from sealwright.serving.believed import Believed
from sealwright.serving.ending import LOST, Ending
from sealwright.serving.server import _Running
from sealwright.serving.transport.events import EventLog

_LIMITS = Limits(watch_seconds=0.1, access_seconds=0.1, answer_seconds=5.0, drain_seconds=10.0)
_BROKEN = {
    "budgets": ("sealwright.serving.budgets.budgets", "Budgets.look", 1),
    "watch": ("sealwright.serving.channels", "Channels.make_room", 1),
    "access": ("sealwright.serving.access", "AccessWatch.changed", 1),
    "keeper": ("sealwright.serving.workers.keeper", "_Key.look", 2),
}


@pytest.mark.parametrize("which", _BROKEN)
def test_a_task_that_fails_ends_the_process_with_a_word_and_a_status(
    new_house: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    module, name, workers = _BROKEN[which]
    broken = f"import {module} as found; found.{name} = None; runpy.run_module"
    monkeypatch.setattr(starting, "_BOOT", starting._BOOT.replace("runpy.run_module", broken))
    house = new_house()
    with (
        (tmp_path / "log").open("wb") as log,
        house.launch(tls=False, workers=workers, limits=_LIMITS, stderr=log) as running,
    ):
        assert running.wait(15) == LOST
    told = (tmp_path / "log").read_text()
    assert '"event": "fault"' in told
    assert '"event": "stopped"' in told  # in order


def _ending(monkeypatch: pytest.MonkeyPatch) -> tuple[Ending, list[int]]:
    sent: list[int] = []
    monkeypatch.setattr(os, "kill", lambda _, number: sent.append(number))
    return Ending(EventLog(io.StringIO(), system_clock)), sent


def test_a_task_that_is_cancelled_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    ending, sent = _ending(monkeypatch)

    async def scene() -> None:
        task = asyncio.create_task(ending.unless_it_fails(asyncio.sleep, 60))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(scene())
    assert (ending.lost, sent) == (False, [])


def test_two_faults_end_the_process_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ending, sent = _ending(monkeypatch)

    async def broken() -> None:
        raise ZeroDivisionError

    async def scene() -> None:
        await asyncio.gather(ending.unless_it_fails(broken), ending.unless_it_fails(broken))

    asyncio.run(scene())
    assert (ending.lost, sent) == (True, [signal.SIGTERM])


def test_a_list_of_withdrawn_keys_that_could_not_be_remembered_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise tokens signed with such a key are good until the file changes once more."""
    running: Any = _Running.__new__(_Running)
    running._believed, running._watched = Believed.__new__(Believed), ("as it was",)
    running._believed.files = ()
    tried: list[bool] = []

    def read() -> None:
        tried.append(True)
        if len(tried) == 1:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(running, "_read_keys", read)
    with pytest.raises(OSError, match="No space left"):
        asyncio.run(running._look_at_keys())
    for _ in range(2):
        asyncio.run(running._look_at_keys())
    assert len(tried) == 2
