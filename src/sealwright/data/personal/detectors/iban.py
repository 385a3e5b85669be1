"""Bank accounts written as IBAN: a country, its length, and the remainder 1 modulo 97 (ISO 13616)."""

import re
from collections.abc import Iterator

from sealwright.data.personal.checksums import iso7064_97
from sealwright.data.personal.model import Span
from sealwright.data.personal.reading import Reading

__all__ = ["LENGTHS", "find"]

LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29,
    "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29,
    "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
    "HN": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20,
    "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19,
    "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29,
    "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24,
    "SM": 27, "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
    "YE": 30,
}  # fmt: skip
"""Characters of an IBAN by country, as the SWIFT registry lists them (release of 2025)."""

_BEGIN = re.compile(r"(?<![^\W_])[A-Za-z]{2}[ ]?\d{2}(?=[ -]?[A-Za-z0-9])", re.ASCII)


def find(reading: Reading) -> Iterator[Span]:
    text = reading.text
    for begin in _BEGIN.finditer(text):
        country = begin[0][:2].upper()
        length = LENGTHS.get(country)
        end = _end(text, begin.end(), length - 4) if length else 0
        if not end:
            continue
        plain = "".join(c for c in text[begin.start() : end] if c.isalnum()).upper()
        if iso7064_97(plain[4:] + plain[:4]) == 1:
            yield Span(begin.start(), end, "iban")


def _end(text: str, place: int, wanted: int) -> int:
    """Where the last of `wanted` letters and digits ends, at most one space or hyphen between two; 0 if they end before."""
    stop = min(len(text), place + 2 * wanted)
    gap = False
    while wanted and place < stop:
        c = text[place]
        if c.isascii() and c.isalnum():
            wanted, gap = wanted - 1, False
        elif c in " -" and not gap:
            gap = True
        else:
            return 0
        place += 1
    return 0 if wanted or text[place : place + 1].isalnum() else place
