"""Asking for the addresses of a name once, within a time limit.

Answers: which addresses does this name have now? Does not answer: may they be asked? That is `addresses`.
The system's resolver cannot be interrupted, so it works in a thread of its own; at most 16 of them wait at once.
"""

import socket
import threading
from collections.abc import Callable, Sequence
from ipaddress import ip_address

from sealwright.engines.addresses import Address
from sealwright.engines.outbound_errors import OutboundFailed

__all__ = ["Resolver", "resolve_within", "system_resolver"]

Resolver = Callable[[str, int], Sequence[str]]
"""From a host name and a port to its addresses as text; raises OSError if there are none."""

_MOST_ADDRESSES = 32
_SLOTS = threading.BoundedSemaphore(16)


def system_resolver(host: str, port: int) -> Sequence[str]:
    """What the operating system says."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def resolve_within(resolver: Resolver, host: str, port: int, seconds: float) -> tuple[Address, ...]:
    """Every address of a name, asked for exactly once.

    Raises
    ------
    OutboundFailed
        "outbound.resolve": no answer in time, none at all, more than 32 addresses, or too many lookups under way.
    """
    if not _SLOTS.acquire(timeout=seconds):
        raise _failed(host, "too many lookups are waiting for an answer")
    answers: list[Sequence[str]] = []
    done = threading.Event()

    def ask() -> None:
        try:
            answers.append(resolver(host, port))
        except (OSError, UnicodeError):
            pass  # the same as no answer
        finally:
            _SLOTS.release()
            done.set()

    threading.Thread(target=ask, daemon=True, name="resolving").start()
    if not done.wait(seconds):
        raise _failed(host, "the name server did not answer in time")
    if not answers or not 1 <= len(answers[0]) <= _MOST_ADDRESSES:
        raise _failed(host, f"the name has no address, or more than {_MOST_ADDRESSES}")
    try:
        return tuple(ip_address(text) for text in answers[0])
    except ValueError:
        raise _failed(host, "the answer holds something that is no address") from None


def _failed(host: str, why: str) -> OutboundFailed:
    return OutboundFailed("resolve", f"{host} cannot be found: {why}. Check the name, then try again.")
