"""What workers and their keeper say to each other, over sockets that nobody else has.

Two lines for each worker. Decisions go over one, many a second and without waiting for each other: a number, then what was prepared, and
what was promised comes back under that number. Everything else is asked over the other, one question at a time, from threads.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from sealwright.kernel import InvalidInput, NotFound, OperationFailed, SealwrightError, VerificationFailed
from sealwright.trust import LedgerUnavailable, PreparedParts, ToldPromise

__all__ = ["Asked", "Failed", "Frames", "Keep", "Kept", "Said", "as_error", "as_failed", "framed"]

_PREFIX = 4
_MOST = 64 << 20


class Keep(msgspec.Struct, array_like=True, frozen=True):
    """Decisions of one model, to be promised together."""

    number: int  # of this message
    model: int  # place among the models of the server
    on_disk: bool
    entries: list[PreparedParts]


class Failed(msgspec.Struct, array_like=True, frozen=True, tag=True):
    """Why not, as an error that says the same on the other side."""

    code: str
    message: str
    link: str = ""


class Kept(msgspec.Struct, array_like=True, frozen=True, tag=True):
    """What was promised."""

    promise: ToldPromise


class Answer(msgspec.Struct, array_like=True, frozen=True):
    """To one `Keep`."""

    number: int
    said: Kept | Failed


class Asked(msgspec.Struct, array_like=True, frozen=True):
    """One question: a verb of `shelf.Shelf`, and its arguments."""

    verb: str
    model: int
    arguments: list[Any]


class Said(msgspec.Struct, array_like=True, frozen=True, tag=True):
    """Its answer."""

    value: Any


class Frames:
    """Messages from a stream of bytes: each with its length before it."""

    def __init__(self) -> None:
        self._had = bytearray()

    def whole(self, data: bytes) -> Iterator[bytes]:
        """What is complete with these bytes.

        Raises
        ------
        InvalidInput
            A message of an impossible length: the other side is not what it should be.
        """
        self._had += data
        while len(self._had) >= _PREFIX:
            size = int.from_bytes(self._had[:_PREFIX], "big")
            if size > _MOST:
                raise InvalidInput("A message between keeper and worker has an impossible length.")
            if len(self._had) < _PREFIX + size:
                return
            yield bytes(memoryview(self._had)[_PREFIX : _PREFIX + size])
            del self._had[: _PREFIX + size]


def framed(message: msgspec.Struct) -> bytes:
    """A message with its length before it."""
    body = msgspec.msgpack.encode(message)
    return len(body).to_bytes(_PREFIX, "big") + body


def as_failed(error: BaseException) -> Failed:
    """An error, to be told. What is no error of ours keeps its text to itself."""
    if isinstance(error, SealwrightError):
        return Failed(error.code, str(error), str(getattr(error, "link", "")))
    return Failed("", f"{type(error).__name__} in the keeper")


def as_error(failed: Failed) -> SealwrightError:
    """The same error here, as far as anybody tells it from others."""
    if failed.code == VerificationFailed.code:
        return VerificationFailed(failed.message, link=failed.link)
    kinds: dict[str, type[SealwrightError]] = {kind.code: kind for kind in (InvalidInput, NotFound, LedgerUnavailable)}
    return kinds.get(failed.code, OperationFailed)(failed.message)
