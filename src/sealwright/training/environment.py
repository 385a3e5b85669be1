"""Which Python and which packages a training ran with."""

import platform
from importlib import metadata
from typing import Any

__all__ = ["environment_here"]


def environment_here() -> dict[str, Any]:
    """Python, machine and every installed distribution by name and version."""
    found = {dist.name.lower(): dist.version for dist in metadata.distributions() if dist.name}
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "machine": platform.machine(),
        "system": " ".join((platform.system(), *platform.libc_ver())).strip(),
        "packages": dict(sorted(found.items())),
    }
