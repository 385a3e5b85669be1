"""Which releases of Python have the fixes we count on.

tarfile's filters could be got around before these releases (CVE-2024-12718, CVE-2025-4138, -4330, -4435, -4517; Python's
security announcements of June 2025). Sealwright extracts no archive with it, but what is installed beside it may.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

__all__ = ["release_problem"]

_FIXED: Mapping[tuple[int, int], int] = {(3, 11): 13, (3, 12): 11, (3, 13): 4}
_SUPPORTED_UNTIL: Mapping[tuple[int, int], datetime] = {
    (3, 11): datetime(2027, 10, 31, tzinfo=UTC),  # PEP 664
    (3, 12): datetime(2028, 10, 31, tzinfo=UTC),  # PEP 693
    (3, 13): datetime(2029, 10, 31, tzinfo=UTC),  # PEP 719
}


def release_problem(version: tuple[int, int, int], now: datetime) -> str:
    """What is wrong with running on this release of Python, in words; "" where nothing is known."""
    series, patch = version[:2], version[2]
    if series not in _FIXED:
        return f"Python {series[0]}.{series[1]} is not one Sealwright is tested on (3.11 to 3.13)"
    if now > _SUPPORTED_UNTIL[series]:
        return f"Python {series[0]}.{series[1]} gets no security fixes since {_SUPPORTED_UNTIL[series]:%B %Y}"
    if patch < _FIXED[series]:
        wanted = f"{series[0]}.{series[1]}.{_FIXED[series]}"
        return f"Python {series[0]}.{series[1]}.{patch} lacks security fixes of {wanted}; install that or newer"
    return ""
