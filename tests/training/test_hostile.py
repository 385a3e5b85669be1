"""Training code that wants more than to train (T-74, T-75): every way out is tried from a real recipe.

The code below is what an attacker would put into my_module.py. Each attempt is written so that it would work
outside; what it obtained comes back through the log of the run, which must not hold it.
"""

import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sealwright.kernel import SealwrightError
from sealwright.training import (
    ModelUnusable,
    RecipeFailed,
    TrainingLimit,
    TrainingResult,
    TrainingSpec,
    train,
)
from sealwright.trust import create_key_file, create_keyring
from sealwright.trust.signing.messages import Hello, encode

from .conftest import make_rows
from .test_own_code import linear_onnx

SECRET = "planted-secret-91c2"

FINISH = """
from sklearn.linear_model import LogisticRegression
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
def finish(data):
    return make_pipeline(SimpleImputer(), LogisticRegression()).fit(data.frame, data.target)
"""

ATTEMPTS = """
import os, socket, subprocess, ctypes, shutil
from pathlib import Path

def attempt(name, act):
    try:
        print(name, "GOT", repr(act())[:300])
    except BaseException as error:
        print(name, "denied", type(error).__name__)

def tcp(p):
    s = socket.create_connection(("127.0.0.1", p["port"]), 2); s.send(b"stolen"); return "sent"

def udp(p):
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 53))

def unix(path):
    s = socket.socket(socket.AF_UNIX); s.connect(path); return "connected"

def daemon():
    if os.fork() == 0:
        os.setsid(); os.execv("/bin/sleep", ["sleep", "86.4"])
    return "left behind"

def train(data):
    p = data.params
    attempt("tcp", lambda: tcp(p))
    attempt("udp", lambda: udp(p))
    attempt("dns", lambda: socket.getaddrinfo("example.org", 80))
    attempt("unix", lambda: unix(p["unix"]))
    attempt("postgres", lambda: unix("/var/run/postgresql/.s.PGSQL.5432"))
    attempt("abstract", lambda: unix("\\0" + p["abstract"]))
    attempt("key", lambda: Path(p["key"]).read_text())
    attempt("listing", lambda: os.listdir(os.path.dirname(p["key"])))
    attempt("rows", lambda: Path(p["rows"]).read_text())
    attempt("ssh", lambda: os.listdir(os.path.expanduser("~root/.ssh")))
    attempt("passwd", lambda: Path("/etc/passwd").read_text())
    attempt("environ", lambda: Path(f"/proc/{p['parent']}/environ").read_bytes())
    attempt("fds", lambda: os.listdir(f"/proc/{p['parent']}/fd"))
    attempt("memory", lambda: open(f"/proc/{p['parent']}/mem", "rb").read(1))
    attempt("signal", lambda: os.kill(p["parent"], 0))
    attempt("write", lambda: Path(p["key"]).with_name("mine").write_text("x"))
    attempt("tmp", lambda: Path("/tmp/sealwright-hostile").write_text("x"))
    attempt("shm", lambda: Path("/dev/shm/sealwright-hostile").write_text("x"))
    attempt("packages", lambda: Path(os.__file__).with_name("sealwright_hostile.py").write_text("x"))
    attempt("fork", os.fork)
    attempt("daemon", daemon)
    attempt("shell", lambda: subprocess.run(["/bin/sh", "-c", "id"], capture_output=True).stdout)
    attempt("exec", lambda: os.execv("/bin/sh", ["sh", "-c", "id"]))
    attempt("mount", lambda: ctypes.CDLL(None, use_errno=True).mount(b"/", b"/", None, 4096, None) == 0 or 1 / 0)
    attempt("setuid", lambda: os.setuid(0))
    attempt("environment", lambda: {k: v for k, v in os.environ.items() if "SEALWRIGHT" in k or "PASS" in k} or 1 / 0)
    return finish(data)
"""


def run(folder: Path, **changes: object) -> TrainingResult:
    table, holdout, interface = make_rows(rows=60, strings=0, holdout=30)
    spec = TrainingSpec.model_validate({"recipe": "evil:train", "folds": 2, **changes})
    return train(table, holdout, interface, spec, project_dir=folder)


def test_a_recipe_that_tries_to_steal_and_to_stay_is_denied_everything_t74(
    recipe_folder: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = recipe_folder(evil=FINISH + ATTEMPTS)
    (folder / "rows.csv").write_text(SECRET)
    key = tmp_path / "home" / "keys" / "root.key"
    key.parent.mkdir(parents=True)
    key.write_text(SECRET)
    monkeypatch.setenv("SEALWRIGHT_PASSPHRASE", SECRET)
    abstract = f"sealwright-{os.getpid()}"
    heard: list[bytes] = []
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX) as unix,
        socket.socket(socket.AF_UNIX) as named,
    ):
        unix.bind(str(tmp_path / "u"))
        unix.listen()
        named.bind("\0" + abstract)
        named.listen()
        server.settimeout(0.2)
        listener = threading.Thread(target=lambda: heard.extend(_accepted(server)), daemon=True)
        listener.start()
        result = run(
            folder,
            params={
                "port": server.getsockname()[1],
                "unix": str(tmp_path / "u"),
                "abstract": abstract,
                "key": str(key),
                "rows": str(folder / "rows.csv"),
                "parent": os.getpid(),
            },
        )
        listener.join()
    if result.confinement["not_enforced"]:
        pytest.skip(f"this kernel does not enforce {result.confinement['not_enforced']}")
    outcomes = {line.split()[0]: line for line in result.log}
    obtained = {name: line for name, line in outcomes.items() if "denied" not in line}
    assert len(outcomes) == 26, result.log
    assert obtained == {}
    assert heard == []
    assert not any(SECRET in line for line in result.log)
    for path in (
        "/tmp/sealwright-hostile",
        "/dev/shm/sealwright-hostile",
        str(Path(os.__file__).with_name("sealwright_hostile.py")),
    ):
        assert not Path(path).exists()
    assert not _running("86.4")
    assert result.parity is not None  # the training itself went through


REACH = """
import os, socket, struct

def attempt(name, act):
    try:
        print(name, "GOT", repr(act())[:300])
    except BaseException as error:
        print(name, "denied", type(error).__name__)

def named(path):
    line = socket.socket(socket.AF_UNIX); line.connect(path); return "connected"

def inherited(hello):
    found = []
    for number in range(256):
        try:
            os.write(number, hello) if os.path.realpath(f"/proc/self/fd/{number}").find("socket:") >= 0 else 1 / 0
            found.append(number)
        except (OSError, ZeroDivisionError):
            pass
    return found or 1 / 0

def train(data):
    p = data.params
    attempt("named", lambda: named(p["run"] + "/signer.sock"))
    attempt("folder", lambda: os.listdir(p["run"]))
    attempt("keys", lambda: os.listdir(p["keys"]))
    attempt("memory", lambda: open(f"/proc/{p['signer']}/mem", "rb").read(1))
    attempt("kill", lambda: os.kill(p["signer"], 9))
    attempt("inherited", lambda: inherited(bytes.fromhex(p["hello"])))
    return finish(data)
"""


def test_a_recipe_reaches_no_signer_t74(recipe_folder: Callable[..., Path], tmp_path: Path) -> None:
    """A signer is at work for the process that trains; neither its socket nor a line to it is within reach."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    key = create_key_file(tmp_path / "root.key")
    with create_keyring(home / "keys", "ws_1", key) as ring, socket.socket(socket.AF_UNIX) as planted:
        ring.check_signer()
        (home / "run").mkdir(mode=0o700)
        planted.bind(str(home / "run" / "signer.sock"))
        planted.listen()
        started = ring._link._held.started
        assert started is not None
        params = {
            "run": str(home / "run"), "keys": str(home / "keys"), "signer": started.pid, "hello": encode(Hello()).hex()
        }  # fmt: skip
        result = run(recipe_folder(evil=FINISH + REACH), params=params)
        if result.confinement["not_enforced"]:
            pytest.skip(f"this kernel does not enforce {result.confinement['not_enforced']}")
        outcomes = {line.split()[0]: line for line in result.log}
        assert len(outcomes) == 6, result.log
        assert {name: line for name, line in outcomes.items() if "denied" not in line} == {}
        assert started.poll() is None
        ring.check_signer()
        planted.settimeout(0.2)
        with pytest.raises(TimeoutError):
            planted.accept()


def _accepted(server: socket.socket) -> list[bytes]:
    try:
        connection, _ = server.accept()
    except TimeoutError:
        return []
    with connection:
        return [connection.recv(100)]


def _running(word: str) -> bool:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if word.encode() in (folder / "cmdline").read_bytes().split(b"\0"):
                    return True
            except OSError:
                continue
    return False


@pytest.mark.parametrize(
    ("body", "limits", "kind", "words"),
    [
        ("return bytearray(100 << 30)", {}, TrainingLimit, "more than its limit of 512 MB of memory"),
        (
            "x = [bytearray(1 << 20) for _ in range(10 ** 6)]",
            {},
            TrainingLimit,
            "more than its limit of 512 MB of memory",
        ),
        ("import time; time.sleep(600)", {"seconds": 3}, TrainingLimit, "longer than its limit of 3 seconds"),
        ("import os\n    while True: os.fork()", {}, RecipeFailed, "PermissionError"),
        (
            "import threading, time\n    for _ in range(2000): threading.Thread(target=time.sleep, args=(60,)).start()\n    time.sleep(60)",
            {"seconds": 30},  # where memory ends while a thread starts, Python waits for that thread without end
            SealwrightError,
            "more than its limit of 256 threads|can't start new thread|longer than its limit of 30 seconds",
        ),
        (
            "for i in range(10 ** 4): open(str(i), 'wb').write(bytes(1 << 20))",
            {},
            RecipeFailed,
            "No space left",
        ),
    ],
)
def test_a_recipe_that_wants_everything_is_ended_and_the_host_lives_t75(
    recipe_folder: Callable[..., Path], body: str, limits: dict[str, int], kind: type[SealwrightError], words: str
) -> None:
    folder = recipe_folder(evil=f"def train(data):\n    {body}\n")
    began = time.monotonic()
    with pytest.raises(kind, match=words):
        run(folder, limits={"memory_mb": 512, "scratch_mb": 16, **limits})
    assert time.monotonic() - began < 60


FORGE = """
import os, struct, json
def pipes():
    found = []
    for n in range(3, 64):
        try:
            os.fstat(n)
        except OSError:
            continue
        found.append(n)
    return found
def forged(result, **bodies):
    listed = [[name, len(body)] for name, body in bodies.items()]
    text = json.dumps({**result, "bodies": listed}).encode()
    return b"SWTRAIN1" + struct.pack("<Q", len(text)) + text + b"".join(bodies.values())
def say(data):
    for n in pipes():
        try:
            view = memoryview(data)
            while len(view):
                view = view[os.write(n, view):]
        except OSError:
            continue
    os._exit(0)
GOOD = {"parameters": {}, "cv": {}, "search": [], "notes": [], "environment": {}}
"""


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ("say(b'\\x00\\xffgarbage' * 1000)", ModelUnusable, "something else than a result: This is not a frame"),
        ("os._exit(0)", ModelUnusable, "something else than a result"),
        ("os._exit(3)", SealwrightError, "exit status 3"),
        ("os.kill(os.getpid(), 11)", SealwrightError, "ended by signal 11"),
        ("say(bytes(300 << 20))", TrainingLimit, "wrote more than its limit"),
        (
            "say(forged({'result': GOOD}, model=b'not onnx', predictions=bytes(30 * 2 * 8)))",
            ModelUnusable,
            "ONNX Runtime cannot run",
        ),
        ("say(forged({'result': GOOD}, model=b'not onnx'))", ModelUnusable, "ONNX Runtime cannot run"),
        (
            "say(forged({'result': GOOD}, model=LINEAR, predictions=bytes(8)))",
            ModelUnusable,
            "another number of predictions",
        ),
        ("say(forged({'result': GOOD}, model=LINEAR, predictions=b'\\xff' * 480))", ModelUnusable, "not finite"),
        ("say(forged({'result': {**GOOD, 'cv': 3}}, model=LINEAR))", ModelUnusable, "form that cannot be read"),
        ("say(forged({'result': {**GOOD, 'extra': 3}}, model=LINEAR))", ModelUnusable, "form that cannot be read"),
        ("say(forged({'result': GOOD}, model=b''))", ModelUnusable, "a model of 0 bytes"),
        ("say(forged({'result': GOOD}, model=LINEAR, other=b'x'))", ModelUnusable, "answered with a model"),
        ("say(forged({'error': {'kind': 'odd'}}))", ModelUnusable, "something else than a result"),
        ("say(forged({'error': 'x'}))", ModelUnusable, "something else than a result"),
        ("say(forged({'error': {'kind': 'input', 'message': '\\x1b[2J' + 'y' * 10**6}}))", SealwrightError, "�.2Jyyy"),
    ],
)
def test_a_forged_answer_is_refused(
    recipe_folder: Callable[..., Path], body: str, kind: type[SealwrightError], words: str
) -> None:
    """Raised while the module is imported, which saves the training libraries nothing but the attacker time."""
    folder = recipe_folder(evil=f"{FORGE}\nLINEAR = {linear_onnx()!r}\n{body}\n")
    with pytest.raises(kind, match=words) as caught:
        run(folder)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 6_000


def test_a_forged_answer_of_the_right_form_is_only_believed_about_itself(recipe_folder: Callable[..., Path]) -> None:
    """It may lie about its scores; digest, comparison and report of the confinement are the parent's own."""
    forged = "say(forged({'result': {**GOOD, 'notes': ['\\x1b]0;owned\\x07']}}, model=LINEAR, predictions=struct.pack('<60d', *[0.5] * 60)))"
    result = run(recipe_folder(evil=f"{FORGE}\nLINEAR = {linear_onnx(noise=False)!r}\n{forged}\n"))
    assert result.parity is not None
    assert not result.parity.holds
    assert result.notes == ["�]0;owned�"]
    assert result.confinement["measures"]


def test_what_a_recipe_prints_cannot_pass_for_an_answer_or_move_the_progress_back(
    recipe_folder: Callable[..., Path],
) -> None:
    shares: list[float] = []
    code = FINISH + (
        "import sys\n"
        "def train(data):\n"
        "    print('SWTRAIN1' + chr(0) * 8)\n"
        "    sys.stdout.write('\\x1b[31mred')\n"
        "    print('@progress nan x', '@progress 1e999 y', file=sys.stderr, sep='\\n')\n"
        "    print('@progress 0.0 back', file=sys.stderr)\n"
        "    sys.stdout.flush()\n"
        "    return finish(data)\n"
    )
    table, holdout, interface = make_rows(rows=60, strings=0, holdout=30)
    spec = TrainingSpec(recipe="evil:train", folds=2)
    folder = recipe_folder(evil=code)
    result = train(
        table, holdout, interface, spec, project_dir=folder, progress=lambda _line, share: shares.append(share)
    )
    assert result.parity is not None
    assert shares == sorted(shares)
    assert all(0 <= share <= 1 for share in shares)
    assert not any("\x1b" in line for line in result.log)
