"""A workspace whose statements, models and releases are signed inside a token makes, seals, releases and serves a model.

The token is a real SoftHSM 2. It is taken away in the middle and put back, and in the end its keys come back into files; what was
signed in it verifies all the time, offline, with public keys alone.
"""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from sealwright.trust import TrustRoot, follow_chain, read_chain
from whole_way import Home, quick, write_table

SOFT_HSM = Path("/usr/lib/softhsm/libsofthsm2.so")
BRANCHES = ("statements", "models", "releases")
PIN = "493817"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a token beside it, in which three branches sign; a project was run in it."""
    if not SOFT_HSM.exists() or shutil.which("softhsm2-util") is None:
        pytest.skip("SoftHSM 2 is not installed (Debian: softhsm2): the whole way with keys in a token was not run")
    pytest.importorskip(
        "pkcs11", reason="python-pkcs11 is not installed: the whole way with keys in a token was not run"
    )
    home = Home(tmp_path_factory.mktemp("token-home"))
    home.root.chmod(0o700)
    _make_token(home.root)
    write_table(home.root / "table.csv", rows=240)
    home.inside("init", "project", "--data", "table.csv", "--target", "fits")
    quick(home.root / "project", recipe="logistic")
    home.inside("workspace", "create")
    home.inside("workspace", "trust", "--to", "first.json")
    for branch in BRANCHES:
        home.inside("keys", "rotate", branch, "--at", "place.toml")
    home.do("run", "project")
    return home.root


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Home:
    """A copy of the home. Its keys are in the one token, whose path they name."""
    shutil.copytree(made, tmp_path / "home")
    return Home(tmp_path / "home")


@pytest.fixture
def taken_away(made: Path) -> Callable[[], AbstractContextManager[None]]:
    """While inside, the token is away."""

    @contextmanager
    def away() -> Iterator[None]:
        (made / "tokens").rename(made / "away")
        try:
            yield
        finally:
            (made / "away").rename(made / "tokens")

    return away


def _make_token(root: Path) -> None:
    (root / "tokens").mkdir()
    conf = root / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {root / 'tokens'}\nlog.level = ERROR\n")
    subprocess.run(
        ["softhsm2-util", "--init-token", "--free", "--label", "prod", "--so-pin", "87654321", "--pin", PIN],
        check=True, capture_output=True, env={"PATH": os.environ["PATH"], "SOFTHSM2_CONF": str(conf)},
    )  # fmt: skip
    (root / "pin").write_text(f"{PIN}\n")
    (root / "pin").chmod(0o600)
    (root / "place.toml").write_text(
        f'method = "pkcs11"\nlibrary = "{SOFT_HSM}"\ntoken = "prod"\npin_file = "pin"\n'
        f'[variables]\nSOFTHSM2_CONF = "{conf}"\n'
    )
    (root / "place.toml").chmod(0o600)


def places(home: Home) -> dict[str, str]:
    listed = json.loads(home.inside("keys", "list", "--json").out)
    return {one["branch"]: one["place"] for one in listed if one["state"] == "in use" and one["place"] != "file"}


Away = Callable[[], AbstractContextManager[None]]


def test_the_whole_way_is_signed_in_the_token_and_verifies_without_it(home: Home, taken_away: Away) -> None:
    assert sorted(places(home)) == sorted(BRANCHES)
    assert json.loads(home.do("promote", "project", "1", "--reason", "First release", "--json").out)
    home.do("export", "project", "1", "--to", "out")
    home.inside("verify", home.package)
    with taken_away():
        home.inside("verify", home.package)
        home.inside("verify", "out/project-v1.evidence.json", "--trust", "out/trust.json")
        home.inside("verify", home.workspace / "ledger")
    first = TrustRoot.from_bytes((home.root / "first.json").read_bytes())
    newest = TrustRoot.from_bytes((home.workspace / "keys" / "trust.json").read_bytes())
    assert follow_chain(first, read_chain(home.workspace / "keys" / "trust-chain.json")) == (newest, len(BRANCHES))
    for branch in BRANCHES:
        assert [len(newest.keys[branch]), *home.workspace.glob(f"keys/{branch}.v1.json")] == [2]


def test_a_server_answers_while_the_token_is_away(home: Home, taken_away: Away) -> None:
    """Its own heads are signed by a key in a file."""
    home.do("promote", "project", "1", "--reason", "Serve it")
    row = {"row": {"weight": 5.0, "height": 50.0, "colour": "red"}}
    with home.serving("project") as client, taken_away():
        answer = client.ask(json.dumps(row).encode())
        assert answer.status_code == 200, answer.text


def test_a_token_that_is_taken_away_stops_what_it_signs_and_nothing_is_half_done(home: Home, taken_away: Away) -> None:
    entries = home.workspace / "ledger" / "entries.log"
    with taken_away():
        before = entries.read_bytes()
        done = home.do("promote", "project", "1", "--reason", "While the token is away", expect=1)
        assert "keys.backend_unavailable" in done.err
        assert "While the token is away" not in home.inside("history", "project").out
        told = [json.loads(line.split(b"\t")[0]) for line in entries.read_bytes()[len(before) :].splitlines()]
        assert [(one["action"], one["detail"]["outcome"], one["detail"]["reason"]) for one in told] == [
            ("signer.sign", "failed", "keys.backend_unavailable")
        ]
        home.do("token", "project", "--for", "till-1")  # signed by a key in a file
        found = json.loads(home.inside("doctor", "--json", expect=4).out)
        assert {one["what"] for one in found if one["state"] == "bad"} >= {f"key of {name}" for name in BRANCHES}
    home.do("promote", "project", "1", "--reason", "The token is back")
    assert "The token is back" in home.inside("history", "project").out


def test_a_standing_signer_serves_commands_from_the_token_and_survives_its_absence(
    home: Home, taken_away: Away
) -> None:
    process = home.start("signer", "--json")
    try:
        assert process.stdout is not None
        assert any("signer.sock" in process.stdout.readline() for _ in range(3))
        home.do("promote", "project", "1", "--reason", "By the standing signer")
        with taken_away():
            home.do("promote", "project", "1", "--reason", "Not now", expect=1)
            home.do("token", "project", "--for", "till-1")
        time.sleep(5.1)  # for so long a token that did not answer is left alone
        home.do("promote", "project", "1", "--reason", "By the same signer")
        assert process.poll() is None
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert process.returncode == 0


def test_out_of_the_token_again_and_what_it_signed_still_verifies(home: Home, taken_away: Away) -> None:
    with taken_away():
        for branch in BRANCHES:
            home.inside("keys", "rotate", branch)
        assert places(home) == {}
        home.inside("verify", home.package)
        home.inside("verify", home.workspace / "ledger")
        home.do("promote", "project", "1", "--reason", "With keys in files")
        home.inside("keys", "revoke", "statements", "--reason", "superseded")


def test_a_description_that_was_changed_stops_every_command(home: Home) -> None:
    path = home.workspace / "keys" / "models.v2.json"
    path.write_bytes((home.workspace / "keys" / "statements.v2.json").read_bytes())
    for arguments in (("keys", "list"), ("promote", "project", "1", "--reason", "With a key of another place")):
        assert "models.v2.json" in home.inside(*arguments, expect=4).err
