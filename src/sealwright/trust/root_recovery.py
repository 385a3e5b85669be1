"""The root secret of a workspace, held by several people together, and put under another lock.

Answers: how do n people each keep a part of what opens everything, so that any k can open it and fewer cannot?
How does the root move to another passphrase, key file, token or service?
Does not answer: who should hold a share. Different people, places and keepers; never beside the workspace.

A share of an old set opens the workspace as long as the root secret is the same; splitting again does not end it.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from sealwright.kernel import VerificationFailed, write_atomically
from sealwright.trust.audit import Audit, Event
from sealwright.trust.key_files import ROOT_FILE, open_root, workspace_of, wrap_root
from sealwright.trust.key_folder import check_keys, open_keyring
from sealwright.trust.keyring import Keyring
from sealwright.trust.shares import Share, join_shares, make_shares
from sealwright.trust.unlock import RecoveredRoot, Unlock
from sealwright.trust.wrapping import method_of

__all__ = ["protect_root", "recover_root", "split_root"]


def split_root(folder: Path, unlock: Unlock, *, needed: int, count: int, audit: Audit, by: str) -> tuple[Share, ...]:
    """Shares of the root secret of a keys folder, of which any `needed` recover it.

    Raises
    ------
    InvalidInput
        Numbers that make no sense.
    NotFound, WrongUnlock, VerificationFailed
        As `open_keyring`.
    """
    workspace, root = open_root(folder, unlock)
    check_keys(folder, workspace, root)
    shares = make_shares(root, workspace, needed=needed, count=count)
    detail = {"set": shares[0].set_id, "needed": needed, "shares": count}
    audit.record(Event(action="root.split", outcome="done", actor=by, resource=f"workspace:{workspace}", detail=detail))
    return shares


def recover_root(
    folder: Path, shares: Sequence[Share], new_unlock: Unlock, *, audit: Callable[[Keyring], Audit], by: str
) -> str:
    """Open the root with shares and put it under `new_unlock`; the old lock opens it no more. Returns the workspace.

    Parameters
    ----------
    audit : callable
        Where to record it, made from the keyring that the shares opened: before, nobody can write to the ledger.

    Raises
    ------
    InvalidInput, VerificationFailed
        The shares are too few, mixed or wrong, or of another workspace; or the keys folder was changed.
    """
    root = join_shares(shares)
    workspace = workspace_of(folder)
    if shares[0].workspace != workspace:
        raise VerificationFailed(
            f"These shares are of {shares[0].workspace}, and the keys here are of {workspace}. Bring those of {workspace}.",
            link="share",
        )
    with open_keyring(folder, RecoveredRoot(workspace, root)) as keyring:
        wrapped = wrap_root(workspace, root, new_unlock)
        detail = {"set": shares[0].set_id, "shares": [one.index for one in shares]}
        resource = f"workspace:{workspace}"
        audit(keyring).record(Event(action="root.recover", outcome="done", actor=by, resource=resource, detail=detail))
    write_atomically(folder / ROOT_FILE, wrapped)
    return workspace


def protect_root(folder: Path, unlock: Unlock, new_unlock: Unlock, *, audit: Audit, by: str) -> None:
    """Put the root under another lock: another passphrase or key file, a token or a service.

    What was wrapped by the old one stays in backups; where it leaked, that is no help: make a new workspace.

    Raises
    ------
    NotFound, WrongUnlock, VerificationFailed, BackendUnavailable, BackendRefused
        The old lock does not open, or the new one does not close. Nothing was changed.
    """
    workspace, root = open_root(folder, unlock)
    check_keys(folder, workspace, root)
    old = method_of((folder / ROOT_FILE).read_bytes(), link=f"keys/{ROOT_FILE}")
    new = wrap_root(workspace, root, new_unlock)
    detail = {"from": old, "to": method_of(new, link="the new root.json")}
    audit.record(
        Event(action="root.protect", outcome="done", actor=by, resource=f"workspace:{workspace}", detail=detail)
    )
    write_atomically(folder / ROOT_FILE, new)
