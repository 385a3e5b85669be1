"""An explained image: its regions with signs, for a terminal and as a card of a page with the image in it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sealwright.doors.explained_card import (
    SMALL,
    amount,
    bar,
    card,
    deletion_words,
    headline,
    is_nothing,
    legend,
    notes,
    table,
    title,
    what,
)
from sealwright.doors.png import png_address
from sealwright.doors.signs import AGAINST, FOR, INK, LINE, level_of, signs_of, strongest
from sealwright.kernel import safe_html

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sealwright.assurance import ImageExplanation, RegionEffect

__all__ = ["card_of_image", "lines_of_image"]

_SIDE = 256  # points, of the longer side as it is shown
_SHOWN = 5
_SMALL_IMAGE = 100  # pixels a side below which they are shown as squares
_SIGN = (11, 14, 17)  # points, from one sign to three
_VEIL = 0.4  # of the image under its map


def lines_of_image(one: "ImageExplanation") -> list[str]:
    """Plain lines, with a map of signs: one cell a region."""
    effects = [item.effect for item in one.regions]
    largest = strongest(effects, one.unit)
    cells = [signs_of(effect, largest) or "." for effect in effects]
    grid = [" ".join(f"{cell:>3}" for cell in cells[at : at + one.columns]) for at in range(0, len(cells), one.columns)]
    return [
        headline(one),
        f"  what covering each region takes from the {what(one)}:",
        *(f"  {line}" for line in grid),
        *(f"  {_where(one, item)}: {amount(item.effect, one.unit, sign=True)}" for item in _most(one)),
        *(f"  {name}: {said}" for name, said in _notes(one)),
    ]


def card_of_image(one: "ImageExplanation") -> str:
    """A card that loads nothing: the image, and a map over it for each way it was explained."""
    grey = png_address(_grey(one))
    about = safe_html(what(one))
    figures = [
        _figure(_svg(one, png_address(one.pixels), "", 1.0, "the image"), "the image"),
        _map(
            one, grey, [item.effect for item in one.regions], f"what covering a region takes from the {about}", one.unit
        ),
    ]
    parts = [item.gradient for item in one.regions if item.gradient is not None]
    if len(parts) == len(one.regions):
        figures.append(_map(one, grey, parts, "where the score comes from (integrated gradients)", "score"))
    row = f"<div style='display:flex;flex-wrap:wrap;gap:18px;margin:6px 0'>{''.join(figures)}</div>"
    return card([title(one), row, legend(one, "Regions", 1), _table(one), notes(_notes(one))])


def _map(one: "ImageExplanation", grey: str, effects: Sequence[float], caption: str, unit: str) -> str:
    """The regions in their colours over the faded image; `caption` is escaped already."""
    scale, largest = _scale(one), strongest(effects, unit)
    shapes = []
    for item, effect in zip(one.regions, effects, strict=True):
        level = level_of(effect, largest)
        if not level:
            continue
        top, left, bottom, right = (edge * scale for edge in item.box)
        colour, sign = (FOR, "+") if effect > 0 else (AGAINST, "−")
        title = f"<title>{_where(one, item)}: {effect:+.3g}</title>"
        shapes.append(
            f"<rect x='{left:.1f}' y='{top:.1f}' width='{right - left:.1f}' height='{bottom - top:.1f}'"
            f" fill='{colour[level - 1]}' fill-opacity='0.85'>{title}</rect>"
            f"<text x='{(left + right) / 2:.1f}' y='{(top + bottom) / 2:.1f}' font-size='{_SIGN[level - 1]}' fill='{INK}'"
            f" font-weight='700' text-anchor='middle' dominant-baseline='central'>{sign}</text>"
        )
    said = f"map of {one.rows} by {one.columns} regions: {caption}"
    return _figure(_svg(one, grey, "".join(shapes), _VEIL, said), caption)


def _svg(one: "ImageExplanation", address: str, shapes: str, opacity: float, said: str) -> str:
    height, width = (side * _scale(one) for side in one.pixels.shape[:2])
    squares = "image-rendering:pixelated" if max(one.pixels.shape[:2]) < _SMALL_IMAGE else ""
    return (
        f"<svg width='{width:.0f}' height='{height:.0f}' viewBox='0 0 {width:.1f} {height:.1f}' role='img' aria-label='{said}'"
        f" style='border:1px solid {LINE};background:#fff'><image href='{address}' width='{width:.1f}' height='{height:.1f}'"
        f" preserveAspectRatio='none' opacity='{opacity}' style='{squares}'/>{shapes}</svg>"
    )


def _figure(svg: str, caption: str) -> str:
    return (
        f"<figure style='margin:0;max-width:{_SIDE}px'>{svg}<figcaption style='{SMALL}'>{caption}</figcaption></figure>"
    )


def _table(one: "ImageExplanation") -> str:
    largest = strongest([item.effect for item in one.regions], one.unit)
    rows = [
        (_where(one, item), amount(item.effect, one.unit, sign=True), bar(item.effect, largest)) for item in _most(one)
    ]
    return table(("region", safe_html(f"covering it takes from the {what(one)}"), ""), rows) if rows else ""


def _notes(one: "ImageExplanation") -> list[tuple[str, str]]:
    covered = "none" if one.covered is None else amount(one.covered, one.unit)
    exact = one.completeness
    if not isinstance(exact, str):
        alike = "" if exact.agreement is None else f"; rank correlation with covering {exact.agreement:.2f}"
        exact = (
            f"integrated gradients, which must, miss the score they share out by {100 * exact.error:.2g} % of it{alike}"
        )
    return [
        ("adds up", f"effects of covering need not; {exact}"),
        ("deletion", deletion_words(one.deletion, "regions", "covered", one.unit)),
        ("method", f"{one.method}; the answer to the mean image itself is {covered}"),
    ]


def _most(one: "ImageExplanation") -> "list[RegionEffect]":
    some = [item for item in one.regions if not is_nothing(item.effect, one.unit)]
    return sorted(some, key=lambda item: -abs(item.effect))[:_SHOWN]


def _where(one: "ImageExplanation", item: "RegionEffect") -> str:
    return f"row {item.row} of {one.rows}, column {item.column} of {one.columns}"


def _scale(one: "ImageExplanation") -> float:
    """Points for a pixel."""
    return float(_SIDE / max(one.pixels.shape[:2]))


def _grey(one: "ImageExplanation") -> "NDArray[np.floating]":
    colours = one.pixels[..., :3] if one.pixels.shape[2] >= 3 else one.pixels[..., :1]
    grey: NDArray[np.floating] = colours.mean(axis=2, keepdims=True)
    return grey
