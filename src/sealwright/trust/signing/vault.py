"""The private signing keys, opened: in the signer process, and nowhere else.

Answers: are the signing keys of this folder whole, and are they the ones that trust.json lists?
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sealwright.kernel import VerificationFailed
from sealwright.trust.key_files import TRUST_FILE, branch_versions, open_branch, open_root, read_trust
from sealwright.trust.signers import LocalSigner
from sealwright.trust.trust_root import SIGNING_BRANCHES, TrustRoot
from sealwright.trust.unlock import Unlock

__all__ = ["MEMORY", "Vault", "open_vault"]

MEMORY = "signed"
"""The folder beside the keys where the signer keeps what it must not forget."""


@dataclass(frozen=True, slots=True)
class Vault:
    """The newest key of every signing branch, and what they are known by."""

    trust_root: TrustRoot
    signers: Mapping[str, LocalSigner]
    memory: Path

    @property
    def workspace(self) -> str:
        return self.trust_root.workspace


def open_vault(folder: Path, unlock: Unlock) -> Vault:
    """Unwrap the signing branches, and no other. The root secret is dropped when this returns.

    Raises
    ------
    NotFound, WrongUnlock, KeyFileUnsafe, Refused
        As `key_files.open_root`.
    VerificationFailed
        A file was changed, swapped or cut, or trust.json lists another key.
    """
    workspace, root = open_root(folder, unlock)
    trust_root = read_trust(folder, workspace)
    signers = {
        name: LocalSigner(algorithm, open_branch(folder, root, workspace, name, branch_versions(folder, name)[-1]))
        for name, algorithm in SIGNING_BRANCHES.items()
    }
    for name, signer in signers.items():
        if trust_root.keys_of(name)[-1] != signer.public():
            raise VerificationFailed(
                f"The trust root lists another key for {name!r} than the keys folder holds.\n"
                "One of the two was replaced; restore the whole keys folder from one backup.",
                link=f"keys/{TRUST_FILE}",
            )
    return Vault(trust_root, signers, folder / MEMORY)
