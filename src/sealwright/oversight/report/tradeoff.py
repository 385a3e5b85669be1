"""Several ways as points over two measures, with their intervals, and the front of those that no other way beats."""

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["front_of", "trade_off"]

_WIDTH, _HEIGHT = 620, 380
_LETTER, _LINE = 6, 13  # pixels a name takes, by letter and in height
_BESIDE, _DOT = 7, 5  # pixels from a point to its name, and half of its width
_FRONT, _OTHER, _PRESENT = "#0b6e6e", "#8b979e", "#c2571a"


def front_of(points: Sequence[Mapping[str, Any]]) -> set[str]:
    """Names of points that no other point beats: none has as little x and as much y, and one of them better."""
    return {
        one["name"]
        for one in points
        if not any(
            other["x"] <= one["x"] and other["y"] >= one["y"] and (other["x"] < one["x"] or other["y"] > one["y"])
            for other in points
        )
    }


def trade_off(figure: Mapping[str, Any]) -> dict[str, Any]:
    """The picture: less x and more y is better. Each of `points` has name, x, x_low, x_high, y, y_low, y_high.

    The first point is the present way. Names stand beside the points; the front is joined by a line.
    """
    points = list(figure["points"])
    best = front_of(points)
    from_zero = min(one["x_low"] for one in points) < max(one["x_high"] for one in points) / 2
    lifts = _lifts(points, from_zero=from_zero)
    values = [
        {
            **one,
            "kind": "present" if place == 0 else "front" if one["name"] in best else "other",
            "order": one["x"],
            "lift": lifts[place],
        }
        for place, one in enumerate(points)
    ]
    x = {
        "field": "x",
        "type": "quantitative",
        "title": figure["x"],
        "scale": {"zero": from_zero},
        "axis": {"tickCount": 6},
    }
    y = {"field": "y", "type": "quantitative", "title": figure["y"], "scale": {"zero": False}, "axis": {"tickCount": 6}}
    colour = {
        "field": "kind",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": ["present", "front", "other"], "range": [_PRESENT, _FRONT, _OTHER]},
    }
    bars = {"type": "rule", "strokeWidth": 1.5, "opacity": 0.3}
    return {
        "width": _WIDTH,
        "height": _HEIGHT,
        "data": {"values": values},
        "layer": [
            {
                "transform": [{"filter": {"field": "name", "oneOf": sorted(best)}}],
                "mark": {
                    "type": "line",
                    "strokeDash": [5, 4],
                    "color": _FRONT,
                    "strokeWidth": 1.5,
                    "interpolate": "step",
                },
                "encoding": {"x": x, "y": y, "order": {"field": "order", "type": "quantitative"}},
            },
            {
                "mark": bars,
                "encoding": {"x": {**x, "field": "x_low"}, "x2": {"field": "x_high"}, "y": y, "color": colour},
            },
            {
                "mark": bars,
                "encoding": {"y": {**y, "field": "y_low"}, "y2": {"field": "y_high"}, "x": x, "color": colour},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 85, "opacity": 1},
                "encoding": {"x": x, "y": y, "color": colour},
            },
            *(
                {
                    "transform": [{"filter": {"field": "lift", "equal": lift}}],
                    "mark": {"type": "text", "align": "left", "dx": _BESIDE, "dy": lift, "fontSize": 11},
                    "encoding": {"x": x, "y": y, "text": {"field": "name"}, "color": colour},
                }
                for lift in sorted(set(lifts))
            ),
        ],
    }


def _lifts(points: Sequence[Mapping[str, Any]], *, from_zero: bool) -> list[int]:
    """How far below its point each name stands, in pixels, so that no name covers another, or a point."""
    left = 0.0 if from_zero else min(one["x_low"] for one in points)
    low = min(one["y_low"] for one in points)
    wide = max(one["x_high"] for one in points) - left or 1.0
    high = max(one["y_high"] for one in points) - low or 1.0
    at = [(_WIDTH * (one["x"] - left) / wide, _HEIGHT * (1 - (one["y"] - low) / high)) for one in points]
    taken = [(x - _DOT, x + _DOT, y) for x, y in at]  # from, to, height of what a name must not cover
    lifts = []
    for one, (x, y) in zip(points, at, strict=True):
        start, end = x + _BESIDE, x + _BESIDE + _LETTER * len(one["name"])
        tries = (sign * (9 + step * _LINE) for step in range(2 * len(points) + 1) for sign in (-1, 1))
        lift = next(
            (by for by in tries if all(abs(y + by - z) >= _LINE or end < a or b < start for a, b, z in taken)), -9
        )
        taken.append((start, end, y + lift))
        lifts.append(lift)
    return lifts
