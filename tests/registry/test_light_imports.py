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


def test_the_operators_we_name_are_those_of_onnx() -> None:
    from onnx import IR_VERSION, defs

    from sealwright.registry.operators import NEWEST_IR, NEWEST_OPSET, OPERATORS

    known = [(one.domain, one.name) for one in defs.get_all_schemas_with_history()]
    for domain, names in OPERATORS.items():
        assert names == {name for place, name in known if place == domain}
    assert (IR_VERSION, defs.onnx_opset_version()) == (NEWEST_IR, NEWEST_OPSET)


def test_the_messages_alone_are_those_of_the_whole_package_whichever_is_loaded_first() -> None:
    alone, whole = "from sealwright.registry.onnx_messages import model_message", "from onnx import ModelProto"
    for first, second in ((alone, whole), (whole, alone)):
        _imported(
            f"{first}\nm = globals().get('model_message')\nm and m()\n{second}\nassert model_message() is ModelProto"
        )


def test_opening_the_room_costs_nothing() -> None:
    found = _imported("import sealwright.registry")
    assert not found & {*HEAVY, "numpy", "onnx", "pydantic", "sqlalchemy", "cryptography"}
