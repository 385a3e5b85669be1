"""The generated pages of the reference say what the code says."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docs_pages import ROOT


def test_the_generated_pages_are_what_the_code_says_now() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "make_reference.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, f"run make docs\n{done.stdout}{done.stderr}"


def test_every_verb_of_the_program_is_in_the_reference() -> None:
    import typer

    from sealwright.doors.cli.app import app
    from sealwright.doors.cli.data.verbs import app as data  # The program loads these at their first use only.

    def verbs(group: Any, above: str) -> Iterator[str]:
        for name, command in group.commands.items():
            below = list(verbs(command, f"{above} {name}")) if hasattr(command, "commands") else []
            yield from below or [f"{above} {name}"]

    page = (ROOT / "docs" / "reference" / "commands.md").read_text()
    known = {*verbs(typer.main.get_command(app), "sealwright")} - {"sealwright data"}
    known |= {*verbs(typer.main.get_command(data), "sealwright data")}
    assert len(known) > 60
    missing = sorted(verb for verb in known if f"\n## {verb}\n" not in page)
    assert not missing, f"run make docs; tools/make_reference.py does not know: {missing}"


def test_the_list_of_generated_pages_is_whole() -> None:
    made = {"commands.md", "errors.md", "policies.md", "sealwright.schema.json"}
    assert made <= {path.name for path in Path(ROOT / "docs" / "reference").iterdir()}, "run make docs"
