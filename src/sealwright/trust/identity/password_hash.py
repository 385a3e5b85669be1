"""Passwords are kept as hashes that are slow to guess, and checked a few at a time.

Answers: is this the password? Somebody who has none costs exactly as much as somebody who has.
Does not answer: is it a good one? That is `password_rules`.
Each check takes 64 MiB, so a fixed number run at once, some wait, and the rest are turned away.
"""

import hashlib
import hmac
import re
import threading
import unicodedata
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from argon2.exceptions import HashingError
from argon2.low_level import Type, hash_secret_raw

from sealwright.kernel import VerificationFailed
from sealwright.trust.identity.errors import SignInBusy
from sealwright.trust.identity.password_cost import HashCost, floor_of
from sealwright.trust.unlock import Secret

__all__ = ["MOST_CHARACTERS", "Checked", "PasswordHasher", "normal_form"]

MOST_CHARACTERS = 256
_SALT, _HASH = 16, 32
_B64 = r"([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})"
_ARGON2 = re.compile(r"\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,4}),p=(\d{1,3})\$" + _B64)
_PBKDF2 = re.compile(r"\$pbkdf2-sha256\$i=(\d{1,8})\$" + _B64)


@dataclass(frozen=True, slots=True)
class Checked:
    """Whether a password was right, and the hash to keep from now on where the cost has grown since."""

    matches: bool
    renewed: str = field(default="", repr=False)


class PasswordHasher:
    """Hashes and checks passwords at one cost. Safe to share between threads."""

    def __init__(
        self,
        cost: HashCost,
        *,
        floor: HashCost,
        slots: int,
        queue: int,
        wait_s: float,
        random: Callable[[int], bytes],
    ) -> None:
        self._cost, self._floor, self._random = cost, floor, random
        self._slots, self._wait_s = threading.BoundedSemaphore(slots), wait_s
        self._places = threading.BoundedSemaphore(slots + queue)
        self._nobody = (random(_SALT), random(_HASH))

    def hash(self, password: Secret) -> str:
        """The text to keep: PHC string format, with salt and cost in it.

        Raises
        ------
        SignInBusy
            Too many at once.
        """
        with self._a_slot():
            return self._made(normal_form(password) or b"")

    def check(self, stored: str | None, password: Secret) -> Checked:
        """Compare; `None` stands for somebody without an account, and costs the same.

        A hash that is cheaper than today's cost is made anew whether or not the password was right, so that the time
        does not tell.

        Raises
        ------
        SignInBusy
            Too many at once.
        VerificationFailed
            The stored text is not as we write it, or its cost is too weak or a trap.
        """
        given = normal_form(password)
        cost, (salt, expected) = (self._cost, self._nobody) if stored is None else _parsed(stored)
        cost.check(self._floor if cost.algorithm == self._floor.algorithm else floor_of(cost.algorithm))
        with self._a_slot():
            same = hmac.compare_digest(_derive(given or b"", salt, cost), expected)
            renewed = self._made(given or b"") if cost.weaker_than(self._cost) else ""
        matches = same and given is not None and stored is not None
        return Checked(matches, renewed if matches else "")

    def _made(self, password: bytes) -> str:
        salt = self._random(_SALT)
        return _written(self._cost, salt, _derive(password, salt, self._cost))

    @contextmanager
    def _a_slot(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise SignInBusy
        try:
            if not self._slots.acquire(timeout=self._wait_s):
                raise SignInBusy
            try:
                yield
            finally:
                self._slots.release()
        finally:
            self._places.release()


def normal_form(password: Secret) -> bytes | None:
    """UTF-8 of the NFC form, at most 256 characters of it; None if this cannot be anybody's password."""
    text = password.reveal()
    if len(text) > 4 * MOST_CHARACTERS:  # normalising costs time, too
        return None
    text = unicodedata.normalize("NFC", text)
    try:
        return text.encode("utf-8") if 0 < len(text) <= MOST_CHARACTERS else None
    except UnicodeEncodeError:
        return None


def _derive(password: bytes, salt: bytes, cost: HashCost) -> bytes:
    if cost.algorithm == "pbkdf2-sha256":
        return hashlib.pbkdf2_hmac("sha256", password, salt, cost.passes, _HASH)
    try:
        return hash_secret_raw(
            password,
            salt,
            time_cost=cost.passes,
            memory_cost=cost.memory_kib,
            parallelism=cost.lanes,
            hash_len=_HASH,
            type=Type.ID,
        )
    except HashingError:  # no memory left
        raise SignInBusy from None


def _written(cost: HashCost, salt: bytes, value: bytes) -> str:
    tail = "$".join(b64encode(part).decode().rstrip("=") for part in (salt, value))
    if cost.algorithm == "pbkdf2-sha256":
        return f"$pbkdf2-sha256$i={cost.passes}${tail}"
    return f"$argon2id$v=19$m={cost.memory_kib},t={cost.passes},p={cost.lanes}${tail}"


def _parsed(stored: str) -> tuple[HashCost, tuple[bytes, bytes]]:
    if found := _ARGON2.fullmatch(stored):
        memory, passes, lanes = (int(part) for part in found.groups()[:3])
        cost = HashCost(algorithm="argon2id", passes=passes, memory_kib=memory, lanes=lanes)
    elif found := _PBKDF2.fullmatch(stored):
        cost = HashCost(algorithm="pbkdf2-sha256", passes=int(found.group(1)))
    else:
        raise VerificationFailed("A stored password hash is not as we write it. Make the person a new enrolment link.")
    salt, value = (b64decode(part + "=" * (-len(part) % 4)) for part in found.groups()[-2:])
    return cost, (salt, value)
