"""Loading a model is held to its share of memory, and the process is as free afterwards as before, whoever else loads."""

import json
import subprocess
import sys
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts a process's data")

_TOLD = """
import contextlib, json, resource, threading, time
from sealwright.serving.adapters.memory import load_within
limit = lambda: resource.getrlimit(resource.RLIMIT_DATA)[0]
told = {"before": limit(), "inside": []}
{body}
told["after"] = limit()
print(json.dumps(told))
"""


def _in_a_process_of_its_own(body: str) -> Any:
    """What a process told that did this: the limit is one of the whole process, and must not become ours."""
    script = _TOLD.replace("{body}", body)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_two_loads_that_overlap_leave_no_limit_behind() -> None:
    told = _in_a_process_of_its_own(
        """
second_is_in = threading.Event()
def first():
    with load_within(1 << 20, 64):
        threads[1].start()
        second_is_in.wait(0.5)
        told["inside"].append(limit())
def second():
    with load_within(1 << 20, 64):
        second_is_in.set()
        threads[0].join(1)
        told["inside"].append(limit())
threads = [threading.Thread(target=one) for one in (first, second)]
threads[0].start()
for one in threads:
    one.join()
told["free"] = len(bytearray(300 << 20))
"""
    )
    assert (told["after"], told["free"]) == (told["before"], 300 << 20)
    assert all(limit != told["before"] for limit in told["inside"])


def test_many_loads_some_of_which_fail_leave_no_limit_behind_and_are_all_held() -> None:
    told = _in_a_process_of_its_own(
        """
def load(number):
    for turn in range(20):
        with contextlib.suppress(KeyError), load_within(1 << 20, 64 + number):
            time.sleep(0.0005 * ((number + turn) % 3))
            told["inside"].append(limit())
            if turn % 4 == 0:
                raise KeyError
threads = [threading.Thread(target=load, args=(number,)) for number in range(8)]
for one in threads:
    one.start()
for one in threads:
    one.join()
"""
    )
    assert (told["after"], len(told["inside"])) == (told["before"], 160)
    assert all(limit != told["before"] for limit in told["inside"])


def test_a_load_inside_another_takes_no_more_than_the_outer_one_may_and_gives_its_limit_back() -> None:
    told = _in_a_process_of_its_own(
        """
with load_within(1 << 20, 64):
    told["inside"].append(limit())
    with load_within(1 << 20, 640):
        told["inside"].append(limit())
    told["inside"].append(limit())
"""
    )
    outer, inner, again = told["inside"]
    assert told["after"] == told["before"]
    assert inner == outer == again


def test_a_load_never_raises_a_limit_that_was_set_from_outside() -> None:
    told = _in_a_process_of_its_own(
        """
given = 1 << 30
resource.setrlimit(resource.RLIMIT_DATA, (given, resource.RLIM_INFINITY))
with load_within(1 << 20, 4096):
    told["inside"].append(limit())
"""
    )
    assert (told["inside"], told["after"]) == ([1 << 30], 1 << 30)
