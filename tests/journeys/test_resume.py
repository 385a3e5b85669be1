"""A run that ends in the middle, by Ctrl-C, by kill -9 or by a fault between two writes, goes on where it was."""

import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

import sealwright as sw
from acting import operator
from sealwright.pipeline import Workspace, load_project, open_workspace, run_way
from sealwright.registry import Registry
from sealwright.trust import KeyFile
from whole_way import Home, quick, write_table


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace and a project at minimal risk, nothing run yet."""
    home = Home(tmp_path_factory.mktemp("begun"))
    home.root.chmod(0o700)
    write_table(home.root / "table.csv", rows=240)
    home.inside("init", "project", "--data", "table.csv", "--target", "fits")
    quick(home.root / "project", recipe="logistic")
    home.inside("workspace", "create")
    return home.root


@pytest.fixture
def fresh(begun: Path, tmp_path: Path) -> Home:
    shutil.copytree(begun, tmp_path / "home")
    return Home(tmp_path / "home")


@pytest.fixture(scope="module")
def finished(begun: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same after a whole run."""
    root = tmp_path_factory.mktemp("finished") / "home"
    shutil.copytree(begun, root)
    Home(root).inside("run", "project")
    return root


@pytest.fixture
def done_home(finished: Path, tmp_path: Path) -> Home:
    shutil.copytree(finished, tmp_path / "home")
    return Home(tmp_path / "home")


def descendants(pid: int) -> set[int]:
    """Every process below `pid`."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def trains(pid: int, run: int) -> bool:
    """The process that signs is there before anything trains; and a child is its parent still until it has become something."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        return b"sealwright.trust.signing" not in command and command != Path(f"/proc/{run}/cmdline").read_bytes()
    except OSError:
        return False


def wait_until_gone(processes: set[int], seconds: float = 10) -> set[int]:
    until = time.monotonic() + seconds
    while (left := {pid for pid in processes if Path(f"/proc/{pid}").exists()}) and time.monotonic() < until:
        time.sleep(0.05)
    return left


def wait_for_training(run: "subprocess.Popen[str]") -> set[int]:
    """The processes below a run once it trains, which it does in a child."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert run.poll() is None
        below = descendants(run.pid)
        if any(trains(pid, run.pid) for pid in below):
            return below
        time.sleep(0.02)
    raise AssertionError("no training process was seen")


def in_order(home: Home) -> dict[str, Any]:
    """The run goes to its end, and everything verifies; returns what it said."""
    done: dict[str, Any] = home.inside("run", "project", "--json").json
    assert done["version"] == 1
    assert [one["number"] for one in home.inside("versions", "project", "--json").json] == [1]
    home.inside("verify", "ws/ledger")
    home.inside("verify", home.package)
    home.inside("promote", "project", 1, "--reason", "It went on")
    for draft in home.workspace.rglob("*draft*"):
        raise AssertionError(f"{draft} was left behind")
    return done


def test_ctrl_c_while_training_says_what_is_kept_and_leaves_no_process(fresh: Home) -> None:
    run = fresh.start("run", "project")
    below = wait_for_training(run)
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=30)
    assert run.returncode == 130, out + err
    assert "Finished steps are kept" in err
    assert "Traceback" not in err
    assert not wait_until_gone(below)
    done = in_order(fresh)
    assert done["ingest"]["again"], "the snapshot was there already"


def test_kill_9_while_training_leaves_no_process(fresh: Home) -> None:
    run = fresh.start("run", "project")
    below = wait_for_training(run)
    run.kill()
    run.wait(timeout=30)
    for stream in (run.stdout, run.stderr):
        assert stream is not None
        stream.close()
    assert not wait_until_gone(below)
    assert in_order(fresh)["ingest"]["again"]


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_killed_again_and_again_it_comes_to_the_end(fresh: Home, how: signal.Signals) -> None:
    """Later and later moments, in one workspace: each try goes on from what the one before left."""
    for seconds in (0.2, 1.0, 1.9, 2.9, 4.1):
        run = fresh.start_warm("run", "project", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            run.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            run.send_signal(how)
        assert run.wait(timeout=60) in {0, 130, -9, -2}
    in_order(fresh)


class Crash(BaseException):
    """The process ends here."""


STEPS = ("charter", "ingest", "train", "assess", "candidate", "seal")


def opened(home: Home) -> Workspace:
    return open_workspace(home.workspace, KeyFile(home.key))


def run(home: Home) -> Any:
    with opened(home) as workspace:
        return run_way(workspace, load_project(home.root / "project"), by=operator("ada"))


@pytest.mark.parametrize("step", STEPS)
def test_an_end_just_before_a_step_is_noted_repeats_that_step_only(
    fresh: Home, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sealwright.pipeline.runs import RunStore

    finish = RunStore.finish

    def crash(store: RunStore, run: Any, what: str, product: Any, *, by: str) -> Any:
        if what == step:
            raise Crash
        return finish(store, run, what, product, by=by)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(RunStore, "finish", crash)
        with pytest.raises(Crash):
            run(fresh)
    done = in_order(fresh)
    assert done["train"]["again"] == (STEPS.index(step) > STEPS.index("train"))
    with opened(fresh) as workspace, workspace.db.read() as tx:
        filed = tx.run("SELECT COUNT(*) AS n FROM statements WHERE predicate_type = 'https://slsa.dev/provenance/v1'")
    assert filed[0]["n"] == (2 if step == "train" else 1)


@pytest.mark.parametrize("place", ["before the package is registered", "while the gate's result is filed"])
def test_an_end_while_sealing_goes_on(fresh: Home, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from sealwright.evidence import StatementStore

    def crash(*_: Any, **__: Any) -> Any:
        raise Crash

    with monkeypatch.context() as patched:
        if place.startswith("before"):
            patched.setattr(Registry, "register", crash)
        else:
            settle = StatementStore.settle

            def crash_on_the_gate(store: StatementStore, ledger: Any, *, actor: str = "") -> None:
                with store._db.read() as tx:
                    waiting = tx.run("SELECT predicate_type AS kind FROM statements WHERE ledger_index < 0")
                if any("verification_summary" in one["kind"] for one in waiting):
                    raise Crash
                settle(store, ledger, actor=actor)

            patched.setattr(StatementStore, "settle", crash_on_the_gate)
        with pytest.raises(Crash):
            run(fresh)
    assert in_order(fresh)["train"]["again"]


def test_what_did_not_change_is_not_done_again(done_home: Home) -> None:
    first = run(done_home)
    assert first.ingested.again
    assert first.trained.again
    second = run(done_home)
    assert (second.trained.model, second.package) == (first.trained.model, first.package)
    assert second.assessed.statements == first.assessed.statements
    assert second.sealed.version == 1


def test_another_seed_trains_anew_and_makes_the_next_version(done_home: Home) -> None:
    first = run(done_home)
    project = done_home.root / "project" / "sealwright.yaml"
    project.write_text(project.read_text().replace("seed: 20260101", "seed: 7"))
    second = run(done_home)
    assert second.ingested.again
    assert not second.trained.again
    assert second.trained.model != first.trained.model
    assert second.sealed.version == 2
    compared = {one["check"]: one for one in second.assessed.suites["performance"]["findings"]}
    assert compared["performance.gain_over_previous"]["n"] > 0
    assert second.assessed.suites["performance"]["settings"]["previous"] == first.trained.model
    assert "performance.gain_over_previous" not in {
        one["check"] for one in first.assessed.suites["performance"]["findings"]
    }
    third = run(done_home)
    assert third.assessed.statements == second.assessed.statements, "sealed since, and judged once"


def test_a_changed_package_of_the_version_before_stops_the_comparison(done_home: Home) -> None:
    project = done_home.root / "project" / "sealwright.yaml"
    project.write_text(project.read_text().replace("seed: 20260101", "seed: 7"))
    done_home.inside("train", "project")
    (package,) = [one for one in (done_home.workspace / "packages").iterdir() if one.is_dir()]
    model = package / "model.onnx"
    model.chmod(0o600)
    model.write_bytes(model.read_bytes()[:-1] + b"\x00")
    assert "package" in done_home.inside("assess", "project", expect=4).err


def test_between_train_and_assess_nothing_old_is_decided_on(done_home: Home) -> None:
    """After a new training, gate, approve, seal and report do not take the candidate of the model before it."""
    project = done_home.root / "project" / "sealwright.yaml"
    project.write_text(project.read_text().replace("seed: 20260101", "seed: 7"))
    done_home.inside("train", "project")
    for verb in ("gate", "seal", "report"):
        assert "sealwright assess" in done_home.inside(verb, "project", expect=2).err
    done_home.inside("assess", "project")
    assert done_home.inside("seal", "project", "--json").json["version"] == 2


def test_the_same_data_and_seed_give_the_same_model_in_another_workspace(done_home: Home, tmp_path: Path) -> None:
    first = run(done_home)
    with sw.open(tmp_path / "other", create=True, key_file=tmp_path / "other.key", actor="zoe") as other:
        other.ingest(done_home.root / "project")
        assert other.train(done_home.root / "project").model == first.trained.model


def test_the_same_model_in_another_project_is_judged_for_itself(done_home: Home) -> None:
    """Same table, same seed, same bytes of model: results of one project neither help nor hinder another."""
    first = run(done_home)
    shutil.copytree(done_home.root / "project", done_home.root / "other")
    other = done_home.root / "other" / "sealwright.yaml"
    other.write_text(other.read_text().replace("project: project", "project: other"))
    with opened(done_home) as workspace:
        second = run_way(workspace, load_project(other), by=operator("bob"))
    assert second.trained.model == first.trained.model
    assert second.sealed is not None
    assert second.sealed.version == 1
    assert second.package != first.package


def test_two_runs_at_once_do_not_mix(fresh: Home) -> None:
    """The second is told that another program is writing, or waits for it; nothing is broken."""
    runs = [fresh.start("run", "project") for _ in range(2)]
    codes = []
    for one in runs:
        _, err = one.communicate(timeout=120)
        assert "Traceback" not in err
        assert "fault in Sealwright" not in err
        codes.append(one.returncode)
        if one.returncode:
            assert "another" in err.lower()
    assert 0 in codes
    in_order(fresh)
