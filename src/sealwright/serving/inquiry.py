"""One request on its way from a checked head to a receipt: everything that is known about it, in one place.

Mutable on purpose: each step of the way fills in what it found, and no step copies what another made.
"""

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

from sealwright.serving.reply import AskedOf
from sealwright.serving.timing import Times
from sealwright.serving.tokens import Caller

if TYPE_CHECKING:
    from sealwright.serving.budgets.budgets import Admitted
    from sealwright.serving.served import Served

__all__ = ["Inquiry"]


class Watch(Protocol):
    """Counts how the arm of one request does (`watching`)."""

    def refused(self) -> None: ...
    def too_slow(self) -> None: ...


class Inquiry:
    """What was asked, by whom, and as it goes on: what was read, decided, and under which id and salt it is recorded.

    `done` ends with the receipt (JSON), or with the reason why there is no answer.
    """

    __slots__ = (
        "abstained", "admitted", "answer", "asked", "began", "body", "caller", "decision", "done", "gpc", "kept", "named", "outcome",
        "person", "protocol", "reasons", "salt", "seconds", "served", "source", "times", "watched",
    )  # fmt: skip

    def __init__(
        self,
        served: "Served",
        protocol: AskedOf,
        body: bytes,
        caller: Caller,
        source: str,
        done: "asyncio.Future[bytes]",
        person: str = "",
        gpc: bool = False,
        times: Times | None = None,
        admitted: "Admitted | None" = None,
        named: bool = False,
        seconds: float | None = None,
    ) -> None:
        """`seconds`: how long the caller waits, where they say. `source`: the caller's address. `named`: the caller chose the version. `person`: whom it is about, where the caller says; kept by pseudonym only."""
        self.served, self.protocol, self.body = served, protocol, body
        self.caller, self.source, self.person, self.gpc = caller, source, person, gpc
        self.done = done
        self.admitted = admitted  # by the caller's budgets
        self.named = named
        self.began, self.seconds = perf_counter(), seconds
        self.watched: Watch | None = None
        self.times = times  # None: nobody asked for them
        self.asked: Any = None  # what the protocol read from the body
        self.outcome: Any = None  # what the model said, row after row
        self.reasons: Any = ()  # and why, where that was asked for
        self.decision = ""
        self.answer = b""  # the exact text that the receipt vouches for
        self.abstained = 0  # rows without a label
        self.kept = b""  # for the record, where the answer tells less than there was
        self.salt = b""  # of the digests in the ledger

    def late(self, now: float, longest: float) -> bool:
        """Whether nobody waits for it any more: `longest` seconds have passed, or those that its caller gave it."""
        waited = now - self.began
        return waited > longest or (self.seconds is not None and waited > self.seconds)

    def fail(self, error: BaseException) -> None:
        """There will be no answer."""
        if not self.done.done():
            self.done.set_exception(error)
