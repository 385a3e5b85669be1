"""Opening books: each channel's ledger and state, and the one line to the signer for all of them.

Answers: how does the one process of a server that writes get at what it writes down?
Does not answer: how other processes reach it. `workers` does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sealwright.kernel import Clock, InvalidInput
from sealwright.serving.book import Book, open_ledger
from sealwright.serving.config import ModelConfig, ServeConfig
from sealwright.serving.places import decision_origin
from sealwright.serving.state import StateFile
from sealwright.trust import TRUST_CHAIN, BorrowedLine, FollowedRoot, Ledger, PublicKey, RemoteSigner, TrustRoot

__all__ = ["Books", "Opening", "Pages"]

_FEW = 4  # so many channels get a journal of the usual size


class Books(Protocol):
    """Where a server's books come from: this process, or the keeper of several."""

    def book(self, model: ModelConfig, key: bytes) -> Book:
        """A channel's book; records are sealed with `key`. Raises as `open_ledger`."""

    def close(self) -> None:
        """Every book is closed by now."""


@dataclass(frozen=True, slots=True)
class Pages:
    """One book as it lies on disk, open."""

    state: StateFile
    ledger: Ledger
    sign_with: Callable[[PublicKey], None]


class Opening:
    """Opens the books of one server, in the process that has them. Implements `Books`."""

    def __init__(self, config: ServeConfig, clock: Clock) -> None:
        self._config, self._clock = config, clock
        self._home = Path(config.home)
        root = TrustRoot.from_bytes(config.trust_root.encode())
        self._root = FollowedRoot(root, self._home / "keys" / TRUST_CHAIN)
        self._line = BorrowedLine(config.signer_fd, config.origins, home=self._home)

    def book(self, model: ModelConfig, key: bytes) -> Book:
        pages = self.pages(model)
        return Book(model, pages.state, pages.ledger, pages.sign_with, key=key, clock=self._clock)

    def pages(self, model: ModelConfig) -> Pages:
        """A channel's ledger and state. Raises as `open_ledger`."""
        keys = self._keys()
        signer = self._line.signer(keys[-1])
        origin = decision_origin(self._config.workspace, model.project, model.channel)
        place = (model.project, model.channel)
        state, ledger = open_ledger(self._home, origin, place, signer, keys, self._clock)
        try:
            ledger.prepare_to_keep(small=len(self._config.models) > _FEW)
        except BaseException:
            ledger.close()
            raise
        return Pages(state, ledger, _Signing(ledger, signer))

    def key(self, key_id: str) -> PublicKey:
        """A key of the branch of decision heads that is believed now. Raises `InvalidInput`."""
        for key in self._keys():
            if key.key_id == key_id:
                return key
        raise InvalidInput("Heads of decisions are not signed by that key.")

    def close(self) -> None:
        """Hang up on the signer. Every book is closed by now."""
        self._line.close()

    def _keys(self) -> list[PublicKey]:
        """Of the branch of decision heads, the one in use last."""
        return list(self._root.now.keys_of("decision-checkpoints"))


class _Signing:
    """By which key a ledger's heads are signed."""

    def __init__(self, ledger: Ledger, signer: RemoteSigner) -> None:
        self._ledger, self._signer = ledger, signer

    def __call__(self, key: PublicKey) -> None:
        """Another key of the branch from the next head on."""
        if key.key_id != self._signer.key_id:
            self._signer = self._signer.with_key(key)
            self._ledger.sign_with(self._signer)
