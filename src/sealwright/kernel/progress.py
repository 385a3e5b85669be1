"""How long work tells the person who waits. Rooms call it; a door decides how it looks."""

from collections.abc import Callable

__all__ = ["Progress", "silent"]

Progress = Callable[[str, float], None]
"""Called with a short present-tense line ("reading german_credit.csv") and a share done in [0, 1]."""


def silent(_line: str, _share: float) -> None:
    """Tell nobody."""
