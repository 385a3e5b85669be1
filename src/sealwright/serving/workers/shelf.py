"""The keeper's books: each opened for the first worker that asks, closed after the last one that put it away.

Answers: what do several processes write into one ledger, and what does one of them know that all must not forget?
Does not answer: who runs. The keeper does.
"""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from sealwright.kernel import InvalidInput, NotFound, VerificationFailed
from sealwright.serving.config import ServeConfig
from sealwright.serving.opening import Opening, Pages
from sealwright.serving.state import ServingState
from sealwright.trust import Entry, Ledger

__all__ = ["Shelf"]

_ONLY_RISE = ("sequence", "revocations", "access", "key_revocations")


class Shelf:
    """Used from the threads of all workers, and by the keeper's loop for `ledger`."""

    def __init__(self, config: ServeConfig, opening: Opening) -> None:
        self._config, self._opening = config, opening
        self._pages: dict[int, Pages] = {}
        self._readers: dict[int, set[int]] = {}  # by model: workers that have it open
        self._lock = threading.RLock()

    def ledger(self, model: int) -> Ledger:
        """The ledger of a model that is open. Raises `NotFound`."""
        return self._page(model).ledger

    # ---- what a worker may ask: each verb takes the worker and the model

    def open(self, worker: int, model: int) -> ServingState:
        """Open a book, if it is not; what it must not forget. Raises as `open_ledger`."""
        with self._lock:
            if model not in self._pages:
                self._pages[model] = self._opening.pages(self._config.models[model])
            self._readers.setdefault(model, set()).add(worker)
            return self._pages[model].state.now

    def put_away(self, worker: int, model: int) -> None:
        """This worker needs it no more."""
        with self._lock:
            readers = self._readers.get(model, set())
            readers.discard(worker)
            if not readers and model in self._pages:
                self._pages.pop(model).ledger.close()

    def change(self, _worker: int, model: int, changes: Mapping[str, Any]) -> ServingState:
        """Remember something newer; durable when this returns. What only rises does not fall because one worker is behind.

        Raises
        ------
        VerificationFailed
            Another worker has seen a newer one.
        """
        with self._lock:
            state = self._page(model).state
            behind = [
                name for name in _ONLY_RISE if changes.get(name, getattr(state.now, name)) < getattr(state.now, name)
            ]
            if behind:
                raise VerificationFailed("Another worker of this server has seen a newer one.", link=behind[0])
            state.change(**changes)
            return state.now

    def append(self, worker: int, model: int, action: str, subject: str, detail: Mapping[str, Any], actor: str) -> None:
        """Write an event of a worker, which says which one it was. Raises as `Ledger.append`."""
        self._page(model).ledger.append(action, subject, {**detail, "worker": worker}, actor=actor)

    def append_many(self, _worker: int, model: int, entries: Sequence[Sequence[Any]]) -> None:
        """Write entries that go with decisions. Raises as `Ledger.append_many`."""
        made = [
            Entry(action=action, subject=subject, detail=detail, attachment=attachment, actor=actor)
            for action, subject, detail, attachment, actor in entries
        ]
        self._page(model).ledger.append_many(made)

    def proof(self, _worker: int, model: int, index: int) -> bytes:
        """As `Ledger.proof`."""
        return self._page(model).ledger.proof(index)

    def sign_with(self, _worker: int, model: int, key_id: str) -> None:
        """Have heads signed by another key of the branch, which must be one that is believed here, too.

        Raises
        ------
        InvalidInput
            It is not.
        """
        with self._lock:
            self._page(model).sign_with(self._opening.key(key_id))

    # ---- the keeper's own

    def gone(self, worker: int) -> None:
        """A worker ended: what it alone had open is closed."""
        for model in list(self._pages):
            self.put_away(worker, model)

    def close(self) -> None:
        with self._lock:
            for pages in self._pages.values():
                pages.ledger.close()
            self._pages.clear()
        self._opening.close()

    def answer(self, worker: int, verb: str, model: int, arguments: Sequence[Any]) -> Any:
        """One question of a worker. Raises what the verb raises, and `InvalidInput` for what is no question."""
        if verb not in _VERBS or not 0 <= model < len(self._config.models):
            raise InvalidInput("This is not asked of a keeper.")
        found = getattr(self, verb)(worker, model, *arguments)
        return msgspec.to_builtins(found) if isinstance(found, ServingState) else found

    def _page(self, model: int) -> Pages:
        with self._lock:
            found = self._pages.get(model)
        if found is None:
            raise NotFound("That book is not open.")
        return found


_VERBS = frozenset({"append", "append_many", "change", "open", "proof", "put_away", "sign_with"})
