"""One entry of the ledger: what a caller hands in, how it stands in the file, and how it is read back.

A line is the entry's canonical JSON (RFC 8785), the leaf of the Merkle tree, then optionally a tab and an attachment
in base64, then a newline. The leaf holds the attachment by digest only, so an attachment can be taken out later (the
word "erased" stands in its place, or "moved:" and where to, and as many dots as the place needs) and every root, proof and
signature still holds.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from sealwright.kernel import InvalidInput, VerificationFailed, canonical_json, digest_of, strict_json

__all__ = [
    "ERASED",
    "FIRST_PREVIOUS",
    "MOST_LINE_BYTES",
    "MOVED",
    "Entry",
    "Leaf",
    "LedgerEntry",
    "Prepared",
    "check_attachment",
    "entry_json",
    "is_entry",
    "is_erased",
    "parse_line",
    "prepare",
    "read_leaf",
]

FIRST_PREVIOUS = "sha256:" + "0" * 64  # what the first entry names as its predecessor
ERASED = b"erased"  # six characters, so it is no base64
MOVED = b"moved:"  # no base64 has a colon

_MOST_LEAF = 256 * 1024
_MOST_ATTACHMENT = 16 << 20
MOST_LINE_BYTES = _MOST_LEAF + _MOST_ATTACHMENT * 4 // 3 + 64
_MOST_DEPTH = 32  # strict_json reads back twice that
_MOST_TEXT = 1000
_EXACT = 2**53  # beyond this JSON numbers are doubles
_ACTION = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_WHERE = re.compile(rb"moved:[0-9A-Za-z_-]{1,64}\.*")
_LARGE_NUMBER = re.compile(rb'":-?[0-9]{16}')  # at or beyond 2**53, perhaps: a look, not a verdict
_LARGE_IN_LIST = re.compile(rb"[,\[]-?[0-9]{16}")
_encode = msgspec.json.Encoder(order="sorted").encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What shall be recorded. No personal data in it: digests, keyed pseudonyms, or a sealed `attachment`."""

    action: str  # what was done, such as "model.approved": a-z, 0-9, dot, dash, underscore
    subject: str  # what it was done to: a digest, an id
    detail: Mapping[str, object]  # any JSON
    attachment: bytes | None = None  # kept beside the leaf, covered by digest
    actor: str = ""  # who did it, a pseudonym in what is written (`Discretion`); empty: the system itself
    words: str = ""  # what a person wrote; sealed into the attachment (`Discretion`), never written as it is


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """An entry as it was read back."""

    index: int
    at: str  # RFC 3339, UTC, milliseconds
    action: str
    actor: str
    subject: str
    detail: Mapping[str, Any]
    previous: str  # digest of the leaf before
    sealed: str | None  # digest of the attachment
    attachment: bytes | None  # None: never had one, or erased
    leaf: bytes
    moved_to: str = ""  # where the attachment is now, if it was moved


class Prepared:
    """An entry turned into bytes as far as possible before its place and time are known."""

    __slots__ = ("_after", "_end", "_head", "line_end")

    def __init__(self, head: bytes, after: bytes, end: bytes, line_end: bytes) -> None:
        self._head, self._after, self._end, self.line_end = head, after, end, line_end

    def leaf(self, index: int, previous: str, at: str) -> bytes:
        """The canonical JSON of the entry at `index`, after the leaf with digest `previous`, at the time `at`."""
        return b'%b"at":"%b"%b"i":%d,"prev":"%b"%b' % (
            self._head,
            at.encode(),
            self._after,
            index,
            previous.encode(),
            self._end,
        )

    @property
    def parts(self) -> tuple[bytes, bytes, bytes, bytes]:
        """What it was made of."""
        return self._head, self._after, self._end, self.line_end

    def __len__(self) -> int:
        return len(self._head) + len(self._after) + len(self._end) + len(self.line_end)


def prepare(entry: Entry) -> Prepared:
    """Check an entry and encode it.

    Raises
    ------
    InvalidInput
        A field is not of its form, too large, or has no canonical JSON form.
    """
    if not _ACTION.fullmatch(entry.action):
        raise InvalidInput(f"{entry.action[:80]!r} is not an action name: use a-z, 0-9, dot, dash and underscore.")
    if entry.words:
        raise InvalidInput(
            "This ledger was opened without what seals words. Open it with discretion=Discretion(keyring)."
        )
    for name, text in (("subject", entry.subject), ("actor", entry.actor)):
        if len(text) > _MOST_TEXT:
            raise InvalidInput(f"The {name} of a ledger entry is text of at most {_MOST_TEXT} characters.")
    head = b'{"action":"%b","actor":%b,' % (entry.action.encode(), entry_json(entry.actor))
    after = b',"detail":%b,' % entry_json(entry.detail)
    end, line_end = b',"subject":%b}' % entry_json(entry.subject), b"\n"
    if entry.attachment is not None:
        if len(entry.attachment) > _MOST_ATTACHMENT:
            raise InvalidInput(f"An attachment in the ledger has at most {_MOST_ATTACHMENT:,} bytes.")
        end = b',"sealed":"%b"%b' % (digest_of(entry.attachment).encode(), end)
        line_end = b"\t" + base64.b64encode(entry.attachment) + b"\n"
    if len(head) + len(after) + len(end) > _MOST_LEAF - 256:
        raise InvalidInput(f"A ledger entry has at most {_MOST_LEAF:,} bytes; put long content into an attachment.")
    return Prepared(head, after, end, line_end)


def entry_json(value: object) -> bytes:
    """The bytes of `kernel.canonical_json`, several times faster for what entries usually hold.

    Text, whole numbers, true, false and null, in lists and objects with ASCII keys, are written by msgspec, whose
    output for these is canonical; everything else goes the general way.

    Raises
    ------
    InvalidInput
        No canonical JSON form, or nested deeper than 32 levels.
    """
    try:
        return _encode(value) if _is_plain(value, 0) else canonical_json(value)
    except UnicodeEncodeError:
        raise InvalidInput("This text holds half of a surrogate pair, which UTF-8 cannot express.") from None


def _is_plain(value: object, depth: int) -> bool:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        return -_EXACT < value < _EXACT  # type: ignore[operator]
    if isinstance(value, (Mapping, list, tuple)):
        if depth == _MOST_DEPTH:
            raise InvalidInput(f"This value is nested deeper than {_MOST_DEPTH} levels. Flatten it.")
        plain = kind is dict or kind is list or kind is tuple
        if isinstance(value, Mapping):
            for key in value:
                plain = plain and type(key) is str and key.isascii()
        for item in value.values() if isinstance(value, Mapping) else value:
            plain = _is_plain(item, depth + 1) and plain
        return plain
    return False


class Leaf(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, gc=False):
    """The fields of an entry as they are spelled in its leaf."""

    action: str
    actor: str
    at: str
    detail: dict[str, Any]
    i: int
    prev: str
    sealed: str | msgspec.UnsetType = msgspec.UNSET
    subject: str


def _refuse_fraction(_text: str) -> None:
    raise ValueError("a fraction")


_decode = msgspec.json.Decoder(Leaf, float_hook=_refuse_fraction).decode


def parse_line(line: bytes, index: int) -> LedgerEntry:
    """Read one line of the file, without its newline, strictly.

    Parameters
    ----------
    line : bytes
        Leaf, and after a tab the attachment.
    index : int
        The place it stands at, which it must name itself.

    Raises
    ------
    VerificationFailed
        Not canonical JSON of exactly the known fields, another index, or an attachment that is not the one named.
        `link` is "entry <index>".
    """
    text, _, _ = line.partition(b"\t")
    leaf = read_leaf(text, index)
    content = check_attachment(leaf, line[len(text) :], index)
    return LedgerEntry(
        index=index,
        at=leaf.at,
        action=leaf.action,
        actor=leaf.actor,
        subject=leaf.subject,
        detail=leaf.detail,
        previous=leaf.prev,
        sealed=leaf.sealed or None,
        attachment=content,
        leaf=text,
        moved_to=_moved_to(line[len(text) + 1 :]) if content is None else "",
    )


def read_leaf(text: bytes, index: int) -> Leaf:
    """The fields of a leaf that is canonical JSON, well formed and names `index`.

    Raises
    ------
    VerificationFailed
        It is not; `link` is "entry <index>".
    """
    leaf = _quick_leaf(text) or _general_leaf(text)
    if leaf is None:
        raise _broken(index, "is not the canonical JSON of an entry")
    well_formed = _ACTION.fullmatch(leaf.action) and _TIME.fullmatch(leaf.at) and _DIGEST.fullmatch(leaf.prev)
    if not well_formed or (leaf.sealed is not msgspec.UNSET and not _DIGEST.fullmatch(leaf.sealed)):
        raise _broken(index, "does not have the fields of an entry")
    if leaf.i != index:
        raise _broken(index, f"says it is entry {leaf.i}: entries are missing, repeated or out of order")
    return leaf


def is_entry(line: bytes) -> bool:
    """Whether a line reads as some entry, at whatever place."""
    text = line.partition(b"\t")[0]
    return (_quick_leaf(text) or _general_leaf(text)) is not None


def _quick_leaf(text: bytes) -> Leaf | None:
    """The leaf, if writing it again gives the same bytes and no doubt of canonical form is left."""
    try:
        leaf = _decode(text)
    except (ValueError, RecursionError):
        return None
    large = _LARGE_NUMBER.search(text) or (b"[" in text and _LARGE_IN_LIST.search(text))
    return leaf if not large and text.isascii() and _encode(leaf) == text else None


def _general_leaf(text: bytes) -> Leaf | None:
    """The leaf with fractions, large numbers or keys beyond ASCII in it, by the slow general way."""
    try:
        value = strict_json(text)
        if canonical_json(value) != text:
            return None
        return msgspec.convert(value, Leaf)
    except (ValueError, RecursionError, InvalidInput):
        return None


def is_erased(tail: bytes) -> bool:
    """Whether this stands where an attachment was: a word, and dots to fill the place. No base64 has a dot."""
    if tail.startswith(ERASED):
        return not tail[len(ERASED) :].strip(b".")
    return tail.startswith(MOVED) and _WHERE.fullmatch(tail) is not None


def _moved_to(tail: bytes) -> str:
    return tail[len(MOVED) :].rstrip(b".").decode() if tail.startswith(MOVED) else ""


def check_attachment(leaf: Leaf, tail: bytes, index: int) -> bytes | None:
    """The attachment in `tail` (a tab and base64, or nothing), which must be the one the leaf names; None if erased.

    Raises
    ------
    VerificationFailed
        Another one, one too many, or none; `link` is "entry <index>".
    """
    if leaf.sealed is msgspec.UNSET:
        if tail:
            raise _broken(index, "has an attachment it does not name")
        return None
    if not tail:
        raise _broken(index, "has lost its attachment")
    if is_erased(tail[1:]):
        return None
    try:
        content = base64.b64decode(tail[1:], validate=True)
    except binascii.Error:
        raise _broken(index, "has an attachment that is not base64") from None
    if base64.b64encode(content) != tail[1:] or "sha256:" + hashlib.sha256(content).hexdigest() != leaf.sealed:
        raise _broken(index, "has another attachment than the one it names")
    return content


def _broken(index: int, how: str) -> VerificationFailed:
    return VerificationFailed(f"Entry {index} of the ledger {how}.", link=f"entry {index}")
