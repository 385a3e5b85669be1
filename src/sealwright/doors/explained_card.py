"""The parts that explanations of documents and of images have in common, as lines and as a card of a page.

Nothing here loads anything. Style stands at each element, because notebooks drop style sheets.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sealwright.doors.signs import AGAINST, FOR, INK, LINE, SOFT
from sealwright.kernel import safe_html

if TYPE_CHECKING:
    from sealwright.assurance import Deletion, DocumentExplanation, ImageExplanation

__all__ = [
    "SMALL",
    "amount",
    "bar",
    "card",
    "deletion_words",
    "headline",
    "is_nothing",
    "legend",
    "notes",
    "table",
    "title",
    "what",
]

SMALL = f"font-size:13px;color:{SOFT};margin:6px 0"
_CELL = f"padding:3px 14px 3px 0;border-bottom:1px solid {LINE};text-align:left;background:#fff;color:{INK}"
_HEAD = f"padding:3px 14px 3px 0;border-bottom:1px solid {LINE};text-align:left;background:#fff;color:{SOFT};font-weight:600"

_BAR = 90  # points, of the largest effect
_CARD = (
    f"background:#fff;color:{INK};border:1px solid {LINE};border-radius:8px;padding:16px 20px;margin:0 0 14px;max-width:860px;"
    'font:15px/1.55 "Helvetica Neue",Helvetica,Arial,sans-serif'
)


def card(parts: Sequence[str]) -> str:
    """Parts of a page, already escaped, as one explanation."""
    return f"<section style='{_CARD}'>{''.join(parts)}</section>"


def amount(value: float, unit: str, *, sign: bool = False) -> str:
    """A number, with its sign where it is added; a probability with three places."""
    if is_nothing(value, unit):
        return "0.000" if unit == "probability" else "0"
    size = f"{abs(value):.3f}" if unit == "probability" else f"{abs(value):.4g}"
    return ("−" if value < 0 else "+" if sign else "") + size


def is_nothing(value: float, unit: str) -> bool:
    """Whether no place that is shown is other than zero."""
    return not (round(value, 3) if unit == "probability" else value)


def what(one: "DocumentExplanation | ImageExplanation") -> str:
    """What the effects are about, in words."""
    return "value" if one.outcome is None else f"probability of {one.outcome}"


def headline(one: "DocumentExplanation | ImageExplanation") -> str:
    """What was answered, and how surely."""
    answer = amount(one.answer, one.unit)
    if one.decided is None:
        return f"answer {answer}"
    return f"decided {one.decided}; probability{'' if one.outcome == one.decided else f' of {one.outcome}'}: {answer}"


def title(one: "DocumentExplanation | ImageExplanation") -> str:
    """The same at the head of a card."""
    first, _, rest = headline(one).rpartition(" ")
    return f"<p style='font-size:18px;margin:0 0 8px'>{safe_html(first[:1].upper() + first[1:])} <b>{rest}</b></p>"


def legend(one: "DocumentExplanation | ImageExplanation", parts: str, signs: int) -> str:
    """What signs and colours mean; strength is told by up to so many of them, or, if one, by its size."""
    goal = "a higher value" if one.outcome is None else safe_html(one.outcome)
    other = "a lower one" if one.outcome is None else "against it"
    swatches = [
        f"<span style='background:{colours[2]};color:{INK};padding:0 5px;border-radius:3px'>{sign * signs}</span>"
        for colours, sign in ((FOR, "+"), (AGAINST, "−"))
    ]
    more = "more signs" if signs > 1 else "larger signs"
    lower = f"{swatches[1]} speak for {other}" if one.outcome is None else f"{swatches[1]} speak {other}"
    return f"<p style='{SMALL}'>{parts} with {swatches[0]} speak for {goal}, with {lower}; {more}, more effect.</p>"


def deletion_words(deletion: "Deletion | str", parts: str, done: str, unit: str) -> str:
    """The fidelity of the explanation, in words."""
    if isinstance(deletion, str):
        return f"not measured: {deletion}"
    guided, by_lot, gain = (amount(one, unit) for one in (deletion.guided, deletion.by_lot, deletion.fidelity))
    verdict = "" if deletion.fidelity > 0 else ", so this explanation says nothing"
    return f"with the most important {parts} {done} the answer loses {guided}, with as many by lot {by_lot}: fidelity {gain}{verdict}"


def bar(effect: float, largest: float) -> str:
    """To the right for, to the left against."""
    width = round(_BAR * min(1.0, abs(effect) / largest)) if largest else 0
    left, colour = (_BAR, FOR[2]) if effect > 0 else (_BAR - width, AGAINST[2])
    inner = f"<div style='margin-left:{left}px;width:{width}px;height:10px;background:{colour}'></div>"
    half = f"linear-gradient({LINE},{LINE}) {_BAR}px 0/1px 100% no-repeat"
    return f"<div style='width:{2 * _BAR}px;background:{half}'>{inner}</div>"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of cells that are escaped already."""
    head = "".join(f"<th style='{_HEAD}'>{text}</th>" for text in heads)
    body = "".join("<tr>" + "".join(f"<td style='{_CELL}'>{text}</td>" for text in row) + "</tr>" for row in rows)
    style = f"border-collapse:collapse;font-size:14px;margin:8px 0;background:#fff;color:{INK}"
    return f"<table style='{style}'><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def notes(pairs: Sequence[tuple[str, str]]) -> str:
    """How far it can be trusted, a line each."""
    lines = "".join(
        f"<p style='{SMALL}'><b style='color:{INK}'>{safe_html(name)}</b> {safe_html(said)}</p>" for name, said in pairs
    )
    return f"<div style='border-top:1px solid {LINE};margin-top:12px;padding-top:6px'>{lines}</div>"
