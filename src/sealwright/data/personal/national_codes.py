"""National numbers that hold letters: the shape says most, a check letter the rest."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sealwright.data.personal.model import Confidence, Span
from sealwright.data.personal.national_numbers import cn_id, fr_nir
from sealwright.data.personal.reading import Reading

__all__ = ["CHANCE", "codes_passed", "find"]

_ANY = re.compile(r"[A-Za-z][ -]?\d|\d[ -]?[A-Za-z]|\d[+-]\d", re.ASCII)
_DNI = "TRWAGMYFPDXBNJZSQVHLCKE"
_HETU = "0123456789ABCDEFHJKLMNPRSTUVWXY"
_ODD = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
        strict=True,
    )
)  # fmt: skip
_RVNR = (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1)


def uk_nino(code: str) -> bool:
    """Prefixes that are never used (HMRC manual NIM39110)."""
    return code[:2] not in {"BG", "GB", "NK", "KN", "TN", "NT", "ZZ"}


def es_dni(code: str) -> bool:
    """The letter is the number modulo 23."""
    return _DNI[int(code[:8]) % 23] == code[8]


def es_nie(code: str) -> bool:
    """X, Y, Z stand for 0, 1, 2."""
    return es_dni(f"{'XYZ'.index(code[0])}{code[1:]}")


def it_cf(code: str) -> bool:
    """Letters at odd places by a table, at even places by their order; modulo 26 (Italian decree of 1976)."""
    total = sum(_ODD[c] for c in code[:15:2]) + sum(int(c) if c.isdigit() else ord(c) - 65 for c in code[1:15:2])
    return chr(65 + total % 26) == code[15]


def in_pan(code: str) -> bool:
    """The fourth letter of a person's number is P."""
    return code[3] == "P"


def fi_hetu(code: str) -> bool:
    """Date and serial modulo 31."""
    return _HETU[int(code[:6] + code[7:10]) % 31] == code[10]


def mx_curp(code: str) -> bool:
    """A month and a day inside."""
    return 1 <= int(code[6:8]) <= 12 and 1 <= int(code[8:10]) <= 31


def de_rvnr(code: str) -> bool:
    """Digit sums of the weighted digits modulo 10, the letter as its place in the alphabet (VKVV § 4)."""
    digits = f"{code[:8]}{ord(code[8]) - 64:02d}{code[9:]}"
    total = sum(sum(divmod(int(c) * weight, 10)) for c, weight in zip(digits[:12], _RVNR, strict=True))
    return total % 10 == int(digits[12])


def fr_nir_corsica(code: str) -> bool:
    """2A counts as 19, 2B as 18."""
    return fr_nir(code.replace("2A", "19", 1) if code[5:7] == "2A" else code.replace("2B", "18", 1))


@dataclass(frozen=True, slots=True)
class _Code:
    scheme: str
    pattern: re.Pattern[str]
    rule: Callable[[str], bool]
    alone: Confidence
    chance: float
    words: str


def _code(
    scheme: str, pattern: str, rule: Callable[[str], bool], alone: Confidence, chance: float, words: str
) -> _Code:
    whole = re.compile(rf"(?<![^\W_]){pattern}(?![^\W_])", re.ASCII | re.IGNORECASE)
    return _Code(scheme, whole, rule, alone, chance, words)


_CF = "[0-9LMNPQRSTUV]"  # digits give way to letters where two people would share a code
_TABLE = (
    _code("uk_nino", r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]", uk_nino, "high", 0.9, r"nino|national ins"),
    _code("es_dni", r"\d{8}[ -]?[A-Z]", es_dni, "medium", 0.043, r"dni|nif"),
    _code("es_nie", r"[XYZ][ -]?\d{7}[ -]?[A-Z]", es_nie, "high", 0.043, r"nie|nif"),
    _code("it_cf", rf"[A-Z]{{6}} ?{_CF}{{2}}[ABCDEHLMPRST]{_CF}{{2}} ?[A-Z]{_CF}{{3}}[A-Z]", it_cf, "high", 0.038, r"fiscale|\bcf\b"),
    _code("in_pan", r"[A-Z]{3}P[A-Z]\d{4}[A-Z]", in_pan, "medium", 1.0, r"\bpan\b"),
    _code("fi_hetu", r"(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])\d{2}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]", fi_hetu, "high", 0.032, r"hetu|henkil"),
    _code("mx_curp", r"[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z0-9]\d", mx_curp, "high", 0.5, r"curp"),
    _code("de_rvnr", r"\d{2} ?(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])\d{2} ?[A-Z] ?\d{3}", de_rvnr, "high", 0.1, r"renten|sozialvers|versicherungsn"),
    _code("fr_nir", r"[1-478] ?\d{2} ?\d{2} ?2[AB] ?\d{3} ?\d{3} ?\d{2}", fr_nir_corsica, "high", 0.01, r"nir|sociale|insee"),
    _code("cn_id", r"[1-8]\d{16}X", cn_id, "high", 0.002, r"id"),
)  # fmt: skip
CHANCE = {one.scheme: one.chance for one in _TABLE}


def find(reading: Reading) -> Iterator[Span]:
    if not _ANY.search(reading.text):
        return
    for one in _TABLE:
        for match in one.pattern.finditer(reading.text):
            plain = match[0].replace(" ", "").upper()
            if one.scheme != "fi_hetu":
                plain = plain.replace("-", "")
            if one.rule(plain):
                near = re.search(one.words, reading.before(match.start()))
                yield Span(
                    *match.span(), kind="national_id", confidence="high" if near else one.alone, scheme=one.scheme
                )


def codes_passed(value: str) -> Iterator[tuple[str, bool]]:
    """For a cell that is one code: every scheme with letters of that pattern, and whether its rule holds."""
    if len(value) <= 24 and _ANY.search(value):
        for one in _TABLE:
            if one.pattern.fullmatch(value):
                plain = value.replace(" ", "").upper()
                yield one.scheme, one.rule(plain if one.scheme == "fi_hetu" else plain.replace("-", ""))
