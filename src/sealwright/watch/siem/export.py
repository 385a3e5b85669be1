"""Everything a ledger holds, to one receiver, in order, without loss: at least once, never silently not at all.

Answers: what is still to be sent, and how far behind is the receiver?
Does not answer: which events matter. All of them are sent; a SIEM chooses.

The ledger is the queue: it is durable already, so an outage of the receiver takes no memory and loses nothing. The cursor
moves when a whole exchange arrived; after a failure the exchange is sent again, and the receiver drops what it has.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType

from sealwright.kernel import VerificationFailed, digest_of
from sealwright.trust import Ledger, LedgerEntry
from sealwright.watch.seen import Seen, seen_in
from sealwright.watch.siem.cef import cef_of
from sealwright.watch.siem.cursor import Cursor, CursorFile
from sealwright.watch.siem.ocsf import ocsf_of
from sealwright.watch.siem.syslog import frame, syslog_of
from sealwright.watch.siem.transport import TlsSender

__all__ = ["ENCODERS", "Exporter", "Lag"]

_EXCHANGE = 2000  # events between two farewells: what is sent again at most after a failure


def _json(seen: Seen) -> str:
    return json.dumps(ocsf_of(seen), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


ENCODERS: Mapping[str, Callable[[Seen], str]] = MappingProxyType({"ocsf": _json, "cef": cef_of})
"""The formats by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """How far a receiver is behind."""

    arrived: int  # events that have arrived
    waiting: int  # events in the ledger that have not
    oldest: str  # when the first of them happened, RFC 3339; "" where none waits


class Exporter:
    """Sends one ledger to one receiver. `connect` opens a connection; a connection that fails may be opened anew."""

    def __init__(
        self,
        cursor: CursorFile,
        connect: Callable[[], TlsSender],
        *,
        origin: str,
        host: str,
        encode: Callable[[Seen], str],
    ) -> None:
        self._cursor, self._connect, self._origin, self._host, self._encode = cursor, connect, origin, host, encode

    def send_what_waits(self, ledger: Ledger) -> int:
        """Send everything from the cursor to the newest checkpoint of `ledger`, exchange by exchange; returns how many.

        Raises
        ------
        SendFailed
            The receiver was lost. What arrived before counts; the rest is sent by the next call.
        VerificationFailed
            The ledger is not the one that was sent before: shorter, or another history. Nothing is sent.
        """
        cursor, sent = self._checked(ledger), 0
        entries = ledger.entries(cursor.next)
        while exchange := list(islice(entries, _EXCHANGE)):
            with self._connect() as connection:
                connection.write(self._frames(exchange))
                connection.farewell()
            last = exchange[-1]
            cursor = Cursor(self._origin, last.index + 1, digest_of(last.leaf))
            self._cursor.keep(cursor)
            sent += len(exchange)
        return sent

    def lag(self, ledger: Ledger) -> Lag:
        """How far behind the receiver is.

        Raises
        ------
        VerificationFailed
            As `send_what_waits`.
        """
        cursor = self._checked(ledger)
        waiting = ledger.size - cursor.next
        oldest = ledger.entry(cursor.next).at if waiting else ""
        return Lag(arrived=cursor.next, waiting=waiting, oldest=oldest)

    def _frames(self, entries: list[LedgerEntry]) -> Iterator[bytes]:
        for entry in entries:
            seen = seen_in(entry, self._origin)
            yield frame(syslog_of(seen, self._encode(seen), host=self._host))

    def _checked(self, ledger: Ledger) -> Cursor:
        cursor = self._cursor.read()
        if cursor.next > ledger.size:
            raise VerificationFailed(
                f"The receiver has {cursor.next} events of a ledger that now has {ledger.size}: its end was cut off, or it was restored.",
                link="cursor",
            )
        if cursor.next and digest_of(ledger.entry(cursor.next - 1).leaf) != cursor.last:
            raise VerificationFailed(
                f"Event {cursor.next - 1} is another one than was sent: the ledger's history was replaced.",
                link="cursor",
            )
        return cursor
