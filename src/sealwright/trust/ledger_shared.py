"""One ledger written by several programs in turn: a server that runs all day, and commands beside it.

Answers: how does a long-lived process record what happens without keeping every other program out?
Does not answer: may two write at once. They may not; whoever comes second waits for the length of a batch.

The ledger is opened when something has to be recorded, shared by all threads that record at that moment, and let go once
nobody has needed it for a short while.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sealwright.kernel import Refused
from sealwright.trust.audit import Audit, Event, LedgerAudit
from sealwright.trust.keyring import Keyring
from sealwright.trust.ledger import Ledger
from sealwright.trust.ledger_file import LedgerInUse

__all__ = ["SharedAudit", "SharedLedger"]

_LINGER_SECONDS = 0.2
_PATIENCE_SECONDS = 5.0
_LOOK_AGAIN_SECONDS = 0.02


class SharedLedger:
    """Opens a ledger for whoever needs it, and lets go of it in between. Safe to use from many threads."""

    def __init__(
        self, open_ledger: Callable[[], Ledger], *, linger: float = _LINGER_SECONDS, patience: float = _PATIENCE_SECONDS
    ) -> None:
        """`linger`: seconds it is kept after the last use; `patience`: seconds to wait for another program."""
        self._open, self._linger, self._patience = open_ledger, linger, patience
        self._lock = threading.Lock()
        self._ledger: Ledger | None = None
        self._users = 0
        self._timer: threading.Timer | None = None
        self._closed = False

    @contextmanager
    def use(self) -> Iterator[Ledger]:
        """The opened ledger, for as long as the block lasts.

        Raises
        ------
        LedgerInUse
            Another program has been writing for longer than we wait.
        Refused
            This was closed.
        VerificationFailed, LedgerUnavailable
            As `Ledger.open`.
        """
        ledger = self._taken()
        try:
            yield ledger
        finally:
            self._given_back()

    def close(self) -> None:
        """Let go of the ledger for good, once nobody uses it."""
        with self._lock:
            self._closed = True
            if self._users == 0:
                self._let_go()

    def _taken(self) -> Ledger:
        with self._lock:
            if self._closed:
                raise Refused("This program is ending and records nothing more.")
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._ledger is None:
                self._ledger = self._opened()
            self._users += 1
            return self._ledger

    def _given_back(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users:
                return
            if self._closed:
                self._let_go()
                return
            self._timer = threading.Timer(self._linger, self._let_go_if_idle)
            self._timer.daemon = True
            self._timer.start()

    def _opened(self) -> Ledger:
        until = time.monotonic() + self._patience
        while True:
            try:
                return self._open()
            except LedgerInUse:
                if time.monotonic() >= until:
                    raise
            time.sleep(_LOOK_AGAIN_SECONDS)

    def _let_go_if_idle(self) -> None:
        with self._lock:
            if self._users == 0 and self._timer is not None:
                self._let_go()

    def _let_go(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None


class SharedAudit:
    """Events into a shared ledger. Implements `Audit`."""

    def __init__(self, shared: SharedLedger, keyring: Keyring) -> None:
        self._shared, self._keyring = shared, keyring

    def record(self, event: Event) -> None:
        """As `Audit.record`."""
        with self._shared.use() as ledger:
            audit: Audit = LedgerAudit(ledger, self._keyring)
            audit.record(event)
