"""Counters that the processes of one machine share in a file, and that are still there after a restart.

SQLite in WAL mode: a draw is one transaction, so a killed process leaves the file whole and loses no more than it held: its
places are free again within a second, as the kernel frees its lock (`counters_holders`), and units it drew count as spent. A
commit is not forced to the disk; a loss of power may forget the draws of the last seconds. The steady clock of the
machine is the same in all its processes and begins anew when it is started: the file then counts on from what it had.
"""

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from sealwright.engines.counters import SILENT_AFTER, Ask, CountersSilent, Grant
from sealwright.engines.counters_holders import Holders
from sealwright.engines.counters_memory import full, moment_of
from sealwright.engines.counters_rules import Moment, Tally, as_new, draw
from sealwright.kernel import Clock, OperationFailed, new_id, private_folder, system_clock

__all__ = ["FileCounters"]

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_TABLES = (
    "CREATE TABLE IF NOT EXISTS tallies (key TEXT PRIMARY KEY, tally BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS boot (one INTEGER PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL)",
)
_SWEEP_EVERY = 10.0  # seconds
_LOOK_EVERY = 1.0  # seconds between looks for processes that were killed
_OPENING = 10.0  # seconds that one process waits for others that open the file, too
_ENCODER, _DECODER = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(Tally)


class FileCounters:
    """One process's view of the file. Keeps at most `most` counters for all of them."""

    threads = 1

    def __init__(
        self,
        path: Path,
        *,
        most: int = 50_000,
        monotonic: Callable[[], float] = time.monotonic,
        clock: Clock = system_clock,
        boot: str | None = None,
    ) -> None:
        """Open the file, or begin it.

        Parameters
        ----------
        boot : str, optional
            Names this start of the machine; read from the kernel when left out.

        Raises
        ------
        Refused
            Others can enter its folder.
        OperationFailed
            It is not such a file, or cannot be written.
        """
        private_folder(path.parent)
        self._path, self._most, self._monotonic, self._clock = path, most, monotonic, clock
        self._holder, self._lock = new_id("hld"), threading.Lock()
        self._swept = self._looked = float("-inf")
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
            self._db = sqlite3.connect(path, timeout=_OPENING, isolation_level=None, check_same_thread=False)
            self._holders = Holders(path.with_name(f"{path.name}-holders"), self._holder)
            self._begin(boot if boot is not None else _BOOT.read_text().strip())
        except (OSError, sqlite3.Error, msgspec.MsgspecError) as error:
            raise OperationFailed(
                f"The counters of callers' budgets at {path} cannot be used: {error}\n"
                "Give its folder space and write access. If the file itself is damaged, move it away: all budgets begin anew."
            ) from None

    def draw(self, asks: Sequence[Ask]) -> list[Grant]:
        """As `Counters.draw`: all of them in one transaction."""
        with self._lock:
            try:
                with _transaction(self._db):
                    wall = self._clock().timestamp()
                    moment = moment_of(self._monotonic(), wall)  # after the wait for others, so that it never goes back
                    settled = self._settle_dead(moment.now)
                    grants = [self._draw(ask, moment, wall) for ask in asks]
                self._holders.forget(settled)
                return grants
            except (sqlite3.Error, msgspec.MsgspecError, OSError) as error:
                raise CountersSilent(f"The counters at {self._path} do not answer: {error}") from None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()
            self._holders.close()

    def _draw(self, ask: Ask, moment: Moment, wall: float) -> Grant:
        row = self._db.execute("SELECT tally FROM tallies WHERE key = ?", (ask.key,)).fetchone()
        if row is not None:
            tally = _DECODER.decode(row[0])
        elif self._count() >= self._most and not self._room(moment, wall):
            return full(moment)
        else:
            tally = Tally(float(ask.quota.burst), moment.now, moment.day)
        grant = draw(tally, ask, self._holder, moment)
        self._put(ask.key, tally)
        return grant

    def _put(self, key: str, tally: Tally) -> None:
        self._db.execute("INSERT OR REPLACE INTO tallies (key, tally) VALUES (?, ?)", (key, _ENCODER.encode(tally)))

    def _count(self) -> int:
        found: int = self._db.execute("SELECT COUNT(*) FROM tallies").fetchone()[0]
        return found

    def _all(self) -> list[tuple[str, Tally]]:
        return [(key, _DECODER.decode(tally)) for key, tally in self._db.execute("SELECT key, tally FROM tallies")]

    def _room(self, moment: Moment, wall: float) -> bool:
        """Forget what may be forgotten."""
        if moment.now - self._swept >= _SWEEP_EVERY:
            self._swept = moment.now
            for key, tally in self._all():
                if as_new(tally, moment, wall):
                    self._db.execute("DELETE FROM tallies WHERE key = ?", (key,))
        return self._count() < self._most

    def _settle_dead(self, now: float) -> list[str]:
        """Free the places of processes that were killed; who they were."""
        if now - self._looked < _LOOK_EVERY:
            return []
        self._looked = now
        dead = self._holders.dead()
        if dead:
            for key, tally in self._all():
                if any(one.holder in dead for one in tally.holds):
                    tally.holds = [one for one in tally.holds if one.holder not in dead]
                    self._put(key, tally)
        return dead

    def _begin(self, boot: str) -> None:
        """Tables; and after a start of the machine no process holds anything, and its clock began anew."""
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute("PRAGMA trusted_schema=OFF")
        with _transaction(self._db):
            for table in _TABLES:
                self._db.execute(table)
            known = self._db.execute("SELECT id FROM boot").fetchone()
            if known is None or known[0] != boot:
                now = self._monotonic()
                for key, tally in self._all():
                    tally.full_at += now - tally.at
                    tally.at, tally.holds = now, []
                    self._put(key, tally)
                self._db.execute("INSERT OR REPLACE INTO boot (one, id) VALUES (1, ?)", (boot,))
        self._db.execute(f"PRAGMA busy_timeout={round(SILENT_AFTER * 1000)}")


@contextlib.contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
