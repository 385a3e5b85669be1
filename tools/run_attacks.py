"""Runs the tests that try attacks, the very ones docs/security/coverage.md names: `make attack`.

Threats may be named to run only theirs; everything else goes to pytest: run_attacks.py T-07 T-43 --maxfail=1
Each test starts the processes, sockets and databases that it attacks anew.
"""

import importlib.util
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def wanted(tests: Mapping[str, Sequence[str]], named: Sequence[str]) -> list[str]:
    """The tests of the named threats, or of all; each once, in the order of files.

    Raises
    ------
    SystemExit
        A named threat has no test: nothing must look as if it had been tried.
    """
    unknown = sorted(set(named) - set(tests))
    if unknown:
        sys.exit(f"No test tries {', '.join(unknown)}. docs/security/coverage.md lists what is tried.")
    return sorted({test for threat in named or tests for test in tests[threat]})


def tests_by_threat() -> dict[str, list[str]]:
    """As the coverage page counts them."""
    spec = importlib.util.spec_from_file_location("make_coverage", ROOT / "tools" / "make_coverage.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: dict[str, list[str]] = module.tests_by_threat(ROOT / "tests")
    return found


def main(arguments: Sequence[str]) -> int:
    named = [argument for argument in arguments if argument.startswith("T-")]
    options = [argument for argument in arguments if not argument.startswith("T-")]
    chosen = wanted(tests_by_threat(), named)
    return int(pytest.main([*options, *(str(ROOT / test) for test in chosen)]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
