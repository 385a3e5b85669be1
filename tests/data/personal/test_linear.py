"""Time grows with the length of a text, not faster, however it is made: told by ratios, not by the clock."""

import time
from collections.abc import Callable

import pytest

from sealwright.data.personal import find_in_text

SMALL, FACTOR = 12_000, 8
EVIL = {
    "at signs": "@",
    "addresses that never end": "a.",
    "a@a.": "a@a.",
    "letters": "a",
    "capitals": "Aa ",
    "words": "Street ",
    "digits": "1",
    "digits apart": "1 ",
    "groups": "0123 ",
    "dashes": "12-",
    "plus": "+1 ",
    "brackets": "(0",
    "octets": "1.1.",
    "colons": "a:",
    "hex pairs": "aa:",
    "country codes": "DE89 ",
    "half an iban": "GB82WEST1234 ",
    "urls": "http://a",
    "queries": "http://a?a=b&",
    "born": "born on ",
    "born 1": "geb. 1",
    "titles": "Mr ",
    "names": "Anna ",
    "particles": "van der ",
    "streets": "1 A Street",
    "rua": "rua a ",
    "calle": "calle de la ",
    "invisible": "1\u200b",
    "wide": "１ ",
    "coordinates": "1.234,",
    "degrees": "1°1'",
    "dotted capitals": "A. ",
    "umlauts": "ß İ ",
    "straße": "Xstraße ",
    "obfuscated": "a (at) ",
}


@pytest.mark.parametrize("piece", EVIL.values(), ids=EVIL.keys())
def test_eight_times_the_text_takes_about_eight_times_as_long(piece: str) -> None:
    """A quadratic pattern would take 64 times as long."""
    text = piece * (SMALL // len(piece))
    find_in_text(text)
    ratios: list[float] = []
    while not ratios or (ratios[-1] >= FACTOR * 3 and len(ratios) < 4):  # a busy machine makes one measurement lie
        small, large = _best(lambda: find_in_text(text)), _best(lambda: find_in_text(text * FACTOR), 1)
        ratios.append(large / small if large > 0.05 else 0.0)
    assert ratios[-1] < FACTOR * 3, f"{ratios} times"


@pytest.mark.slow
def test_a_megabyte_of_every_kind_together_ends() -> None:
    text = "".join(piece * (30_000 // len(piece)) for piece in EVIL.values())
    assert len(text) > 1_000_000
    find_in_text(text)


def _best(work: Callable[[], object], times: int = 2) -> float:
    best = float("inf")
    for _ in range(times):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best
