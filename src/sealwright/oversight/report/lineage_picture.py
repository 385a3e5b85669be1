"""A lineage as a picture: boxes from left to right in the order things were made, lines for what was made from what.

Plain SVG without script: it opens in a browser and prints. Every text in it is escaped.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

__all__ = ["lineage_svg"]

_BOX_W, _BOX_H, _GAP_X, _GAP_Y, _MARGIN = 190, 52, 96, 18, 24
_INK, _LINE, _PAPER = "#1f2933", "#9aa5b1", "#ffffff"
_FILL = {
    "source": "#e8eef4",
    "snapshot": "#dcefe6",
    "model": "#fdf0d5",
    "version": "#e9e3f5",
    "decisions": "#fbe3e0",
}


def lineage_svg(nodes: Sequence[Mapping[str, Any]], edges: Sequence[Mapping[str, Any]], *, title: str) -> str:
    """Draw a lineage.

    Parameters
    ----------
    nodes : sequence of {id, kind, label, state?}
    edges : sequence of {of, to, how}

    Returns
    -------
    str
        A whole SVG document.
    """
    depth = _depths([str(node["id"]) for node in nodes], edges)
    columns: dict[int, list[Mapping[str, Any]]] = {}
    for node in nodes:
        columns.setdefault(depth[str(node["id"])], []).append(node)
    tallest = max((len(column) for column in columns.values()), default=1)
    width = 2 * _MARGIN + len(columns) * _BOX_W + max(0, len(columns) - 1) * _GAP_X
    height = 2 * _MARGIN + 28 + tallest * (_BOX_H + _GAP_Y)
    places = {
        str(node["id"]): (
            _MARGIN + place * (_BOX_W + _GAP_X),
            _MARGIN + 28 + row * (_BOX_H + _GAP_Y) + (tallest - len(columns[level])) * (_BOX_H + _GAP_Y) / 2,
        )
        for place, level in enumerate(sorted(columns))
        for row, node in enumerate(columns[level])
    }
    lines = [_edge(edge, places) for edge in edges if edge["of"] in places and edge["to"] in places]
    boxes = [_box(node, places[str(node["id"])]) for node in nodes]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:.0f}" width="{width}" height="{height:.0f}"'
        f' role="img" aria-label="{escape(title)}" font-family="system-ui, sans-serif" font-size="12" fill="{_INK}">'
        f'<rect width="100%" height="100%" fill="{_PAPER}"/>'
        f'<text x="{_MARGIN}" y="{_MARGIN}" font-size="15" font-weight="600">{escape(title)}</text>'
        + "".join(lines)
        + "".join(boxes)
        + "</svg>\n"
    )


def _depths(names: Sequence[str], edges: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """How many steps after its sources each node comes: the longest way to it."""
    depth = dict.fromkeys(names, 0)
    for _ in names:  # as many rounds as the longest way can have steps
        changed = False
        for edge in edges:
            of, to = str(edge["of"]), str(edge["to"])
            if of in depth and to in depth and depth[to] < depth[of] + 1 <= len(names):
                depth[to] = depth[of] + 1
                changed = True
        if not changed:
            break
    return depth


def _box(node: Mapping[str, Any], place: tuple[float, float]) -> str:
    x, y = place
    gone = node.get("state") in {"replaced", "disposed"}
    short = str(node["id"]).rsplit("/", 1)[-1].removeprefix("sha256:")[:12]
    what = str(node["kind"]) + (f", {node['state']}" if gone else "")
    dash = ' stroke-dasharray="4 3"' if gone else ""
    return (
        f"<g><title>{escape(str(node['id']))}</title>"
        f'<rect x="{x}" y="{y}" width="{_BOX_W}" height="{_BOX_H}" rx="7" fill="{_FILL.get(str(node["kind"]), _PAPER)}"'
        f' stroke="{_LINE}"{dash}/>'
        f'<text x="{x + 10}" y="{y + 21}" font-weight="600">{escape(_cut(str(node["label"]), 24))}</text>'
        f'<text x="{x + 10}" y="{y + 39}" fill="#52606d">{escape(what)} · {escape(short)}</text></g>'
    )


def _edge(edge: Mapping[str, Any], places: Mapping[str, tuple[float, float]]) -> str:
    (x1, y1), (x2, y2) = places[str(edge["of"])], places[str(edge["to"])]
    x1, y1, y2 = x1 + _BOX_W, y1 + _BOX_H / 2, y2 + _BOX_H / 2
    bend = (x2 - x1) / 2
    how = str(edge["how"])
    return (
        f'<path d="M{x1} {y1:.1f} C{x1 + bend} {y1:.1f} {x2 - bend} {y2:.1f} {x2} {y2:.1f}" fill="none" stroke="{_LINE}"'
        f' stroke-width="1.4"><title>{escape(how)}</title></path>'
        f'<text x="{x1 + bend}" y="{(y1 + y2) / 2 - 5:.1f}" text-anchor="middle" font-size="10.5" fill="#52606d">'
        f"{escape(_cut(how.split(',')[0], 15))}</text>"
    )


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
