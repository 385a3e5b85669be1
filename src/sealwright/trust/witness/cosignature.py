"""Cosignatures: what a witness puts under a checkpoint, and how many of which witnesses are enough.

Answers: which witnesses say that this was the largest consistent tree they had seen, and at what time?
Does not answer: do the witnesses work together with the log? Choose them so that they do not.

Formats: c2sp.org/tlog-cosignature (Ed25519, type 0x04, "cosignature/v1"), verifier keys of c2sp.org/signed-note.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sealwright.kernel import InvalidInput, Refused, VerificationFailed, rfc3339
from sealwright.trust.notes import is_key_name, split_note
from sealwright.trust.public_keys import ED25519, PublicKey, Signer
from sealwright.trust.strict_base64 import decode_base64, encode_base64

__all__ = ["Cosigner", "Cosigned", "WitnessKey", "WitnessPolicy", "cosignatures_of", "with_cosignatures"]

_TYPE = b"\x04"
_TIME, _SIGNATURE, _KEY = 8, 64, 32
_VKEY = re.compile(r"(?P<name>[^+\s]{1,200})\+(?P<id>[0-9a-f]{8})\+(?P<key>[A-Za-z0-9+/=]{40,60})")
_SKEW = timedelta(minutes=5)  # the clocks of two machines may differ this much


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """A witness as those who trust it know it: its name and its Ed25519 key."""

    name: str
    public: PublicKey

    def __post_init__(self) -> None:
        if not is_key_name(self.name) or len(self.name) > 200:
            raise InvalidInput(f"{self.name[:80]!r} cannot name a witness: no space, no plus, at most 200 characters.")
        if self.public.algorithm != ED25519:
            raise InvalidInput(
                f"A witness cosigns with Ed25519 here; {self.name} has a key for {self.public.algorithm}."
            )

    @property
    def key_id(self) -> bytes:
        """SHA-256(name || 0x0A || 0x04 || key)[:4]."""
        return hashlib.sha256(self.name.encode() + b"\n" + _TYPE + self.public.raw()).digest()[:4]

    def vkey(self) -> str:
        """One line that names it, e.g. "witness.example/w1+0a1b2c3d+BBBB…"."""
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(_TYPE + self.public.raw())}"

    @classmethod
    def parse(cls, vkey: str) -> "WitnessKey":
        """The witness `vkey` names.

        Raises
        ------
        InvalidInput
            Not a verifier key for cosignatures, or its parts do not belong together.
        """
        wrong = InvalidInput(
            f"{vkey[:80]!r} is not the key of a witness. One looks like witness.example+0a1b2c3d+BA…;"
            " the witness prints its own when it starts."
        )
        found = _VKEY.fullmatch(vkey.strip())
        if found is None:
            raise wrong
        try:
            raw = decode_base64(found["key"], what="The key")
        except VerificationFailed:
            raise wrong from None
        if len(raw) != 1 + _KEY or raw[:1] != _TYPE:
            raise wrong
        loaded = Ed25519PublicKey.from_public_bytes(raw[1:])
        pem = loaded.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        key = cls(found["name"], PublicKey.from_pem(pem))
        if key.key_id.hex() != found["id"]:
            raise wrong
        return key


@dataclass(frozen=True, slots=True, order=True)
class Cosigned:
    """One verified cosignature."""

    at: datetime  # the witness's clock
    witness: str


class Cosigner:
    """A witness's own key at work."""

    def __init__(self, name: str, signer: Signer) -> None:
        self.key = WitnessKey(name, signer.public())
        self._signer = signer

    def sign(self, note: bytes, at: int) -> bytes:
        """The signature line over the checkpoint in `note`, at `at` seconds since 1970."""
        text, _ = split_note(note)
        signature = self._signer.sign(_message(text, at))
        blob = self.key.key_id + at.to_bytes(_TIME, "big") + signature
        return f"\N{EM DASH} {self.key.name} {encode_base64(blob)}\n".encode()


def cosignatures_of(note: bytes, keys: Sequence[WitnessKey]) -> Mapping[str, Cosigned]:
    """The cosignatures of these witnesses on a checkpoint, by name; those of others are ignored.

    Raises
    ------
    VerificationFailed
        Malformed, or what claims to be by one of these witnesses is not.
    """
    text, signatures = split_note(note)
    known = {(key.name, key.key_id): key for key in keys}
    found: dict[str, Cosigned] = {}
    for name, key_id, rest in signatures:
        key = known.get((name, key_id))
        if key is None:
            continue
        if len(rest) != _TIME + _SIGNATURE or name in found:
            raise VerificationFailed(f"The cosignature of {name} is malformed, or there twice.", link="cosignature")
        at = int.from_bytes(rest[:_TIME], "big")
        try:
            key.public.verify(rest[_TIME:], _message(text, at))
            found[name] = Cosigned(datetime.fromtimestamp(at, UTC), name)
        except (VerificationFailed, OverflowError, ValueError, OSError):
            raise VerificationFailed(
                f"The cosignature on this checkpoint is not by {name}, or what it signs was changed.",
                link="cosignature",
            ) from None
    return found


def with_cosignatures(note: bytes, lines: bytes, keys: Sequence[WitnessKey]) -> bytes:
    """The checkpoint with those cosignature lines that hold; a line of a witness who is on it already takes its place.

    Raises
    ------
    VerificationFailed
        None of `lines` is a cosignature of these witnesses that holds.
    """
    text, _ = split_note(note)
    body = f"{text}\n".encode()
    fresh = cosignatures_of(body + lines, keys)
    if not fresh:
        raise VerificationFailed("The answer carries no cosignature of this witness.", link="cosignature")
    names = {key.name for key in keys}
    kept = [line for line in note[len(body) :].splitlines(keepends=True) if _signer_of(line) not in fresh]
    taken = [line for line in lines.splitlines(keepends=True) if _signer_of(line) in names & fresh.keys()]
    return body + b"".join(kept + taken)


@dataclass(frozen=True, slots=True)
class WitnessPolicy:
    """How many of which witnesses must have cosigned."""

    keys: tuple[WitnessKey, ...]
    need: int = 1

    def __post_init__(self) -> None:
        names = {key.name for key in self.keys}
        raws = {key.public.key_id for key in self.keys}
        if not 1 <= self.need <= len(self.keys) or len(names) != len(self.keys) or len(raws) != len(self.keys):
            raise Refused(
                f"{self.need} of {len(self.keys)} witnesses cannot be asked for. Name each witness once, each with a key"
                " of its own, and ask for at least one and no more than there are."
            )

    def check(self, note: bytes, *, now: datetime | None = None) -> list[Cosigned]:
        """The cosignatures on a checkpoint, newest last, if they are enough. The log's own signature is checked elsewhere.

        Raises
        ------
        VerificationFailed
            Too few of these witnesses cosigned, one of the signatures does not hold, or one is dated after `now`.
        """
        found = sorted(cosignatures_of(note, self.keys).values())
        if len(found) < self.need:
            missing = ", ".join(key.name for key in self.keys if key.name not in {one.witness for one in found})
            raise VerificationFailed(
                f"{len(found)} of the witnesses you trust cosigned this checkpoint; {self.need} must have."
                f" Not on it: {missing}.",
                link="cosignature",
            )
        if now is not None and found[-1].at > now + _SKEW:
            raise VerificationFailed(
                f"The cosignature of {found[-1].witness} is dated {rfc3339(found[-1].at)}, which is yet to come.",
                link="cosignature",
            )
        return found


def _message(text: str, at: int) -> bytes:
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def _signer_of(line: bytes) -> str:
    parts = line.decode().split(" ")
    return parts[1] if len(parts) == 3 else ""
