"""Signed notes, checkpoints and proofs in the text forms of C2SP, which other transparency tools read too.

Answers: did a key we know sign this text, this tree head, this entry's place in the tree?
Does not answer: is it the newest tree head, and is it the one others were shown? That takes a witness.

Formats: c2sp.org/signed-note v1.0.0 (Ed25519, signature type 0x01), c2sp.org/tlog-checkpoint, c2sp.org/tlog-proof.
Stricter than the formats where they leave a choice: one spelling of base64, no extension lines in a checkpoint and no
unauthenticated "extra" line in a proof, no key twice.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

from sealwright.kernel import InvalidInput, Refused, VerificationFailed
from sealwright.trust.merkle import leaf_hash, verify_inclusion
from sealwright.trust.public_keys import ED25519, PublicKey, Signer
from sealwright.trust.strict_base64 import decode_base64, encode_base64

__all__ = [
    "NUMBER",
    "ORIGIN",
    "Checkpoint",
    "Descent",
    "EnoughWitnesses",
    "HeadSigner",
    "NoteSigner",
    "TlogProof",
    "check_origin",
    "is_key_name",
    "note_key_id",
    "open_checkpoint",
    "open_note",
    "split_note",
    "split_proof",
    "verify_proof",
]

_SIGNATURE_TYPE = b"\x01"  # Ed25519 over the note text
_MOST_BYTES = 256 * 1024  # 16 post-quantum cosignatures fit, the format asks for that
_MOST_SIGNATURES = 64
_MOST_PATH = 63
NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")
"""How a size or an index is spelled."""
ORIGIN = re.compile(r"[!-*,-~]{1,200}")  # visible ASCII without plus
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


# ---- notes


def note_key_id(name: str, key: PublicKey) -> bytes:
    """The 4 bytes by which a note names an Ed25519 key: SHA-256(name || 0x0A || 0x01 || 32-byte key)[:4].

    Raises
    ------
    InvalidInput
        The key is not Ed25519, or the name is empty or holds a space or a plus.
    """
    if key.algorithm != ED25519:
        raise InvalidInput(f"Notes are signed with Ed25519 here; got a key for {key.algorithm}.")
    if not is_key_name(name):
        raise InvalidInput(f"{name[:80]!r} cannot name a note key: it must not be empty or hold a space or a plus.")
    return hashlib.sha256(name.encode() + b"\n" + _SIGNATURE_TYPE + key.raw()).digest()[:4]


@dataclass(frozen=True, slots=True)
class Descent:
    """Which tree head a new one follows, and how to show it."""

    size: int  # leaves under the newest head that was published
    note: bytes  # that head, signed; b"" before the first
    path_from: Callable[[int], Sequence[bytes]]  # size of an older head -> consistency path from it to the new one


@runtime_checkable
class HeadSigner(Signer, Protocol):
    """A signer that signs a tree head only when it is shown what the head descends from."""

    def sign_head(self, data: bytes, descent: Descent) -> bytes:
        """The signature over the text of a checkpoint."""

    def begin_promise(self, data: bytes) -> Callable[[], bytes]:
        """Ask for the signature over the text of a promise; what is returned waits for it, and must be called."""


class NoteSigner:
    """A signer under the name it uses in notes."""

    def __init__(self, name: str, signer: Signer) -> None:
        self.name = name
        self.public = signer.public()
        self._signer = signer
        self._key_id = note_key_id(name, self.public)

        self._asks = signer if isinstance(signer, HeadSigner) else None  # a signer that wants to know what it signs

    def sign(self, text: str) -> bytes:
        """The signed note of `text`.

        Raises
        ------
        InvalidInput
            The text does not end with a newline, or holds other control characters.
        """
        return self._note(text, self._signer.sign)

    def sign_head(self, text: str, descent: Descent) -> bytes:
        """The signed note of a tree head. Raises as `sign`, and what the signer does."""
        asks = self._asks
        return self._note(text, self._signer.sign if asks is None else lambda data: asks.sign_head(data, descent))

    def begin_promise(self, text: str) -> Callable[[], bytes]:
        """Have the note of a promise signed; what is returned waits for it, and must be called.

        Both raise as `sign`, and what the signer does.
        """
        data = _note_text(text)
        begun = None if self._asks is None else self._asks.begin_promise(data)
        return lambda: self._signed(text, self._signer.sign(data) if begun is None else begun())

    def _note(self, text: str, sign: Callable[[bytes], bytes]) -> bytes:
        return self._signed(text, sign(_note_text(text)))

    def _signed(self, text: str, signature: bytes) -> bytes:
        return f"{text}\n\N{EM DASH} {self.name} {encode_base64(self._key_id + signature)}\n".encode()


def _note_text(text: str) -> bytes:
    if not text.endswith("\n") or _CONTROL.search(text):
        raise InvalidInput("The text of a note ends with a newline and holds no other control character.")
    return text.encode()


def open_note(data: bytes, name: str, keys: Sequence[PublicKey]) -> str:
    """The text of a note, if a key of `keys` under `name` signed it. Signatures by others are ignored.

    Raises
    ------
    VerificationFailed
        Malformed, signed by no known key, or a signature by a known key does not hold.
    """
    text, signatures = split_note(data)
    known = {note_key_id(name, key): key for key in keys}
    if len(known) != len(keys):
        raise VerificationFailed(f"Two of the trusted keys share the note key id of {name!r}. Give each key once.")
    verified: set[bytes] = set()
    for signer, key_id, signature in signatures:
        if signer != name or key_id not in known:
            continue
        if key_id in verified:
            raise VerificationFailed(f"The note is signed twice by the same key of {name}.", link="signature")
        known[key_id].verify(signature, text.encode())
        verified.add(key_id)
    if not verified:
        found = ", ".join(f"{signer}+{key_id.hex()}" for signer, key_id, _ in signatures)
        raise VerificationFailed(
            f"No trusted key of {name!r} signed this note; it is signed by {found[:200]}.", link="signature"
        )
    return text


def split_note(data: bytes) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """Text and (name, key id, signature) of each signature line."""
    malformed = VerificationFailed("This is not a signed note (c2sp.org/signed-note).", link="note")
    if len(data) > _MOST_BYTES:
        raise malformed
    try:
        whole = data.decode()
    except UnicodeDecodeError:
        raise malformed from None
    text, blank, tail = whole.rpartition("\n\n")
    lines = tail.split("\n")
    if not blank or not text or _CONTROL.search(whole) or lines.pop() != "" or not 1 <= len(lines) <= _MOST_SIGNATURES:
        raise malformed
    signatures = []
    for line in lines:
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        blob = decode_base64(encoded, what="A signature in a note")
        if dash != "\N{EM DASH}" or not is_key_name(name) or len(blob) < 5:
            raise malformed
        signatures.append((name, blob[:4], blob[4:]))
    return text + "\n", signatures


def is_key_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(character.isspace() for character in name)


# ---- checkpoints


def check_origin(origin: str) -> str:
    """Return `origin` if it can name one of our logs, e.g. "example.com/sealwright/ws_1/control".

    Raises
    ------
    InvalidInput
        Not 1 to 200 visible ASCII characters without space and plus.
    """
    if ORIGIN.fullmatch(origin):
        return origin
    raise InvalidInput(
        f"{origin[:80]!r} cannot be the origin of a ledger.\n"
        "Use 1 to 200 visible ASCII characters without space and plus, such as example.com/ws_1/control."
    )


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head: the log's name, its number of leaves, the 32-byte root over them."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The note text of c2sp.org/tlog-checkpoint."""
        return f"{self.origin}\n{self.size}\n{encode_base64(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """The tree head in a note text.

        Raises
        ------
        VerificationFailed
            Not exactly origin, size without leading zeros, and root.
        """
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] or not lines[0] or not NUMBER.fullmatch(lines[1]):
            raise VerificationFailed("This is not a checkpoint: expected the lines origin, size, root.", link="note")
        root = decode_base64(lines[2], what="The root in a checkpoint")
        if len(root) != 32:
            raise VerificationFailed("The root in this checkpoint is not 32 bytes.", link="note")
        return cls(lines[0], int(lines[1]), root)

    @classmethod
    def parse_note(cls, note: bytes) -> "Checkpoint":
        """The tree head a note claims. No signature is checked: for what something else vouches for.

        Raises
        ------
        VerificationFailed
            Not a checkpoint.
        """
        return cls.parse(split_note(note)[0])


def open_checkpoint(
    note: bytes, keys: Sequence[PublicKey], origin: str | None, *, name: str | None = None
) -> Checkpoint:
    """The tree head in a signed checkpoint, if a key of `keys` signed it for `origin` (None: any origin).

    Parameters
    ----------
    note : bytes
        A signed note.
    keys : sequence of PublicKey
        Ed25519 keys that may sign for the log.
    origin : str or None
        The log that is expected.
    name : str, optional
        Key name in the signature line; by default the origin, as the format recommends.

    Raises
    ------
    VerificationFailed
        Malformed, another log's, or not signed by a trusted key.
    """
    claimed = Checkpoint.parse_note(note)
    if origin is not None and claimed.origin != origin:
        raise VerificationFailed(
            f"This checkpoint belongs to the log {claimed.origin[:200]!r}; expected {origin!r}.", link="origin"
        )
    if name is None and not is_key_name(claimed.origin):
        raise VerificationFailed("The origin of this checkpoint cannot be a key name; say which name signs.")
    return Checkpoint.parse(open_note(note, name or claimed.origin, keys))


# ---- proofs


@dataclass(frozen=True, slots=True)
class TlogProof:
    """That the leaf at `index` is in the tree of `checkpoint` (a signed note): c2sp.org/tlog-proof."""

    HEADER: ClassVar[str] = "c2sp.org/tlog-proof@v1"

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes

    def to_bytes(self) -> bytes:
        """The text form."""
        lines = [self.HEADER, f"index {self.index}", *(encode_base64(item) for item in self.path), "", ""]
        return "\n".join(lines).encode() + self.checkpoint

    @classmethod
    def parse(cls, data: bytes) -> "TlogProof":
        """Read the text form; nothing is verified yet.

        Raises
        ------
        VerificationFailed
            Not this format, or with an "extra" line, which no signature covers.
        """
        return cls(*split_proof(data, cls.HEADER))


def split_proof(data: bytes, header: str) -> tuple[int, tuple[bytes, ...], bytes]:
    """Index, path and signed note of a proof whose first line is `header`; nothing is verified yet.

    Raises
    ------
    VerificationFailed
        Not this format, or with an "extra" line, which no signature covers.
    """
    head, blank, note = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        lines = [""]
    word, _, number = lines[1].partition(" ") if len(lines) > 1 else ("", "", "")
    if word == "extra":
        raise VerificationFailed(
            "This proof carries an 'extra' line, which nothing signs; ours never do.", link="proof"
        )
    if not blank or lines[0] != header or word != "index" or not NUMBER.fullmatch(number):
        raise VerificationFailed(f"This is not a proof of the form {header}.", link="proof")
    path = tuple(decode_base64(line, what="A hash in an inclusion proof") for line in lines[2:])
    if len(path) > _MOST_PATH:
        raise VerificationFailed("This inclusion proof is longer than any tree is high.", link="proof")
    return int(number), path, note


class EnoughWitnesses(Protocol):
    """What `witness.WitnessPolicy` is."""

    def check(self, note: bytes) -> object:
        """Raise `VerificationFailed` unless enough witnesses cosigned the checkpoint."""


def verify_proof(
    leaf: bytes,
    proof: bytes,
    keys: Sequence[PublicKey],
    origin: str | None,
    *,
    witnesses: "EnoughWitnesses | None" = None,
) -> int:
    """Check offline that `leaf` is in the log whose checkpoint is in `proof`; return its index.

    Parameters
    ----------
    leaf : bytes
        The entry as it stands in the ledger, without its attachment.
    proof : bytes
        A tlog-proof text.
    keys : sequence of PublicKey
        Keys that may sign checkpoints of the log.
    origin : str or None
        The log that is expected; None accepts any log signed by `keys`.
    witnesses : WitnessPolicy, optional
        Who must have cosigned the checkpoint in the proof.

    Raises
    ------
    VerificationFailed
        Malformed, another log's, not signed by a trusted key, by too few witnesses, or the leaf is not at that place.
    Refused
        `keys` is empty: nothing would be verified.
    """
    if not keys:
        raise Refused("No key to verify with was given, so nothing can be verified. Pass the log's public keys.")
    parsed = TlogProof.parse(proof)
    head = open_checkpoint(parsed.checkpoint, keys, origin)
    if witnesses is not None:
        witnesses.check(parsed.checkpoint)
    verify_inclusion(leaf_hash(leaf), parsed.index, head.size, parsed.path, head.root)
    return parsed.index
