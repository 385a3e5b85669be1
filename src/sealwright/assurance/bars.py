"""Findings about groups, classes or slices as bars of a figure."""

from collections.abc import Iterable

from sealwright.assurance.model import Finding, Series

__all__ = ["bars"]

_SHOWN = 50


def bars(name: str, findings: Iterable[Finding]) -> Series:
    """One bar with its interval for each finding about a level, at most fifty; without an interval its ends are the value."""
    shown = [found for found in findings if found.group is not None][:_SHOWN]
    return Series(
        name=name.rpartition(".")[2].replace("_", " "),
        x=tuple(str(found.group.level) for found in shown if found.group),
        y=tuple(found.value for found in shown),
        low=tuple(found.value if found.low is None else found.low for found in shown),
        high=tuple(found.value if found.high is None else found.high for found in shown),
        n=tuple(found.n for found in shown),
    )
