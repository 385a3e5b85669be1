"""Sealwright: make your own models securely, and prove it.

import sealwright as sw
ws = sw.open("my-workspace", create=True)
run = ws.run("my-project")
"""

from typing import TYPE_CHECKING

from sealwright.kernel import front_door

if TYPE_CHECKING:
    from sealwright.doors.notebook import Workspace as Workspace
    from sealwright.doors.notebook import init as init
    from sealwright.doors.notebook import open as open  # noqa: A004 - the verb people guess
    from sealwright.doors.notebook import verify as verify
    from sealwright.doors.without_workspace import assess as assess
    from sealwright.doors.without_workspace import check_data as check_data
    from sealwright.doors.without_workspace import explain as explain
else:
    __getattr__, __dir__, __all__ = front_door(__name__)

__version__ = "0.1.0"
