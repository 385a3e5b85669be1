"""Geographic coordinates: a latitude and a longitude fine enough to name a house."""

import re
from collections.abc import Iterator

from sealwright.data.personal.model import Span
from sealwright.data.personal.reading import Reading

__all__ = ["find"]

_DECIMAL = re.compile(
    r"(?<![\w.,])([+-]?\d{1,2}\.\d{3,15})°?[ ]?([NSns])?[ ]?[,;/ ][ ]?([+-]?\d{1,3}\.\d{3,15})°?[ ]?([EWOewo])?(?![\w]|[.,]\d)",
    re.ASCII,
)
_DEGREES = re.compile(
    r"(?<![\w.])\d{1,2}°[ ]?\d{1,2}['′][ ]?\d{1,2}(?:[.,]\d{1,6})?(?:\"|″|'')?[ ]?[NSns][ ,;/]{1,3}"
    r"\d{1,3}°[ ]?\d{1,2}['′][ ]?\d{1,2}(?:[.,]\d{1,6})?(?:\"|″|'')?[ ]?[EWOewo](?![A-Za-z])"
)
_WORDS = re.compile(r"coord|gps|\blat|\blon|\blng|location|position|standort|geo|ubicaci|posizione|maps|@$")


def find(reading: Reading) -> Iterator[Span]:
    text = reading.text
    if "°" in text:
        yield from (Span(*match.span(), kind="coordinates") for match in _DEGREES.finditer(text))
    if text.count(".") < 2:
        return
    for match in _DECIMAL.finditer(text):
        latitude, longitude = float(match[1]), float(match[3])
        if abs(latitude) > 90 or abs(longitude) > 180:
            continue
        fine = min(len(match[1].partition(".")[2]), len(match[3].partition(".")[2])) >= 4
        sure = bool(match[2] and match[4]) or bool(_WORDS.search(reading.before(match.start(), 30)))
        near_zero = abs(latitude) < 1 and abs(longitude) < 1  # rather two shares than a place in the Atlantic
        if sure or (fine and not near_zero):
            yield Span(*match.span(), kind="coordinates", confidence="high" if sure else "medium")
