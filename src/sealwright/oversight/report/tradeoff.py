"""Several ways as points over two measures, with their intervals, and the front of those that no other way beats."""

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["front_of", "trade_off"]

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
    ranked = sorted(range(len(points)), key=lambda at: (points[at]["y"], points[at]["x"]))
    side = {at: rank % 2 for rank, at in enumerate(ranked)}  # neighbours get their names above and below
    values = [
        {
            **one,
            "kind": "present" if place == 0 else "front" if one["name"] in best else "other",
            "order": one["x"],
            "side": side[place],
        }
        for place, one in enumerate(points)
    ]
    x = {"field": "x", "type": "quantitative", "title": figure["x"], "scale": {"zero": True}, "axis": {"tickCount": 6}}
    y = {"field": "y", "type": "quantitative", "title": figure["y"], "scale": {"zero": False}, "axis": {"tickCount": 6}}
    colour = {
        "field": "kind",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": ["present", "front", "other"], "range": [_PRESENT, _FRONT, _OTHER]},
    }
    bars = {"type": "rule", "strokeWidth": 1.5, "opacity": 0.3}
    return {
        "width": 620,
        "height": 380,
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
                    "transform": [{"filter": {"field": "side", "equal": side}}],
                    "mark": {"type": "text", "align": "left", "dx": 7, "dy": dy, "fontSize": 11},
                    "encoding": {"x": x, "y": y, "text": {"field": "name"}, "color": colour},
                }
                for side, dy in enumerate((-9, 12))
            ),
        ],
    }
