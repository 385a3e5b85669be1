"""Which key signs for a request: the newest of its branch, or, for a while, the one before.

Answers: how do programs that were opened before a rotation go on without a failed request?
They name the key they know. For a day after a rotation the process that held it signs with it, unless it was revoked; the
programs follow to the new one meanwhile. A key that somebody else put to use is read from the folder when it is asked for.
The CA is another matter: what its older keys may sign, and for how long, stands in `older_cas`.
"""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Sequence

from sealwright.kernel import VerificationFailed
from sealwright.trust.key_files import TRUST_FILE
from sealwright.trust.key_journal import steady
from sealwright.trust.key_revocation import list_in
from sealwright.trust.signing.errors import SignerRefused
from sealwright.trust.signing.memory_keys import KeyMemory
from sealwright.trust.signing.vault import CA_BRANCH, BranchSigner, Vault
from sealwright.trust.statements import Statement

__all__ = ["OVERLAP", "Holding"]

OVERLAP = 24 * 3600.0
"""Seconds for which an older key may still be asked for in a process that held it."""


class Holding:
    """The keys a signer process has: those in use, and those it held before. Safe to use from many threads."""

    def __init__(self, vault: Vault, memory: KeyMemory, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._vault, self._memory, self._clock = vault, memory, clock
        self._earlier: dict[str, tuple[str, BranchSigner, float]] = {}  # key id -> branch, key, until when
        self._trust_file = str(vault.folder / TRUST_FILE)
        self._seen = _mark(self._trust_file)
        self._alone = threading.RLock()

    @property
    def vault(self) -> Vault:
        return self._vault

    @property
    def memory(self) -> KeyMemory:
        """Which keys were revoked."""
        return self._memory

    def refresh(self) -> None:
        """Take up what others changed in the folder. What is there and does not verify changes nothing here.

        Raises
        ------
        VerificationFailed
            It was changed by somebody who does not hold our keys.
        """
        with self._alone:
            now = _mark(self._trust_file)
            if now == self._seen:
                return
            newer = steady(self._vault.folder, self._vault.reopened)
            until = self._clock() + OVERLAP
            for branch, signer in self._vault.signers.items():
                if newer.signers[branch].key_id != signer.key_id and branch != CA_BRANCH:
                    self._earlier[signer.key_id] = (branch, signer, until)
            self._vault, self._seen = newer, now

    def held(self) -> dict[str, list[str]]:
        """The ids of the keys of each branch that may be asked for, the newest first."""
        with self._alone:
            self._forget()
            found = {branch: [signer.key_id] for branch, signer in self._vault.signers.items()}
            for key_id, (branch, _, _) in self._earlier.items():
                found[branch].append(key_id)
            found[CA_BRANCH].extend(self._vault.older_cas)
            return found

    def signers(self, branch: str, keys: Sequence[str]) -> list[BranchSigner]:
        """The signers with these keys: the first is of `branch`, the others of the branches that sign beside it. No keys:
        those in use.

        Raises
        ------
        SignerRefused
            "branch.other", or "key.unknown": not ours, revoked, or replaced too long ago.
        """
        with self._alone:
            with contextlib.suppress(VerificationFailed):
                self.refresh()
            return self._found(branch, keys)

    def _found(self, branch: str, keys: Sequence[str]) -> list[BranchSigner]:
        own = self._vault.signers.get(branch)
        if own is None:
            raise SignerRefused("branch.other", f"There is no branch {branch[:40]!r} that signs.")
        besides = [one.key_id for one in own.beside]
        if list(keys) in ([], [own.key_id, *besides]):
            return [own, *(self._newest(key_id) for key_id in besides)]
        branches = [branch, *(self._branch_of(key_id) for key_id in besides)]
        if len(keys) != len(branches):
            raise SignerRefused("key.unknown", f"The branch {branch!r} signs with {len(branches)} keys together.")
        return [self._held(name, key_id) for name, key_id in zip(branches, keys, strict=True)]

    def _held(self, branch: str, key_id: str) -> BranchSigner:
        self._forget()
        newest = self._vault.signers[branch]
        if newest.key_id == key_id:
            return newest
        home, signer, _ = self._earlier.get(key_id, ("", newest, 0.0))
        if home != branch:
            raise SignerRefused(
                "key.unknown",
                f"The signer has no key {key_id[:16]}… for {branch!r}: it was replaced. Open the workspace again.",
            )
        return signer

    def _newest(self, key_id: str) -> BranchSigner:
        return self._vault.signers[self._branch_of(key_id)]

    def _branch_of(self, key_id: str) -> str:
        return next(branch for branch, signer in self._vault.signers.items() if signer.key_id == key_id)

    def _forget(self) -> None:
        """Drop the older keys whose time is over, or that were revoked."""
        if not self._earlier:
            return
        now, payload = self._clock(), self._memory.newest()
        revoked = list_in(Statement(payload), self._vault.trust_root).keys if payload else {}
        for key_id, (_, _, until) in list(self._earlier.items()):
            if now >= until or key_id in revoked:
                del self._earlier[key_id]


def _mark(trust_file: str) -> tuple[int, int] | None:
    """What tells that trust.json was replaced: files there are never written in place. Asked for each signature."""
    try:
        found = os.stat(trust_file)  # noqa: PTH116 - a Path costs three times as much
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns
