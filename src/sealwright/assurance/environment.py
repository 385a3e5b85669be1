"""What numbers depend on besides model, rows and settings: the interpreter, the processor, the libraries."""

import platform
from importlib.metadata import PackageNotFoundError, version

__all__ = ["packages_here"]

_PACKAGES = ("sealwright", "numpy", "pyarrow", "onnxruntime", "scikit-learn", "scipy")


def packages_here() -> dict[str, str]:
    """Name -> version of what computes here, with "python" and "machine"."""
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed as a package"
    return found
