"""One file per idea of personal data; each has `find(reading)` and yields spans of the folded text."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sealwright.data.personal.detectors import (
    address,
    birth_date,
    card,
    coordinates,
    email,
    iban,
    national_id,
    network,
    person,
    phone,
)
from sealwright.data.personal.model import Kind, Span
from sealwright.data.personal.reading import Reading

__all__ = ["DETECTORS", "Detector"]


@dataclass(frozen=True, slots=True)
class Detector:
    """A detector, the kinds it finds, and what a text must hold to be worth reading."""

    find: Callable[[Reading], Iterator[Span]]
    kinds: frozenset[Kind]
    digits: bool = True  # needs a digit
    letters: bool = False  # needs a letter


def _one(
    find: Callable[[Reading], Iterator[Span]], *kinds: Kind, digits: bool = True, letters: bool = False
) -> Detector:
    return Detector(find, frozenset(kinds), digits, letters)


DETECTORS: tuple[Detector, ...] = (
    _one(email.find, "email", digits=False, letters=True),
    _one(network.find, "ip_address", "mac_address", "url_credentials", digits=False),
    _one(iban.find, "iban", letters=True),
    _one(card.find, "card"),
    _one(national_id.find, "national_id"),
    _one(coordinates.find, "coordinates"),
    _one(birth_date.find, "birth_date", letters=True),
    _one(phone.find, "phone"),
    _one(address.find, "address", letters=True),
    _one(person.find, "person_name", digits=False, letters=True),
)
