"""A seeded set of texts and columns: personal data planted at known places, and things that only look like it.

Three parts. "tuning" was looked at while the scanner was written. "second" was measured several times while rules still
changed. "held out" was written when the rules stood, with other sentences and another seed, and is what the declared recall
is measured on. Values are Faker's (other people's code, so that a rule is not tested against itself); sentences and
look-alikes are ours (seeded_sentences.json). Nothing depends on the day: Faker takes births from the clock, so they are
drawn here.
"""

import json
import random
import re
import string
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from faker import Faker

__all__ = ["PARTS", "SENTENCES", "Column", "Planted", "Text", "columns", "texts"]

PARTS = {"tuning": 11, "second": 20260301, "held out": 20261125}
_TEXTS, _WITHOUT, _CELLS = 1400, 600, 300
_TWELVE = (
    "en_US",
    "en_GB",
    "de_DE",
    "de_AT",
    "fr_FR",
    "es_ES",
    "it_IT",
    "nl_NL",
    "pt_BR",
    "pl_PL",
    "sv_SE",
    "en_IN",
)
_LOCALES = {"tuning": ("en_US", "de_DE", "fr_FR", "es_ES"), "second": _TWELVE, "held out": _TWELVE}
_WITHOUT_IBAN = {"en_US", "en_IN"}  # Faker makes one there all the same, and not always a valid one


@dataclass(frozen=True, slots=True)
class Planted:
    """One value: where it stands, and its kind."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class Text:
    """One text; nothing planted: nothing personal in it."""

    text: str
    planted: tuple[Planted, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of cells; `kind` is "" where they are nobody's."""

    name: str
    kind: str
    cells: tuple[str, ...]


SENTENCES: dict[str, Any] = json.loads(Path(__file__).with_name("seeded_sentences.json").read_text(encoding="utf-8"))


def texts(part: str) -> list[Text]:
    """The texts of one part: some with data planted, some with look-alikes only."""
    maker = _Maker(part)
    sentences = [(language, one) for language, many in SENTENCES[part]["persons"].items() for one in many]
    result = []
    for place in range(_TEXTS):
        language, sentence = sentences[place % len(sentences)]
        result.append(maker.filled(sentence, language))
    for place in range(_WITHOUT):
        nobody = SENTENCES[part]["nobody"]
        result.append(Text(maker.look_alike(nobody[place % len(nobody)]), ()))
    return result


def columns(part: str) -> list[Column]:
    """Columns under names that say nothing, of people in one country each, and of things."""
    maker = _Maker(part)
    result = []
    for locale in _LOCALES[part]:
        language = locale[:2]
        for kind in ("person_name", "given", "email", "phone", "address", "national_id", "card", "iban"):
            cells = tuple(maker.value(kind, locale) for _ in range(_CELLS))
            if all(cells):
                result.append(Column(f"{kind}.{locale}", {"given": "person_name"}.get(kind, kind), cells))
        prose = tuple(
            maker.filled(sentence, language).text
            for sentence in SENTENCES[part]["persons"][language]
            for _ in range(40)
        )
        result.append(Column(f"prose.{locale}", "prose", prose))
    for kind in (
        "order",
        "stamp",
        "version",
        "build",
        "price",
        "sku",
        "isbn",
        "uuid",
        "luhn",
        "date",
        "tracking",
        "hash",
        "ratio",
    ):
        result.append(Column(f"thing.{kind}", "", tuple(maker.thing(kind) for _ in range(_CELLS))))
    for locale in _LOCALES[part]:
        for what in ("company", "city", "job", "color_name", "country"):
            if (what, locale) == ("city", "it_IT"):
                continue  # Faker takes these from a set: others with every run
            cells = tuple(str(getattr(maker.fakes[locale], what)()) for _ in range(_CELLS))
            result.append(Column(f"thing.{what}.{locale}", "", cells))
    return result


class _Maker:
    """Values of one part, from its seed."""

    def __init__(self, part: str) -> None:
        self.part = part
        self.dice = random.Random(PARTS[part])
        self.fakes: dict[str, Any] = {}
        for place, locale in enumerate(_LOCALES[part]):
            self.fakes[locale] = Faker(locale)
            self.fakes[locale].seed_instance(PARTS[part] + place)

    def filled(self, sentence: str, language: str) -> Text:
        locale = self.dice.choice([one for one in _LOCALES[self.part] if one.startswith(language)])
        text, planted = "", []
        for literal, field, _, _ in string.Formatter().parse(sentence):
            text += literal
            if field:
                value = self.value(field, locale)
                kind = "person_name" if field == "family" else field
                planted.append(Planted(len(text), len(text) + len(value), kind))
                text += value
        return Text(text, tuple(planted))

    def look_alike(self, sentence: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda match: self.thing(match[1]), sentence)

    def value(self, kind: str, locale: str) -> str:
        fake, dice = self.fakes[locale], self.dice
        made: dict[str, Callable[[], str]] = {
            "person_name": lambda: f"{fake.first_name()} {fake.last_name()}",
            "given": fake.first_name,
            "family": fake.last_name,
            "email": fake.email,
            "phone": fake.phone_number,
            "address": lambda: fake.address().replace("\n", dice.choice(["\n", ", "])),
            "iban": lambda: _grouped((self.fakes["de_DE"] if locale in _WITHOUT_IBAN else fake).iban(), dice),
            "card": self._card,
            "national_id": lambda: self._national(locale),
            "birth_date": self._date,
            "ip_address": lambda: fake.ipv4_public() if dice.random() < 0.7 else fake.ipv6(),
            "mac_address": fake.mac_address,
            "coordinates": lambda: f"{dice.uniform(35, 60):.5f}, {dice.uniform(-10, 30):.5f}",
            "url_credentials": lambda: (
                f"https://{fake.user_name()}:{fake.password(special_chars=False)}@{fake.domain_name()}"
            ),
        }
        return made[kind]()

    def thing(self, kind: str) -> str:
        dice = self.dice
        made: dict[str, Callable[[], str]] = {
            "order": lambda: dice.choice(["#{}", "{}", "A{}", "2024-{}", "ORD-{}-1"]).format(dice.randrange(10**5, 10 ** dice.randrange(6, 13))),
            "stamp": lambda: f"2024-{dice.randrange(1, 13):02d}-{dice.randrange(1, 29):02d}{dice.choice('T ')}{dice.randrange(24):02d}:{dice.randrange(60):02d}:{dice.randrange(60):02d}{dice.choice(['', 'Z', '.123456'])}",
            "date": lambda: dice.choice(["{2}.{1}.{0}", "{0}-{1:02d}-{2:02d}", "{1}/{2}/{0}"]).format(2024, dice.randrange(1, 13), dice.randrange(1, 29)),
            "version": lambda: ".".join(str(dice.randrange(30)) for _ in range(dice.choice([2, 3, 3, 3]))),
            "build": lambda: str(dice.randrange(10**4, 10**8)),
            "price": lambda: dice.choice(["{:,.2f}", "{:.2f}", "{:,.0f}"]).format(dice.random() * 10 ** dice.randrange(2, 7)),
            "sku": lambda: f"{''.join(dice.choices(string.ascii_uppercase, k=dice.randrange(2, 5)))}-{dice.randrange(10**6):06d}-{dice.choice(string.ascii_uppercase)}",
            "isbn": lambda: f"978-3-{dice.randrange(10, 99)}-{dice.randrange(10**5, 10**6)}-{dice.randrange(10)}",
            "uuid": lambda: "-".join(f"{dice.getrandbits(4 * k):0{k}x}" for k in (8, 4, 4, 4, 12)),
            "hash": lambda: f"{dice.getrandbits(160):040x}",
            "luhn": lambda: _with_check_digit(dice.choice(["9", "7", "00", "1"]) + "".join(dice.choices(string.digits, k=dice.choice([13, 14])))),
            "tracking": lambda: f"1Z{''.join(dice.choices(string.ascii_uppercase + string.digits, k=6))}{dice.randrange(10**10):010d}",
            "ratio": lambda: f"0.{dice.randrange(10**4):04d}",
            "small": lambda: str(dice.randrange(1, 400)),
            "minute": lambda: f"{dice.randrange(60):02d}",
        }  # fmt: skip
        return made[kind]()

    def _card(self) -> str:
        """Of every network, the second series of Mastercard as often as the first; plain, in groups, with hyphens."""
        fake = self.fakes[_LOCALES[self.part][0]]
        if self.dice.random() < 0.25:
            number = _with_check_digit(f"{self.dice.randrange(2221, 2721)}{self.dice.randrange(10**11):011d}")
        else:
            number = fake.credit_card_number(
                self.dice.choice(
                    ["visa16", "visa16", "mastercard", "mastercard", "amex", "discover", "maestro", "jcb16"]
                )
            )
        gap = self.dice.choice(["", "", " ", "-"])
        if len(number) == 15:
            return gap.join((number[:4], number[4:10], number[10:]))
        return gap.join(number[k : k + 4] for k in range(0, len(number), 4))

    def _national(self, locale: str) -> str:
        fake = self.fakes[locale]
        if locale == "es_ES":
            return str(self.dice.choice([fake.nie, fake.nif])())
        if locale == "pt_BR":
            return str(fake.cpf())
        if locale == "en_IN":
            number = str(fake.aadhaar_id())
            return " ".join(number[k : k + 4] for k in (0, 4, 8))
        if locale == "pl_PL":
            return str(fake.pesel(datetime.combine(self._birth(), datetime.min.time())))
        if locale == "en_GB":  # Faker's begin with ZZ, which is never issued
            number = f"{self.dice.randrange(10**6):06d}"
            return f"{self.dice.choice(['AB', 'JG', 'PX', 'SR'])} {number[:2]} {number[2:4]} {number[4:]} {self.dice.choice('ABCD')}"
        if locale == "de_DE":
            return str(fake.rvnr(self._birth()))
        if locale == "de_AT":
            return str(fake.ssn(self._birth()))
        if locale == "sv_SE":
            day = f"{self._birth():%y%m%d}"
            return f"{day}-{_with_check_digit(f'{day}{self.dice.randrange(1000):03d}')[-4:]}"
        return str(fake.ssn())

    def _birth(self) -> date:
        return date(1936, 1, 1) + timedelta(days=self.dice.randrange(72 * 365))

    def _date(self) -> str:
        day = self._birth()
        return self.dice.choice([f"{day:%Y-%m-%d}", f"{day.day}.{day.month}.{day.year}", f"{day:%d/%m/%Y}"])


def _grouped(iban: str, dice: random.Random) -> str:
    return " ".join(iban[k : k + 4] for k in range(0, len(iban), 4)) if dice.random() < 0.5 else iban


def _with_check_digit(digits: str) -> str:
    total = 0
    for place, c in enumerate(reversed(digits)):
        one = int(c) * (1 if place % 2 else 2)
        total += one - 9 if one > 9 else one
    return f"{digits}{(10 - total % 10) % 10}"
