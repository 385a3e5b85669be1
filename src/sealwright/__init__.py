"""Sealwright: make your own models securely, and prove it.

import sealwright as sw
ws = sw.open("my-workspace", create=True)
run = ws.run("my-project")
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sealwright.doors.notebook import Workspace, assess, check_data, explain, init, open, verify  # noqa: A004 - the verb people guess

__version__ = "0.1.0"

__all__ = ["Workspace", "__version__", "assess", "check_data", "explain", "init", "open", "verify"]


def __getattr__(name: str) -> Any:
    """The verbs load on first use: importing the package costs nothing."""
    if name.startswith("_") or name not in __all__:
        raise AttributeError(f"sealwright has no {name!r}")
    from sealwright.doors import notebook

    return getattr(notebook, name)
