"""Fixtures of the whole way: see tests/whole_way.py."""

import importlib.util
import sys
from pathlib import Path

if "whole_way" not in sys.modules:
    _spec = importlib.util.spec_from_file_location("whole_way", Path(__file__).parent.parent / "whole_way.py")
    assert _spec is not None
    assert _spec.loader is not None
    _module = importlib.util.module_from_spec(_spec)
    sys.modules["whole_way"] = _module
    _spec.loader.exec_module(_module)

if "deciding" not in sys.modules:
    _spec = importlib.util.spec_from_file_location("deciding", Path(__file__).parent.parent / "deciding.py")
    assert _spec is not None
    assert _spec.loader is not None
    _module = importlib.util.module_from_spec(_spec)
    sys.modules["deciding"] = _module
    _spec.loader.exec_module(_module)

from whole_way import empty_home, home, sealed, told

__all__ = ["empty_home", "home", "sealed", "told"]
