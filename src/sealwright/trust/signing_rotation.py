"""A signing branch gets a new key, and the old private key is destroyed. Old signatures still verify.

Answers: how is a key that signs replaced, all at once or not at all?
Does not answer: whether the old one is still believed. `key_revocation` says that.

The new private key, the new trust.json and the signed step to it must change together, and are three files. So they
are written into one journal first; whoever opens the keys next finishes what a crash cut off. Nothing signed by the old
key stops verifying; what was opened before the rotation keeps signing with the old key until it is opened again.
"""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from sealwright.kernel import InvalidInput, canonical_json, fsync_folder, read_limited, strict_json
from sealwright.trust.audit import Audit, Event
from sealwright.trust.key_folder import branch_file, branch_versions, keyring_of, open_root, wrapped_branch
from sealwright.trust.key_journal import begin_changes, finish_changes
from sealwright.trust.key_list_file import KEY_LIST
from sealwright.trust.key_revocation import make_key_revocations, verify_key_revocations
from sealwright.trust.keyring import Keyring
from sealwright.trust.public_keys import Signer
from sealwright.trust.signers import LocalSigner, new_secret
from sealwright.trust.trust_chain import make_link
from sealwright.trust.trust_root import SECOND_SIGNED, SIGNING_BRANCHES, TrustRoot
from sealwright.trust.unlock import Unlock

__all__ = ["TRUST_CHAIN", "read_chain", "rotate_signing"]

TRUST_CHAIN = "trust-chain.json"
_MOST_CHAIN = 16 << 20
_AUTHORITY = ("authority", SECOND_SIGNED["authority"])


def rotate_signing(
    folder: Path, unlock: Unlock, branch: str, *, audit: Callable[[Keyring], Audit], by: str
) -> TrustRoot:
    """Give `branch` a new key; returns the new trust root. Keyrings opened before sign with the old one.

    Parameters
    ----------
    audit : callable
        Where to record "key.rotate", made from the keyring as it is before.

    Raises
    ------
    InvalidInput
        Not a signing branch.
    NotFound, WrongUnlock, VerificationFailed
        As `open_keyring`.
    """
    if branch not in SIGNING_BRANCHES:
        raise InvalidInput(f"{branch[:40]!r} does not sign; these do: {', '.join(SIGNING_BRANCHES)}.")
    workspace, root = open_root(folder, unlock)
    version = branch_versions(folder, branch)[-1] + 1
    secret = new_secret(SIGNING_BRANCHES[branch])
    with keyring_of(folder, workspace, root) as ring:
        old = ring.trust_root
        added = (*old.keys[branch], LocalSigner(SIGNING_BRANCHES[branch], secret).public())
        new = TrustRoot(workspace, {**old.keys, branch: added})
        authority = _authority_after(ring, branch, secret)
        chain = read_chain(folder / TRUST_CHAIN)
        signers = [ring.signer("authority")] + ([authority] if branch == "authority" else [])
        chain.append(make_link(old, new, len(chain) + 1, signers))
        changes = {
            branch_file(folder, branch, version).name: wrapped_branch(root, workspace, branch, version, secret),
            "trust.json": new.to_bytes(),
            TRUST_CHAIN: _written(chain),
        }
        revoked = folder.parent / KEY_LIST
        if branch in _AUTHORITY and revoked.exists():  # the newest authority signs the list, so it is signed anew
            listed = verify_key_revocations(read_limited(revoked, 1 << 20), old)
            changes[f"../{KEY_LIST}"] = make_key_revocations(listed, authority)
        detail = {"branch": branch, "version": version, "key": added[-1].key_id, "trust_root": len(chain)}
        resource = f"key:{branch}"
        audit(ring).record(Event(action="key.rotate", outcome="done", actor=by, resource=resource, detail=detail))
        begin_changes(folder, changes)
    finish_changes(folder)
    _destroy_older(folder, branch, version)
    return new


def read_chain(file: Path) -> list[bytes]:
    """Every signed step from the first trust root of a workspace to its newest; none before the first rotation."""
    if not file.exists():
        return []
    found = strict_json(read_limited(file, _MOST_CHAIN), what=TRUST_CHAIN, most_bytes=_MOST_CHAIN)
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise InvalidInput(f"{TRUST_CHAIN} is not a list of signed steps. Restore it from your backup.")
    return [one.encode("utf-8") for one in found]


def _written(chain: list[bytes]) -> bytes:
    return canonical_json([one.decode("utf-8") for one in chain])


def _authority_after(ring: Keyring, branch: str, secret: bytes) -> Signer:
    """Who is the authority once `branch` has its new key."""
    if branch not in _AUTHORITY:
        return ring.signer("authority")
    new, before = LocalSigner(SIGNING_BRANCHES[branch], secret), ring.signer("authority")
    return new.with_beside(*before.beside) if branch == "authority" else before.with_beside(new)


def _destroy_older(folder: Path, branch: str, newest: int) -> None:
    """Overwrite and remove private keys that sign no more. Copies in backups and on SSDs survive that."""
    for version in branch_versions(folder, branch):
        path = branch_file(folder, branch, version)
        if version < newest and path.is_file():
            with path.open("r+b") as file:
                file.write(secrets.token_bytes(path.stat().st_size))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
    fsync_folder(folder)
