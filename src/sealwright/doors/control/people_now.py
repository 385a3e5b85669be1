"""Who is enrolled at this moment, for a server that is asked often and from many threads.

Answers: which roles does somebody hold by their signed enrolment? Read anew once the ledger has grown, and only if what is
new is about people; so a role that was taken away is gone at the next click.
"""

import threading
from collections.abc import Mapping

from sealwright.evidence import REVOKED_PERSON_TYPE, PeopleRegister, Standing, StatementStore
from sealwright.pipeline import Workspace
from sealwright.trust import PERSON, Ledger, Member, RoleGrant

__all__ = ["PeopleNow"]

_FILES = ("entries.log", "checkpoint", "checkpoints.log")


class PeopleNow:
    """The register of one workspace as it stands. Safe to use from many threads; close it at the end."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace, self._lock = workspace, threading.Lock()
        self._reader: Ledger | None = None
        self._stamp: tuple[tuple[int, int], ...] = ()
        self._size = 0
        self._standing: Mapping[str, Standing] = {}

    def grants(self, name: str) -> frozenset[RoleGrant] | None:
        """The roles of somebody enrolled today; None for everybody else."""
        found = self._now().get(name)
        if found is None or found.problem_at(self._workspace.clock()):
            return None
        return _grants(found)

    def members(self) -> list[Member]:
        """Everybody enrolled today."""
        now = self._workspace.clock()
        return [
            Member(name=name, grants=_grants(one), key_id=one.person.public.key_id)
            for name, one in sorted(self._now().items())
            if not one.problem_at(now)
        ]

    def ledger(self) -> Ledger:
        """The ledger as it is now, to look at."""
        with self._lock:
            self._look()
            assert self._reader is not None
            return self._reader

    def close(self) -> None:
        """Let go of the ledger."""
        with self._lock:
            if self._reader is not None:
                self._reader.close()
            self._reader, self._stamp = None, ()

    def _now(self) -> Mapping[str, Standing]:
        with self._lock:
            self._look()
            return self._standing

    def _look(self) -> None:
        """See whether there is something new; the lock is held.

        Raises
        ------
        VerificationFailed
            An enrolment or the ledger is not what was signed: then nobody is enrolled.
        """
        stamp = self._stamp_now()
        if self._reader is not None and stamp == self._stamp:
            return
        workspace, before = self._workspace, self._reader
        reader = workspace.ledger_as_of_now()
        new = before is None or any(
            entry.detail.get("type") in {PERSON, REVOKED_PERSON_TYPE} for entry in reader.entries(start=self._size)
        )
        if new:
            statements = StatementStore(workspace.db)
            register = PeopleRegister(workspace.db, statements, reader, workspace.trust_root, workspace.clock)
            self._standing = register.standing()
        self._reader, self._size, self._stamp = reader, reader.size, stamp
        if before is not None:
            before.close()

    def _stamp_now(self) -> tuple[tuple[int, int], ...]:
        folder, found = self._workspace.home / "ledger", []
        for name in _FILES:
            try:
                seen = (folder / name).stat()
            except FileNotFoundError:
                continue
            found.append((seen.st_mtime_ns, seen.st_size))
        return tuple(found)


def _grants(standing: Standing) -> frozenset[RoleGrant]:
    """A role of an enrolment counts in every project."""
    return frozenset(map(RoleGrant.parse, standing.person.roles))
