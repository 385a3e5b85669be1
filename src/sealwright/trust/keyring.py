"""The keys of a workspace: one root, and under it a branch for each purpose.

Answers: who may sign what, and with which key is what encrypted? A key never serves two purposes.
Does not answer: may this person do this? The keyring is opened by whoever holds the passphrase or
the key file; what they may do with it is decided above.

A secret in Python's memory cannot be erased with certainty; `close` drops the references, and a process
that must not hold a key is a process that never opens the ring.
"""

from collections.abc import Mapping
from types import TracebackType
from typing import NoReturn, Self

from sealwright.kernel import InvalidInput, NotFound, Refused, VerificationFailed
from sealwright.trust.sealing import derive_key
from sealwright.trust.signers import LocalSigner, export_local_signer
from sealwright.trust.trust_root import SECOND_SIGNED, SIGNING_BRANCHES, TrustRoot

__all__ = ["SEALING_BRANCHES", "Keyring"]

SEALING_BRANCHES = ("data", "decisions", "subjects", "pseudonyms", "identity")
"""The branches that encrypt. "subjects" wraps the keys of persons; "pseudonyms" makes the names they are kept under;
"identity" seals what people and services log in with."""


class Keyring:
    """An opened set of keys. Use it in a `with` block, or call `close`."""

    def __init__(self, trust_root: TrustRoot, branches: Mapping[str, Mapping[int, bytes]]) -> None:
        """Take the unwrapped branch secrets by version; refuse if they are not those of `trust_root`."""
        self._trust_root = trust_root
        self._versions = {name: dict(sorted(found.items())) for name, found in branches.items()}
        self._secrets = {name: found[max(found)] for name, found in branches.items()}
        alone = {name: LocalSigner(algorithm, self._secrets[name]) for name, algorithm in SIGNING_BRANCHES.items()}
        both = {name: alone[name].with_beside(alone[second]) for name, second in SECOND_SIGNED.items()}
        self._signers = alone | both
        for name, signer in self._signers.items():
            if trust_root.keys.get(name, (None,))[-1] != signer.public():
                raise VerificationFailed(
                    f"The trust root lists another key for {name!r} than the keyring holds.\n"
                    "One of the two was replaced; restore the whole keys folder from one backup.",
                    link="keys/trust.json",
                )

    @property
    def trust_root(self) -> TrustRoot:
        """The public half: what verifiers need."""
        return self._trust_root

    def signer(self, branch: str) -> LocalSigner:
        """The signer of a signing branch, e.g. "statements", with those that sign its statements besides.

        Raises
        ------
        InvalidInput
            No such signing branch.
        Refused
            The keyring is closed.
        """
        self._need(branch, tuple(SIGNING_BRANCHES), "signs")
        return self._signers[branch]

    def key(self, branch: str, purpose: str, *, version: int | None = None) -> bytes:
        """32 bytes for one purpose, e.g. ("data", "class/personal"): HKDF-SHA256, RFC 5869, info = purpose.

        Parameters
        ----------
        version : int, optional
            Of the branch, for what was encrypted before a rotation; left out: the newest.

        Raises
        ------
        InvalidInput
            Not one of `SEALING_BRANCHES`, or an empty purpose.
        NotFound
            That version was destroyed, or never was.
        Refused
            The keyring is closed.
        """
        self._need(branch, SEALING_BRANCHES, "encrypts")
        if not purpose:
            raise InvalidInput("A derived key needs a purpose, so that no two uses share a key.")
        secret = self._secrets[branch] if version is None else self._versions[branch].get(version)
        if secret is None:
            raise NotFound(
                f"Version {version} of the key branch {branch!r} was destroyed. What it sealed stays sealed."
            )
        return derive_key(secret, info=purpose.encode())

    def versions(self, branch: str) -> tuple[int, ...]:
        """The versions of a sealing branch that still exist, oldest first; the last one is in use.

        Raises
        ------
        InvalidInput, Refused
            As `key`.
        """
        self._need(branch, SEALING_BRANCHES, "encrypts")
        return tuple(self._versions[branch])

    def export_signer(self, branch: str) -> bytes:
        """One signing key in the clear, to hand to a child process over a pipe; read it with `import_signer`.

        Raises
        ------
        InvalidInput
            No such signing branch.
        Refused
            The keyring is closed.
        """
        self._need(branch, tuple(SIGNING_BRANCHES), "signs")
        return export_local_signer(branch, SIGNING_BRANCHES[branch], self._secrets[branch])

    def close(self) -> None:
        """Forget the keys; every later use is refused."""
        self._secrets.clear()
        self._versions.clear()
        self._signers.clear()

    def _need(self, branch: str, among: tuple[str, ...], verb: str) -> None:
        if branch not in among:
            raise InvalidInput(f"No key branch {branch!r} {verb}; there are: {', '.join(among)}.")
        if not self._secrets:
            raise Refused("The keyring is closed. Open it again with open_keyring.")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Keyring({self._trust_root.workspace}, {'open' if self._secrets else 'closed'})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A keyring is not written out; hand over one signer with export_signer.")
