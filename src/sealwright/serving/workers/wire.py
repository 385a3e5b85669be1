"""What workers and their keeper say to each other, over sockets that nobody else has.

Two lines for each worker. Decisions go over one, many a second and without waiting for each other: a number, then what was prepared, and
what was promised comes back under that number. Everything else is asked over the other, one question at a time, from threads.

A message of any size goes over: one that is large is cut into frames, and is one message again on the other side, so that what was handed
over together is written together.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from sealwright.kernel import InvalidInput, NotFound, OperationFailed, SealwrightError, VerificationFailed
from sealwright.trust import LedgerUnavailable, PreparedParts, ToldPromise

__all__ = ["Asked", "Failed", "Frames", "Keep", "Kept", "Said", "as_error", "as_failed", "framed"]

_PREFIX = 4
_MOST = 16 << 20  # bytes of one frame
_MORE = 1 << 31  # in a frame's length: the message goes on in the next one
_MOST_WHOLE = 2 << 30  # bytes of one message: more than can wait in a worker


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
    """Messages from a stream of bytes: each in one frame or several, with its length before it."""

    def __init__(self) -> None:
        self._had = bytearray()
        self._begun: list[bytes] = []  # frames of a message that goes on
        self._begun_bytes = 0

    def whole(self, data: bytes) -> Iterator[bytes]:
        """What is complete with these bytes.

        Raises
        ------
        InvalidInput
            A message of an impossible length: the other side is not what it should be.
        """
        self._had += data
        while len(self._had) >= _PREFIX:
            said = int.from_bytes(self._had[:_PREFIX], "big")
            size = said & ~_MORE
            if size > _MOST or self._begun_bytes + size > _MOST_WHOLE:
                raise InvalidInput("A message between keeper and worker has an impossible length.")
            if len(self._had) < _PREFIX + size:
                return
            frame = bytes(memoryview(self._had)[_PREFIX : _PREFIX + size])
            del self._had[: _PREFIX + size]
            if said & _MORE:
                self._begun.append(frame)
                self._begun_bytes += size
            else:
                yield self._ended(frame) if self._begun else frame

    def _ended(self, last: bytes) -> bytes:
        """The message whose last frame this is."""
        begun, self._begun, self._begun_bytes = self._begun, [], 0
        return b"".join([*begun, last])


def framed(message: msgspec.Struct) -> bytes:
    """A message with its length before it; one that is large, frame after frame.

    Raises
    ------
    OperationFailed
        It is larger than the other side takes.
    """
    body = msgspec.msgpack.encode(message)
    if len(body) <= _MOST:
        return len(body).to_bytes(_PREFIX, "big") + body
    if len(body) > _MOST_WHOLE:
        raise OperationFailed("More than a keeper and its worker can say at once.")
    whole = memoryview(body)
    parts: list[bytes | memoryview] = []
    for at in range(0, len(body), _MOST):
        frame = whole[at : at + _MOST]
        more = _MORE if at + _MOST < len(body) else 0
        parts += [(len(frame) | more).to_bytes(_PREFIX, "big"), frame]
    return b"".join(parts)


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
