"""Payment card numbers: a range some network issues from, the right length, and Luhn's check digit.

Ranges are the issuer identification numbers of ISO/IEC 7812 as the networks publish them, 2026; Mastercard
has issued from 2221 to 2720 since 2017.
"""

import re
from collections.abc import Iterator

from sealwright.data.personal.checksums import luhn
from sealwright.data.personal.model import Confidence, Span
from sealwright.data.personal.reading import Reading, Window

__all__ = ["LEAST", "MOST", "RANGES", "find", "network_of"]

LEAST, MOST = 12, 19

RANGES: tuple[tuple[str, str, str, tuple[int, ...]], ...] = (
    ("visa", "4", "4", (13, 16, 19)),
    ("mastercard", "51", "55", (16,)),
    ("mastercard", "2221", "2720", (16,)),
    ("amex", "34", "34", (15,)),
    ("amex", "37", "37", (15,)),
    ("mir", "2200", "2204", (16, 17, 18, 19)),
    ("diners", "300", "305", (14, 16, 17, 18, 19)),
    ("diners", "3095", "3095", (14, 16, 17, 18, 19)),
    ("diners", "36", "36", (14, 15, 16, 17, 18, 19)),
    ("diners", "38", "39", (14, 16, 17, 18, 19)),
    ("jcb", "1800", "1800", (15,)),
    ("jcb", "2131", "2131", (15,)),
    ("jcb", "3528", "3589", (16, 17, 18, 19)),
    ("discover", "6011", "6011", (16, 17, 18, 19)),
    ("discover", "644", "649", (16, 17, 18, 19)),
    ("discover", "65", "65", (16, 17, 18, 19)),
    ("unionpay", "62", "62", (16, 17, 18, 19)),
    ("unionpay", "81", "81", (16, 17, 18, 19)),
    ("rupay", "60", "60", (16,)),
    ("rupay", "82", "82", (16,)),
    ("rupay", "508", "508", (16,)),
    ("troy", "9792", "9792", (16,)),
    ("maestro", "50", "50", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("maestro", "56", "58", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("maestro", "6304", "6304", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("maestro", "6390", "6390", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("maestro", "67", "67", (12, 13, 14, 15, 16, 17, 18, 19)),
)
"""Network, first and last prefix, lengths."""

_WORDS = re.compile(
    r"card|visa|master|amex|maestro|credit|debit|karte|carte|cart[aã]o|tarjeta|carta|kaart|karta|\bcc\b|\bpan\b|kredit"
)
_SEPARATED = re.compile(r"\d{4}([ -])\d{4}\1\d{4}\1\d{1,4}(?:\1\d{1,3})?|\d{4}([ -])\d{6}\2\d{4,5}", re.ASCII)
_COMMON = (15, 16)


def find(reading: Reading) -> Iterator[Span]:
    """Groups of digits that are a card number. In groups as printed on cards, or with the word nearby: sure."""
    for run in reading.runs:
        done = -1
        for window in run.windows(LEAST, MOST, groups=6):
            if window.start < done or "/" in window.raw or not luhn(window.digits):
                continue
            grade = _grade(reading, window) if network_of(window.digits) else _unknown(reading, window)
            if grade is not None:
                done = window.end
                yield Span(window.start, window.end, "card", grade)


def network_of(digits: str) -> str:
    """The network that issues from this range, or ""."""
    for network, first, last, lengths in RANGES:
        if first <= digits[: len(first)] <= last and len(digits) in lengths:
            return network
    return ""


def _unknown(reading: Reading, window: Window) -> Confidence | None:
    """Of no network we know: written as on a card, and the word beside it."""
    said = len(window.digits) == 16 and (window.raw == window.digits or _SEPARATED.fullmatch(window.raw))
    return "medium" if said and _WORDS.search(reading.before(window.start)) else None


def _grade(reading: Reading, window: Window) -> Confidence | None:
    plain = window.raw == window.digits
    if not plain and not _SEPARATED.fullmatch(window.raw):
        return "medium" if _WORDS.search(reading.before(window.start)) else None
    if not plain or _WORDS.search(reading.before(window.start)):
        return "high"
    return "medium" if len(window.digits) in _COMMON else "low"
