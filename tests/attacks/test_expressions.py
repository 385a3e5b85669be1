"""Texts that make an expression take exponential time (T-28): every pattern of ours, and patterns that others bring."""

import importlib
import pkgutil
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sealwright

SOURCE = Path(sealwright.__file__).parent
MOST = 0.050  # seconds of this process
LENGTH = 1000
UNITS = ("a", "A", "0", " ", "\t", "\n", ".", "-", "_", ":", "/", "(", "[", "{", "@", "+", "=", '"', '\\"', "é", "a.", "a-", "a'",
         "1.", "1 ", "1-", "a ", "1:", "f:", "a/", "a@", "a.a@", "+1", "a=", "1,", "/{a}", "aA", "A1")  # fmt: skip
ENDS = ("!", "\x00")
USES = "fullmatch", "match", "search", "sub", "split", "findall", "finditer"


def _patterns(value: Any, depth: int = 0) -> Iterator[re.Pattern[Any]]:
    """The patterns in a value of a module, in its tuples and mappings too."""
    if isinstance(value, re.Pattern):
        yield value
    elif depth < 4 and isinstance(value, tuple | list | frozenset):
        for part in value:
            yield from _patterns(part, depth + 1)
    elif depth < 4 and isinstance(value, dict):
        for part in value.values():
            yield from _patterns(part, depth + 1)


def _ours() -> dict[re.Pattern[Any], tuple[str, frozenset[str]]]:
    """Each pattern of our modules, its name, and the ways the source uses that name."""
    uses: dict[str, set[str]] = {}
    for path in SOURCE.rglob("*.py"):
        for name, how in re.findall(rf"\b(\w+)(?:\[[^]\n]*\])?\.({'|'.join(USES)})\(", path.read_text()):
            uses.setdefault(name, set()).add(how)
    found = {}
    for module in pkgutil.walk_packages(sealwright.__path__, "sealwright."):
        if module.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            for pattern in _patterns(value):
                found[pattern] = f"{module.name}.{name}", frozenset(uses.get(name, USES[:3]))
    return found


def _took(pattern: re.Pattern[Any], how: str, text: Any) -> float:
    """Seconds of this process's time: what else the machine does counts for nothing."""
    begun = time.process_time()
    if how == "sub":
        pattern.sub(text[:0], text)
    elif how == "finditer":
        list(pattern.finditer(text))
    else:
        getattr(pattern, how)(text)
    return time.process_time() - begun


@pytest.mark.slow
def test_no_expression_of_ours_can_be_made_slow_t28() -> None:
    patterns = _ours()
    assert len(patterns) > 150
    slow = []
    for pattern, (name, uses) in patterns.items():
        for how in uses:
            for text in (unit * (LENGTH // len(unit)) + end for unit in UNITS for end in ENDS):
                given_text = text.encode() if isinstance(pattern.pattern, bytes) else text
                if _took(pattern, how, given_text) > MOST and _took(pattern, how, given_text) > MOST:
                    slow.append((name, how, text[:8]))
    assert slow == []


def test_the_search_for_slow_expressions_finds_one() -> None:
    assert _took(re.compile("(a+)+b"), "search", "a" * 22) > MOST


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|a)*b", "(a|aa)+$", "([a-z]+)*!", "(.*a){20}", "(x+x+)+y", r"^(\w+\s?)*$"]
)
@settings(max_examples=20)
@given(unit=st.sampled_from(["a", "aa", "x", "a ", "ab"]), end=st.sampled_from(["!", "", "\n", "b"]))
def test_an_expression_of_a_contract_takes_linear_time_t28(pattern: str, unit: str, end: str) -> None:
    """Rules of a data contract are matched by RE2, as the check itself does."""
    cells = pa.array([unit * 2000 + end])
    begun = time.process_time()
    pc.match_substring_regex(cells, pattern)
    assert time.process_time() - begun < MOST


@pytest.mark.parametrize(
    "path", ["/v1/models/" + "a-" * 3000 + "/predict", "/v1/models/" + "a." * 30 + "!/predict", "/" + "a/" * 3000]
)
def test_an_address_made_to_be_slow_is_answered_at_once_t28(predict: Any, control: Any, path: str) -> None:
    for reply in (predict.ask("POST", path, b"{}"), control.program("GET", path)):
        assert 400 <= reply.status < 500
    begun = time.monotonic()
    assert control.program("GET", "/health/live").status == 200
    assert time.monotonic() - begun < 2
