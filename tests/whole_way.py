"""The product as a user meets it: commands in a folder of one's own, child processes, a server over TLS.

`Home` is one user's machine in small. `sealed` makes, once per test session, a home in which German credit went the
whole way through the doors; tests get copies of it. Nothing here is a stand-in for any of our parts.
"""

import contextlib
import fcntl
import io
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import pytest

from warm import Warm

REPOSITORY = Path(__file__).resolve().parent.parent
PROGRAM = Path(sys.executable).with_name("sealwright")
PROJECT = "german-credit"
ROW = "row.json"


@dataclass(frozen=True, slots=True)
class Done:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, str]:
        """The one JSON object on standard error; nothing else may be there."""
        value = json.loads(self.err)
        assert isinstance(value, dict)
        return value


@dataclass
class Home:
    """A folder, the variables a user would set, and commands run in it."""

    root: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def workspace(self) -> Path:
        return self.root / "ws"

    @property
    def key(self) -> Path:
        return self.root / "root.key"

    @property
    def package(self) -> Path:
        (found,) = [one for one in (self.workspace / "packages").iterdir() if one.is_dir()]
        return found

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TZ") if name in os.environ}
        return {
            **kept,
            "HOME": str(self.root),
            "SEALWRIGHT_HOME": str(self.workspace),
            "SEALWRIGHT_KEY_FILE": str(self.key),
            "SEALWRIGHT_ACTOR": "ops",  # whoever opens the workspace; nobody of that name is enrolled
            **self.variables,
        }

    def start(self, *arguments: object, **options: Any) -> "subprocess.Popen[str]":
        """A command as a child process that is still running, started for real."""
        return self._begin([str(PROGRAM)], *arguments, **options)

    def start_warm(self, *arguments: object, **options: Any) -> "subprocess.Popen[str]":
        """The same in a fork of the program (see warm.py): where its start and its tree of processes do not matter."""
        return self._begin(Warm.of_this_session.program(), *arguments, **options)

    def _begin(self, program: list[str], *arguments: object, **options: Any) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*program, *map(str, arguments)],
            cwd=self.root,
            env=self.environment,
            stdin=options.pop("stdin", subprocess.DEVNULL),
            stdout=options.pop("stdout", subprocess.PIPE),
            stderr=options.pop("stderr", subprocess.PIPE),
            text=True,
            **options,
        )

    def do(self, *arguments: object, expect: int | None = 0, timeout: float = 240, **options: Any) -> Done:
        """A command as a child process, to its end; it must exit with `expect`, and never with a stack trace."""
        process = self.start_warm(*arguments, **options)
        out, err = process.communicate(timeout=timeout)
        return _checked(Done(process.returncode, out, err), arguments, expect)

    def inside(self, *arguments: object, expect: int | None = 0) -> Done:
        """The same program in this process, which spares the start of Python: for many small commands."""
        from sealwright.doors.cli import main

        out, err = io.StringIO(), io.StringIO()
        before = Path.cwd()
        with (
            patch.dict(os.environ, self.environment, clear=True),
            patch.object(sys, "argv", ["sealwright", *map(str, arguments)]),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            pytest.raises(SystemExit) as ended,
        ):
            os.chdir(self.root)
            try:
                main()
            finally:
                os.chdir(before)
        return _checked(Done(int(ended.value.code or 0), out.getvalue(), err.getvalue()), arguments, expect)

    @contextlib.contextmanager
    def serving(self, project: str, *options: object) -> Iterator["Client"]:
        """A prediction server of this home, asked over TLS; ended by Ctrl-C, which must be a good end."""
        token = self.inside("token", project, "--for", "till-1").out.strip()
        process = self.start_warm("serve", project, "--port", 0, "--json", *options)
        try:
            client = Client(announced(process), token)
            with contextlib.closing(client.http):
                yield client
        finally:
            process.send_signal(signal.SIGINT)
            try:
                _, err = process.communicate(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
            assert process.returncode == 0, err


class Client:
    """What a caller does: the CA of the workspace, a bearer token, JSON."""

    def __init__(self, facts: Mapping[str, Any], token: str) -> None:
        self.facts = facts
        self.trust = ssl.create_default_context(cafile=str(facts["ca"]))
        self.http = httpx.Client(
            base_url=str(facts["url"]),
            verify=self.trust,
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            trust_env=False,
            timeout=30,
        )

    def ask(self, body: bytes) -> httpx.Response:
        """On a connection of its own, which is closed: whoever made this client by hand need not."""
        with httpx.Client(
            base_url=self.http.base_url, verify=self.trust, headers=self.http.headers, trust_env=False, timeout=30
        ) as http:
            return http.post(f"/v1/models/{self.facts['model']}/predict", content=body)


def announced(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """The JSON object a server prints when it answers."""
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        with contextlib.suppress(ValueError):
            facts = json.loads(text)
            assert isinstance(facts, dict)
            return facts
    assert process.stderr is not None
    raise AssertionError(f"the server ended: {process.stderr.read()}")


def _checked(done: Done, arguments: Sequence[object], expect: int | None) -> Done:
    words = f"sealwright {' '.join(map(str, arguments))}\n{done.out}\n{done.err}"
    assert "Traceback" not in done.err, words
    assert "\x1b" not in done.out + done.err, words
    assert expect is None or done.code == expect, f"exit {done.code}, expected {expect}: {words}"
    return done


def quick(project: Path, *, recipe: str = "boosting") -> Path:
    """Make a project's training small, so that a test of something else does not wait for it."""
    path = project / "sealwright.yaml"
    text = path.read_text(encoding="utf-8")
    for long, short in (
        ("search: {trials: 20, seconds: 60}", "search: {trials: 2, seconds: 20}"),
        ("folds: 5", "folds: 3"),
        ("recipe: boosting", f"recipe: {recipe}"),
    ):
        assert long in text
        text = text.replace(long, short)
    path.write_text(text, encoding="utf-8")
    return project


def credit_project(to: Path) -> Path:
    """The bundled German credit project, with a short search."""
    shutil.copytree(REPOSITORY / "examples" / "german-credit", to)
    return quick(to)


def credit_row() -> dict[str, Any]:
    """A request with one application, as a client would send it."""
    import csv

    import yaml

    folder = REPOSITORY / "examples" / "german-credit"
    columns = yaml.safe_load((folder / "sealwright.yaml").read_text(encoding="utf-8"))["data"]["columns"]
    with (folder / "german_credit.csv").open(encoding="utf-8") as stream:
        row = next(csv.DictReader(stream))
    given: dict[str, Any] = {}
    for name, column in columns.items():
        if column.get("role", "feature") == "feature":
            kind = {"integer": int, "number": float, "boolean": lambda text: text == "true"}.get(column["type"], str)
            given[name] = kind(row[name])  # type: ignore[operator]
    return {"row": given}


def _make_sealed(root: Path) -> None:
    """German credit at high risk through the doors, each command and its outcome written down."""
    home = Home(root)
    credit_project(root / "credit")
    told: dict[str, Done] = {}
    told["create"] = home.inside("workspace", "create", "--name", "Example Bank", "--json")
    told["run"] = home.do("run", "credit", "--as", "ada", expect=3)
    for name, role in (("ada", "data_scientist"), ("bob", "business_owner"), ("cara", "compliance_officer")):
        extra = ("--role", "business_owner") if name == "ada" else ()
        home.inside("people", "add", name, "--role", role, *extra, "--person-key", f"{name}.key")

    def approve(name: str, role: str, expect: int = 0) -> Done:
        reason = "I read the report and the groups."
        return home.inside(
            "approve", "credit", "--as", name, "--role", role, "--reason", reason, "--person-key", f"{name}.key",
            expect=expect,
        )  # fmt: skip

    told["trainer approves"] = approve("ada", "business_owner", expect=3)
    told["bob approves"] = approve("bob", "business_owner")
    told["gate with one approval"] = home.inside("gate", "credit", "--json", expect=3)
    told["seal with one approval"] = home.inside("seal", "credit", "--json", expect=3)
    told["cara approves"] = approve("cara", "compliance_officer")
    told["gate"] = home.inside("gate", "credit", "--json")
    told["seal"] = home.do("seal", "credit", "--json")
    told["promote"] = home.inside("promote", PROJECT, 1, "--reason", "First release of the year", "--json")
    (root / ROW).write_text(json.dumps(credit_row()), encoding="utf-8")
    with home.serving(PROJECT) as client:
        answer = client.ask((root / ROW).read_bytes())
        told["ask"] = Done(answer.status_code, answer.text, "")
        why = client.ask(json.dumps({**json.loads((root / ROW).read_bytes()), "counterfactual": True}).encode())
        told["why"] = Done(why.status_code, why.text, "")
    (root / "answer.json").write_bytes(answer.content)
    told["export"] = home.inside("export", PROJECT, 1, "--to", "out", "--json")
    (root / "told.json").write_text(json.dumps({name: asdict(done) for name, done in told.items()}), encoding="utf-8")


@pytest.fixture(scope="session")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a sealed, released and once asked German credit model: to look at, not to change."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    root = base / "sealed-home"
    with (base / "sealed-home.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.exists():
            draft = base / "sealed-home-draft"
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(mode=0o700)
            _make_sealed(draft)
            draft.rename(root)
    return root


@pytest.fixture
def told(sealed: Path) -> dict[str, Done]:
    """What the commands that made the sealed home said."""
    return {name: Done(**done) for name, done in json.loads((sealed / "told.json").read_text()).items()}


@pytest.fixture
def home(sealed: Path, tmp_path: Path) -> Home:
    """A copy of the sealed home, to do anything with."""
    shutil.copytree(sealed, tmp_path / "home", symlinks=True)
    return Home(tmp_path / "home")


@pytest.fixture
def empty_home(tmp_path: Path) -> Home:
    """A user's folder before anything was done."""
    root = tmp_path / "home"
    root.mkdir(mode=0o700)
    return Home(root)


def write_table(path: Path, *, rows: int = 480, seed: int = 3) -> Path:
    """A small CSV whose yes and no can be learned, without any column that looks sensitive."""
    import random

    draw = random.Random(seed)
    lines = ["weight,height,colour,fits"]
    for _ in range(rows):
        weight, height, colour = draw.uniform(1, 9), draw.uniform(10, 90), draw.choice(["red", "green", "blue"])
        fits = weight * 8 + height + draw.gauss(0, 12) + (10 if colour == "red" else 0) > 95
        lines.append(f"{weight:.3f},{height:.2f},{colour},{'yes' if fits else 'no'}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
