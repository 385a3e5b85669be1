"""What a protocol sends back: a body, what it is, and the headers that belong to it.

The exact answer that a receipt vouches for is always JSON text, whatever the form of the body: the receipt carries that text,
so whoever keeps the receipt can check it without knowing how the answer travelled.
"""

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sealwright.serving.outcome import Outcome
    from sealwright.serving.reasons import Reasons

__all__ = ["JSON", "AskedOf", "Decided", "Reply"]

JSON = b"application/json"


class Reply(NamedTuple):
    """A response to be sent."""

    body: bytes
    media: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()
    status: int = 200


class Decided(Protocol):
    """A decided request, as far as wording its reply takes."""

    asked: Any  # what `AskedOf.read` made of the body
    outcome: Any  # what the model said
    reasons: Any  # and why, where that was asked for
    answer: bytes  # the exact text that is vouched for
    decision: str
    served: Any  # the model's `told`, `number` and `package`


class AskedOf(Protocol):
    """One form in which decisions are asked for and told.

    What `read` returns has `count` (rows), either `rows` (each in the contract's order) or `batch` (the model's inputs), and `options`.
    """

    media: str  # its name in records

    def read(self, body: bytes) -> Any:
        """Decode and check a body; raises `HttpRefusal`."""

    def answer(
        self,
        asked: Any,
        outcome: "Outcome",
        *,
        decision: str,
        model: "Mapping[str, Any]",
        reasons: "Sequence[Reasons]" = (),
    ) -> bytes:
        """The exact answer, JSON text."""

    def reply(self, one: "Decided", receipt: bytes) -> Reply:
        """The answer in the caller's form, with its receipt."""
