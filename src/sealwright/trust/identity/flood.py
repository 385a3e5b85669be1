"""Refusals are recorded, but who refuses to stop does not fill the ledger.

Answers: what of a flood is recorded? In each window the first few of a source and the first of all one by one; the rest
are counted, and one entry per kind says how many.
Does not answer: who they were. The single entries before say so.
"""

from sealwright.engines import Row, Tx
from sealwright.trust.audit import Event
from sealwright.trust.identity.addresses import network_of
from sealwright.trust.identity.means import Means

__all__ = ["FloodGate"]


class FloodGate:
    """Takes events that a stranger can cause; safe to share between threads and processes."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def record(self, event: Event, *, group: str = "") -> None:
        """Record the event, or count it.

        Parameters
        ----------
        group : str
            What is counted together; left out: events of one action, outcome and reason. Where a stranger must not learn
            the reason from the time this takes, all reasons are one group.

        Raises
        ------
        LedgerUnavailable
            It could not be recorded: what it is about must not happen.
        """
        rules = self._means.rules
        kind = group or f"{event.action}|{event.outcome}|{event.reason}"
        here = f"{kind}|{network_of(event.source)}"
        with self._means.db.write() as tx:
            tx.hold_writers("identity_floods")
            from_here = self._seen(tx, here, event)
            in_all = self._seen(tx, kind, event)
            if from_here < rules.flood_per_source and in_all < rules.flood_in_all:
                self._means.audit.record(event)
                return
            tx.run(
                "UPDATE identity_floods SET held_back = held_back + 1 WHERE id = :id",
                id=self._means.keys.name("flood", kind),
            )

    def close_windows(self) -> None:
        """Write the entries that are due for windows that are over. Called from time to time by the server."""
        with self._means.db.write() as tx:
            tx.hold_writers("identity_floods")
            for row in tx.run("SELECT * FROM identity_floods WHERE window_ms <= :start", start=self._start_ms()):
                self._summarise(row)
            tx.run("DELETE FROM identity_floods WHERE window_ms <= :start", start=self._start_ms())

    def _seen(self, tx: Tx, name: str, event: Event) -> int:
        """How many there were in this window before this one; counts this one."""
        key, now = self._means.keys.name("flood", name), self._means.now_ms()
        rows = tx.run("SELECT * FROM identity_floods WHERE id = :id", id=key)
        if rows and int(rows[0]["window_ms"]) > self._start_ms():
            tx.run("UPDATE identity_floods SET seen = seen + 1 WHERE id = :id", id=key)
            return int(rows[0]["seen"])
        if rows:
            self._summarise(rows[0])
        tx.run(
            "INSERT INTO identity_floods (id, action, outcome, reason, window_ms, seen, held_back)"
            " VALUES (:id, :action, :outcome, :reason, :now, 1, 0)"
            " ON CONFLICT (id) DO UPDATE SET window_ms = :now, seen = 1, held_back = 0",
            id=key,
            action=event.action,
            outcome=event.outcome,
            reason=event.reason,
            now=now,
        )
        return 0

    def _summarise(self, row: Row) -> None:
        if row["held_back"]:
            window = round(self._means.rules.flood_window.total_seconds())
            detail = {"not_recorded_singly": int(row["held_back"]), "window_s": window}
            self._means.audit.record(
                Event(action=row["action"], outcome=row["outcome"], reason=row["reason"], detail=detail)
            )

    def _start_ms(self) -> int:
        return self._means.now_ms() - round(self._means.rules.flood_window.total_seconds() * 1000)
