"""The key of decision records as a serving process holds it: one derived key, and the next one once it was handed over.

Answers: with which key is sealed now? Does not answer: how are older records read. Whoever opens the workspace reads them.
"""

from pathlib import Path

from sealwright.kernel import Conflict
from sealwright.serving.places import DECISION_KEY_PURPOSE
from sealwright.trust import Handed, Holds, is_on_disk, opened_offer

__all__ = ["BRANCH", "DecisionKey"]

BRANCH = "decisions"


class DecisionKey:
    """One key of one workspace. Where two threads look at once, both find the same."""

    def __init__(self, home: Path, workspace: str, version: int, key: bytes) -> None:
        self._folder, self._workspace = home / "keys", workspace
        self.version, self._key = version, key
        self._told = version
        self._next: Handed | None = None

    def holds(self) -> Holds:
        """What is said to whoever hands over the next version."""
        self._take_up()
        return Holds(workspace=self._workspace, versions={BRANCH: self.version}, purpose=DECISION_KEY_PURPOSE)

    def take(self, branch: str, version: int, sealed: bytes) -> None:
        """Keep the next version, which counts once the rotation is on disk.

        Raises
        ------
        VerificationFailed
            It does not come from who holds the key in use.
        Conflict
            It is not the next version of this key.
        """
        self._take_up()
        if branch != BRANCH or version != self.version + 1:
            raise Conflict(f"Version {version} of {branch!r} was handed over; version {self.version} is in use.")
        self._next = opened_offer(self._key, sealed, self._workspace, branch, version)

    def newer(self) -> bytes | None:
        """The key to use from now on, if it is another one than the last time; the one before is forgotten."""
        self._take_up()
        if self._told == self.version:
            return None
        self._told = self.version
        return self._key

    def in_use(self) -> bytes:
        """The key of this moment, for who begins now."""
        self._take_up()
        return self._key

    def behind(self) -> bool:
        """Whether there is a newer version that was not handed over: records are sealed with an older one, which stays to read."""
        return self._next is None and (self._folder / f"{BRANCH}.v{self.version + 1}.json").exists()

    def _take_up(self) -> None:
        """What waits counts when its own file is there; if the file is another's, we have nothing of that version."""
        waiting = self._next
        found = None if waiting is None else is_on_disk(self._folder, BRANCH, waiting)
        if waiting is None or found is None:
            return
        self._next = None
        if found:
            self.version, self._key = waiting.version, waiting.key
