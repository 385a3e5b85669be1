"""The other forms of the named-feature protocol: tables as Arrow IPC or CSV instead of JSON.

Answers: in which form did this request come, and in which shall the answer go? A body in one form may be answered in another: the header
Accept decides, else the form of the body. What the receipt vouches for is the JSON text all the same, by column.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sealwright.serving.protocol_named import NamedProtocol, NamedRequest
from sealwright.serving.reply import JSON, Decided, Reply

__all__ = ["ARROW", "CSV", "Form", "form_asked"]

ARROW = b"application/vnd.apache.arrow.stream"
CSV = b"text/csv"

_Read = Callable[[NamedProtocol, bytes], NamedRequest]
_Write = Callable[[Decided, bytes, NamedProtocol], Reply]


@dataclass(frozen=True, slots=True)
class Form:
    """How a table comes and goes."""

    media: str
    read: _Read
    write: _Write

    def of(self, named: NamedProtocol) -> "_Bound":
        """This form of one model's protocol."""
        return _Bound(self, named)


class _Bound:
    """A form and a contract: what `Decider` works with."""

    def __init__(self, form: Form, named: NamedProtocol) -> None:
        self._form, self._named, self.media = form, named, form.media
        self.answer = named.answer

    def read(self, body: bytes) -> NamedRequest:
        return self._form.read(self._named, body)

    def reply(self, one: Decided, receipt: bytes) -> Reply:
        return self._form.write(one, receipt, self._named)


def form_asked(media: bytes, accept: bytes, *, csv: bool) -> Form | None:
    """The form of a request; None for JSON both ways, which is nearly every one.

    Parameters
    ----------
    media : bytes
        Of the body, one that the address reads.
    accept : bytes
        The header as it was sent. What we cannot give is no refusal: the answer comes in the body's own form.
    csv : bool
        Whether this address speaks CSV.
    """
    if media == JSON and (not accept or accept in _ANY):
        return None
    offered = (JSON, ARROW, CSV) if csv else (JSON, ARROW)
    wanted = [part.partition(b";")[0].strip().lower() for part in accept.split(b",")[:_MOST_ACCEPTED]]
    told = next((name for name in wanted if name in offered), media)
    return None if media == told == JSON else Form(_NAMES[media], _READERS[media], _WRITERS[told])


_ANY = frozenset({b"*/*", JSON})
_MOST_ACCEPTED = 16
_NAMES = {JSON: "named", ARROW: "named-arrow", CSV: "named-csv"}


def _read_json(named: NamedProtocol, body: bytes) -> NamedRequest:
    return named.read(body)


def _read_arrow(named: NamedProtocol, body: bytes) -> NamedRequest:
    from sealwright.serving.protocol_arrow import read_table

    return read_table(named, body)


def _read_csv(named: NamedProtocol, body: bytes) -> NamedRequest:
    from sealwright.serving.protocol_csv import read_table

    return read_table(named, body)


def _write_json(one: Decided, receipt: bytes, named: NamedProtocol) -> Reply:
    return named.reply(one, receipt)


def _write_arrow(one: Decided, receipt: bytes, named: NamedProtocol) -> Reply:
    from sealwright.serving.protocol_arrow import write_table

    return Reply(write_table(named.contract, one.outcome, one.decision, receipt), ARROW)


def _write_csv(one: Decided, _receipt: bytes, named: NamedProtocol) -> Reply:
    """A table of text has no place for a receipt: the decision is named in a header."""
    from sealwright.serving.protocol_csv import write_table

    named_in = (b"sealwright-decision", one.decision.encode())
    return Reply(write_table(named.contract, one.outcome), CSV, (named_in,))


_READERS: dict[bytes, _Read] = {JSON: _read_json, ARROW: _read_arrow, CSV: _read_csv}
_WRITERS: dict[bytes, _Write] = {JSON: _write_json, ARROW: _write_arrow, CSV: _write_csv}
