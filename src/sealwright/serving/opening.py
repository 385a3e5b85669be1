"""Opening books in the process that serves: each channel's ledger and state, and the one line to the signer for all of them.

Answers: how does a server that is one process get at what it writes down?
Does not answer: how several processes share it. `workers` does.
"""

from pathlib import Path

from sealwright.kernel import Clock
from sealwright.serving.book import Book, open_ledger
from sealwright.serving.config import ModelConfig, ServeConfig
from sealwright.trust import TRUST_CHAIN, FollowedRoot, PublicKey, RemoteSigner, TrustRoot, borrowed_signer

__all__ = ["Opening"]

_FEW = 4  # so many channels get a journal of the usual size


class Opening:
    """Opens the books of one server."""

    def __init__(self, config: ServeConfig, clock: Clock) -> None:
        self._config, self._clock = config, clock
        self._home = Path(config.home)
        root = TrustRoot.from_bytes(config.trust_root.encode())
        self._root = FollowedRoot(root, self._home / "keys" / TRUST_CHAIN)
        self._signer: RemoteSigner = borrowed_signer(
            config.signer_fd, self._keys()[-1], config.origins, home=self._home
        )

    def book(self, model: ModelConfig, key: bytes) -> Book:
        """A channel's book; records are sealed with `key`. Raises as `open_ledger`."""
        keys = self._keys()
        signer = self._signer.with_key(keys[-1])
        state, ledger = open_ledger(self._home, self._config.workspace, model, signer, keys, self._clock)
        try:
            ledger.prepare_to_keep(small=len(self._config.models) > _FEW)
        except BaseException:
            ledger.close()
            raise

        def sign_with(newer: PublicKey) -> None:
            if newer.key_id != signer_of[0].key_id:
                signer_of[0] = signer_of[0].with_key(newer)
                ledger.sign_with(signer_of[0])

        signer_of = [signer]
        return Book(model, state, ledger, sign_with, key=key, clock=self._clock)

    def _keys(self) -> list[PublicKey]:
        """Of the branch of decision heads, the one in use last."""
        return list(self._root.now.keys_of("decision-checkpoints"))
