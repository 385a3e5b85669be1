"""What a ledger does not say in the clear: who acted, and what people wrote in their own words.

Answers: how does an entry name a person so that only those with the key can tell who it was?
Does not answer: who may be told. Whoever opens the keyring can; a door decides whom it tells.

An actor stands in the ledger as a keyed pseudonym (HMAC-SHA256, 128 bits; `pseudonyms`), words as a sealed attachment that
can be erased later without breaking a proof. The way back is to try: the pseudonym of every name that is known is computed
and compared, so a name nobody remembers stays unknown.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from sealwright.kernel import InvalidInput, VerificationFailed
from sealwright.trust.ledger_entry import Entry, LedgerEntry
from sealwright.trust.pseudonyms import as_pseudonym, keyed_name
from sealwright.trust.sealing import open_sealed, seal

if TYPE_CHECKING:
    from sealwright.trust.keyring import (
        Keyring,
    )  # brings the signer's side; a server that only keeps names loads none of it

__all__ = ["Discretion", "digest_of_resource"]

_BRANCH = "pseudonyms"
_NAMES, _WORDS = "audit/v1", "ledger words/v1"
_MOST_WORDS = 4000
_MARK = b"words/v1\n"  # in front of sealed words, so that they are told from other attachments


def digest_of_resource(resource: str) -> str:
    """How a resource stands in the ledger: the digest of "kind:name"."""
    return f"sha256:{hashlib.sha256(resource.encode()).hexdigest()}"


class Discretion:
    """Names and words of one workspace. Safe to use from many threads."""

    def __init__(self, keyring: "Keyring") -> None:
        """Take the keys of every version of the branch, the newest first."""
        versions = tuple(reversed(keyring.versions(_BRANCH)))
        self._names = [keyring.key(_BRANCH, _NAMES, version=version) for version in versions]
        self._words = [keyring.key(_BRANCH, _WORDS, version=version) for version in versions]

    def name_of(self, value: str) -> str:
        """The keyed pseudonym of a name or an address; "" stays ""."""
        return as_pseudonym(keyed_name(self._names[0], value)) if value else ""

    def names_of(self, value: str) -> frozenset[str]:
        """Every pseudonym a name ever had here, under earlier keys too: what to look for in a ledger."""
        return frozenset(as_pseudonym(keyed_name(key, value)) for key in self._names) if value else frozenset({""})

    def who(self, known: Iterable[str]) -> Mapping[str, str]:
        """Pseudonym -> name, for names that are known already: the way back for whoever holds the key."""
        return {pseudonym: name for name in known if name for pseudonym in self.names_of(name)}

    def hidden(self, entry: Entry) -> Entry:
        """The entry as it may be written: its actor a pseudonym, its words sealed.

        Raises
        ------
        InvalidInput
            Words beside another attachment, or too many.
        """
        if not entry.words:
            return replace(entry, actor=self.name_of(entry.actor))
        if entry.attachment is not None:
            raise InvalidInput("An entry of the ledger has one attachment: words, or something else.")
        if len(entry.words) > _MOST_WORDS:
            raise InvalidInput(f"Words in the ledger have at most {_MOST_WORDS:,} characters.")
        sealed = _MARK + seal(self._words[0], entry.words.encode(), aad=_place(entry.action, entry.subject))
        return replace(entry, actor=self.name_of(entry.actor), attachment=sealed, words="")

    def words_of(self, entry: LedgerEntry) -> str:
        """What somebody wrote with this entry; "" where nothing was, or where it was erased.

        Raises
        ------
        VerificationFailed
            There is something, and it does not open here.
        """
        if entry.attachment is None or not entry.attachment.startswith(_MARK):
            return ""
        for key in self._words:
            try:
                sealed = entry.attachment[len(_MARK) :]
                return open_sealed(key, sealed, aad=_place(entry.action, entry.subject)).decode()
            except VerificationFailed:
                continue
        raise VerificationFailed(
            f"The words beside entry {entry.index} do not open with the keys of this workspace.",
            link=f"entry {entry.index}",
        )


def _place(action: str, subject: str) -> bytes:
    return f"sealwright ledger words/{action}\n{subject}".encode()
