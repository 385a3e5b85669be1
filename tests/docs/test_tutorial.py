"""What the tutorials say happens, happens: every block is executed in order and prints what the page shows."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from docs_pages import DOCS, blocks_of, steps_of
from docs_reader import as_shown, reading

pytestmark = pytest.mark.slow


def test_every_block_of_the_first_tutorial_does_what_it_shows(tutorial: Any) -> None:
    assert len(tutorial.shown) >= 10
    for shown in tutorial.shown:
        assert as_shown(shown.want, shown.got), f"{shown.block.where} prints:\n{shown.got}"


def test_the_first_tutorial_shows_what_every_printing_block_prints(tutorial: Any) -> None:
    silent = [shown.block.where for shown in tutorial.shown if shown.got and not shown.want]
    assert not silent, f"These blocks print, and the page does not show what: {silent}"


def test_the_first_tutorial_leaves_a_released_version_and_its_report(tutorial: Any) -> None:
    made = {path.name for path in tutorial.folder.iterdir()}
    assert {"credit", "workspace", "keys", "report.html", "credit-v1.evidence.json", "trust.json"} <= made
    assert (tutorial.folder / "workspace" / "pointers" / "credit" / "live.json").is_file()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed: the prediction page was not executed")
def test_the_prediction_page_does_what_it_shows(copy: Path, tools: Path, free_port: Callable[[], int]) -> None:
    port = str(free_port())
    with reading(copy, tools) as reader:
        for block in blocks_of(DOCS / "tutorial" / "first-prediction.md"):
            if block.note.startswith("file: "):
                (copy / block.note.removeprefix("file: ")).write_text(block.text)
            if block.language != "console":
                continue
            steps = list(steps_of(block))
            for place, step in enumerate(steps):
                got, status = reader.type(step.command.replace("8443", port))
                assert as_shown(step.output, got), f"{step.where}: {step.command}\nprints:\n{got}"
                said = place + 1 < len(steps) and steps[place + 1].command == "echo $?"
                assert status == 0 or said, f"{step.where}: {step.command}\nended with status {status}:\n{got}"
