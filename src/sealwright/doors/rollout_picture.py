"""The limits of a rollout as a picture: for each the interval that was found, and the line it must stay on one side of.

Answers: where does each measure lie beside its limit, at one glance? Each row has a scale of its own, on which the limit is the
long mark, the interval the bar and the value the dot.
An SVG in the page itself, without script and without a style of its own: classes for the console, plain colours elsewhere.
"""

import math
from typing import NamedTuple

from sealwright.kernel import safe_html
from sealwright.pipeline import Verdict

__all__ = ["picture_of"]

_WIDTH, _ROW, _LEFT, _RIGHT = 640, 30, 110, 150
_COLOURS = {"kept": "#1f7a3f", "broken": "#b3261e", "undecided": "#8a5f00"}
_LEAST = {
    "fairness",
    "agreement",
    "metric",
    "split",
    "time",
    "requests",
}  # must reach their limit; the others must not pass it


class _Scale(NamedTuple):
    begin: float
    end: float

    def at(self, value: float) -> float:
        share = (value - self.begin) / (self.end - self.begin)
        return round(_LEFT + min(1.0, max(0.0, share)) * (_WIDTH - _LEFT - _RIGHT), 1)


class _Found(NamedTuple):
    low: float
    value: float
    high: float
    limit: float


def picture_of(verdict: Verdict, *, classes: bool = False) -> str:
    """The SVG; "" where nothing that has a number was found yet.

    Parameters
    ----------
    classes : bool
        Colours by class (`kept`, `broken`, `undecided`), for a page whose style sheet knows both themes.
    """
    rows = ""
    said: list[str] = []
    for one in verdict.findings:
        if _finite(one.value) and _finite(one.limit):
            low = one.low if _finite(one.low) else one.value
            high = one.high if _finite(one.high) else one.value
            paint = f'class="{one.state}"' if classes else f'style="color:{_COLOURS[one.state]}"'
            rows += _row(one.measure, _Found(low, one.value, high, one.limit), len(said), paint)  # type: ignore[arg-type]
            said.append(f"{one.measure} {one.state}")
    if not said:
        return ""
    height = _ROW * len(said) + 6
    return (
        f'<svg class="limits" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" role="img" '
        f'aria-label="{safe_html("; ".join(said))}" font-family="Helvetica, Arial, sans-serif" font-size="13" '
        f'fill="currentColor">{rows}</svg>'
    )


def _row(measure: str, found: _Found, place: int, paint: str) -> str:
    scale, y = _scale(*found), _ROW * place + _ROW / 2 + 3
    side = "at least" if measure in _LEAST else "at most"
    low, value, high, limit = (scale.at(number) for number in found)
    return (
        f'<text x="0" y="{y + 4:g}" font-weight="600">{safe_html(measure)}</text>'
        f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:g}" y2="{y:g}" stroke="currentColor" stroke-opacity="0.2"/>'
        f'<line x1="{limit}" x2="{limit}" y1="{y - 11:g}" y2="{y + 11:g}" stroke="currentColor" stroke-width="2"/>'
        f'<g {paint}><rect x="{low}" y="{y - 5:g}" width="{max(2.0, high - low):.1f}" height="10" rx="3" '
        f'fill="currentColor" fill-opacity="0.35"/><circle cx="{value}" cy="{y:g}" r="5" fill="currentColor"/></g>'
        f'<text x="{_WIDTH - _RIGHT + 14}" y="{y + 4:g}">{found.value:.3g}, {side} {found.limit:g}</text>'
    )


def _scale(*numbers: float) -> _Scale:
    """From zero, or from what lies below it, to a little beyond the largest."""
    least, most = min(0.0, *numbers), max(numbers)
    room = 0.08 * (most - least) or 1.0
    return _Scale(least - (room if least < 0 else 0.0), most + room)


def _finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
