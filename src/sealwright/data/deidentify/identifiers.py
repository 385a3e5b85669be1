"""The 18 identifiers of the HIPAA Safe Harbor, and the kinds of columns they come in.

Answers: which identifier of 45 CFR 164.514(b)(2)(i) does a column with this name hold?
Does not answer: what is in the cells. Names are hints; a person declares what no name tells, the scanner finds more.
"""

import re
from typing import Literal, get_args

__all__ = ["KINDS", "LETTERS", "RESTRICTED_ZIP3", "IdentifierKind", "kind_by_name"]

IdentifierKind = Literal[
    "name",
    "zip",
    "place",
    "date",
    "birth_date",
    "birth_year",
    "age",
    "phone",
    "fax",
    "email",
    "ssn",
    "medical_record",
    "health_plan",
    "account",
    "licence",
    "vehicle",
    "device",
    "url",
    "ip",
    "biometric",
    "photo",
    "other_code",
    "free_text",
    "none",
]
"""What a column may hold. "none": a person looked and says it holds no identifier."""

KINDS: tuple[str, ...] = get_args(IdentifierKind)

LETTERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "A": ("names", ("name",)),
    "B": ("geographic units smaller than a state", ("zip", "place")),
    "C": ("dates but for the year, and ages over 89", ("date", "birth_date", "birth_year", "age")),
    "D": ("telephone numbers", ("phone",)),
    "E": ("fax numbers", ("fax",)),
    "F": ("e-mail addresses", ("email",)),
    "G": ("social security numbers", ("ssn",)),
    "H": ("medical record numbers", ("medical_record",)),
    "I": ("health plan numbers", ("health_plan",)),
    "J": ("account numbers", ("account",)),
    "K": ("certificate and licence numbers", ("licence",)),
    "L": ("vehicle identifiers and plates", ("vehicle",)),
    "M": ("device identifiers and serial numbers", ("device",)),
    "N": ("web addresses", ("url",)),
    "O": ("IP addresses", ("ip",)),
    "P": ("biometric identifiers", ("biometric",)),
    "Q": ("full-face photographs and comparable images", ("photo",)),
    "R": ("any other unique number, characteristic or code", ("other_code", "free_text")),
}
"""The letters of the regulation, what each says, and the kinds of columns that fall under it."""

RESTRICTED_ZIP3 = frozenset(
    ("036", "059", "063", "102", "203", "556", "692", "790", "821", "823", "830", "831", "878", "879", "884", "890", "893")
)  # fmt: skip
"""Areas of at most 20,000 people by the census of 2000, as the guidance of the HHS lists them."""

_HINTS: tuple[tuple[str, str], ...] = (
    ("email", r"e ?mail( address)?"),
    ("fax", r"(tele)?fax"),
    ("phone", r"(tele)?phone|mobile|cell( ?phone)?|tel"),
    ("ssn", r"ssn|social security"),
    ("medical_record", r"mrn|medical record|patient (id|no|nr|number)|chart (no|number)"),
    ("health_plan", r"health plan|beneficiary|insurance (id|no|nr|number)|member (id|no|nr|number)|policy (no|number)"),
    ("account", r"^account$|account (id|no|nr|number)|acct|iban|card (no|nr|number)"),
    ("licence", r"(licen[cs]e|certificate) (id|no|nr|number)|passport( no| nr| number)?"),
    ("vehicle", r"vin|vehicle (id|no|nr|number)|(number|licen[cs]e) plate"),
    ("device", r"^device$|device (id|no|nr|number)|serial|imei|mac address|udid"),
    ("ip", r"ip|ip address|ipv[46]"),
    ("url", r"url|web ?site|web address|homepage|link"),
    ("photo", r"photo|photograph|portrait|face image"),
    ("biometric", r"biometric|fingerprint|voice ?print|retina|iris scan"),
    ("birth_year", r"(birth|born) year|year of birth|yob"),
    ("birth_date", r"dob|birth ?(date|day)|date of birth|born"),
    ("age", r"age|age (in )?years|age at .*"),
    ("zip", r"zip|zip ?code|post ?code|postal code|zcta"),
    ("place", r"city|town|county|street|address|precinct|lat|latitude|lon|lng|longitude|geo ?code|parish|village"),
    ("name", r"name|(first|last|given|family|sur|middle|maiden|full|patient|person) ?name|surname|initials"),
)
_PATTERNS = tuple((kind, re.compile(rf"(?:^| )(?:{pattern})(?:$| )")) for kind, pattern in _HINTS)


def kind_by_name(name: str) -> str | None:
    """The kind of identifier the name of a column speaks of, or None."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    words = re.sub(r"[^a-z0-9]+", " ", words.lower()).strip()
    return next((kind for kind, pattern in _PATTERNS if pattern.search(words)), None)
