"""The planted tables, importable by the tests of this folder and by tools/measure_quality.py alike."""

import importlib.util
import sys
from pathlib import Path

_spec = importlib.util.spec_from_file_location("planting", Path(__file__).with_name("planting.py"))
assert _spec is not None
assert _spec.loader is not None
_module = importlib.util.module_from_spec(_spec)
sys.modules["planting"] = _module
_spec.loader.exec_module(_module)
