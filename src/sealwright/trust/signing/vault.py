"""The private signing keys, opened: in the signer process, and nowhere else. Of those elsewhere, the way to them.

Answers: are the signing keys of this folder whole, and are they the ones that trust.json lists?
Of one branch, "tls", older keys are there too: a CA that was replaced still tells which of its certificates were taken back.
Does not answer: does a device or service answer? It is asked when something is to be signed, so that one that is down
keeps no other branch from signing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from sealwright.kernel import VerificationFailed
from sealwright.trust.key_files import (
    TRUST_FILE,
    branch_file,
    branch_versions,
    check_trust,
    open_branch,
    open_root,
    place_of,
    read_trust,
    signing_key_of,
    workspace_of,
)
from sealwright.trust.key_journal import steady
from sealwright.trust.public_keys import PublicKey, Signer
from sealwright.trust.signers import LocalSigner
from sealwright.trust.signing.couriers import Couriers
from sealwright.trust.trust_root import SECOND_SIGNED, SIGNING_BRANCHES, TrustRoot
from sealwright.trust.unlock import Unlock

__all__ = ["CA_BRANCH", "MEMORY", "BranchSigner", "OlderCa", "Vault", "open_vault", "vault_of"]

MEMORY = "signed"
"""The folder beside the keys where the signer keeps what it must not forget."""

CA_BRANCH = "tls"
"""The branch whose older keys stay for as long as certificates of theirs hold (`older_cas`)."""


class BranchSigner(Signer, Protocol):
    """The signer of a branch: a key in this process, or one elsewhere."""

    def with_beside(self, *beside: Signer) -> "BranchSigner":
        """The same signer, whose statements `beside` sign, too."""


@dataclass(frozen=True, slots=True)
class OlderCa:
    """The key of a CA that was replaced, and the file it, or where it is, stands in."""

    signer: BranchSigner
    file: Path


@dataclass(frozen=True, slots=True)
class Vault:
    """The newest key of every signing branch, with those beside it, and what they are known by.

    `signing_key` is what the branches that sign are wrapped under: with it the signer reads and writes newer versions.
    """

    trust_root: TrustRoot
    signers: Mapping[str, BranchSigner]
    folder: Path
    signing_key: bytes = field(repr=False)
    couriers: Couriers = field(repr=False, compare=False)
    older_cas: Mapping[str, OlderCa] = field(default_factory=dict)  # by key id

    @property
    def workspace(self) -> str:
        return self.trust_root.workspace

    @property
    def memory(self) -> Path:
        return self.folder / MEMORY

    def reopened(self) -> "Vault":
        """What the folder holds at this moment: while nobody else changes it, or with `key_journal.steady`.

        Raises
        ------
        VerificationFailed
            As `open_vault`.
        """
        return _opened(self.folder, self.workspace, self.signing_key, self.couriers)


def open_vault(folder: Path, unlock: Unlock, couriers: Couriers | None = None) -> Vault:
    """Unwrap the signing branches, and no other. The root secret is dropped when this returns.

    `couriers` are the way to keys elsewhere; left out: they sign nothing.

    Raises
    ------
    NotFound, WrongUnlock, KeyFileUnsafe, Refused, BackendUnavailable, BackendRefused
        As `key_files.open_root`.
    VerificationFailed
        A file was changed, swapped or cut, or trust.json lists another key.
    """
    return vault_of(folder, signing_key_of(open_root(folder, unlock)[1]), couriers)


def vault_of(folder: Path, signing_key: bytes, couriers: Couriers | None = None) -> Vault:
    """As `open_vault`, where only the key is at hand that the signing branches are wrapped under."""
    workspace, way = workspace_of(folder), couriers or Couriers(None)
    return steady(folder, lambda: _opened(folder, workspace, signing_key, way))


def _opened(folder: Path, workspace: str, signing_key: bytes, couriers: Couriers) -> Vault:
    trust_root = read_trust(folder, workspace)
    check_trust(folder, signing_key, trust_root)
    alone = {name: _signer(folder, signing_key, trust_root, name, couriers) for name in SIGNING_BRANCHES}
    for name, signer in alone.items():
        if trust_root.in_use(name).key_id != signer.key_id:
            raise VerificationFailed(
                f"The trust root lists another key for {name!r} than the keys folder holds.\n"
                "One of the two was replaced; restore the whole keys folder from one backup.",
                link=f"keys/{TRUST_FILE}",
            )
    both = {name: alone[name].with_beside(alone[second]) for name, second in SECOND_SIGNED.items()}
    older = _older_cas(folder, signing_key, trust_root, couriers)
    return Vault(trust_root, alone | both, folder, signing_key, couriers, older)


def _signer(folder: Path, signing_key: bytes, trust_root: TrustRoot, name: str, couriers: Couriers) -> BranchSigner:
    """The newest key of a branch. One elsewhere must be the one that trust.json lists, and is asked for nothing yet."""
    workspace, version = trust_root.workspace, branch_versions(folder, name)[-1]
    place = place_of(folder, signing_key, workspace, name, version)
    if place is None:
        return LocalSigner(SIGNING_BRANCHES[name], open_branch(folder, signing_key, workspace, name, version))
    listed = trust_root.in_use(name)
    if place.key_id != listed.key_id:
        raise VerificationFailed(
            f"keys/{branch_file(folder, name, version).name} says where another key is than the trust root lists for "
            f"{name!r}.\nOne of the two was replaced; restore the whole keys folder from one backup.",
            link=f"keys/{branch_file(folder, name, version).name}",
        )
    return couriers.signer(place, PublicKey.from_pem(listed.pem))


def _older_cas(folder: Path, signing_key: bytes, trust_root: TrustRoot, couriers: Couriers) -> dict[str, OlderCa]:
    """The older keys of the CA that are still there, each of which the trust root must list."""
    found: dict[str, OlderCa] = {}
    for version in branch_versions(folder, CA_BRANCH)[:-1]:
        file = branch_file(folder, CA_BRANCH, version)
        if not file.exists():
            continue  # another signer has just destroyed it
        signer = _older_ca(folder, signing_key, trust_root, version, couriers)
        if signer is None:
            raise VerificationFailed(
                f"The trust root does not list the key in {file.name}. It was replaced; restore the whole keys folder\n"
                "from one backup.",
                link=f"keys/{file.name}",
            )
        found[signer.key_id] = OlderCa(signer, file)
    return found


def _older_ca(
    folder: Path, signing_key: bytes, trust_root: TrustRoot, version: int, couriers: Couriers
) -> BranchSigner | None:
    """The signer of one that was replaced; None if it is not among those that are listed."""
    listed = {key.key_id: key for key in trust_root.keys[CA_BRANCH][:-1]}
    place = place_of(folder, signing_key, trust_root.workspace, CA_BRANCH, version)
    if place is not None:
        return couriers.signer(place, listed[place.key_id]) if place.key_id in listed else None
    secret = open_branch(folder, signing_key, trust_root.workspace, CA_BRANCH, version)
    signer = LocalSigner(SIGNING_BRANCHES[CA_BRANCH], secret)
    return signer if signer.key_id in listed else None
