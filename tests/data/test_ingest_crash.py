"""An ingest that dies, or finds the disk full, leaves nothing to see and nothing to read."""

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sealwright.data import DataSpec, ingest, open_source
from sealwright.trust import Keyring, create_keyring, open_keyring

Child = Callable[..., subprocess.CompletedProcess[str]]

MARKER = "planted-7c1e55"

PROGRAM = """
import os, resource, signal, sys
from pathlib import Path
from sealwright.data import DataSpec, ingest, open_source
from sealwright.trust import InsecurePassphraseForTests, Secret, open_keyring

home, how = Path(sys.argv[1]), sys.argv[2]
spec = DataSpec.model_validate_json((home / "spec.json").read_text())
keyring = open_keyring(home / "keys", InsecurePassphraseForTests(Secret("correct horse battery staple")))
seen = 0

def progress(line, share):
    global seen
    seen += 1
    if how.startswith("after-") and seen == int(how[6:]):
        os.kill(os.getpid(), signal.SIGKILL)

if how == "full":
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
if how == "before-rename":
    import sealwright.data.drafting as module
    module.publish = lambda draft, final: os.kill(os.getpid(), signal.SIGKILL)
if how == "renamed":
    import sealwright.data.drafting as module
    real = module.publish
    module.publish = lambda draft, final: (real(draft, final), os.kill(os.getpid(), signal.SIGKILL))
ingest(open_source("data.csv", home), spec, snapshots=home / "snapshots", keyring=keyring, progress=progress, part_bytes=1)
"""


@pytest.fixture
def home(tmp_path: Path, contract: Callable[..., DataSpec]) -> Path:
    """A workspace with 9 MB of rows, every one marked, so that several files and batches are written."""
    from sealwright.trust import InsecurePassphraseForTests, Secret

    create_keyring(
        tmp_path / "keys", "ws_crash", InsecurePassphraseForTests(Secret("correct horse battery staple"))
    ).close()
    spec = contract(
        {"n": {"type": "integer"}, "t": {"type": "text", "role": "identifier"}}, quarantine={"at_most_share": 0.9}
    )
    (tmp_path / "spec.json").write_text(spec.model_dump_json(by_alias=True))
    lines = [f"{n},{MARKER}{n:020},true" for n in range(180_000)]
    lines[::1000] = [f"x,{MARKER},true"] * len(lines[::1000])
    (tmp_path / "data.csv").write_text("n,t,y\n" + "\n".join(lines) + "\n")
    return tmp_path


def ring(home: Path) -> Keyring:
    from sealwright.trust import InsecurePassphraseForTests, Secret

    return open_keyring(home / "keys", InsecurePassphraseForTests(Secret("correct horse battery staple")))


def left_behind(home: Path) -> list[Path]:
    return [path for path in (home / "snapshots").rglob("*") if path.is_file()]


def visible(home: Path) -> list[Path]:
    return [path for path in (home / "snapshots").iterdir() if not path.name.startswith(".")]


def then_it_works(home: Path) -> None:
    """The next ingest succeeds and clears what was left."""
    spec = DataSpec.model_validate_json((home / "spec.json").read_text())
    with ring(home) as keyring:
        snapshot = ingest(open_source("data.csv", home), spec, snapshots=home / "snapshots", keyring=keyring)
        assert (snapshot.rows, snapshot.quarantined) == (179_820, 180)
    assert [path.name for path in (home / "snapshots").iterdir()] == [snapshot.digest.removeprefix("sha256:")]


@pytest.mark.parametrize("moment", ["after-1", "after-2", "before-rename"])
def test_a_killed_ingest_leaves_nothing_visible_and_nothing_in_the_clear(
    home: Path, run_child: Child, moment: str
) -> None:
    ended = run_child(PROGRAM, home, moment)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert visible(home) == []
    for path in left_behind(home):
        assert MARKER.encode() not in path.read_bytes()
    if moment == "before-rename":
        assert len(left_behind(home)) > 2
    then_it_works(home)


def test_an_ingest_killed_just_after_the_rename_is_whole(home: Path, run_child: Child) -> None:
    assert run_child(PROGRAM, home, "renamed").returncode == -signal.SIGKILL
    assert len(visible(home)) == 1
    then_it_works(home)


def test_a_full_disk_is_said_and_nothing_is_kept(home: Path, run_child: Child) -> None:
    ended = run_child(PROGRAM, home, "full")
    assert ended.returncode == 1
    assert "OperationFailed" in ended.stderr
    assert "The disk is full" in ended.stderr
    assert "Nothing was kept" in ended.stderr
    assert list((home / "snapshots").iterdir()) == []
    then_it_works(home)


def test_the_draft_of_a_running_ingest_is_left_alone(home: Path) -> None:
    from sealwright.data.draft import draft_folder

    with draft_folder(home / "snapshots") as mine:
        (mine / "rows-00001.parquet").write_bytes(b"...")
        with draft_folder(home / "snapshots") as other:
            assert mine.exists()
            assert other != mine
        assert (mine / "rows-00001.parquet").exists()
        assert not other.exists()
    assert not mine.exists()


def test_a_snapshots_folder_open_to_others_is_refused(home: Path) -> None:
    from sealwright.kernel import Refused

    (home / "snapshots").mkdir(mode=0o755)
    with pytest.raises(Refused, match="chmod 700"):
        then_it_works(home)
