"""Explanations of rows, documents and images in the hand: as text for a terminal, as tables and cards for a notebook.

What is shown is about single persons. It is rendered where it was asked for, and kept nowhere.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar, overload

from sealwright.kernel import safe, safe_html

if TYPE_CHECKING:
    from sealwright.assurance import DocumentExplanation, ImageExplanation, RowExplanation

__all__ = ["Explanations"]

Explained: TypeAlias = "RowExplanation | DocumentExplanation | ImageExplanation"
One = TypeVar("One", bound=Explained)

_SHOWN = 10


class Explanations(Sequence[One], Generic[One]):
    """One explanation for each row, document or image, in their order. A notebook shows them."""

    def __init__(self, rows: Sequence[One]) -> None:
        self._rows = tuple(rows)

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> One: ...
    @overload
    def __getitem__(self, place: slice) -> "Explanations[One]": ...
    def __getitem__(self, place: int | slice) -> "One | Explanations[One]":
        return Explanations(self._rows[place]) if isinstance(place, slice) else self._rows[place]

    def to_json(self) -> list[dict[str, Any]]:
        return [one.to_json() for one in self._rows]

    def text(self) -> str:
        """Plain lines, a paragraph for each; nothing in them can steer a terminal."""
        paragraphs = ([safe(line.replace("\n", " ")) for line in _ways_of(one)[0](one)] for one in self._rows)
        return "\n\n".join("\n".join(lines) for lines in paragraphs)

    def html(self) -> str:
        """Tables and cards that load nothing; every value is escaped."""
        return "\n".join(_ways_of(one)[1](one) for one in self._rows)

    def _repr_html_(self) -> str:
        return self.html()

    def __str__(self) -> str:
        return self.text()


def _ways_of(one: Explained) -> tuple[Callable[[Any], list[str]], Callable[[Any], str]]:
    """How this kind of explanation becomes lines, and a block of a page."""
    from sealwright.assurance import DocumentExplanation, ImageExplanation

    if isinstance(one, DocumentExplanation):
        from sealwright.doors.explained_documents import card_of_document, lines_of_document

        return lines_of_document, card_of_document
    if isinstance(one, ImageExplanation):
        from sealwright.doors.explained_images import card_of_image, lines_of_image

        return lines_of_image, card_of_image
    return _lines, _table


def _lines(one: "RowExplanation") -> list[str]:
    lines = [_headline(one), f"  without knowing the row: {one.base:.4g} {one.unit}"]
    wide = max(len(item.feature) for item in one.contributions[:_SHOWN])
    lines += [
        f"  {item.feature:<{wide}}  {item.phi:+.4f}  ({_cell(item.value)})" for item in one.contributions[:_SHOWN]
    ]
    rest = one.contributions[_SHOWN:]
    if rest:
        lines.append(f"  {len(rest)} more features: {sum(item.phi for item in rest):+.4f}")
    return [*lines, *(f"  {what}: {said}" for what, said in _besides(one))]


def _table(one: "RowExplanation") -> str:
    rows = "".join(
        f"<tr><td>{safe_html(item.feature)}</td><td>{safe_html(_cell(item.value))}</td>"
        f'<td style="text-align:right">{item.phi:+.4f}</td></tr>'
        for item in one.contributions[:_SHOWN]
    )
    besides = "".join(f"<p><b>{safe_html(what)}</b>: {safe_html(said)}</p>" for what, said in _besides(one))
    return (
        f"<div><p><b>{safe_html(_headline(one))}</b></p>"
        f"<table><thead><tr><th>feature</th><th>value</th><th>adds, {safe_html(one.unit)}</th></tr></thead>"
        f"<tbody>{rows}</tbody></table>{besides}</div>"
    )


def _headline(one: "RowExplanation") -> str:
    if one.decided is None:
        return f"answer {one.answer:.6g}"
    return f"decided {one.decided}; probability of {one.outcome} {one.answer:.3f}"


def _besides(one: "RowExplanation") -> list[tuple[str, str]]:
    """The cheapest change, the nearest prototype and the local line, or why there is none; then how it was done."""
    change, nearest, line = one.change, one.nearest, one.line
    if not isinstance(change, str):
        moves = ", ".join(f"{name} {_cell(was)} → {_cell(now)}" for name, (was, now) in change.changes.items())
        change = f"{change.wanted} with {moves} (price {change.cost:.2f}, probability {change.answer:.3f})"
    if not isinstance(nearest, str):
        nearest = f"a row learned from at distance {nearest.distance:.2f}, decided {nearest.decided}"
    if not isinstance(line, str):
        first = ", ".join(f"{name} {effect:+.3f}" for name, effect in list(line.effects.items())[:3])
        line = f"{first} (fidelity {line.fidelity:.2f})"
    return [
        ("cheapest change found", change),
        ("nearest prototype", nearest),
        ("local line", line),
        ("method", one.method),
    ]


def _cell(value: float | str | None) -> str:
    if value is None:
        return "missing"
    return value if isinstance(value, str) else f"{value:.6g}"
