"""What the coverage page claims is so: an unknown id, a missing test, an entry that maps to nothing each stop it."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
THREATS = {"T-01": {"tries": "a", "must": "b"}, "T-02": {"tries": "c", "must": "d", "later": "no part yet"}}
TESTS = {"T-01": ["tests/test_a.py::test_a_t01"]}
LISTS: dict[str, Any] = {
    "A list": {"A1": {"name": "x", "threats": ["T-01"]}, "A2": {"name": "y", "reason": "none of ours"}}
}


def _tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def coverage() -> ModuleType:
    return _tool("make_coverage")


def test_what_is_claimed_and_so_has_no_problems(coverage: ModuleType) -> None:
    assert coverage.problems(THREATS, LISTS, TESTS) == []


@pytest.mark.parametrize(
    ("threats", "lists", "tests", "said"),
    [
        ({"T-01": {"tries": "a", "must": "b"}}, {}, {}, "T-01 has no test and no reason"),
        (THREATS, {}, TESTS | {"T-02": ["x"]}, "T-02 has tests and still says `later`"),
        (THREATS, {}, TESTS | {"T-99": ["x"]}, "x names T-99, which is not in threats.toml"),
        ({"T-01": {"later": "x", "partly": "y"}}, {}, {}, "T-01 says `partly` and has no test"),
        (THREATS, {"L": {"A": {"name": "x"}}}, TESTS, "L, A: name threats, or one reason why none applies"),
        (THREATS, {"L": {"A": {"name": "x", "reason": " "}}}, TESTS, "L, A: name threats, or one reason why none applies"),
        (THREATS, {"L": {"A": {"name": "x", "threats": ["T-01"], "reason": "y"}}}, TESTS, "L, A: name threats, or one reason why none applies"),
        (THREATS, {"L": {"A": {"name": "x", "threats": ["T-98"]}}}, TESTS, "L, A: there is no T-98"),
    ],
)  # fmt: skip
def test_what_is_claimed_and_not_so_is_a_problem(
    coverage: ModuleType, threats: Any, lists: Any, tests: Any, said: str
) -> None:
    assert said in coverage.problems(threats, lists, tests)


def test_ids_are_read_from_the_names_of_tests(coverage: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "tests" / "deep").mkdir(parents=True)
    (tmp_path / "tests" / "deep" / "test_x.py").write_text(
        "def test_one_t07(): ...\nasync def test_two_t07_t43(): ...\ndef test_t12_first(): ...\n"
        "def test_none_t123(): ...\ndef helper_t09(): ...\n# test_comment_t08\n"
    )
    found = coverage.tests_by_threat(tmp_path / "tests")
    assert {threat: len(tests) for threat, tests in found.items()} == {"T-07": 2, "T-43": 1, "T-12": 1}
    assert found["T-12"] == ["tests/deep/test_x.py::test_t12_first"]


def test_the_page_is_of_today_and_names_every_entry(coverage: ModuleType) -> None:
    threats, lists, tests = coverage.read()
    assert coverage.problems(threats, lists, tests) == []
    page = coverage.page(threats, lists, tests)
    assert coverage.PAGE.read_text() == page, "run make docs"
    assert len(threats) == 87
    assert len(lists["MITRE ATLAS 2026.05"]) == 170
    assert all(f"| {key} |" in page for entries in lists.values() for key in entries)


def test_attacks_are_run_by_the_ids_that_the_page_counts() -> None:
    attacks = _tool("run_attacks")
    tests = {"T-01": ["tests/b.py::test_b_t01"], "T-02": ["tests/a.py::test_a_t02", "tests/b.py::test_b_t01"]}
    assert attacks.wanted(tests, []) == ["tests/a.py::test_a_t02", "tests/b.py::test_b_t01"]
    assert attacks.wanted(tests, ["T-01"]) == ["tests/b.py::test_b_t01"]
    with pytest.raises(SystemExit, match="No test tries T-03"):
        attacks.wanted(tests, ["T-01", "T-03"])
    assert set(attacks.tests_by_threat()) >= {"T-01", "T-43"}
