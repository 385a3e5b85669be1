"""One change of consent: given, or withdrawn. A change is never edited; the next one follows it."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from sealwright.kernel import InvalidInput, check_name, hex_of

__all__ = ["Change", "ConsentChange", "check_subject"]

Change = Literal["given", "withdrawn"]

_SUBJECT = re.compile(r"sub_[0-9a-f]{32}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentChange:
    """Somebody agreed to a purpose in certain words, or took it back."""

    project: str
    purpose: str  # id, as in data.basis
    subject: str  # keyed pseudonym, "sub_<32 hex>"
    change: Change
    text_version: str  # of the words that were agreed to; may be empty for a withdrawal, which needs no words
    text_digest: str  # "sha256:<hex>" of those words; empty with an empty version
    channel: str  # e.g. "web form", "letter"
    at: str  # RFC 3339, UTC, milliseconds: when the person did it

    def __post_init__(self) -> None:
        check_name(self.project, what="project")
        check_name(self.purpose, what="purpose")
        check_subject(self.subject)
        if self.change not in ("given", "withdrawn"):
            raise InvalidInput(f"Consent is given or withdrawn; got {str(self.change)[:40]!r}.")
        if not _TIME.fullmatch(self.at):
            raise InvalidInput(f"A change of consent has a time like 2026-03-01T09:30:00.000Z; got {self.at[:40]!r}.")
        if self.text_version or self.change == "given":
            _check_words(self.text_version, "version of the text")
            hex_of(self.text_digest)
        _check_words(self.channel, "channel")


def check_subject(subject: str) -> str:
    """Return `subject` if it is a keyed pseudonym: nothing else may stand for a person in a table.

    Raises
    ------
    InvalidInput
        It is something else, perhaps a name.
    """
    if not _SUBJECT.fullmatch(subject):
        raise InvalidInput("A person is named here by keyed pseudonym only: sub_ and 32 hex digits.")
    return subject


def _check_words(text: str, what: str) -> None:
    if not 1 <= len(text) <= 100 or any(unicodedata.category(c)[0] == "C" for c in text):
        raise InvalidInput(f"The {what} of a consent is 1 to 100 printable characters.")
