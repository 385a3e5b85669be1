"""Writes docs/security/coverage.md: which attack is tested by which test, and what of other people's lists that answers.

A threat without a test and without a reason, a list's entry that maps to neither, and a test with an unknown id stop it.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
ATTACKS = ROOT / "tests" / "attacks"
PAGE = ROOT / "docs" / "security" / "coverage.md"
_LIMIT = "`make attack` runs them. A test that passes shows that this attack, as written, fails; not that no attack can succeed."
_IDS = re.compile(r"_t(\d{2})(?=_|$)")


def tests_by_threat(tests: Path) -> dict[str, list[str]]:
    """Tests by the ids in their names, as "tests/file.py::name"."""
    found: dict[str, list[str]] = {}
    for path in sorted(tests.rglob("test_*.py")):
        for name in _test_names(path):
            for number in _IDS.findall(name):
                found.setdefault(f"T-{number}", []).append(f"{path.relative_to(tests.parent).as_posix()}::{name}")
    return found


def _test_names(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_"):
            yield node.name


def problems(threats: Mapping[str, Any], lists: Mapping[str, Any], tests: Mapping[str, list[str]]) -> list[str]:
    """Everything that is claimed and not so, in words."""
    found = [
        f"{threat} has no test and no reason"
        for threat in threats
        if threat not in tests and "later" not in threats[threat]
    ]
    found += [
        f"{threat} has tests and still says `later`"
        for threat in threats
        if threat in tests and "later" in threats[threat]
    ]
    found += [
        f"{tests[threat][0]} names {threat}, which is not in threats.toml" for threat in tests if threat not in threats
    ]
    found += [
        f"{threat} says `partly` and has no test"
        for threat in threats
        if "partly" in threats[threat] and threat not in tests
    ]
    for title, entries in lists.items():
        for key, entry in entries.items():
            named = entry.get("threats", [])
            if bool(named) == bool(entry.get("reason", "").strip()):
                found.append(f"{title}, {key}: name threats, or one reason why none applies")
            found += [f"{title}, {key}: there is no {threat}" for threat in named if threat not in threats]
    return found


def page(threats: Mapping[str, Any], lists: Mapping[str, Any], tests: Mapping[str, list[str]]) -> str:
    """The page, in Markdown."""
    tested = sum(threat in tests for threat in threats)
    lines = [
        "<!-- Made by tools/make_coverage.py from tests/attacks and the names of tests. Run: make docs -->\n",
        "# Which attack is tested\n",
        f"{tested} of {len(threats)} attacks have tests, {sum(map(len, tests.values()))} tests in all; what has none, or not all, says why. {_LIMIT}\n",
        "## Attacks\n",
        "| id | what is tried | what must come of it | tests |",
        "|---|---|---|---|",
    ]
    for key, threat in threats.items():
        where = " ".join(f"`{test}`" for test in tests.get(key, ())[:3]) or f"none yet: {threat['later']}"
        more = len(tests.get(key, ())) - 3
        where += f" and {more} more" if more > 0 else ""
        where += f" (in part: {threat['partly']})" if "partly" in threat else ""
        lines.append(f'| <a id="{key.lower()}"></a>{key} | {threat["tries"]} | {threat["must"]} | {where} |')
    for title, entries in lists.items():
        answered = sum("threats" in entry for entry in entries.values())
        lines += [
            f"\n## {title}\n",
            f"{answered} of {len(entries)} entries are answered above; the rest say why not.\n",
            "| | | answered by |",
            "|---|---|---|",
        ]
        for key, entry in entries.items():
            answer = ", ".join(f"[{one}](#{one.lower()})" for one in entry.get("threats", ())) or entry["reason"]
            lines.append(f"| {key} | {entry['name']} | {answer} |")
    return "\n".join(lines) + "\n"


def read() -> tuple[dict[str, Any], dict[str, Any], dict[str, list[str]]]:
    threats = tomllib.loads((ATTACKS / "threats.toml").read_text())
    lists: dict[str, Any] = {}
    for path in sorted(ATTACKS.glob("*lists.toml")) + sorted(ATTACKS.glob("atlas.toml")):
        lists |= tomllib.loads(path.read_text())
    return threats, lists, tests_by_threat(ROOT / "tests")


def main() -> int:
    threats, lists, tests = read()
    found = problems(threats, lists, tests)
    if found:
        print("\n".join(found))
        return 1
    made = page(threats, lists, tests)
    if "--check" in sys.argv and PAGE.read_text() != made:
        print("docs/security/coverage.md is not of today. Run: make docs")
        return 1
    PAGE.write_text(made)
    print(f"{len(tests)} of {len(threats)} attacks have tests")
    return 0


if __name__ == "__main__":
    sys.exit(main())
