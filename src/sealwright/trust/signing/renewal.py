"""A signing branch gets a new key, which the signer makes itself and nobody else ever sees.

Answers: how is a key that signs replaced, all at once or not at all, while signatures go on being asked for?
Does not answer: whether the old one is still believed (`key_revocation`), nor who may ask for it.

Two steps, so that the new key's name can be on record before it signs anything: `prepare` makes the key, in memory, and
`take` puts it to use. The new private key, trust.json with its seal, and the signed step to it are several files that must
change together; they go through one journal, and whoever opens the keys next finishes what a crash cut off. The private
file of the old key is destroyed then; the processes that hold it go on for a bounded time (`holding`). Only that of a CA stays
for as long as certificates of it hold (`older_cas`).

A key that is to be elsewhere is made there and has to sign a trial before it is listed (`placing`). What stands in the folder
then says where it is.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from sealwright.kernel import SealwrightError, fsync_folder
from sealwright.trust.backends.place import KeyPlace
from sealwright.trust.key_files import (
    SEAL_FILE,
    TRUST_FILE,
    branch_file,
    branch_versions,
    destroy_key,
    placed_branch,
    sealed_trust,
    wrapped_branch,
)
from sealwright.trust.key_journal import changing
from sealwright.trust.key_list_file import KEY_LIST
from sealwright.trust.public_keys import PublicKey, Signer
from sealwright.trust.signers import LocalSigner, new_secret
from sealwright.trust.signing.errors import SignerRefused
from sealwright.trust.signing.memory_keys import KeyMemory
from sealwright.trust.signing.placing import placed_key
from sealwright.trust.signing.vault import CA_BRANCH, BranchSigner, Vault
from sealwright.trust.statements import Statement, sign_statement
from sealwright.trust.trust_chain import TRUST_CHAIN, chain_bytes, follow_chain, make_link, read_chain
from sealwright.trust.trust_root import SECOND_SIGNED, SIGNING_BRANCHES, TrustRoot

__all__ = ["PREPARED_FOR", "Prepared", "key_list_by", "prepare", "take"]

PREPARED_FOR = timedelta(minutes=10)
"""How long a key that was made may wait for being put to use."""

_AUTHORITY = ("authority", SECOND_SIGNED["authority"])


@dataclass(frozen=True, slots=True)
class Prepared:
    """A new key of a branch: in memory only, or elsewhere, and listed nowhere yet."""

    branch: str
    number: int  # of the step to the trust root that lists it
    signer: BranchSigner
    kept: bytes | KeyPlace = field(repr=False)  # the private key, or where it is

    @property
    def public(self) -> PublicKey:
        """Its public half."""
        return self.signer.public()

    @property
    def place(self) -> str:
        """Where it is, for people; empty for a key in a file."""
        return self.kept.described() if isinstance(self.kept, KeyPlace) else ""


def prepare(vault: Vault, branch: str, at: str = "") -> Prepared:
    """A new key for a signing branch.

    Parameters
    ----------
    at : str
        The place file of the device or service that shall hold it; empty: it is kept in the folder.

    Raises
    ------
    SignerRefused
        "branch.other", or "rotation.chain": the steps on disk do not lead to this trust root. "place.…" as `placed_key`.
    BackendUnavailable, BackendRefused, BackendLied
        As `placed_key`.
    """
    if branch not in SIGNING_BRANCHES:
        raise SignerRefused("branch.other", f"There is no branch {branch[:40]!r} that signs.")
    number = len(_chain(vault)) + 1
    if at:
        place, placed = placed_key(vault, branch, Path(at))
        return Prepared(branch, number, placed, place)
    secret = new_secret(SIGNING_BRANCHES[branch])
    return Prepared(branch, number, LocalSigner(SIGNING_BRANCHES[branch], secret), secret)


def take(prepared: Prepared, vault: Vault, memory: KeyMemory) -> None:
    """Put a prepared key to use: afterwards the folder holds it, and the old private key no more.

    Raises
    ------
    SignerRefused
        "rotation.overtaken": another key was put to use meanwhile. "rotation.chain" as `prepare`.
    BackendUnavailable, BackendRefused, BackendLied
        The authority's key is elsewhere, and does not sign the step. Nothing was changed.
    """
    folder = vault.folder
    with changing(folder) as changes:
        vault = vault.reopened()
        chain = _chain(vault)
        if len(chain) + 1 != prepared.number:
            raise SignerRefused("rotation.overtaken", "Another key was replaced in the meantime. Begin again.")
        branch, old = prepared.branch, vault.trust_root
        version = branch_versions(folder, branch)[-1] + 1
        new = TrustRoot(old.workspace, {**old.keys, branch: (*old.keys[branch], prepared.public)})
        authority = _authority_after(vault, prepared)
        signers = [vault.signers["authority"], *([authority] if branch == "authority" else [])]
        chain.append(make_link(old, new, prepared.number, signers))
        files = {
            branch_file(folder, branch, version).name: _kept(prepared, vault, version),
            TRUST_FILE: new.to_bytes(),
            SEAL_FILE: sealed_trust(vault.signing_key, new),
            TRUST_CHAIN: chain_bytes(chain),
        }
        if branch in _AUTHORITY and (again := key_list_by(authority, memory)):
            files[f"../{KEY_LIST}"] = again  # the newest authority signs the list, so it is signed anew
        changes.make(files)
        if branch != CA_BRANCH:
            _destroy_older(folder, branch, version)


def key_list_by(authority: Signer, memory: KeyMemory) -> bytes:
    """The newest list of revoked keys, signed by `authority`; empty where nothing was ever revoked."""
    payload = memory.newest()
    return sign_statement(Statement(payload), authority) if payload else b""


def _chain(vault: Vault) -> list[bytes]:
    """The steps on disk, which end at the vault's trust root."""
    try:
        chain = read_chain(vault.folder / TRUST_CHAIN)
        reached = follow_chain(vault.trust_root, chain)[0].fingerprint == vault.trust_root.fingerprint
    except SealwrightError:
        reached, chain = False, []
    if not reached or (not chain and any(len(keys) > 1 for keys in vault.trust_root.keys.values())):
        raise SignerRefused(
            "rotation.chain",
            f"The signed steps in keys/{TRUST_CHAIN} do not lead to keys/{TRUST_FILE}, so nobody could follow another one.\n"
            "Restore the whole keys folder from one backup.",
        )
    return chain


def _kept(prepared: Prepared, vault: Vault, version: int) -> bytes:
    """What the folder holds of the new key."""
    key, workspace, kept = vault.signing_key, vault.workspace, prepared.kept
    if isinstance(kept, KeyPlace):
        return placed_branch(key, workspace, prepared.branch, version, kept)
    return wrapped_branch(key, workspace, prepared.branch, version, kept)


def _authority_after(vault: Vault, prepared: Prepared) -> BranchSigner:
    """Who is the authority once the branch has its new key."""
    before, new = vault.signers["authority"], prepared.signer
    if prepared.branch not in _AUTHORITY:
        return before
    return new.with_beside(*before.beside) if prepared.branch == "authority" else before.with_beside(new)


def _destroy_older(folder: Path, branch: str, newest: int) -> None:
    """Private keys that sign no more."""
    for version in branch_versions(folder, branch):
        path = branch_file(folder, branch, version)
        if version < newest and path.is_file():
            destroy_key(path)
    fsync_folder(folder)
