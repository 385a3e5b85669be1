"""The lane of usual predictions: from a connection's bytes to its answer, with nothing between that they do not need.

Answers: how does a small JSON prediction skip what only unusual requests need? One regular expression takes its head
apart, its caller and body are checked as everywhere (`reception`, the protocols), and the answer is one write.
Does not answer: anything it is not sure of. Other heads, large bodies and other addresses go through the application.

No task, no message, no parser callback is made for such a request; docs/adr/0018-quick-lane.md has what that saves.
"""

from collections.abc import Callable
from typing import Any

from sealwright.serving.budgets.budgets import Admitted, Budgets
from sealwright.serving.budgets.reached import LimitReached
from sealwright.serving.channels import Channels
from sealwright.serving.deciding import LARGE_BODY
from sealwright.serving.problems import BodyTooLarge, HttpRefusal, problem_body
from sealwright.serving.reception import Reception
from sealwright.serving.transport.admission import check_host, person_in
from sealwright.serving.transport.connection import GuardedConnection
from sealwright.serving.transport.head import quick_head

__all__ = ["PredictionLane"]

_OK = b"HTTP/1.1 200 OK\r\ncontent-type: "
_ALWAYS = b"cache-control: no-store\r\nx-content-type-options: nosniff\r\n"


class PredictionLane:
    """Takes predictions of one server. Implements `QuickLane`."""

    def __init__(
        self,
        reception: Reception,
        channels: Channels,
        refusal_of: Callable[[BaseException, str], tuple[HttpRefusal, str]],
    ) -> None:
        """
        Parameters
        ----------
        refusal_of : callable
            What is told for an error of a request from an address, and the fault's id.
        """
        self._reception, self._channels, self._refusal_of = reception, channels, refusal_of

    def take(self, data: bytes, end: int, connection: GuardedConnection) -> int:
        """As `QuickLane.take`."""
        head = quick_head(data, end)
        if head is None or head.length > LARGE_BODY:
            return 0
        whole = end + head.length
        reception = self._reception
        match = reception.usual("POST", head.path)
        if match is None or match.route.asked_as is None or len(data) < whole:
            return 0
        reply = _Reply(connection, self._refusal_of, oip=head.path.startswith(b"/v2"))
        try:
            check_host(head.host, reception.hosts)
            _, caller, model = reception.let_in(match, head.authorization, connection.thumbprint)
            channel = self._channels.at_hand(model)
            if channel is None:
                return 0  # it must be opened, which takes a moment
            admitted = channel.budgets.enter(caller, 1)
            if admitted is None:
                return 0  # the counters must be asked, which takes a moment
            reply.budgets, reply.admitted = channel.budgets, admitted
            if head.length > channel.model.body_bytes:
                raise BodyTooLarge
            inquiry = reply.inquiry = channel.inquiry(
                "",
                data[end:whole],
                match.route.asked_as,
                caller,
                connection.source,
                reply,
                person=person_in(head.person),
                admitted=admitted,
            )
            channel.decider.begin(inquiry)
        except Exception as error:  # noqa: BLE001 - told as a problem, or as a fault with an id
            reply.set_exception(error)
        return whole


class _Reply:
    """Where the receipt of one request goes: on to the connection, as its answer. Takes the place of a future."""

    __slots__ = ("_connection", "_done", "_oip", "_refusal_of", "admitted", "budgets", "inquiry")

    def __init__(
        self,
        connection: GuardedConnection,
        refusal_of: Callable[[BaseException, str], tuple[HttpRefusal, str]],
        *,
        oip: bool,
    ) -> None:
        self._connection, self._refusal_of, self._done = connection, refusal_of, False
        self._oip = oip
        self.inquiry: Any = None
        self.budgets: Budgets | None = None
        self.admitted: Admitted | None = None

    def done(self) -> bool:
        return self._done

    def set_result(self, receipt: bytes) -> None:
        inquiry, self.inquiry = self.inquiry, None  # or each would keep the other until the collector comes by
        body, media, headers, _ = inquiry.protocol.reply(inquiry, receipt)
        told = _lines((*headers, *self._left()))
        self._connection.answer(
            b"%b%b\r\n%b%bcontent-length: %d\r\n\r\n%b" % (_OK, media, _ALWAYS, told, len(body), body), close=False
        )

    def set_exception(self, error: BaseException) -> None:
        self.inquiry = None
        refusal, instance = self._refusal_of(error, self._connection.source)
        body = problem_body(refusal, instance=instance, oip=self._oip)
        told = self._left()
        lines = _lines(refusal.headers if isinstance(refusal, LimitReached) else (*refusal.headers, *told))
        if refusal.closes:
            lines += b"connection: close\r\n"
        self._connection.answer(
            b"HTTP/1.1 %d Refused\r\ncontent-type: application/problem+json\r\n%b%bcontent-length: %d\r\n\r\n%b"
            % (refusal.status, _ALWAYS, lines, len(body), body),
            close=refusal.closes,
        )

    def _left(self) -> tuple[tuple[bytes, bytes], ...]:
        """End the request for its caller's budgets; the headers that say what is left of them."""
        self._done = True
        admitted, budgets = self.admitted, self.budgets
        if admitted is None or budgets is None:
            return ()
        told = budgets.headers(admitted)
        budgets.leave(admitted)
        return told


def _lines(headers: tuple[tuple[bytes, bytes], ...]) -> bytes:
    return b"".join([b"%b: %b\r\n" % pair for pair in headers])
