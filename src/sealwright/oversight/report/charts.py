"""Figures of the evidence drawn as SVG pictures, with the grammar of Vega-Lite and no script in the page.

Figures are lines over numbers, bars over names, a matrix of counts, a histogram, or a heat map of names crossed.
Each picture is isolated in an image element, carries a text alternative, and loads nothing.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any

from sealwright.kernel import MissingExtra
from sealwright.oversight.report.tradeoff import trade_off

__all__ = ["picture"]

_COLOURS = [
    "#0b6e6e",
    "#c2571a",
    "#4453a0",
    "#8a6d00",
    "#9b2d5e",
    "#3f7d20",
    "#5f5f5f",
    "#2a8fbd",
    "#7a4fa3",
    "#a33a3a",
]
_INK, _SOFT, _GRID = "#20303a", "#5b6b75", "#e3e8eb"
_DIAGONAL = {
    "performance.roc": "no skill",
    "performance.reliability": "perfectly calibrated",
    "performance.calibration": "perfectly calibrated",
}
_MOST_BARS = 24
_ONE_LINE = 3  # names of series a legend holds side by side
_MAPS = {"explanation.image_occlusion", "explanation.image_gradients"}  # matrices read by colour, not by number
_CLIP = re.compile(r"clip\d+")


def picture(figure: Mapping[str, Any]) -> str:
    """One figure as a `data:` URI of an SVG picture.

    Parameters
    ----------
    figure : mapping
        The JSON of a suite's figure: name, kind, title, x, y, series.

    Raises
    ------
    MissingExtra
        The drawing library is not installed.
    """
    try:
        import vl_convert
    except ImportError:
        raise MissingExtra("Drawing a report", "build") from None
    svg = vl_convert.vegalite_to_svg(_drawable(_spec(figure)), vl_version="5.20", allowed_base_urls=[])
    seen: dict[str, str] = {}  # the library counts its ids through the process; here they count from 0 in each picture
    svg = _CLIP.sub(lambda found: seen.setdefault(found[0], f"clip{len(seen)}"), svg)
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _drawable(part: Any) -> Any:
    """The same with every text printable: a control character in a name would abort the drawing library."""
    if isinstance(part, str):
        return "".join(c if c.isprintable() else "\ufffd" for c in part)
    if isinstance(part, dict):
        return {key: _drawable(item) for key, item in part.items()}
    return [_drawable(item) for item in part] if isinstance(part, list) else part


def _spec(figure: Mapping[str, Any]) -> dict[str, Any]:
    draw = {
        "lines": _lines,
        "bars": _bars,
        "matrix": _matrix,
        "histogram": _histogram,
        "heat": _heat,
        "trade_off": trade_off,
    }[figure["kind"]]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "background": "transparent",
        "config": {
            "font": "Helvetica, Arial, sans-serif",
            "view": {"stroke": None},
            "axis": {
                "labelColor": _SOFT,
                "titleColor": _INK,
                "titleFontWeight": "normal",
                "gridColor": _GRID,
                "domainColor": _GRID,
                "tickColor": _GRID,
                "labelLimit": 190,
            },
            "legend": {"labelColor": _INK, "title": None, "orient": "top", "labelLimit": 220, "symbolOpacity": 1}
            | ({"columns": 2} if len(figure.get("series", ())) > _ONE_LINE else {}),
            "range": {"category": _COLOURS},
        },
        **draw(figure),
    }


def _lines(figure: Mapping[str, Any]) -> dict[str, Any]:
    values = _points(figure)
    shares = all(0 <= point[axis] <= 1 for point in values for axis in ("x", "y"))
    colour = _colour(figure)
    x = {"field": "x", "type": "quantitative", "title": figure["x"], "axis": {"tickCount": 5}, "scale": {"zero": False}}
    y = {"field": "y", "type": "quantitative", "title": figure["y"], "axis": {"tickCount": 5}, "scale": {"zero": False}}
    if shares and figure["name"] in _DIAGONAL:
        x["scale"] = y["scale"] = {"domain": [0, 1]}
    layers: list[dict[str, Any]] = []
    if figure["name"] in _DIAGONAL:
        layers.append(_diagonal(_DIAGONAL[figure["name"]]))
    if any("low" in point for point in values):
        layers.append(
            {
                "mark": {"type": "area", "opacity": 0.18},
                "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, **colour},
            }
        )
    few = len(values) <= 40
    layers.append(
        {
            "mark": {"type": "line", "strokeWidth": 2, "point": {"size": 26, "filled": True} if few else False},
            "encoding": {"x": x, "y": y, "order": {"field": "order", "type": "quantitative"}, **colour},
        }
    )
    return {"width": 330, "height": 250, "data": {"values": values}, "layer": layers}


def _diagonal(label: str) -> dict[str, Any]:
    ends = [{"x": 0, "y": 0}, {"x": 1, "y": 1}]
    axes = {axis: {"field": axis, "type": "quantitative"} for axis in ("x", "y")}
    return {
        "data": {"values": ends, "name": label.replace(" ", "_")},
        "mark": {"type": "line", "strokeDash": [4, 4], "color": "#9aa7ae", "strokeWidth": 1},
        "encoding": axes,
    }


def _bars(figure: Mapping[str, Any]) -> dict[str, Any]:
    values = _points(figure)
    names = list(dict.fromkeys(point["x"] for point in values))[:_MOST_BARS]
    values = [point for point in values if point["x"] in names]
    several = len(figure["series"]) > 1
    y = {
        "field": "x",
        "type": "nominal",
        "sort": names,
        "title": None,
        "axis": {"domain": False, "ticks": False, "labelPadding": 6},
    }
    x = {"field": "y", "type": "quantitative", "title": figure["y"], "axis": {"tickCount": 5}}
    offset = {"yOffset": {"field": "series", "sort": [one["name"] for one in figure["series"]]}} if several else {}
    colour = _colour(figure)
    layers: list[dict[str, Any]] = []
    if any("low" in point for point in values):
        layers = [
            {
                "mark": {"type": "rule", "strokeWidth": 2},
                "encoding": {"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}, **offset, **colour},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 55, "opacity": 1},
                "encoding": {"y": y, "x": {**x, "scale": {"zero": False}}, **offset, **colour},
            },
        ]
    else:
        layers = [
            {
                "mark": {"type": "bar", "cornerRadiusEnd": 2, "opacity": 0.9},
                "encoding": {"y": y, "x": x, **offset, **colour},
            }
        ]
    step = 16 if several else 24  # of one mark; Vega-Lite counts marks, not names, where they are offset
    width = 150 if figure.get("small") else 330
    return {"width": width, "height": {"step": step}, "data": {"values": values}, "layer": layers}


def _matrix(figure: Mapping[str, Any]) -> dict[str, Any]:
    values = _points(figure)
    rows = [one["name"] for one in figure["series"]]
    columns = list(figure["series"][0]["x"]) if figure["series"] else []
    most = max((point["y"] for point in values), default=1) or 1
    if figure["name"] in _MAPS:
        return _map(values, rows, columns)
    x = {
        "field": "x",
        "type": "nominal",
        "sort": columns,
        "title": figure["x"],
        "axis": {"labelAngle": 0, "orient": "top"},
    }
    y = {"field": "series", "type": "nominal", "sort": rows, "title": figure["y"]}
    return {
        "width": {"step": 90},
        "height": {"step": 56},
        "data": {"values": values},
        "layer": [
            {
                "mark": {"type": "rect"},
                "encoding": {
                    "x": x,
                    "y": y,
                    "color": {
                        "field": "y",
                        "type": "quantitative",
                        "legend": None,
                        "scale": {"range": ["#eef4f4", "#0b6e6e"], "domain": [0, most]},
                    },
                },
            },
            {
                "mark": {"type": "text", "fontSize": 14},
                "encoding": {
                    "x": x,
                    "y": y,
                    "text": {"field": "y", "type": "quantitative", "format": ",.6~g"},
                    "color": {"condition": {"test": f"datum.y > {most * 0.55}", "value": "white"}, "value": _INK},
                },
            },
        ],
    }


def _map(values: list[dict[str, Any]], rows: Sequence[str], columns: Sequence[str]) -> dict[str, Any]:
    """A matrix of many small cells without numbers; what is below zero has the other colour."""
    far = max((abs(point["y"]) for point in values), default=1) or 1
    cell = 300 // max(len(rows), len(columns), 1)
    axis = {"type": "nominal", "axis": None}
    scale = {"domain": [-far, 0, far], "range": ["#c2571a", "#f5f7f8", "#0b6e6e"]}
    return {
        "width": {"step": cell},
        "height": {"step": cell},
        "data": {"values": values},
        "mark": {"type": "rect"},
        "encoding": {
            "x": {"field": "x", "sort": columns, **axis},
            "y": {"field": "series", "sort": rows, **axis},
            "color": {
                "field": "y",
                "type": "quantitative",
                "scale": scale,
                "legend": {"orient": "right", "gradientLength": 220, "format": ".2~g"},
            },
        },
    }


def _histogram(figure: Mapping[str, Any]) -> dict[str, Any]:
    """Counts between edges, standing side by side; `x` of the one series are the edges, one more than counts."""
    (series,) = figure["series"]
    edges, counts = series["x"], series["y"]
    values = [
        {"from": low, "to": high, "y": count}
        for low, high, count in zip(edges, edges[1:], counts, strict=False)
        if count is not None
    ]
    kind = "temporal" if edges and isinstance(edges[0], str) else "quantitative"
    x = {"field": "from", "type": kind, "title": figure["x"], "axis": {"tickCount": 4}, "scale": {"zero": False}}
    y = {"field": "y", "type": "quantitative", "title": figure["y"], "axis": {"tickCount": 3}}
    return {
        "width": 210,
        "height": 96,
        "data": {"values": values},
        "layer": [
            {
                "mark": {"type": "rect", "color": _COLOURS[0], "opacity": 0.85, "stroke": "white", "strokeWidth": 0.5},
                "encoding": {"x": x, "x2": {"field": "to"}, "y": y, "y2": {"datum": 0}},
            }
        ],
    }


def _heat(figure: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers from -1 to 1 for names crossed with names."""
    values = _points(figure)
    rows = [one["name"] for one in figure["series"]]
    columns = list(dict.fromkeys(point["x"] for point in values))
    return {
        "width": {"step": 26},
        "height": {"step": 22},
        "data": {"values": values},
        "layer": [
            {
                "mark": {"type": "rect"},
                "encoding": {
                    "x": {"field": "x", "type": "nominal", "sort": columns, "title": None, "axis": {"labelAngle": -40}},
                    "y": {"field": "series", "type": "nominal", "sort": rows, "title": None},
                    "color": {
                        "field": "y",
                        "type": "quantitative",
                        "scale": {
                            "domain": [-1, 0, 1],
                            "range": ["#c2571a", "#f5f7f8", "#0b6e6e"],
                            "interpolate": "lab",
                        },
                        "legend": {"title": figure["y"], "orient": "right", "gradientLength": 90},
                    },
                },
            }
        ],
    }


def _points(figure: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every point of every series as one flat record."""
    found: list[dict[str, Any]] = []
    for series in figure["series"]:
        ends: Sequence[Any] = list(zip(series["low"], series["high"], strict=True)) if series.get("low") else []
        for order, (x, y) in enumerate(zip(series["x"], series["y"], strict=True)):
            point = {"series": series["name"], "x": x, "y": y, "order": order}
            if ends:
                point["low"], point["high"] = ends[order]
            found.append(point)
    return found


def _colour(figure: Mapping[str, Any]) -> dict[str, Any]:
    names = [one["name"] for one in figure["series"]]
    if len(names) < 2:
        return {"color": {"value": _COLOURS[0]}}
    return {"color": {"field": "series", "type": "nominal", "scale": {"domain": names, "range": _COLOURS}}}
