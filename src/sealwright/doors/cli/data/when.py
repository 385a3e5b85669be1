"""Days and times as people write them in a command: as `doors.asked` reads them."""

from sealwright.doors.asked import day_of, moment_of

__all__ = ["day_of", "moment_of"]
