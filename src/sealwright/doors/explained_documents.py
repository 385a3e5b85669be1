"""An explained document: its words with signs, for a terminal and as a card of a page.

What stands in a document is somebody else's text. It is escaped word by word, and gap by gap.
"""

import re
import textwrap
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
from sealwright.doors.signs import INK, WASH, colour_of, signs_of, strongest
from sealwright.kernel import safe_html

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sealwright.assurance import DocumentExplanation, WordEffect

__all__ = ["card_of_document", "lines_of_document"]

_SHOWN, _WIDTH, _LONGEST = 10, 100, 40
_JOINER = "\N{WORD JOINER}"  # no line begins with the signs of a word


def lines_of_document(one: "DocumentExplanation") -> list[str]:
    """Plain lines; a word with effect stands in brackets behind its signs."""
    lines = [headline(one)]
    if total := _sum(one):
        lines.append(f"  {total}")
    shown = [(_short(item.word), _effect(one, item)) for item in _first(one)]
    wide = max((len(word) for word, _ in shown), default=0)
    lines += [f"  {word:<{wide}}  {effect}" for word, effect in shown]
    if len(one.words) > len(shown):
        lines.append(f"  {_rest(one)}")
    marked = "".join(f"[{signs}{text}]" if signs else text for text, signs, _ in _parts(one))
    lines += textwrap.wrap(
        re.sub(r"\s+", " ", marked), _WIDTH, initial_indent="  | ", subsequent_indent="  | ", break_on_hyphens=False
    )
    return [*lines, *(f"  {name}: {said}" for name, said in _notes(one))]


def card_of_document(one: "DocumentExplanation") -> str:
    """A card that loads nothing; every text is escaped."""
    box = (
        f"background:{WASH};border-radius:6px;padding:10px 14px;white-space:pre-wrap;overflow-wrap:anywhere;"
        "unicode-bidi:isolate;max-height:26em;overflow:auto;line-height:1.9"
    )
    words = "".join(_marked(text, signs, effect, one) for text, signs, effect in _parts(one))
    total = _sum(one)
    return card(
        [
            title(one),
            f"<p style='margin:0 0 10px'>{safe_html(total)}</p>" if total else "",
            f"<div dir='auto' style='{box}'>{words}</div>",
            legend(one, "Words", 3),
            _table(one) if one.words else "",
            notes(_notes(one)),
        ]
    )


def _sum(one: "DocumentExplanation") -> str:
    """How the answer comes about, where the effects add up to it."""
    if one.base is None:
        return ""
    effects = [item.effect or 0.0 for item in one.words]
    up, down = sum(value for value in effects if value > 0), sum(value for value in effects if value < 0)
    base, raised, lowered = amount(one.base, one.unit), amount(up, one.unit), amount(-down, one.unit)
    answer, words = amount(one.answer, one.unit), "these words" if one.unseen else "its words"
    good, bad = ("that raise it", "that lower it") if one.outcome is None else ("for it", "against it")
    return f"{base} without {words} + {raised} by words {good} − {lowered} by words {bad} = {answer}"


def _parts(one: "DocumentExplanation") -> "Iterator[tuple[str, str, float]]":
    """The document piece by piece: text, signs ("" for gaps and words without effect), effect."""
    largest, at = _largest(one), 0
    placed = sorted((begin, end, _sure(item)) for item in one.words for begin, end in item.places)
    for begin, end, effect in placed:
        if signs := signs_of(effect, largest):
            yield one.text[at:begin], "", 0.0
            yield one.text[begin:end], signs, effect
            at = end
    yield one.text[at:], "", 0.0


def _marked(text: str, signs: str, effect: float, one: "DocumentExplanation") -> str:
    if not signs:
        return safe_html(text)
    colour = colour_of(effect, _largest(one))
    line = "solid" if effect > 0 else "dotted"
    style = f"background:{colour};color:{INK};border-bottom:2px {line} {INK};border-radius:3px;padding:0 2px"
    number = amount(effect, one.unit, sign=True)
    sign = f"<span style='font-size:11px;font-weight:700;white-space:nowrap;margin-left:3px'>{_JOINER}{signs}</span>"
    return f"<mark title='{number}' style='{style}'>{safe_html(text)}{sign}</mark>"


def _table(one: "DocumentExplanation") -> str:
    largest = _largest(one)
    heads = ("word", safe_html(f"adds to the {what(one)}"), "", "lost without it alone", "times")
    rows = [
        (
            safe_html(_short(item.word)),
            _effect(one, item),
            bar(item.effect or 0.0, largest),
            "no answer" if item.alone is None else amount(item.alone, one.unit),
            f"{len(item.places)}",
        )
        for item in _first(one)
    ]
    rest = f"<p style='{SMALL}'>{safe_html(_rest(one))}</p>" if len(one.words) > len(rows) else ""
    return (table(heads, rows) if rows else "") + rest


def _effect(one: "DocumentExplanation", item: "WordEffect") -> str:
    """An effect and its standard error, where that is more than nothing."""
    if item.effect is None:
        return "no answer without it"
    error = "" if is_nothing(item.error or 0.0, one.unit) else f" ± {amount(item.error or 0.0, one.unit)}"
    return amount(item.effect, one.unit, sign=True) + error


def _sure(item: "WordEffect") -> float:
    """The effect; 0 where it may as well be none, within two standard errors."""
    effect = item.effect or 0.0
    return effect if abs(effect) > 2 * (item.error or 0.0) else 0.0


def _short(word: str) -> str:
    return word if len(word) <= _LONGEST else f"{word[: _LONGEST - 1]}…"


def _rest(one: "DocumentExplanation") -> str:
    rest = one.words[len(_first(one)) :]
    total = amount(sum(item.effect or 0.0 for item in rest), one.unit, sign=True)
    return f"{len(rest)} {'more ' * (len(rest) < len(one.words))}word{'s' * (len(rest) != 1)}: {total}"


def _first(one: "DocumentExplanation") -> "list[WordEffect]":
    """The words that are listed: the first ones, while they have an effect."""
    return [item for item in one.words[:_SHOWN] if item.effect is None or not is_nothing(item.effect, one.unit)]


def _notes(one: "DocumentExplanation") -> list[tuple[str, str]]:
    exact = f"to within {one.additivity:.1g}" if not isinstance(one.additivity, str) else one.additivity
    adds_up = f"the parts are the model's own answer {exact}" if one.base is not None else exact
    found = [
        ("adds up", adds_up),
        ("deletion", deletion_words(one.deletion, "words", "deleted", one.unit)),
        ("method", f"{one.method}; ± is the standard error over the orders" if one.base is not None else one.method),
    ]
    seen = f"the first {len(one.words):,} different words were looked at, {one.unseen:,} further ones never left out"
    return [*found, ("not looked at", seen)] if one.unseen else found


def _largest(one: "DocumentExplanation") -> float:
    return strongest([item.effect or 0.0 for item in one.words], one.unit)
