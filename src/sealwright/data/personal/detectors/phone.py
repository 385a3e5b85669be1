"""Telephone numbers, by the numbering plans of the world (the metadata of libphonenumber).

With a country code a number stands for itself. Without one it is held against the plans of `REGIONS`, and against how
numbers are written: digits in groups, a leading 0 or brackets, or a word such as "Tel" in front.
"""

import re
from collections.abc import Iterator
from functools import cache, lru_cache

import phonenumbers

from sealwright.data.personal.model import Confidence, Span
from sealwright.data.personal.reading import Reading, Run

__all__ = ["REGIONS", "find"]

REGIONS = (
    "US", "GB", "DE", "FR", "ES", "IT", "NL", "BE", "CH", "AT", "PL", "PT", "SE", "DK", "NO", "FI", "IE", "CZ", "BR",
    "MX", "IN", "AU", "NZ", "JP", "ZA", "TR", "CN", "GR", "HU", "RO",
)  # fmt: skip
"""Plans that a number without country code is tried against, in this order."""

_WORDS = re.compile(
    r"(?:tel|phone|mobil|cell|fax|call|ring|dial|sms|text me|whatsapp|handy|telefon|t[ée]l[ée]|ruf|portable|gsm|movil|móvil"
    r"|llam|cellulare|chiam|bel |mob\b|ph\b|hotline|contact|reach|num[ée]ro|número|nummer|number|\+ ?$)[^.!?\n]{0,30}$"
)
_NOT = re.compile(
    r"\d{4}[-./]\d{1,2}[-./]\d{1,2}(?!\d)|\d{1,2}[-./]\d{1,2}[-./](?:19|20)\d{2}(?!\d)|\d{1,3}(?:\.\d{1,3}){3}$|\d{1,3}(?:\.\d{3})+$"
    r"|\d{1,2}/\d{1,2}/\d{2}$|\d+\.\d+$|97[89][- ]?\d+[- ]\d|\d{3}-\d{2}-\d{4}$"
)
_WRITTEN = re.compile(
    r"\(0?\d{1,5}\)[ -/]{0,2}\d[\d .\-/]*|0\d{1,5}[ \-/.][\d .\-/()]+|\d{3}[-. ]\d{3}[-. ]\d{4}|1[-. ]\d{3}[-. ]\d{3}[-. ]\d{4}"
    r"|[6-9]\d{2}[ .]\d{3}[ .]\d{3}|[6-9]\d{2} \d{2} \d{2} \d{2}|3\d{2}[ -]\d{3}[ -]?\d{4}|3\d{2}[ -]\d{6,7}|[6-9]\d{4}[ -]\d{5}"
    r"|\d{2} \d{2} \d{2} \d{2}|\d{2} \d{4,5}-\d{4}"
)
_TAIL = re.compile(
    r"(?:[ ,]{0,2}(?:ext\.?|extension|x|#|dw|durchwahl|poste|int\.?|app\.?)[ .:]{0,2}\d{1,6})(?![\w])",
    re.IGNORECASE | re.ASCII,
)
_WORTH_A_TRY = 3  # windows from one place on; a table of numbers is no list of telephones


def find(reading: Reading) -> Iterator[Span]:
    for run in reading.runs:
        yield from _in_run(reading, run)


def _in_run(reading: Reading, run: Run) -> Iterator[Span]:
    done, tried, place = -1, 0, -1
    windows = sorted(run.windows(6, 15, groups=7), key=lambda one: (one.start, -one.end))
    for window in windows:
        if window.start != place:
            place, tried = window.start, 0
        if window.start < done or tried >= _WORTH_A_TRY:
            continue
        start = _with_prefix(reading.text, window.start)
        raw = reading.text[start : window.end]
        if len(window.digits) * 2 > len(window.raw) + 1 and not _NOT.match(raw):
            tried += 1
        else:
            continue
        whole = window.start == run.groups[0][0] and window.end == run.end
        grade = _grade(reading, raw, start, whole=whole)
        if grade is not None:
            tail = _TAIL.match(reading.text, window.end)
            done = tail.end() if tail else window.end
            yield Span(start, done, "phone", grade)


def _with_prefix(text: str, start: int) -> int:
    """Where a number begins that has + or ( in front."""
    for prefix in ("(+", "+", "("):
        if text.startswith(prefix, start - len(prefix)) and start >= len(prefix):
            return start - len(prefix)
    return start


def _grade(reading: Reading, raw: str, start: int, *, whole: bool) -> Confidence | None:
    near = _said(reading, start)
    if raw.lstrip("(").startswith(("+", "00", "011")):
        if _valid(raw, None):
            return "high"
        return "medium" if near and 8 <= sum(map(str.isdigit, raw)) <= 15 else None
    written = bool(_WRITTEN.fullmatch(raw))
    zero_first = raw.isdigit() and raw[0] == "0" and 10 <= len(raw) <= 12
    glued = (
        reading.text[max(0, start - 2) : start].rstrip("-/_.#")[-1:].isalnum()
        and start > 0
        and not reading.text[start - 1].isspace()
    )
    if glued and not near:
        return None  # the end of a product code
    if not near and not (whole and written) and not zero_first:
        return None
    if sum(map(str.isdigit, raw)) < 7 or not any(_valid(raw, region) for region in REGIONS):
        return "medium" if near and (written or zero_first) else None
    if near:
        return "high"
    return "medium" if written else "low"


def _said(reading: Reading, start: int) -> bool:
    """Whether a word such as "Tel" stands shortly before."""
    before = reading.before(start)
    return any(c.isalpha() or c == "+" for c in before) and _WORDS.search(before) is not None


@lru_cache(maxsize=4096)
def _valid(raw: str, region: str | None) -> bool:
    digits = "".join(c for c in raw if c.isdigit())
    if region is None:
        plain = raw.replace("(0)", "").lstrip("(")
        text = "+" + re.sub(r"^\+?(?:00|011)?", "", "".join(c for c in plain if c.isdigit() or c == "+"))
        try:
            return phonenumbers.is_valid_number(phonenumbers.parse(text, None))
        except phonenumbers.NumberParseException:
            return False
    if not _pattern(region).fullmatch(digits):
        return False
    try:
        return phonenumbers.is_valid_number_for_region(phonenumbers.parse(digits, region), region)
    except phonenumbers.NumberParseException:
        return False


@cache
def _pattern(region: str) -> re.Pattern[str]:
    """National numbers of a region, with or without what is dialled before them: a cheap test before the real one."""
    plan = phonenumbers.PhoneMetadata.metadata_for_region(region)
    national = plan.general_desc.national_number_pattern if plan is not None and plan.general_desc else r"\d+"
    return re.compile(rf"(?:0|1|8|06|{(plan.national_prefix or '0') if plan is not None else '0'})?(?:{national})")
