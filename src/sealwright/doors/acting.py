"""Who acts through this door: proven by their own key or a session, or whoever opens the workspace.

Answers: which `Principal` do a name, a key file and a session file make?
Does not answer: may they do it. The verb asks `pipeline.allow`.

A name alone proves nothing. The name of somebody enrolled is refused unless they prove it; any other name is that of
whoever opens the workspace on its machine, and has the few rights of one.
"""

import os
import stat
import sys
from pathlib import Path

from sealwright.doors.settings import Settings, person_unlock
from sealwright.kernel import Refused, private_folder, read_limited, write_atomically
from sealwright.pipeline import Workspace, enrolled_members, proven_by_key, sessions_of
from sealwright.pipeline.permission import WorkspaceAudit
from sealwright.trust import Event, LocalSession, NotProven, Principal, open_person

__all__ = ["acting", "current_session", "log_in", "log_out"]

_MOST_BYTES = 1024


def acting(workspace: Workspace, settings: Settings, person_key: Path | None = None) -> Principal:
    """Who acts.

    Parameters
    ----------
    person_key : Path, optional
        Opens the own key of whom the settings name.

    Raises
    ------
    NotProven
        The name of somebody enrolled, without their key or session. It is on record.
    NotFound, WrongUnlock
        Nobody of that name has a key here; the key file does not open it.
    """
    if person_key is not None:
        return _by_key(workspace, settings.actor, person_key)
    found = current_session(workspace, settings)
    if found is not None and (not settings.named or found.person == settings.actor):
        return _by_session(workspace, found)
    if all(member.name != settings.actor for member in enrolled_members(workspace)):
        return Principal(kind="person", name=settings.actor, proof="machine_account")
    if settings.named and sys.stdin.isatty():
        return _by_key(workspace, settings.actor, None)
    WorkspaceAudit(workspace).record(
        Event(action="login", outcome="refused", actor=settings.actor, reason=NotProven.code)
    )
    raise NotProven(
        f"{settings.actor} is enrolled here, and a name alone proves nobody.\n"
        f"Prove it: sealwright login {settings.actor} --person-key FILE   (lasts 8 hours), or add --as "
        f"{settings.actor} --person-key FILE to this command.\n"
        "To act as the machine's operator instead, use a name nobody is enrolled under: --as NAME or SEALWRIGHT_ACTOR."
    )


def current_session(workspace: Workspace, settings: Settings) -> LocalSession | None:
    """The session of this user on this machine; None where nobody is logged in.

    Raises
    ------
    Refused
        The session file could be read or written by others.
    """
    token = _token(_session_file(workspace, settings))
    found = sessions_of(workspace).find(token) if token else None
    if found is None:
        return None
    known = {member.name: member.key_id for member in enrolled_members(workspace)}
    return found if known.get(found.person) == found.key_id else None


def log_in(workspace: Workspace, settings: Settings, name: str, person_key: Path | None) -> LocalSession:
    """Open a person's key once, and begin a session for them.

    Raises
    ------
    NotFound, WrongUnlock
        Nobody of that name has a key here, or it does not open.
    NotProven
        The enrolment has ended, or is another key's. It is on record.
    """
    audit = WorkspaceAudit(workspace)
    try:
        signer = open_person(workspace.folder("people"), name, person_unlock(name, person_key, new=False))
    except Refused as error:
        audit.record(Event(action="login", outcome="refused", actor=name, reason=error.code))
        raise
    if not proven_by_key(workspace, signer).grants:
        audit.record(Event(action="login", outcome="refused", actor=name, reason=NotProven.code))
        raise NotProven(f"{name} is not enrolled here with this key, or no longer. See: sealwright people list")
    sessions = sessions_of(workspace)
    token = sessions.open(name, signer.person.public.key_id)
    file = _session_file(workspace, settings)
    private_folder(file.parent)
    write_atomically(file, token.encode(), mode=0o600)
    found = sessions.find(token)
    assert found is not None
    return found


def log_out(workspace: Workspace, settings: Settings) -> str:
    """End the session of this user; returns whose it was, "" where there was none."""
    file = _session_file(workspace, settings)
    token = _token(file)
    who = sessions_of(workspace).end(token) if token else ""
    file.unlink(missing_ok=True)
    return who


def _by_key(workspace: Workspace, name: str, person_key: Path | None) -> Principal:
    signer = open_person(workspace.folder("people"), name, person_unlock(name, person_key, new=False))
    return proven_by_key(workspace, signer)


def _by_session(workspace: Workspace, session: LocalSession) -> Principal:
    member = next(one for one in enrolled_members(workspace) if one.name == session.person)
    return Principal(kind="person", name=session.person, proof="session", grants=member.grants, strong=session.strong)


def _session_file(workspace: Workspace, settings: Settings) -> Path:
    folder = settings.runtime / "sealwright" if settings.runtime is not None else workspace.home / "sessions"
    return folder / f"{workspace.id}-{os.getuid()}.session"


def _token(file: Path) -> str:
    """What the session file holds; "" where there is none."""
    if not file.exists() and not file.is_symlink():
        return ""
    about = file.lstat()
    if not stat.S_ISREG(about.st_mode) or about.st_mode & 0o077 or about.st_uid != os.getuid():
        raise Refused(
            f"{file} is not a private file of yours, so nobody is logged in by it.\nDelete it, then log in again."
        )
    return read_limited(file, _MOST_BYTES).decode("ascii", "replace").strip()
