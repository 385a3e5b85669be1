"""What a serving process goes on with when keys of its workspace were replaced or withdrawn.

Answers: by which key are heads of decisions signed now, with which key are records sealed, and what was verified by keys that are
others now? Does not answer: which keys to believe (`believed`), nor how the next one comes (`decision_key`).
"""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

from sealwright.kernel import SealwrightError
from sealwright.serving.believed import Believed
from sealwright.serving.book import Book
from sealwright.serving.config import ServeConfig
from sealwright.serving.decision_key import DecisionKey
from sealwright.serving.tokens import TokenCheck
from sealwright.serving.transport.events import EventLog
from sealwright.trust import KeyInbox

__all__ = ["Following"]


class Following:
    """The keys of one server. `look` is called by the server's own loop, once a second."""

    def __init__(
        self,
        config: ServeConfig,
        believed: Believed,
        tokens: TokenCheck,
        books: Callable[[], Iterable[Book]],
        key: DecisionKey,
        log: EventLog,
        *,
        name: str,
    ) -> None:
        """
        Parameters
        ----------
        books : callable
            Those that are open at this moment, the server's own first.
        key : DecisionKey
            With which books are opened.
        name : str
            Under which the next key is handed over; no other process has it.
        """
        self._believed, self._tokens, self._books, self._log = believed, tokens, books, log
        self._was, self._key = believed.now, key
        self._inbox = _inbox(Path(config.home), name, self._key, log)
        self._behind = False

    async def look(self) -> None:
        """Go on with what counts now.

        Raises
        ------
        NotRecorded
            The ledger does not take that another key seals its records now; it does from now on.
        """
        self._follow_root()
        if self._inbox is not None:
            await asyncio.to_thread(self._inbox.look)
        key = self._key.newer()
        if key is not None:
            books = list(self._books())
            for book in books:
                book.decisions.use(key)
            self._log.tell("decision_key_taken", version=self._key.version)
            for book in books:
                await asyncio.to_thread(book.decisions.note, "serving.key_taken", "", {"version": self._key.version})
        behind = self._key.behind()
        if behind and not self._behind:
            self._log.tell("decision_key_older", version=self._key.version)
        self._behind = behind

    def close(self) -> None:
        """Take no more keys."""
        if self._inbox is not None:
            self._inbox.close()

    def _follow_root(self) -> None:
        """Forget what was verified by other keys, and sign heads of decisions with the key in use."""
        now = self._believed.now
        if now is self._was:
            return
        self._was = now
        self._tokens.forget()
        for book in self._books():
            book.sign_with(now.in_use("decision-checkpoints"))


def _inbox(home: Path, name: str, key: DecisionKey, log: EventLog) -> KeyInbox | None:
    """Where the next key is handed over. Without it the server goes on with the key it has, which stays to read."""
    try:
        return KeyInbox(home, name, key.holds, key.take)
    except (OSError, SealwrightError) as error:
        log.tell("decision_key_stays", kind=type(error).__name__)
        return None
