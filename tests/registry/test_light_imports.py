"""What verifies and serves must not need what trains and builds."""

import subprocess
import sys

HEAVY = ("pyarrow", "sklearn", "skl2onnx", "scipy", "optuna", "polars", "pandas", "cyclonedx", "onnxruntime", "altair")


def _imported(code: str) -> set[str]:
    told = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sorted({{name.split('.')[0] for name in sys.modules}}))"],
        env={"PYTHONPATH": ":".join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(told.stdout.split())


def test_verifying_a_package_needs_no_build_library() -> None:
    found = _imported("from sealwright.registry import verify_package, verify_pointer, check_structure, Registry")
    assert not found & set(HEAVY)


def test_opening_the_room_costs_nothing() -> None:
    found = _imported("import sealwright.registry")
    assert not found & {*HEAVY, "numpy", "onnx", "pydantic", "sqlalchemy", "cryptography"}
