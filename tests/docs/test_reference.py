"""The generated pages of the reference say what the code says."""

import subprocess
import sys
from pathlib import Path

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

    page = (ROOT / "docs" / "reference" / "commands.md").read_text()
    group = typer.main.get_command(app)
    missing = []
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        names = [f"{name} {verb}" for verb in getattr(command, "commands", {})] or [name]
        missing += [verb for verb in names if f"\n## sealwright {verb}\n" not in page]
    assert not missing, f"run make docs; tools/make_reference.py does not know: {missing}"


def test_the_list_of_generated_pages_is_whole() -> None:
    made = {"commands.md", "errors.md", "policies.md", "sealwright.schema.json"}
    assert made <= {path.name for path in Path(ROOT / "docs" / "reference").iterdir()}, "run make docs"
