"""The README's own few lines work as they stand: somebody's first contact is not a place for a mistake."""

from pathlib import Path

import pytest
from docs_pages import ROOT, blocks_of, steps_of
from docs_reader import reading

README = ROOT / "README.md"


@pytest.mark.slow
def test_the_first_commands_and_the_python_of_the_readme_work(tmp_path: Path, tools: Path) -> None:
    """`init` and the Python block, on some rows of the German credit data under the names the README uses."""
    tmp_path.chmod(0o700)
    rows = (ROOT / "examples" / "german-credit" / "german_credit.csv").read_text().splitlines()[:401]
    (tmp_path / "my.csv").write_text("\n".join(rows) + "\n")
    steps = [step.command for block in blocks_of(README) if block.language == "console" for step in steps_of(block)]
    (init,) = [command for command in steps if command.startswith("sealwright init")]
    (promote,) = [command for command in steps if command.startswith("sealwright promote")]
    (python,) = [block for block in blocks_of(README) if block.language == "python"]
    with reading(tmp_path, tools) as reader:
        _works(reader, init)
        _works(reader, "sed -i 's/trials: 20/trials: 0/' my-project/sealwright.yaml")  # keeps this test short
        (tmp_path / "readme.py").write_text(python.text)
        said = _works(reader, f"SEALWRIGHT_HOME={tmp_path}/my-workspace python -W error readme.py")
        assert said.startswith("sha256:")
        assert said.endswith("True")
        _works(reader, f"SEALWRIGHT_HOME={tmp_path}/my-workspace {promote}")


def _works(reader: object, command: str) -> str:
    said, status = reader.type(command)  # type: ignore[attr-defined]
    assert status == 0, f"{command}\nended with status {status}:\n{said}"
    return str(said)


def test_the_readme_names_the_make_targets_that_exist() -> None:
    targets = {line.split(":")[0] for line in (ROOT / "Makefile").read_text().splitlines() if ":" in line}
    for block in blocks_of(README):
        for step in steps_of(block) if block.language == "console" else ():
            if step.command.startswith("make "):
                assert step.command.split()[1] in targets, step.where
