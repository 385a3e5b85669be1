"""A seeded set of texts and columns: personal data planted at known places, and things that only look like it.

Two halves. "tuning" was looked at while the scanner was written; "held out" has other sentences, other countries and
another seed, and is what the declared recall is measured on. Values are Faker's (other people's code, so that a rule is
not tested against itself); sentences and look-alikes are written here.
"""

import random
import re
import string
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from faker import Faker

__all__ = ["HALVES", "Column", "Planted", "Text", "columns", "texts"]

HALVES = {"tuning": 11, "held out": 20260301}
_TEXTS, _WITHOUT, _CELLS = 1400, 600, 300
_LOCALES = {
    "tuning": ("en_US", "de_DE", "fr_FR", "es_ES"),
    "held out": (
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
    ),
}
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


_SENTENCES: dict[str, dict[str, tuple[str, ...]]] = {
    "tuning": {
        "en": (
            "Hi, my name is {person_name} and my email is {email}.",
            "Please call me back on {phone}. Thanks, {person_name}",
            "I moved to {address} last week.",
            "Charge my card {card} please, it is valid.",
            "Dear Mr. {family}, we have received your letter.",
            "Refund to {iban} for {person_name}.",
            "Patient {person_name}, date of birth {birth_date}, SSN {national_id}.",
            "Login from {ip_address} with {email} failed.",
            "Position of the courier: {coordinates}",
            "The device {mac_address} is online.",
            "See {url_credentials} for the file.",
        ),
        "de": (
            "Mein Name ist {person_name}, ich wohne in {address}.",
            "Bitte rufen Sie mich unter {phone} an.",
            "Überweisung auf {iban} an Herrn {person_name}.",
            "Frau {family} hat sich unter {email} gemeldet.",
            "Geboren am {birth_date}, Karte {card}.",
        ),
        "fr": ("Je m'appelle {person_name} et mon adresse est {address}.", "Mon numéro est le {phone}, mon mail {email}."),
        "es": ("Me llamo {person_name}, vivo en {address}.", "Mi teléfono es {phone} y mi correo {email}. DNI {national_id}"),
    },
    "held out": {
        "en": (
            "{person_name} wrote from {email} that the parcel for {address} is lost.",
            "You can reach {person_name} at {phone} after six.",
            "I paid with {card} and got no receipt.",
            "Name: {person_name}\nPhone: {phone}\nE-mail: {email}",
            "We spoke to Mrs {family} about the claim.",
            "Ship it to {address}, attention {person_name}.",
            "She was born on {birth_date} and her number is {national_id}.",
            "Yesterday {person_name} and {person_name} signed the lease.",
            "Blocked {ip_address} after ten attempts by {email}.",
            "His location was {coordinates} at noon.",
            "Interface {mac_address} dropped packets.",
            "curl {url_credentials} returned 401",
            "my account is {iban}, kind regards {person_name}",
            "card no {card}, exp 09/27, holder {person_name}",
            "text {phone} or mail {email}",
        ),
        "de": (
            "Ich, {person_name}, widerrufe hiermit. Meine Anschrift: {address}",
            "Rückruf erbeten: {phone}, Gruß {person_name}",
            "Die Kundin {person_name} ({email}) hat reklamiert.",
            "Meine IBAN lautet {iban}.",
            "Geburtsdatum: {birth_date}; Telefon {phone}",
            "Meine Kreditkarte {card} wurde zweimal belastet.",
            "Ausweis: {national_id}",
        ),
        "fr": (
            "Bonjour, ici {person_name}, joignable au {phone}.",
            "Livraison au {address} svp, merci.",
            "Née le {birth_date}, numéro de sécurité sociale {national_id}.",
            "Madame {family} souhaite un remboursement sur {iban}.",
        ),
        "es": (
            "Soy {person_name}; escríbanme a {email}.",
            "El paquete va a {address}.",
            "Llámeme al {phone}, por favor. NIF {national_id}",
        ),
        "it": (
            "Mi chiamo {person_name} e abito in {address}.",
            "Codice fiscale {national_id}, cellulare {phone}.",
            "Il signor {family} ha pagato con {card}.",
        ),
        "nl": (
            "Mijn naam is {person_name}, ik woon op {address}.",
            "Bel mij op {phone} of mail {email}. BSN {national_id}",
        ),
        "pt": (
            "Meu nome é {person_name}, CPF {national_id}.",
            "Endereço: {address}. Telefone: {phone}",
        ),
        "pl": (
            "Nazywam się {person_name}, mieszkam: {address}.",
            "PESEL {national_id}, tel. {phone}",
        ),
        "sv": (
            "Jag heter {person_name} och bor på {address}.",
            "Ring {phone}. Personnummer {national_id}",
        ),
    },
}  # fmt: skip

_NOBODY: dict[str, tuple[str, ...]] = {
    "tuning": (
        "Order {order} shipped on {stamp}.",
        "Version {version} fixes the error in build {build}.",
        "The price rose from {price} to {price} EUR.",
        "Part {sku} is out of stock.",
        "Invoice {order} is due on {date}.",
        "The Customer Service Team is open from Monday to Friday.",
        "ISBN {isbn}, {small} copies.",
        "Trace id {uuid} at {stamp}",
        "Die Lieferung {order} kommt am {date}.",
        "Reference {luhn}, please keep it.",
    ),
    "held out": (
        "Ticket {order} was closed at {stamp} by the system.",
        "Upgrade to {version} before {date}.",
        "Total: {price} USD, tax {price}, {small} items",
        "Lot {sku}, pallet {build}, gate {small}",
        "Tracking number {tracking} was scanned in Hamburg.",
        "The Board of Directors met in New York on {date}.",
        "EAN {isbn} replaces EAN {isbn}",
        "commit {hash} broke the build at {stamp}",
        "Unsere Rechnung {order} vom {date} ist offen.",
        "Der Neue Markt eröffnet am Montag seine Türen.",
        "La commande {order} a été expédiée le {date}.",
        "El pedido {sku} cuesta {price}.",
        "IMEI batch code {luhn} was recalled",
        "Serial {luhn}; firmware {version}; runtime {stamp}",
        "Meter reading {build} on {date}, {price} kWh",
        "{small} of {small} tests passed in {price} seconds",
        "Flight LH{small} to San Francisco leaves at 10:{minute}.",
        "ratio {ratio}, {ratio}; score {ratio}",
        "Chapter {small}.{small}.{small}.{small} of the manual",
        "Please read the Terms and Conditions of Acme Holding first.",
        "",
    ),
}  # fmt: skip


def texts(half: str) -> list[Text]:
    """The texts of one half: some with data planted, some with look-alikes only."""
    maker = _Maker(half)
    sentences = [(language, one) for language, many in _SENTENCES[half].items() for one in many]
    result = []
    for place in range(_TEXTS):
        language, sentence = sentences[place % len(sentences)]
        result.append(maker.filled(sentence, language))
    for place in range(_WITHOUT):
        nobody = _NOBODY[half]
        result.append(Text(maker.look_alike(nobody[place % len(nobody)]), ()))
    return result


def columns(half: str) -> list[Column]:
    """Columns under names that say nothing, of people in one country each, and of things."""
    maker = _Maker(half)
    result = []
    for locale in _LOCALES[half]:
        language = locale[:2]
        for kind in ("person_name", "given", "email", "phone", "address", "national_id", "card", "iban"):
            cells = tuple(maker.value(kind, locale) for _ in range(_CELLS))
            if all(cells):
                result.append(Column(f"{kind}.{locale}", {"given": "person_name"}.get(kind, kind), cells))
        prose = tuple(
            maker.filled(sentence, language).text for sentence in _SENTENCES[half][language] for _ in range(40)
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
    for locale in _LOCALES[half]:
        for what in ("company", "city", "job", "color_name", "country"):
            cells = tuple(str(getattr(maker.fakes[locale], what)()) for _ in range(_CELLS))
            result.append(Column(f"thing.{what}.{locale}", "", cells))
    return result


class _Maker:
    """Values of one half, from its seed."""

    def __init__(self, half: str) -> None:
        self.half = half
        self.dice = random.Random(HALVES[half])
        self.fakes: dict[str, Any] = {}
        for place, locale in enumerate(_LOCALES[half]):
            self.fakes[locale] = Faker(locale)
            self.fakes[locale].seed_instance(HALVES[half] + place)

    def filled(self, sentence: str, language: str) -> Text:
        locale = self.dice.choice([one for one in _LOCALES[self.half] if one.startswith(language)])
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
            "birth_date": lambda: self._date(fake),
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
        fake = self.fakes[_LOCALES[self.half][0]]
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
            return str(fake.pesel())
        if locale == "en_GB":  # Faker's begin with ZZ, which is never issued
            number = f"{self.dice.randrange(10**6):06d}"
            return f"{self.dice.choice(['AB', 'JG', 'PX', 'SR'])} {number[:2]} {number[2:4]} {number[4:]} {self.dice.choice('ABCD')}"
        if locale == "de_DE":
            return str(fake.rvnr())
        return str(fake.ssn())

    def _date(self, fake: Any) -> str:
        day = fake.date_of_birth(minimum_age=18, maximum_age=90)
        return self.dice.choice([f"{day:%Y-%m-%d}", f"{day.day}.{day.month}.{day.year}", f"{day:%d/%m/%Y}"])


def _grouped(iban: str, dice: random.Random) -> str:
    return " ".join(iban[k : k + 4] for k in range(0, len(iban), 4)) if dice.random() < 0.5 else iban


def _with_check_digit(digits: str) -> str:
    total = 0
    for place, c in enumerate(reversed(digits)):
        one = int(c) * (1 if place % 2 else 2)
        total += one - 9 if one > 9 else one
    return f"{digits}{(10 - total % 10) % 10}"
