"""Wrong input at every verb: a plain message, the right exit code, nothing broken, no stack trace, one JSON object.

`Home.inside` refuses a stack trace and escape sequences in any output, so every test here checks that, too.
"""

import json
import os
import shutil
import stat
from pathlib import Path

import pytest

from whole_way import PROJECT, ROW, Home

EVIL = "na\x1b[31mme\x07\u202e"
REASON = ("--reason", "A reason that is long enough")


@pytest.fixture(scope="module")
def shared(sealed: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """One home for all that must change nothing in it."""
    root = tmp_path_factory.mktemp("shared") / "home"
    shutil.copytree(sealed, root)
    return Home(root)


@pytest.mark.parametrize(
    "arguments",
    [
        ["frobnicate"],
        ["run", "credit", "--frobnicate"],
        ["promote", PROJECT],
        ["promote", PROJECT, "one", *REASON],
        ["promote", PROJECT, "0", *REASON],
        ["promote", PROJECT, "1", *REASON, "--days", "91"],
        ["promote", PROJECT, "1", "--reason", ""],
        ["promote", PROJECT, "1", "--reason", "a\nb\x1b[2J"],
        ["promote", PROJECT, "2", *REASON],
        ["promote", "nothing", "1", *REASON],
        ["promote", "../../etc", "1", *REASON],
        ["promote", PROJECT, "1", *REASON, "--channel", "../live"],
        ["promote", PROJECT, "1", *REASON, "--as", "Ada Lovelace"],
        ["rollback", PROJECT, "--to", "1", *REASON],
        ["rollback", PROJECT, "--to", "9", *REASON],
        ["revoke", PROJECT, "9", *REASON],
        ["revoke", PROJECT, "1", "--reason", "x"],
        ["history", PROJECT, "--at", "yesterday"],
        ["history", PROJECT, "--at", "2026-01-01T00:00:00"],
        ["history", PROJECT, "--at", "2001-01-01T00:00:00Z"],
        ["history", "../x"],
        ["versions", EVIL],
        ["export", PROJECT, "7", "--to", "never"],
        ["export", "nothing", "1", "--to", "never"],
        ["token", "../x", "--for", "till"],
        ["token", PROJECT, "--for", EVIL],
        ["token", PROJECT, "--for", "till", "--hours", "721"],
        ["token", PROJECT, "--for", "till", "--hours", "nan"],
        ["people", "add", "Bob", "--role", "reviewer", "--person-key", "new.key"],
        ["people", "add", "bob", "--role", "reviewer", "--person-key", "new.key"],
        ["people", "add", "zed", "--role", "king", "--person-key", "new.key"],
        ["people", "add", "zed", "--role", "reviewer", "--role", "reviewer", "--person-key", "new.key"],
        ["people", "add", "zed", "--role", "reviewer"],
        ["people", "add", "zed", "--role", "reviewer", "--person-key", "row.json"],
        ["people", "end", "nobody", *REASON],
        ["people", "end", "bob", "--reason", ""],
        ["approve", "credit", "--as", "nobody", "--role", "reviewer", *REASON, "--person-key", "bob.key"],
        ["approve", "credit", "--as", "bob", "--role", "reviewer", *REASON, "--person-key", "bob.key"],
        ["approve", "credit", "--as", "bob", "--role", "king", *REASON, "--person-key", "bob.key"],
        ["approve", "credit", "--as", "bob", "--role", "business_owner", *REASON, "--person-key", "cara.key"],
        ["approve", "credit", "--as", "bob", "--role", "business_owner", *REASON, "--person-key", "missing.key"],
        ["approve", "credit", "--as", "bob", "--role", "business_owner", "--reason", "ok", "--person-key", "bob.key"],
        ["approve", "credit", "--as", "bob", "--role", "business_owner", *REASON],
        ["attest", "credit", "--as", "bob", "--role", "business_owner", "--check", EVIL, *REASON, "--person-key", "bob.key"],
        ["gate", "nowhere"],
        ["gate", ROW],
        ["run", "nowhere"],
        ["report", "credit", "--to", "no/such/folder/report.html"],
        ["report", "credit", "--to", "credit"],
        ["token", PROJECT, "--for", "till", "--to", "no/such/folder/token"],
        ["workspace", "trust", "--to", "no/such/folder/trust.json"],
        ["export", PROJECT, "1", "--to", ROW],
        ["policy", "enormous"],
        ["init", "credit", "--data", "credit/german_credit.csv", "--target", "outcome"],
        ["init", "new", "--data", "missing.csv", "--target", "outcome"],
        ["init", "new", "--data", "credit", "--target", "outcome"],
        ["init", "new", "--data", "/dev/zero", "--target", "outcome"],
        ["init", "new", "--data", "credit/german_credit.csv", "--target", "outcom"],
        ["init", "new", "--data", "credit/german_credit.csv", "--target", EVIL],
        ["init", "new", "--data", "credit/german_credit.csv", "--target", "outcome", "--risk", "enormous"],
        ["init", "new", "--data", "credit/german_credit.csv", "--target", "outcome", "--positive", "perhaps"],
        ["init", "new", "--data", "credit/german_credit.csv", "--target", "outcome", "--name", EVIL],
        ["init", "new", "--data", "credit/german_credit.csv", "--target", "purpose", "--positive", "education"],
        ["verify", "missing.json"],
        ["verify", ROW],
        ["verify", "credit"],
        ["verify", "/dev/zero"],
        ["verify", "answer.json", "--trust", ROW],
        ["verify", "answer.json", "--trust", "missing.json"],
        ["verify", "answer.json", "--fingerprint", "abc"],
        ["verify", "answer.json", "--request", "missing.json"],
        ["verify", "http://127.0.0.1/answer.json"],
        ["verify", "https://user:secret@127.0.0.1/answer.json"],
        ["serve", "nothing", "--port", "0"],
        ["serve", PROJECT, "--port", "70000"],
        ["serve", PROJECT, "--port", "0", "--certificate", "cert.pem"],
        ["serve", PROJECT, "--port", "0", "--certificate", ROW, "--key", ROW],
        ["serve", PROJECT, "--port", "0", "--channel", "other"],
        ["workspace", "create"],
        ["workspace", "create", "--home", "credit"],
        ["workspace", "create", "--home", "new", "--name", EVIL],
        ["workspace", "create", "--home", "new", "--name", " "],
    ],
    ids=lambda arguments: " ".join(arguments).encode("unicode_escape").decode()[:90],
)  # fmt: skip
def test_is_refused_with_words_and_as_one_json_object(shared: Home, arguments: list[str]) -> None:
    before = (shared.workspace / "ledger" / "entries.log").read_bytes()
    told = shared.inside(*arguments, expect=None)
    assert told.code in {2, 4}, told
    assert told.out == ""
    assert "fault in Sealwright" not in told.err
    assert len(told.err.splitlines()) >= 2, "a title and what to do"
    assert all(c.isprintable() or c == "\n" for c in told.err)
    error = shared.inside(*arguments, "--json", expect=told.code).error
    assert set(error) <= {"error", "message", "link"}
    assert error["error"]
    assert error["message"]
    assert "secret" not in told.err + json.dumps(error)
    entries = (shared.workspace / "ledger" / "entries.log").read_bytes()[len(before) :].splitlines()
    assert all(b'"approval.refused"' in entry for entry in entries), "only a refused approval leaves a trace"
    for name in ("never", "new", "no"):
        assert not (shared.root / name).exists(), f"{name} was left behind"


@pytest.mark.parametrize("verb", ["run", "ingest", "train", "assess", "gate", "seal", "report"])
def test_before_anything_was_done_each_verb_says_what_comes_first(home: Home, verb: str) -> None:
    """A second project in a workspace that has one: nothing of the first is taken for it."""
    shutil.copytree(home.root / "credit", home.root / "other")
    path = home.root / "other" / "sealwright.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("project: german-credit", "project: other"))
    if verb in {"run", "ingest"}:
        (home.root / "other" / "german_credit.csv").unlink()
    told = home.inside(verb, "other", "--json", expect=2)
    assert "sealwright" in told.error["message"] or "german_credit.csv" in told.error["message"]


class TestWorkspace:
    """What opens a workspace, and what does not."""

    def test_without_one_it_says_how_to_make_one(self, empty_home: Home) -> None:
        told = empty_home.inside("versions", "credit", expect=2)
        assert "sealwright workspace create" in told.err
        assert not empty_home.workspace.exists()

    @pytest.mark.parametrize("mode", [0o750, 0o705, 0o770])
    def test_a_workspace_others_can_enter_is_refused(self, home: Home, mode: int) -> None:
        home.workspace.chmod(mode)
        told = home.inside("versions", PROJECT, expect=2)
        assert f"chmod 700 {home.workspace}" in told.err

    def test_a_key_file_others_can_read_is_refused(self, home: Home) -> None:
        home.key.chmod(0o640)
        told = home.inside("versions", PROJECT, expect=2)
        assert str(home.key) in told.err
        assert "chmod 600" in told.err

    def test_a_missing_key_file_is_refused_and_no_other_is_made(self, home: Home) -> None:
        home.key.unlink()
        told = home.inside("run", "credit", expect=2)
        assert str(home.key) in told.err
        assert not home.key.exists()

    def test_another_key_file_does_not_open_it(self, home: Home) -> None:
        home.key.unlink()
        home.inside("workspace", "create", "--home", "other")
        told = home.inside("versions", PROJECT, expect=2)
        assert "does not open" in told.err or "wrong" in told.err.lower()

    @pytest.mark.parametrize("content", [b"", b"short", os.urandom(31), os.urandom(4096)], ids=len)
    def test_a_key_file_of_another_length_is_refused(self, home: Home, content: bytes) -> None:
        home.key.write_bytes(content)
        home.inside("versions", PROJECT, expect=2)

    def test_a_key_file_that_is_a_link_or_a_folder_is_refused(self, home: Home) -> None:
        home.key.rename(home.root / "real.key")
        home.key.symlink_to(home.root / "real.key")
        home.inside("versions", PROJECT, expect=2)
        home.key.unlink()
        home.key.mkdir()
        home.inside("versions", PROJECT, expect=2)

    def test_a_persons_key_file_others_can_read_is_refused(self, home: Home) -> None:
        (home.root / "bob.key").chmod(0o644)
        told = home.inside(
            "approve", "credit", "--as", "bob", "--role", "business_owner", *REASON, "--person-key", "bob.key", expect=2
        )
        assert "bob.key" in told.err

    @pytest.mark.parametrize("name", ["workspace.json", "keys/root.json", "keys/trust.json", "keys/statements.v1.json"])
    def test_a_broken_file_of_the_workspace_is_named(self, home: Home, name: str) -> None:
        path = home.workspace / name
        whole = path.read_bytes()
        for content in (b"", b"{}", b"[]", whole[:-3], b"\xff" + whole, b"[" * 100_000):
            path.write_bytes(content)
            told = home.inside("versions", PROJECT, "--json", expect=None)
            assert told.code in {2, 4}, (content[:10], told)
            assert told.error["error"] != "internal"
        path.unlink()
        told = home.inside("versions", PROJECT, "--json", expect=None)
        assert told.code in {2, 4}
        assert told.error["error"] != "internal"

    def test_keys_of_another_workspace_are_noticed(self, home: Home) -> None:
        home.inside("workspace", "create", "--home", "other")
        shutil.rmtree(home.workspace / "keys")
        shutil.copytree(home.root / "other" / "keys", home.workspace / "keys")
        told = home.inside("versions", PROJECT, "--json", expect=4)
        assert told.error["link"] == "workspace.json"

    @pytest.mark.parametrize("content", [b"", b"not a database", os.urandom(8192)], ids=["empty", "text", "noise"])
    def test_a_broken_database_is_said_plainly(self, home: Home, content: bytes) -> None:
        for path in home.workspace.glob("db.sqlite*"):
            path.unlink()
        (home.workspace / "db.sqlite").write_bytes(content)
        told = home.inside("gate", "credit", "--json", expect=None)
        assert told.code in {1, 2, 4}
        assert told.error["error"] != "internal"
        promoted = home.inside("promote", PROJECT, 1, *REASON, "--json", expect=None)
        assert promoted.code in {1, 2, 4}
        assert promoted.error["error"] != "internal"


class TestPassphrase:
    """A passphrase comes through a file descriptor or a terminal, never otherwise."""

    def run(self, home: Home, passphrase: bytes | None, *arguments: str, expect: int = 0) -> str:
        reader, writer = os.pipe()
        os.write(writer, passphrase or b"")
        os.close(writer)
        home.variables["SEALWRIGHT_PASSPHRASE_FD"] = str(reader)
        try:
            done = home.inside(*arguments, expect=expect)
        finally:
            os.close(reader)
        return done.out + done.err

    def test_the_right_one_opens_and_a_wrong_one_says_so(self, empty_home: Home) -> None:
        self.run(empty_home, b"correct horse battery\n", "workspace", "create", "--passphrase")
        assert "ledger entries" in self.run(empty_home, b"correct horse battery", "workspace", "show")
        assert "ledger entries" in self.run(empty_home, b"correct horse battery\r\n", "workspace", "show")
        told = self.run(empty_home, b"incorrect horse battery", "workspace", "show", expect=2)
        assert "passphrase" in told
        assert "horse" not in told

    @pytest.mark.parametrize("passphrase", [b"", b"short", b"x" * 5000, b"\xff\xfe not text at all"])
    def test_an_unusable_one_makes_nothing(self, empty_home: Home, passphrase: bytes) -> None:
        self.run(empty_home, passphrase, "workspace", "create", "--passphrase", expect=2)
        assert list(empty_home.root.iterdir()) == []

    @pytest.mark.parametrize("fd", ["nonsense", "-1", "3.5", "999"])
    def test_a_wrong_descriptor_is_refused(self, empty_home: Home, fd: str) -> None:
        self.run(empty_home, b"correct horse battery", "workspace", "create", "--passphrase")
        empty_home.variables["SEALWRIGHT_PASSPHRASE_FD"] = fd
        told = empty_home.inside("workspace", "show", expect=2)
        assert "SEALWRIGHT_PASSPHRASE_FD" in told.err

    def test_without_a_terminal_it_says_how(self, empty_home: Home) -> None:
        self.run(empty_home, b"correct horse battery", "workspace", "create", "--passphrase")
        del empty_home.variables["SEALWRIGHT_PASSPHRASE_FD"]
        told = empty_home.do("workspace", "show", expect=2)
        assert "SEALWRIGHT_PASSPHRASE_FD" in told.err

    def test_a_variable_that_looks_like_one_is_not_read(self, empty_home: Home) -> None:
        self.run(empty_home, b"correct horse battery", "workspace", "create", "--passphrase")
        del empty_home.variables["SEALWRIGHT_PASSPHRASE_FD"]
        empty_home.variables["SEALWRIGHT_PASSPHRASE"] = "correct horse battery"
        empty_home.do("workspace", "show", expect=2)


class TestSettings:
    """What the environment may say."""

    @pytest.mark.parametrize("name", ["Ada Lovelace", EVIL, "-", "a" * 65, "a..b"])
    def test_an_unusable_actor_is_refused(self, home: Home, name: str) -> None:
        home.variables["SEALWRIGHT_ACTOR"] = name
        home.inside("promote", PROJECT, 1, *REASON, expect=2)

    def test_places_that_cannot_be_made_are_said_plainly(self, empty_home: Home) -> None:
        empty_home.variables["SEALWRIGHT_HOME"] = "/proc/nowhere/ws"
        told = empty_home.inside("workspace", "create", "--json", expect=None)
        assert told.code in {1, 2}
        assert told.error["error"] != "internal"
        assert "/proc" in told.error["message"]

    def test_a_home_below_a_file_is_said_plainly(self, empty_home: Home) -> None:
        (empty_home.root / "ws").write_text("a file")
        told = empty_home.inside("workspace", "create", "--json", expect=None)
        assert told.code in {1, 2}
        assert told.error["error"] != "internal"
        empty_home.variables["SEALWRIGHT_HOME"] = str(empty_home.root / "ws" / "below")
        assert empty_home.inside("workspace", "create", "--json", expect=None).error["error"] != "internal"

    def test_what_is_written_is_private(self, home: Home) -> None:
        """Nothing in a workspace can be entered or read by others but what is handed out on purpose."""
        assert stat.S_IMODE(home.workspace.stat().st_mode) == 0o700
        for path in home.workspace.iterdir():
            mode = stat.S_IMODE(path.stat().st_mode)
            assert mode & 0o077 == 0 or path.is_file(), f"{path} has mode {mode:o}"
        assert stat.S_IMODE(home.key.stat().st_mode) == 0o600
        for path in (home.workspace / "keys").iterdir():
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 or path.name == "trust.json"


@pytest.mark.parametrize("folder", ["nowhere", "credit"])
def test_a_closed_pipe_is_no_fault(home: Home, folder: Path) -> None:
    """`sealwright … | head` ends quietly."""
    import subprocess

    shell = f"set -o pipefail; sealwright gate credit --all {'' if folder == 'credit' else '--json'} | head -c 1"
    environment = {**home.environment, "PATH": f"{Path(os.sys.executable).parent}:{os.environ['PATH']}"}  # type: ignore[attr-defined]
    done = subprocess.run(
        ["bash", "-c", shell], cwd=home.root, env=environment, capture_output=True, text=True, timeout=60
    )
    assert "Traceback" not in done.stderr
    assert "fault in Sealwright" not in done.stderr
