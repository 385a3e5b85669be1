"""The keys a serving process believes: those it was started with, and what follows from them, without what was withdrawn.

Answers: by which keys must a pointer, a package, a token be signed at this moment?
Does not answer: what was signed. `holder`, `access` and `tokens` check that.

A rotation is followed step by signed step, so nothing has to be started again for it. The list of withdrawn keys is numbered:
once seen it may never go missing or back.
"""

import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sealwright.kernel import VerificationFailed, read_limited
from sealwright.serving.state import Remembered
from sealwright.trust import (
    KEY_LIST,
    TRUST_CHAIN,
    FollowedRoot,
    KeyRevocations,
    PublicKey,
    TrustRoot,
    heed,
    standing_cas,
    verify_key_revocations,
)

__all__ = ["Believed"]

_MOST_BYTES = 4 << 20
_TRIES, _BETWEEN = 4, 0.05  # a rotation of the authority replaces two files, one after the other


class Believed:
    """The keys of one workspace, as a process holds them."""

    def __init__(
        self, trust_root: TrustRoot, home: Path, state: Remembered, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.files = (home / "keys" / TRUST_CHAIN, home / KEY_LIST)  # what tells, when it changes, to look again
        self._followed, self._list = FollowedRoot(trust_root, self.files[0]), self.files[1]
        self._state, self._sleep = state, sleep
        self._listed: KeyRevocations | None = None
        self._standing: tuple[TrustRoot, KeyRevocations | None, TrustRoot] | None = None

    @property
    def now(self) -> TrustRoot:
        """The keys to believe, by the list of withdrawn ones as of the last `look`. Costs one `stat`."""
        root, known = self._followed.now, self._standing
        if known is None or known[0] is not root or known[1] is not self._listed:
            known = (root, self._listed, root if self._listed is None else heed(root, self._listed))
            self._standing = known
        return known[2]

    def keys_of(self, branch: str) -> Sequence[PublicKey]:
        """The keys of a branch at this moment; none where all were withdrawn."""
        with contextlib.suppress(VerificationFailed):
            return self.now.keys_of(branch)
        return ()

    def ca_keys(self) -> frozenset[str]:
        """The keys of the workspace's CAs that were not revoked, for whatever reason, as PEM texts."""
        return standing_cas(self.now)

    def look(self) -> TrustRoot:
        """Read the list of withdrawn keys; the keys to believe.

        Raises
        ------
        SealwrightError
            It is missing, older than one seen before, or not signed by the authority of this workspace.
        """
        for again in range(_TRIES):
            try:
                self._read()
                break
            except VerificationFailed:
                if again == _TRIES - 1:
                    raise
                self._sleep(_BETWEEN)
        return self.now

    def _read(self) -> None:
        least = self._state.now.key_revocations
        if not self._list.exists() and least == 0:
            return
        data = read_limited(self._list, _MOST_BYTES)
        found = verify_key_revocations(data, self._followed.now, at_least=least)
        self._state.change(key_revocations=found.sequence)
        self._listed = found
