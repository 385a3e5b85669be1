"""`make up` keeps what README promises: it ends by itself with --no-wait, and everything it says can be repeated."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The output of one real run, and the folder it left."""
    folder = tmp_path_factory.mktemp("demo") / "up"
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "up.py"), "--no-wait"],
        env={**os.environ, "SEALWRIGHT_DEMO": str(folder), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return folder, done.stdout


@pytest.mark.slow
def test_it_ends_with_what_was_proven_and_what_was_not(demo: tuple[Path, str]) -> None:
    _, said = demo
    for words in ("Proven\n", "Not proven\n", "Stopped by its policy\n", "Served\n", "Look at the reports\n"):
        assert words in said
    assert "not by ada who trained it" in said
    assert re.search(r"job-screening: .*fairness\.selection_gap", said)


@pytest.mark.slow
def test_the_stopped_project_has_every_reason_and_who_acts(demo: tuple[Path, str]) -> None:
    _, said = demo
    part = said.split("2  A job-screening model")[1].split("3  Served")[0]
    assert part.count("\nFAIL  ") >= 3
    assert part.count("    who  ") >= 4
    assert part.count("    next ") >= 4


@pytest.mark.slow
def test_the_printed_verify_command_verifies_the_receipt(demo: tuple[Path, str]) -> None:
    folder, said = demo
    command = said.split("Verify that receipt, offline\n")[1].strip().splitlines()[0].split()
    assert command[:2] == [f"SEALWRIGHT_HOME={folder}/home", ".venv/bin/sealwright"]
    program = [sys.executable, "-c", "from sealwright.doors.cli import main; main()"]
    done = subprocess.run(
        [*program, *command[2:]],
        env={**os.environ, "SEALWRIGHT_HOME": f"{folder}/home"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert "This receipt holds" in done.stdout


@pytest.mark.slow
def test_both_reports_are_there_and_private(demo: tuple[Path, str]) -> None:
    folder, said = demo
    reports = [
        Path(line.strip().removeprefix("file://")) for line in said.splitlines() if line.strip().startswith("file://")
    ]
    assert {path.name for path in reports} == {"german-credit-v1.html", "job-screening-unreleased.html"}
    assert all(path.is_file() and path.stat().st_mode & 0o077 == 0 for path in reports)
    assert (folder / "home").stat().st_mode & 0o077 == 0


@pytest.mark.slow
def test_a_second_run_finds_everything_done_and_serves_again(demo: tuple[Path, str]) -> None:
    folder, _ = demo
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "up.py"), "--no-wait"],
        env={**os.environ, "SEALWRIGHT_DEMO": str(folder), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "kept: nothing it was made from has changed" in done.stdout
    assert "german-credit version 1:" in done.stdout
