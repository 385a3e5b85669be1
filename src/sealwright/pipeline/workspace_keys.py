"""The verbs of a workspace's keys: look, rotate, revoke, split, recover, move to another lock. Each is in the ledger.

Answers: which keys are there, and how do they stop being keys?
Does not answer: how a key is made and signs. The signer does that.

Each verb asks for permission first; only who brings shares of the root is asked for nothing else. The record comes first, the
effect second: where the ledger cannot be written, nothing happens.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from sealwright.kernel import Clock, Conflict, InvalidInput, NotFound, SealwrightError, system_clock
from sealwright.pipeline.permission import allow
from sealwright.pipeline.workspace import Workspace, ledger_origin
from sealwright.pipeline.workspace_certificates import certificates_of
from sealwright.trust import (
    KEPT_TO_READ,
    ML_DSA_65,
    SEALING_BRANCHES,
    SIGNING_BRANCHES,
    Audit,
    Event,
    Handed,
    KeyListFile,
    KeyResource,
    Keyring,
    Ledger,
    LedgerAudit,
    Principal,
    Reached,
    RevokedKey,
    Share,
    SignerRefused,
    SignerUnavailable,
    Unlock,
    WorkspaceResource,
    hand_over,
    make_key_revocations,
    protect_root,
    recover_root,
    revoke,
    rotate_branch,
    rotate_signing,
    split_root,
)

__all__ = [
    "KeyElsewhereState",
    "KeyState",
    "NewKey",
    "keys_elsewhere",
    "keys_of",
    "protect_keys",
    "recover_keys",
    "revoke_key",
    "rotate_key",
    "split_keys",
]

_KEYS = "keys"
_ROOT = "root"
_CA = "tls"
_NOT_SO = {
    "data": "The keys of data are rotated together, with everything wrapped anew: sealwright data rotate",
    "subjects": "The keys of data are rotated together, with everything wrapped anew: sealwright data rotate",
    "pseudonyms": "The names persons are kept under stay: with a new key a search for a person would miss the old name.",
}
_SHORTEST_ID = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyState:
    """One key as it stands today."""

    branch: str
    algorithm: str
    key: str  # key id; "version 2" for a sealing branch, whose keys are secret
    state: str  # "in use", "earlier", or the reason it was revoked for
    place: str  # of a key in use: "file", or the device or service that holds it; "" where it is not known any more
    days: int | None  # since the file of a key in use was written; None where there is no such file any more


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """What a rotation gave."""

    key: str  # as `KeyState.key`
    taken: tuple[str, ...] = ()  # servers to which a version of a branch that encrypts was handed over
    missed: tuple[str, ...] = ()  # servers that run and did not take it: they go on with the version they have


class KeyElsewhereState(NamedTuple):
    """One key in a device or service. `wrong` is empty where it answers and is the one that is listed."""

    branch: str
    place: str
    wrong: str


def keys_of(workspace: Workspace, *, by: Principal) -> tuple[KeyState, ...]:
    """Every key of every branch, the newest first. None of what is secret.

    Raises
    ------
    PermissionDenied
        They may not look into the workspace. Whoever is known may.
    VerificationFailed
        The list of revoked keys is missing, older than one seen before, or not ours.
    """
    allow(workspace, by, "workspace.view", WorkspaceResource())
    root, now, places = workspace.trust_root, workspace.clock(), _places(workspace)
    revoked = KeyListFile(workspace.home).read(root, now=now).keys
    found: list[KeyState] = []
    for branch, algorithm in SIGNING_BRANCHES.items():
        for place, key in enumerate(reversed(root.keys[branch])):
            state = revoked[key.key_id].reason if key.key_id in revoked else "earlier" if place else "in use"
            days = None if place else _age(workspace, branch, now)
            home = "" if place else places.get(branch, "file") if places is not None else "?"
            one = KeyState(branch=branch, algorithm=algorithm, key=key.key_id, state=state, place=home, days=days)
            found.append(one)
    for branch in SEALING_BRANCHES:
        for place, version in enumerate(reversed(workspace.keyring.versions(branch))):
            state, days = "earlier" if place else "in use", _age(workspace, branch, now, version)
            name = f"version {version}"
            one = KeyState(branch=branch, algorithm="aes-256-gcm", key=name, state=state, place="file", days=days)
            found.append(one)
    return tuple(found)


def revoke_key(workspace: Workspace, which: str, *, reason: str, by: Principal, since: int | None = None) -> RevokedKey:
    """Withdraw a key that is not in use any more: rotate its branch first.

    Parameters
    ----------
    which : str
        A key id, or its first 8 or more digits; or a branch, whose last key before the one in use is meant.
    since : int, optional
        Entry of the control ledger from which on it counts for nothing; left out: from now on.

    Raises
    ------
    PermissionDenied
        Not theirs to do.
    NotFound, InvalidInput
        No such key, or several; a reason or an entry that makes no sense.
    Conflict
        It is in use, or revoked already.
    """
    root, ledger = workspace.trust_root, workspace.ledger
    branch, key_id = _find(workspace, which)
    allow(workspace, by, "keys.revoke", KeyResource(name=branch))
    if root.keys[branch][-1].key_id == key_id:
        raise Conflict(
            f"This key is in use: what the workspace signs next would be refused. Rotate it first, then revoke it:\n"
            f"  sealwright keys rotate {branch}\n  sealwright keys revoke {key_id[:16]} --reason {reason}"
        )
    if since is not None and since > ledger.size:
        raise InvalidInput(f"The ledger has {ledger.size} entries; a key is revoked from one of those, or from now on.")
    now, file = workspace.clock(), KeyListFile(workspace.home)
    start = ledger.size if since is None else since
    one = RevokedKey(key_id=key_id, branch=branch, reason=reason, since=start, at=now, by=by.counts_as)
    listed = revoke(file.read(root, now=now), one, root, now=now)
    detail = {"branch": branch, "key": key_id, "why": reason, "since": one.since, "sequence": listed.sequence}
    event = Event(action="key.revoke", outcome="done", actor=by.counts_as, resource=f"key:{branch}", detail=detail)
    audit = LedgerAudit(ledger, workspace.keyring)
    audit.record(event)
    try:
        envelope = make_key_revocations(listed, workspace.keyring.signer("authority"))
    except SealwrightError as error:
        audit.record(replace(event, outcome="failed", detail={**detail, "error": error.code}))
        raise
    file.put(envelope, root)
    if branch == _CA:
        certificates_of(workspace).publish()  # without that CA; servers show certificates of the newest one
    return one


def keys_elsewhere(workspace: Workspace) -> tuple[KeyElsewhereState, ...]:
    """Every key in use that is in a device or service, and what is wrong with it there; each is asked for, in time.

    Raises
    ------
    SignerRefused, SignerUnavailable
        There is no signer to ask.
    """
    if not workspace.keyring.places()[0]:
        return ()
    places, wrong = workspace.keyring.places(ask=True)
    return tuple(KeyElsewhereState(branch, place, wrong.get(branch, "")) for branch, place in places.items())


def rotate_key(workspace: Workspace, unlock: Unlock, branch: str, *, by: Principal, at: Path | None = None) -> NewKey:
    """Give a branch a new key.

    Nothing has to be stopped. For a branch that signs, what runs goes on with the old key for a day, and follows; for one that
    encrypts, running servers are handed the new version before it is used. Of those, only branches that are read with older
    versions too; for the others there is `rotate_data_keys`.

    Parameters
    ----------
    at : Path, optional
        The place file of the device or service that shall hold the new key; left out: it is kept in a file. The signer
        reads it, so it belongs to the signer's user.

    Raises
    ------
    PermissionDenied
        Not theirs to do.
    InvalidInput
        Not a branch that is rotated so, or that has keys elsewhere.
    SignerRefused, SignerUnavailable, BackendUnavailable, BackendRefused, BackendLied
        The signer does not do it, or the device or service; nothing changed.
    """
    if branch not in (*SIGNING_BRANCHES, *KEPT_TO_READ):
        raise InvalidInput(_NOT_SO.get(branch, f"There is no branch {branch[:40]!r}; see: sealwright keys list"))
    if at is not None and SIGNING_BRANCHES.get(branch, ML_DSA_65) == ML_DSA_65:
        able = [name for name, algorithm in SIGNING_BRANCHES.items() if algorithm != ML_DSA_65]
        raise InvalidInput(
            f"The key of {branch!r} stays in a file: no device or service here does what it does.\n"
            f"These can be elsewhere: {', '.join(able)}."
        )
    allow(workspace, by, "keys.rotate", KeyResource(name=branch))
    folder, audit = workspace.folder(_KEYS), LedgerAudit(workspace.ledger, workspace.keyring)
    if branch in SIGNING_BRANCHES:
        if branch == _CA:
            certificates_of(workspace).prepare_rotation()
        root = rotate_signing(workspace.keyring, folder, unlock, branch, audit=audit, by=by.counts_as, at=at)
        if branch == _CA:
            certificates_of(workspace).publish()
        return NewKey(key=root.keys[branch][-1].key_id)
    detail = {"branch": branch, "version": workspace.keyring.versions(branch)[-1] + 1}
    resource = f"key:{branch}"
    audit.record(Event(action="key.rotate", outcome="done", actor=by.counts_as, resource=resource, detail=detail))
    reached = Reached()

    def first(handed: Handed) -> None:
        nonlocal reached
        workspace.keyring.hold(branch, handed)
        reached = hand_over(workspace.home, workspace.id, branch, handed.version, workspace.keyring)

    version = rotate_branch(folder, unlock, branch, first=first)
    return NewKey(key=f"version {version}", taken=reached.taken, missed=reached.missed)


def split_keys(workspace: Workspace, unlock: Unlock, *, needed: int, count: int, by: Principal) -> tuple[Share, ...]:
    """Shares of the root, any `needed` of which recover it.

    Raises
    ------
    PermissionDenied
        Not theirs to do.
    """
    allow(workspace, by, "keys.split", KeyResource(name=_ROOT))
    audit = LedgerAudit(workspace.ledger, workspace.keyring)
    return split_root(workspace.folder(_KEYS), unlock, needed=needed, count=count, audit=audit, by=by.counts_as)


def recover_keys(
    home: Path, shares: Sequence[Share], new_unlock: Unlock, *, by: str, clock: Clock = system_clock
) -> str:
    """Open the root with shares and put it under a new lock; returns the workspace. The shares are the permission.

    `by` is who says that they bring them: nobody can prove more while nothing else opens.
    """
    with _audits(home, clock) as audit:
        return recover_root(home / _KEYS, shares, new_unlock, audit=audit, by=by)


def protect_keys(workspace: Workspace, unlock: Unlock, new_unlock: Unlock, *, by: Principal) -> None:
    """Put the root under another lock: another passphrase or key file, a token or a service.

    Raises
    ------
    PermissionDenied
        Not theirs to do.
    """
    allow(workspace, by, "keys.rotate", KeyResource(name=_ROOT))
    audit = LedgerAudit(workspace.ledger, workspace.keyring)
    protect_root(workspace.folder(_KEYS), unlock, new_unlock, audit=audit, by=by.counts_as)


def _places(workspace: Workspace) -> Mapping[str, str] | None:
    """Where keys elsewhere are, by branch; None where only a signer knows that does not answer."""
    try:
        return workspace.keyring.places()[0]
    except (SignerRefused, SignerUnavailable):
        return None


def _find(workspace: Workspace, which: str) -> tuple[str, str]:
    """Branch and id of the key meant."""
    keys = workspace.trust_root.keys
    if which in keys:
        listed = keys[which]
        return which, listed[-2 if len(listed) > 1 else -1].key_id
    found = [(branch, key.key_id) for branch, listed in keys.items() for key in listed if key.key_id.startswith(which)]
    if len(which) < _SHORTEST_ID or not found:
        raise NotFound(f"There is no key {which[:80]!r}. Give a branch or a key id; see: sealwright keys list")
    if len(found) > 1:
        raise InvalidInput(f"{len(found)} keys begin with {which[:80]!r}. Give more digits.")
    return found[0]


def _age(workspace: Workspace, branch: str, now: datetime, version: int | None = None) -> int | None:
    """Days since the newest private half, or that version, was written: an orientation, not evidence."""
    files = list(workspace.folder(_KEYS).glob(f"{branch}.v{version if version is not None else '*'}.json"))
    with contextlib.suppress(OSError):
        written = max((path.stat().st_mtime for path in files), default=None)
        return None if written is None else max(0, (now - datetime.fromtimestamp(written, UTC)).days)
    return None


@contextmanager
def _audits(home: Path, clock: Clock) -> Iterator[Callable[[Keyring], Audit]]:
    """Makes the audit of a keyring that only the verb itself can open; the ledger is let go at the end."""
    with contextlib.ExitStack() as held:

        def of(keyring: Keyring) -> Audit:
            root = keyring.trust_root
            ledger = Ledger.open(
                home / "ledger",
                origin=ledger_origin(root.workspace),
                signer=keyring.signer("checkpoints"),
                clock=clock,
                keys=root.keys_of("checkpoints"),
            )
            held.callback(ledger.close)
            return LedgerAudit(ledger, keyring)

        yield of
