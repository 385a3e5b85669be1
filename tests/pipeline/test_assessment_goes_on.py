"""An assessment that was killed goes on where it was, nobody can slip an outcome in, and rows are dealt once, for the training."""

import json
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest

import sealwright as sw
from sealwright.assurance import SUITES
from sealwright.kernel import canonical_json
from whole_way import Home, quick, write_table

pytestmark = pytest.mark.slow

_CHECKS = sum(map(len, SUITES.values()))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a trained model that nobody judged yet."""
    root = tmp_path_factory.mktemp("trained") / "home"
    root.mkdir(mode=0o700)
    home = Home(root)
    home.inside("workspace", "create", "--name", "Example")
    home.inside("init", "fits", "--data", write_table(root / "fits.csv"), "--target", "fits")
    quick(root / "fits", recipe="logistic")
    home.inside("ingest", "fits")
    home.inside("train", "fits")
    return root


@pytest.fixture
def home(trained: Path, tmp_path: Path) -> Home:
    shutil.copytree(trained, tmp_path / "home")
    here = {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}  # the same code in the child
    return Home(tmp_path / "home", here)


def _outcomes(home: Home) -> list[Path]:
    return sorted((home.workspace / "runs" / "outcomes" / "fits").glob("[0-9a-f]*"))


def _assess(home: Home, **asked: Any) -> tuple[dict[str, Any], list[str]]:
    """What the statements say, but when; and the lines of progress."""
    told: list[str] = []
    with sw.open(home.workspace, key_file=home.key, progress=lambda line, _share: told.append(line)) as workspace:
        done = workspace.assess(home.root / "fits", **asked)
    suites = {name: {**suite, "performed_at": ""} for name, suite in done.suites.items()}
    return suites, [line for line in told if line.partition(":")[0] in SUITES]


def _killed_after(home: Home, outcomes: int) -> None:
    """`sealwright assess`, ended by kill -9 once so many checks are finished."""
    process = home.start("assess", "fits", "--engine", "local")
    until = time.monotonic() + 120
    while len(_outcomes(home)) < outcomes and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    assert process.poll() is None, process.communicate()
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_a_killed_assessment_goes_on_and_says_the_same(home: Home, tmp_path: Path) -> None:
    shutil.copytree(home.root, tmp_path / "other")
    whole, lines = _assess(Home(tmp_path / "other"), engine="local")
    assert len(lines) == _CHECKS
    _killed_after(home, 8)
    finished = len(_outcomes(home))
    assert 8 <= finished < _CHECKS
    found, lines = _assess(home, engine="processes", workers=2)
    assert canonical_json(found) == canonical_json(whole)
    assert len(lines) == _CHECKS - finished
    assert all(line.endswith(f"({finished} were done before)") for line in lines)
    assert not _outcomes(home)  # the statements are the record now


def test_kept_outcomes_are_sealed_and_a_changed_one_is_not_used(home: Home) -> None:
    _killed_after(home, 5)
    places = _outcomes(home)
    assert all(b"findings" not in place.read_bytes() for place in places)
    assert all(place.stat().st_mode & 0o077 == 0 for place in places)
    places[0].write_bytes(places[0].read_bytes()[:-1] + b"x")
    places[1].write_bytes(places[2].read_bytes())  # a genuine one, in another place
    _, lines = _assess(home)
    assert len(lines) == _CHECKS - len(places) + 2


def test_another_question_starts_anew(home: Home) -> None:
    _killed_after(home, 5)
    _edit(home, "confidence: 0.95", "confidence: 0.9")
    _, lines = _assess(home)
    assert len(lines) == _CHECKS


def test_a_full_assessment_answers_for_the_standard_one(home: Home) -> None:
    done = json.loads(home.inside("assess", "fits", "--full", "--engine", "local", "--json").out)
    found, lines = _assess(home)
    assert lines == []
    assert found["performance"]["settings"]["spec"]["depth"] == "full"
    assert json.loads(home.inside("assess", "fits", "--json").out)["statements"] == done["statements"]


def test_an_engine_that_is_none_is_refused_before_any_work(home: Home) -> None:
    done = home.inside("assess", "fits", "--engine", "spark", expect=2)
    assert "There is no engine 'spark'. Engines are: auto, local, processes, ray, ray://HOST:PORT." in done.err
    assert "at least one worker" in home.inside("assess", "fits", "--workers", 0, expect=2).err


def _edit(home: Home, old: str, new: str) -> None:
    path = home.root / "fits" / "sealwright.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new"),
    [("seed: 20260101", "seed: 1"), ("target: fits", "target: fits\n  test_share: 0.3")],
)
def test_an_edit_that_deals_rows_anew_is_refused_until_it_is_trained_again(home: Home, old: str, new: str) -> None:
    _edit(home, old, new)
    refused = home.inside("assess", "fits", expect=2)
    assert "rows it learned from would be called a hold-out" in refused.err
    assert "sealwright train" in refused.err
    _edit(home, new, old)
    home.inside("assess", "fits")
    _edit(home, old, new)
    home.inside("train", "fits")
    home.inside("assess", "fits")
