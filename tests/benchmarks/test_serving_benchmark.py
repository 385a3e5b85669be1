"""The serving benchmark runs, compares before it times, and hides nothing it did not measure."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("serving_benchmark")
needs_wrk = pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed: apt-get install wrk")


def run(folder: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    script = folder / "run.py"
    return subprocess.run(
        [sys.executable, str(script), *options], capture_output=True, text=True, check=False, env=os.environ | environment
    )  # fmt: skip


def seen(rate: float = 100.0, **changes: Any) -> Any:
    from measuring import Seen

    values = {
        "p50_ms": 1.0,
        "p99_ms": 2.0,
        "cpu_us": 50.0,
        "helper_us": 0.0,
        "errors": 0,
        "foreign": 0.0,
        "counts": True,
    }
    return Seen(rate=rate, **(values | changes))


def table(**rates: float) -> Any:
    """A table of servers with one visit each; "_" stands for "-" in a name."""
    from measuring import Visit
    from medians import Found, Table

    return Table(
        {
            name.replace("_", "-"): Found(
                [
                    Visit(
                        first_answer=0.5,
                        pss_mib=80,
                        rest_mib=70,
                        helper_mib=10,
                        cells={cell: seen(rate) for cell in ("c16", "c64", "bulk")},
                    )
                ]
            )
            for name, rate in rates.items()
        }
    )


def living(pid: int) -> bool:
    """There, and not merely waiting for its parent to take note of its end."""
    place = Path(f"/proc/{pid}/stat")
    return place.exists() and place.read_text().rsplit(")", 1)[1].split()[0] != "Z"


@needs_wrk
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core for the server and one for the load")
def test_a_short_run_measures_an_empty_app_and_ours_and_says_what_it_left_out(
    serving_benchmark: Path, tmp_path: Path
) -> None:
    found, page = tmp_path / "found.json", tmp_path / "page.md"
    done = run(
        serving_benchmark, "--only", "hello-uvicorn,sealwright", "--quick", "--foreign", "1", "--json", str(found),
        "--page", str(page), "--home", str(tmp_path / "bench"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    servers = json.loads(found.read_text())["models"]["boosting"]
    for name in ("hello-uvicorn", "sealwright"):
        assert not servers[name]["why_not"], servers[name]["why_not"]
        (visit,) = servers[name]["visits"]
        assert visit["cells"]["c16"]["rate"] > 10
        assert visit["cells"]["c16"]["cpu_us"] > 0
        assert visit["cells"]["c16"]["errors"] == 0
        assert visit["pss_mib"] > 1
    assert servers["sealwright"]["visits"][0]["cells"]["bulk"]["rate"] > 0
    assert "| Times MLflow `models serve` | ≥ 45× | – | not measured |" in page.read_text()
    assert str(tmp_path) not in page.read_text()


def test_without_wrk_it_says_how_to_get_it(serving_benchmark: Path, tmp_path: Path) -> None:
    done = run(serving_benchmark, "--only", "sealwright", PATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert "apt-get install wrk" in done.stderr
    assert "Traceback" not in done.stderr


@needs_wrk
def test_a_name_nobody_has_is_answered_with_the_names_there_are(serving_benchmark: Path) -> None:
    done = run(serving_benchmark, "--only", "seal")
    assert done.returncode == 1
    assert "There is no server seal. There are: sealwright, " in done.stderr


def test_a_server_that_answers_other_probabilities_is_not_timed() -> None:
    from dialects import ROWS
    from load import Unavailable
    from made import Made
    from starting import compared

    made = Made(kind="boosting", model=b"", classifier=b"", rows=[{}], expected=[[0.25, 0.75]], features={})
    compared(ROWS, {"probabilities": [[0.250004, 0.749996]]}, made, 1)
    for wrong in (
        [[0.2501, 0.7499]],
        [[float("nan"), 0.75]],
        [[0.25, float("nan")]],
        [[0.25]],
        [[0.25, 0.75], [0.25, 0.75]],
    ):
        with pytest.raises(Unavailable, match="differs from scikit-learn"):
            compared(ROWS, {"probabilities": wrong}, made, 1)


def test_every_bound_is_judged_and_none_passes_unmeasured() -> None:
    from bounds import BOUNDS, judge

    nothing = judge(table(), 0)
    assert len(nothing) == len(BOUNDS) + 1
    assert {one.result for one in nothing} == {"not measured"}


def test_a_bound_over_several_servers_waits_for_all_of_them() -> None:
    from bounds import TUNED, judge

    def result(*names: str) -> str:
        others = {name.replace("-", "_"): 10.0 for name in names}
        claim = "Times the best of MLflow"
        return next(one.result for one in judge(table(sealwright=100.0, **others), 0) if one.claim.startswith(claim))

    assert result(*TUNED[1:]) == "not measured"
    assert result(*TUNED) == "met"


@pytest.mark.parametrize(("ours", "result"), [(449.0, "not met"), (450.0, "met")])
def test_a_bound_is_met_at_its_limit_and_not_below(ours: float, result: str) -> None:
    from bounds import judge

    judged = {one.claim: one for one in judge(table(sealwright=ours, mlflow=10.0), 0)}
    assert judged["Times MLflow `models serve`"].result == result


def test_a_run_beside_too_much_other_work_is_left_out_and_counted() -> None:
    from measuring import Visit
    from medians import Found

    visits = [
        Visit(first_answer=1, pss_mib=1, rest_mib=1, helper_mib=0, cells={"c16": seen(rate, counts=rate < 500)})
        for rate in (100, 200, 300, 999)
    ]
    assert (Found(visits).median("c16", "rate"), Found(visits).dropped) == (200, 1)
    assert Found(visits[3:]).median("c16", "rate") is None


def test_what_a_bad_answer_tells_is_marked() -> None:
    from abuse import marks
    from credit import NAMES

    assert marks(b"Traceback (most recent call last):\n File /srv/app/main.py") == "TP"
    assert marks(json.dumps(list(NAMES)).encode()) == "S"
    assert marks(json.dumps(list(NAMES[1:])).encode()) == ""


def test_every_peer_is_pinned_with_hashes_and_names_no_registry(serving_benchmark: Path) -> None:
    from servers import SERVERS

    for name in {server.environment for server in SERVERS if server.environment}:
        text = (serving_benchmark / "locks" / f"{name}.txt").read_text()
        pinned = [line for line in text.splitlines() if line and not line.startswith(" ")]
        assert all("==" in line and line.endswith("\\") for line in pinned), name
        assert text.count("--hash=sha256:") >= len(pinned)
        assert "://" not in text


def test_a_server_counts_with_all_its_processes_and_leaves_none_behind(tmp_path: Path) -> None:
    from processes import members, start, stop

    inner = "import os, sys; os.setsid(); print('here', flush=True); sys.stdin.close(); import time; time.sleep(60)"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
    process = start([sys.executable, "-c", outer], dict(os.environ), tmp_path / "log")
    while b"here" not in (tmp_path / "log").read_bytes():
        assert process.poll() is None
    pids = members(process.pid)
    assert len(pids) == 2
    stop(process, 5.0)
    assert [pid for pid in pids if living(pid)] == []
