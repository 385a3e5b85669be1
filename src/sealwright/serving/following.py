"""What a serving process goes on with when keys of its workspace were replaced or withdrawn.

Answers: by which key are heads of decisions signed now, with which key are records sealed, and what was verified by keys that are
others now? Does not answer: which keys to believe (`believed`), nor how the next one comes (`decision_key`).
"""

import asyncio
from pathlib import Path

from sealwright.kernel import SealwrightError
from sealwright.serving.believed import Believed
from sealwright.serving.config import ServeConfig
from sealwright.serving.decision_key import DecisionKey
from sealwright.serving.decisions import DecisionLog
from sealwright.serving.tokens import TokenCheck
from sealwright.serving.transport.events import EventLog
from sealwright.trust import KeyInbox, Ledger, RemoteSigner

__all__ = ["Following"]


class Following:
    """The keys of one server. `look` is called by the server's own loop, once a second."""

    def __init__(
        self,
        config: ServeConfig,
        believed: Believed,
        tokens: TokenCheck,
        decisions: DecisionLog,
        ledger: Ledger,
        signer: RemoteSigner,
        log: EventLog,
    ) -> None:
        self._believed, self._tokens, self._decisions, self._log = believed, tokens, decisions, log
        self._ledger, self._signer, self._was = ledger, signer, believed.now
        home = Path(config.home)
        self._key = DecisionKey(home, config.workspace, config.decision_version, config.key_bytes)
        self._inbox = _inbox(home, f"predict.{config.project}+{config.channel}", self._key, log)
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
            self._decisions.use(key)
            self._log.tell("decision_key_taken", version=self._key.version)
            await asyncio.to_thread(self._decisions.note, "serving.key_taken", "", {"version": self._key.version})
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
        key = now.in_use("decision-checkpoints")
        if key.key_id != self._signer.key_id:
            self._signer = self._signer.with_key(key)
            self._ledger.sign_with(self._signer)


def _inbox(home: Path, name: str, key: DecisionKey, log: EventLog) -> KeyInbox | None:
    """Where the next key is handed over. Without it the server goes on with the key it has, which stays to read."""
    try:
        return KeyInbox(home, name, key.holds, key.take)
    except (OSError, SealwrightError) as error:
        log.tell("decision_key_stays", kind=type(error).__name__)
        return None
