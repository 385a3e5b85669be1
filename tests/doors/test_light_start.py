"""What starts must start at once, and what the base install can do must need no more than it has."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from whole_way import PROJECT, ROW, Done, Home

HEAVY = (
    "alembic",
    "argon2",
    "cryptography",
    "fastapi",
    "joserfc",
    "jinja2",
    "numpy",
    "onnx",
    "onnxruntime",
    "optuna",
    "polars",
    "pyarrow",
    "sklearn",
    "scipy",
    "sqlalchemy",
    "uvicorn",
    "vl_convert",
)
LEARNING = (
    "jinja2",
    "optuna",
    "polars",
    "pyarrow",
    "sklearn",
    "scipy",
    "skl2onnx",
    "cyclonedx",
    "vl_convert",
    "pandas",
)


def imported_by(program: str, *, root: Path = Path("/")) -> set[str]:
    """The top-level modules in a fresh interpreter after a program."""
    code = f"import sys\n{program}\nprint('\\n' + ' '.join(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=root, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


def command(*arguments: str) -> str:
    return (
        f"sys.argv = ['sealwright', *{arguments!r}]\n"
        "from sealwright.doors.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert end.code in (0, 2, 3, 4), end.code"
    )


def test_import_sealwright_imports_nothing_but_itself() -> None:
    found = imported_by("import sealwright; assert sealwright.__version__")
    assert found & {*HEAVY, "typer", "rich", "yaml"} == set()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("--version",),
        ("run", "--help"),
        ("people", "--help"),
        ("control", "--help"),
        ("data", "--help"),
        ("data", "check", "--help"),
        ("data", "subject", "--help"),
        ("client", "--help"),
        ("api-key", "make", "--help"),
        ("certificate", "--help"),
        ("nonsense",),
    ],
)
def test_help_imports_no_library_that_works(arguments: tuple[str, ...]) -> None:
    assert imported_by(command(*arguments)) & set(HEAVY) == set()


_WITHOUT = """
import contextlib, importlib.abc, io, json, sys

class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in LEARNING:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
from sealwright.doors.cli import main

said = []
for arguments in COMMANDS:
    out, err = io.StringIO(), io.StringIO()
    sys.argv = ["sealwright", *arguments]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            said.append([end.code, out.getvalue(), err.getvalue()])
print(json.dumps(said))
"""


def without_learning(home: Home, commands: list[list[str]]) -> list[Done]:
    """Run commands where none of the libraries of the extra `build` can be imported: the base install."""
    code = f"LEARNING = {LEARNING!r}\nCOMMANDS = {commands!r}\n{_WITHOUT}"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, cwd=home.root, env=home.environment
    )
    assert done.returncode == 0, done.stderr
    return [Done(*one) for one in json.loads(done.stdout)]


def test_the_base_install_verifies_decides_and_operates(home: Home) -> None:
    (snapshot,) = (home.workspace / "snapshots").iterdir()
    bundle = f"out/{PROJECT}-v1.evidence.json"
    commands = [
        ["verify", str(home.package)],
        ["verify", bundle, "--trust", "out/trust.json"],
        ["verify", str(snapshot)],
        ["verify", "ws/ledger"],
        ["verify", "answer.json", "--request", ROW],
        ["gate", "credit"],
        ["approve", "credit", "--as", "bob", "--role", "business_owner", "--reason", "Read it again", "--person-key", "bob.key"],
        ["seal", "credit"],
        ["versions", PROJECT],
        ["promote", PROJECT, "1", "--reason", "Confirmed"],
        ["history", PROJECT],
        ["token", PROJECT, "--for", "till-1"],
        ["api-key", "make", PROJECT, "--for", "till-2"],
        ["client", "add", "till-3", "--project", PROJECT],
        ["certificate", "issue", "till-3", "--to", "till-3"],
        ["export", PROJECT, "1", "--to", "out2"],
        ["people", "add", "eve", "--role", "auditor", "--person-key", "eve.key"],
        ["people", "list"],
        ["workspace", "show"],
        ["workspace", "trust"],
        ["schema"],
        ["policy", "high"],
        ["revoke", PROJECT, "1", "--reason", "No longer wanted"],
    ]  # fmt: skip
    for arguments, done in zip(commands, without_learning(home, commands), strict=True):
        assert done.code == 0, (arguments, done)


def test_the_base_install_says_what_is_missing_for_the_rest(home: Home) -> None:
    commands = [
        ["init", "new", "--data", "credit/german_credit.csv", "--target", "outcome"],
        *([verb, "credit"] for verb in ("run", "ingest", "train", "assess", "report")),
    ]
    for arguments, done in zip(commands, without_learning(home, commands), strict=True):
        assert done.code == 2, (arguments, done)
        assert "pip install 'sealwright[build]'" in done.err


def test_the_server_runs_in_the_base_install(home: Home) -> None:
    """The serving process of a real command has none of those libraries in its memory."""
    with home.serving(PROJECT) as client:
        assert client.ask((home.root / ROW).read_bytes()).status_code == 200
        loaded = Path(f"/proc/{client.facts['pid']}/maps").read_text()
    assert "onnxruntime" in loaded
    assert [name for name in LEARNING if f"/site-packages/{name}/" in loaded] == []
