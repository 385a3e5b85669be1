"""The private signing keys, opened: in the signer process, and nowhere else.

Answers: are the signing keys of this folder whole, and are they the ones that trust.json lists?
Of one branch, "tls", older keys are there too: a CA that was replaced still tells which of its certificates were taken back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sealwright.kernel import VerificationFailed
from sealwright.trust.key_files import (
    TRUST_FILE,
    branch_file,
    branch_versions,
    check_trust,
    open_branch,
    open_root,
    read_trust,
    signing_key_of,
    workspace_of,
)
from sealwright.trust.key_journal import steady
from sealwright.trust.signers import LocalSigner
from sealwright.trust.trust_root import SECOND_SIGNED, SIGNING_BRANCHES, TrustRoot
from sealwright.trust.unlock import Unlock

__all__ = ["CA_BRANCH", "MEMORY", "OlderCa", "Vault", "open_vault", "vault_of"]

MEMORY = "signed"
"""The folder beside the keys where the signer keeps what it must not forget."""

CA_BRANCH = "tls"
"""The branch whose older keys stay for as long as certificates of theirs hold (`older_cas`)."""


@dataclass(frozen=True, slots=True)
class OlderCa:
    """The key of a CA that was replaced, and the file it is in."""

    signer: LocalSigner
    file: Path


@dataclass(frozen=True, slots=True)
class Vault:
    """The newest key of every signing branch, with those beside it, and what they are known by.

    `signing_key` is what the branches that sign are wrapped under: with it the signer reads and writes newer versions.
    """

    trust_root: TrustRoot
    signers: Mapping[str, LocalSigner]
    folder: Path
    signing_key: bytes = field(repr=False)
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
        return _opened(self.folder, self.workspace, self.signing_key)


def open_vault(folder: Path, unlock: Unlock) -> Vault:
    """Unwrap the signing branches, and no other. The root secret is dropped when this returns.

    Raises
    ------
    NotFound, WrongUnlock, KeyFileUnsafe, Refused, BackendUnavailable, BackendRefused
        As `key_files.open_root`.
    VerificationFailed
        A file was changed, swapped or cut, or trust.json lists another key.
    """
    return vault_of(folder, signing_key_of(open_root(folder, unlock)[1]))


def vault_of(folder: Path, signing_key: bytes) -> Vault:
    """As `open_vault`, where only the key is at hand that the signing branches are wrapped under."""
    workspace = workspace_of(folder)
    return steady(folder, lambda: _opened(folder, workspace, signing_key))


def _opened(folder: Path, workspace: str, signing_key: bytes) -> Vault:
    trust_root = read_trust(folder, workspace)
    check_trust(folder, signing_key, trust_root)
    alone = {
        name: LocalSigner(
            algorithm, open_branch(folder, signing_key, workspace, name, branch_versions(folder, name)[-1])
        )
        for name, algorithm in SIGNING_BRANCHES.items()
    }
    for name, signer in alone.items():
        if trust_root.keys_of(name)[-1].key_id != signer.key_id:
            raise VerificationFailed(
                f"The trust root lists another key for {name!r} than the keys folder holds.\n"
                "One of the two was replaced; restore the whole keys folder from one backup.",
                link=f"keys/{TRUST_FILE}",
            )
    both = {name: alone[name].with_beside(alone[second]) for name, second in SECOND_SIGNED.items()}
    return Vault(trust_root, alone | both, folder, signing_key, _older_cas(folder, signing_key, trust_root))


def _older_cas(folder: Path, signing_key: bytes, trust_root: TrustRoot) -> dict[str, OlderCa]:
    """The older keys of the CA that are still there, each of which the trust root must list."""
    listed = {key.key_id for key in trust_root.keys[CA_BRANCH][:-1]}
    found: dict[str, OlderCa] = {}
    for version in branch_versions(folder, CA_BRANCH)[:-1]:
        file = branch_file(folder, CA_BRANCH, version)
        if not file.exists():
            continue  # another signer has just destroyed it
        secret = open_branch(folder, signing_key, trust_root.workspace, CA_BRANCH, version)
        signer = LocalSigner(SIGNING_BRANCHES[CA_BRANCH], secret)
        if signer.key_id not in listed:
            raise VerificationFailed(
                f"The trust root does not list the key in {file.name}. It was replaced; restore the whole keys folder\n"
                "from one backup.",
                link=f"keys/{file.name}",
            )
        found[signer.key_id] = OlderCa(signer, file)
    return found
