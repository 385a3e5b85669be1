"""While the control server runs, finished hours of decision records are sealed, and those past their days end.

Answers: what happens when that fails? It is a line of the log at each try and an alarm in the ledger at the first, is tried
again after a pause, and `sealwright doctor` says since when records wait. Servers answer meanwhile: nothing they need is missing.
"""

import contextlib
import threading
from collections.abc import Iterator

from sealwright.kernel import Conflict, SealwrightError
from sealwright.pipeline import Tended, Workspace, tend_decisions
from sealwright.serving import EventLog
from sealwright.trust import Audit, Event, Principal

__all__ = ["tended"]

_LOOK_SECONDS = 20.0
_FIRST_PAUSE, _LONGEST_PAUSE = 3, 48  # looks between tries that fail: a minute, then longer, up to a quarter of an hour
_OURSELVES = Principal(kind="person", name="control-server", proof="machine_account")  # it opened the workspace


@contextlib.contextmanager
def tended(workspace: Workspace, audit: Audit, log: EventLog, *, seconds: float = _LOOK_SECONDS) -> Iterator[None]:
    """Seal and end for as long as the block lasts: now, and after every full hour. An hour that was begun is finished.

    Parameters
    ----------
    seconds : float
        Between two looks at the clock.
    """
    over = threading.Event()
    job = _Job(workspace, audit, log)
    thread = threading.Thread(target=job.run, args=(over, seconds), name="decisions", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(30)


class _Job:
    def __init__(self, workspace: Workspace, audit: Audit, log: EventLog) -> None:
        self._workspace, self._audit, self._log = workspace, audit, log
        self._alarmed: set[str] = set()  # projects whose failure is on record
        self._done = ""  # the hour in which everything was done

    def run(self, over: threading.Event, seconds: float) -> None:
        """Look until `over`."""
        pause = _FIRST_PAUSE
        while True:
            hour = self._workspace.clock().isoformat()[:13]
            if hour != self._done:
                if self._look():
                    self._done, pause = hour, _FIRST_PAUSE
                elif over.wait(pause * seconds):
                    return
                else:
                    pause = min(2 * pause, _LONGEST_PAUSE)
            if over.wait(seconds):
                return

    def _look(self) -> bool:
        """Whether all went well."""
        well = True
        try:
            with self._workspace.beside() as own:
                for one in tend_decisions(own, by=_OURSELVES):
                    well = self._tell(one) and well
        except (SealwrightError, OSError) as error:
            self._log.tell("decisions_not_sealed", project="", error=_code(error), why=str(error))
            return False
        return well

    def _tell(self, one: Tended) -> bool:
        if one.sealed or one.ended:
            self._log.tell("decisions_sealed", project=one.project, sealed=len(one.sealed), ended=len(one.ended))
        if one.failed is None:
            self._alarmed.discard(one.project)
            return True
        self._log.tell("decisions_not_sealed", project=one.project, error=_code(one.failed), why=str(one.failed))
        if one.project not in self._alarmed and not isinstance(one.failed, Conflict):  # somebody else is at it
            self._raise_alarm(one.project, _code(one.failed))
        return False

    def _raise_alarm(self, project: str, code: str) -> None:
        event = Event(
            action="alert.raise",
            outcome="done",
            reason="decisions.not_sealed",
            resource=f"project:{project}",
            detail={"error": code},
        )
        try:
            self._audit.record(event)
        except SealwrightError as error:  # tried again with the next failure
            self._log.tell("alarm_failed", error=error.code)
        else:
            self._alarmed.add(project)


def _code(error: Exception) -> str:
    return error.code if isinstance(error, SealwrightError) else type(error).__name__
