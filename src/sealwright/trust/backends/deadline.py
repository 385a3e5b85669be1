"""A call that ends in time, whatever is at its other end.

Time limits of network libraries count between two bytes, and a device driver may have none. So the call runs on a
thread of its own, and after the deadline nobody waits for it; what it may still bring is thrown away.
"""

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

from sealwright.trust.backends.errors import BackendUnavailable

__all__ = ["within"]

T = TypeVar("T")


def within(seconds: float, call: Callable[[], T], *, what: str) -> T:
    """The result of `call`, or its exception, if it ends within `seconds`.

    Raises
    ------
    BackendUnavailable
        It does not. `what` says who was asked, e.g. "The token 'prod'".
    """
    done: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            done.put((call(), None))
        except BaseException as error:  # noqa: BLE001 - it is raised again where it is waited for
            done.put((None, error))

    threading.Thread(target=run, name="key-backend", daemon=True).start()
    try:
        result, error = done.get(timeout=seconds)
    except queue.Empty:
        raise BackendUnavailable(
            f"{what} did not answer within {seconds:g} seconds, so nothing was done.\n"
            "Look whether it runs and can be reached; the limit stands in the file that names it (seconds)."
        ) from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value]  # no error: the result is there
