"""Sealwright: make your own models securely, and prove it.

import sealwright as sw
ws = sw.open("my-workspace", create=True)
run = ws.run("my-project")
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sealwright.doors.notebook import Workspace, init, open, verify  # noqa: A004 - the verb people guess
    from sealwright.doors.without_workspace import assess, check_data, explain

__version__ = "0.1.0"

__all__ = ["Workspace", "__version__", "assess", "check_data", "explain", "init", "open", "verify"]


def __getattr__(name: str) -> Any:
    """The verbs load on first use: importing the package costs nothing."""
    if name.startswith("_") or name not in __all__:
        raise AttributeError(f"sealwright has no {name!r}")
    if name in ("assess", "check_data", "explain"):
        from sealwright.doors import without_workspace

        return getattr(without_workspace, name)
    from sealwright.doors import notebook

    return getattr(notebook, name)
