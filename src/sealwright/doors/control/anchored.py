"""While the control server runs, new checkpoints go to the anchors of the workspace.

Answers: what happens when one of them fails, or says that it has seen another history?
A failure is a line of the log, and tried again. A contradiction is an alarm in the ledger, once, and the server goes on:
it is people who have to find out which of the two is wrong.
"""

import contextlib
import threading
from collections.abc import Iterator

from sealwright.kernel import SealwrightError
from sealwright.pipeline import Anchoring, Taken, Workspace
from sealwright.serving import EventLog
from sealwright.trust import Audit, Event

__all__ = ["anchored"]


@contextlib.contextmanager
def anchored(workspace: Workspace, audit: Audit, log: EventLog, *, seconds: float = 60.0) -> Iterator[None]:
    """Take checkpoints to the anchors for as long as the block lasts; one that was begun is finished."""
    over = threading.Event()
    anchoring = Anchoring(workspace.home, seconds=seconds, clock=workspace.clock, told=_Told(audit, log))
    thread = threading.Thread(target=anchoring.run, args=(over,), name="anchor", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(10)


class _Told:
    """Hears what came of each try."""

    def __init__(self, audit: Audit, log: EventLog) -> None:
        self._audit, self._log = audit, log
        self._alarmed: set[tuple[str, str]] = set()  # ledger and anchor that contradict each other

    def __call__(self, taken: Taken) -> None:
        pair = (taken.ledger, taken.anchor)
        if taken.outcome != "disagrees":
            self._alarmed.discard(pair)
        if taken.outcome in ("failed", "disagrees"):
            self._log.tell(
                f"anchor_{taken.outcome}", ledger=taken.ledger, kind=taken.kind, anchor=taken.anchor, why=taken.why
            )
        if taken.outcome == "disagrees" and pair not in self._alarmed:
            self._raise_alarm(taken)

    def _raise_alarm(self, taken: Taken) -> None:
        detail = {"kind": taken.kind, "anchor": taken.anchor, "entries": taken.size, "anchored": taken.anchored}
        try:
            self._audit.record(
                Event(
                    action="alert.raise",
                    outcome="done",
                    reason="anchor.disagrees",
                    resource=f"ledger:{taken.ledger}",
                    detail=detail,
                )
            )
        except SealwrightError as error:  # tried again with the next contradiction
            self._log.tell("alarm_failed", error=error.code)
        else:
            self._alarmed.add((taken.ledger, taken.anchor))
