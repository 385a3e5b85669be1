"""Dates of birth: a date that follows words which say so. A date alone is nobody's."""

import re
from collections.abc import Iterator

from sealwright.data.personal.model import Span
from sealwright.data.personal.reading import Reading

__all__ = ["find"]

_MONTHS = (
    "jan|feb|mar|mär|maerz|apr|may|mai|mag|maj|jun|jul|jui|aug|sep|set|oct|okt|ott|out|nov|dec|dez|dic|gen|ene|fév|fev|avr|abr"
    "|aoû|aou|ago|déc|giu|lug|mei|maa|cze|lip|sty|lut|kwi|sie|wrz|paź|lis|gru"
)
_MONTH = rf"(?:{_MONTHS})[a-zà-ż]{{0,9}}\.?"
_YEAR = r"(?:(?:19|20)\d{2}|'?\d{2})"
_DATE = (
    rf"(?:(?:19|20)\d{{2}}[-./]\d{{1,2}}[-./]\d{{1,2}}|\d{{1,2}}[-./ ]\d{{1,2}}[-./ ]{_YEAR}"
    rf"|\d{{1,2}}(?:st|nd|rd|th|er|º|\.)?[ -]?(?:of |de |di )?{_MONTH},?[ -](?:de |del )?{_YEAR}"
    rf"|{_MONTH}[ -]\d{{1,2}}(?:st|nd|rd|th)?,?[ -]{_YEAR})(?!\d)"
)
_SAYS = (
    r"\bborn|birth ?da(?:te|y)|date of birth|\bd\.?o\.?b\.?\b|birthday"
    r"|\bgeb\.|geboren|geburts(?:datum|tag)|geb\.? ?datum"
    r"|\bn[ée]+(?:\(e\)|e|·e)? le\b|date de naissance|naissance|anniversaire"
    r"|nacid[oa]|nacimiento|nac[íi] el|cumplea[ñn]os"
    r"|\bnat[oa] (?:il|a)\b|data di nascita|nascita|compleanno"
    r"|nascid[oa]|nascimento|nasci em|anivers[áa]rio"
    r"|geboortedatum|geboren|verjaardag|urodz(?:ony|ona|enia)|\bur\.|f[öo]dd|f[öo]delsedatum|f[øo]dt|f[øo]dselsdato|syntym"
)
_FOUND = re.compile(rf"(?:{_SAYS})[^\d\n]{{0,30}}?(?<!\d)({_DATE})")
_DIGIT = re.compile(r"\d", re.ASCII)
_ANY = re.compile(_SAYS)


def find(reading: Reading) -> Iterator[Span]:
    """The date within 30 characters after such words."""
    text = reading.lower
    if _DIGIT.search(text) and _ANY.search(text):
        yield from (Span(*match.span(1), kind="birth_date") for match in _FOUND.finditer(text))
