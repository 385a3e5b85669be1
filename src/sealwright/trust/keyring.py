"""The keys of a workspace: one root, and under it a branch for each purpose.

Answers: who may sign what, and with which key is what encrypted? A key never serves two purposes.
Does not answer: may this person do this? The keyring is opened by whoever holds the passphrase or
the key file; what they may do with it is decided above.

The keys that encrypt are here; those that sign are in the signer process, and a keyring only knows the way to it.
A secret in Python's memory cannot be erased with certainty; `close` drops the references, and a process
that must not hold a key is a process that never opens the ring.
"""

import socket
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

from sealwright.kernel import InvalidInput, NotFound, Refused
from sealwright.trust.ca_keys import CaKeys
from sealwright.trust.followed_root import FollowedRoot
from sealwright.trust.handing_over import Holds, opened_offer, sealed_offer
from sealwright.trust.public_keys import PublicKey
from sealwright.trust.sealing import derive_key
from sealwright.trust.sealing_branches import Handed, SealingBranches
from sealwright.trust.signing.client import look, renew, step_after, take
from sealwright.trust.signing.link import SignerLink
from sealwright.trust.signing.remote import RemoteSigner
from sealwright.trust.trust_root import SIGNING_BRANCHES, TrustRoot

__all__ = ["SEALING_BRANCHES", "Keyring"]

SEALING_BRANCHES = ("data", "decisions", "subjects", "pseudonyms", "identity")
"""The branches that encrypt. "subjects" wraps the keys of persons; "pseudonyms" makes the names they are kept under;
"identity" seals what people and services log in with."""

_HANDED = "sealwright/hand-over/v1"
"""What the key is derived for under which the next version of a branch is handed over."""


class Keyring:
    """An opened set of keys. Use it in a `with` block, or call `close`."""

    def __init__(
        self,
        followed: FollowedRoot,
        branches: SealingBranches,
        link: SignerLink,
        placed: Mapping[str, str] | None = None,
    ) -> None:
        """Take the unwrapped secrets of the branches that encrypt, by version, and the way to the signer.

        `placed`: where keys elsewhere are, by branch, if that could be read; None: the signer knows.
        """
        self._followed, self._branches, self._link, self._placed = followed, branches, link, placed
        self._lines: dict[str, RemoteSigner] = {}

    @property
    def trust_root(self) -> TrustRoot:
        """The public half: what verifiers need. After a rotation it is the next one."""
        return self._followed.now

    def signer(self, branch: str) -> RemoteSigner:
        """The signer of a signing branch, e.g. "statements", with those that sign its statements besides.

        The keys of all of them are in the signer process. What this returns signs with the keys that are in use now; after
        a rotation, ask for it again.

        Raises
        ------
        InvalidInput
            No such signing branch.
        Refused
            The keyring is closed.
        """
        self._need(branch, tuple(SIGNING_BRANCHES), "signs")
        key, known = self.trust_root.in_use(branch), self._lines.get(branch)
        if known is None or (known.public(), known.second) != (key, key.beside):
            known = self._lines[branch] = self._link.signer(branch, key)
        return known

    def ca_keys(self) -> CaKeys:
        """Who signs for the workspace's CA now. Raises as `signer`; after a rotation, ask for it again."""
        older = reversed(self.trust_root.keys["tls"][:-1])
        return CaKeys(self.signer("tls"), tuple(self._link.older_signer("tls", key) for key in older))

    def lend_signer(self, *origins: str) -> socket.socket:
        """A connected socket for a prediction server: all it can have signed are heads of the decision logs `origins`.

        Raises
        ------
        SignerRefused, SignerUnavailable
            Not logs of this workspace's decisions; or there is no signer.
        Refused
            The keyring is closed.
        """
        return self._link.lend(origins)

    def on_refusal(self, tell: Callable[[str, str], None] | None) -> None:
        """Have `tell` hear of every refusal of the signer, by branch and reason, but for heads of logs: a log tells of those."""
        self._link.on_refusal = tell

    def check_signer(self) -> None:
        """Return if a signer answers and holds the keys that the trust root lists.

        Raises
        ------
        SignerUnavailable, SignerRefused, VerificationFailed
            It does not.
        """
        self._link.line()

    def prepare_rotation(self, branch: str, at: Path | None = None) -> tuple[PublicKey, int, str]:
        """Have the signer make a new key for a signing branch; its public half, the number of the next trust root, and in
        words where it is; empty: in a file.

        It signs nothing of ours before `finish_rotation`.

        Parameters
        ----------
        at : Path, optional
            The place file of the device or service it goes to, which the signer reads; left out: it is kept in a file.

        Raises
        ------
        InvalidInput, Refused
            As `signer`.
        SignerRefused, SignerUnavailable
            It does not make one.
        BackendUnavailable, BackendRefused, BackendLied
            The device or service does not.
        """
        self._need(branch, tuple(SIGNING_BRANCHES), "signs")
        return renew(self._link.line_of("keys"), branch, "" if at is None else str(at.absolute()))

    def places(self, *, ask: bool = False) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """By branch, where the keys elsewhere are, in words; and, if `ask`, what is wrong with them there.

        Without `ask` it is as of when the keyring was opened, where the signing keys lie beside it.

        Raises
        ------
        SignerRefused, SignerUnavailable
            There is no signer to ask.
        """
        if not ask and self._placed is not None:
            return self._placed, {}
        found = look(self._link.line_of("keys"), ask=ask)
        return found.places, found.wrong

    def finish_rotation(self, key: PublicKey) -> None:
        """Have the signer put a key to use that `prepare_rotation` gave.

        Raises
        ------
        SignerRefused, SignerUnavailable
            It does not.
        """
        take(self._link.line_of("keys"), key)

    def step_after(self, number: int) -> tuple[bytes, bytes] | None:
        """The signed step to the trust root after `number`, and the newest list of revoked keys; None if there is none."""
        return step_after(self._link.line(checked=False), number)

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
        found = self._branches.of(branch)
        secret = found.get(max(found) if version is None else version)
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
        return tuple(self._branches.of(branch))

    def keys(self, branch: str, purpose: str) -> tuple[bytes, ...]:
        """`key` of every version that still exists, the newest first: for what does not say which version made it."""
        return tuple(self.key(branch, purpose, version=one) for one in reversed(self.versions(branch)))

    def hold(self, branch: str, handed: Handed) -> None:
        """Know the next version of a branch before it is on disk; it counts from the moment it is.

        Raises
        ------
        InvalidInput, Refused
            As `key`.
        Conflict
            It is not the version after the newest.
        """
        self._need(branch, SEALING_BRANCHES, "encrypts")
        self._branches.hold(branch, handed)

    def is_behind(self, branch: str) -> bool:
        """Whether there is a newer version on disk, which this ring was not opened with nor handed. Raises as `key`."""
        self._need(branch, SEALING_BRANCHES, "encrypts")
        return self._branches.is_behind(branch)

    def holds(self, *branches: str) -> Holds:
        """What a server says that has this ring, to whoever hands it the next version of one of these branches."""
        return Holds(workspace=self.trust_root.workspace, versions={one: self.versions(one)[-1] for one in branches})

    def take_offer(self, branch: str, version: int, sealed: bytes) -> None:
        """`hold` what another program of this workspace handed over.

        Raises
        ------
        VerificationFailed, Conflict, NotFound
            It does not come from who holds the version before, or is not the next one.
        """
        before = self.key(branch, _HANDED, version=version - 1)
        self.hold(branch, opened_offer(before, sealed, self.trust_root.workspace, branch, version))

    def sealed_next(self, branch: str, version: int, purpose: str) -> bytes:
        """A version of a branch for a program that holds the one before; with a purpose, only what is derived for that.

        Raises
        ------
        NotFound
            There is no such version.
        """
        before = self.key(branch, purpose or _HANDED, version=version - 1)
        found = self._branches.handed(branch, version)
        handed = replace(found, key=derive_key(found.key, info=purpose.encode())) if purpose else found
        return sealed_offer(before, handed, self.trust_root.workspace, branch)

    def close(self) -> None:
        """Forget the keys and hang up on the signer; every later use is refused."""
        self._branches.clear()
        self._link.close()

    def _need(self, branch: str, among: tuple[str, ...], verb: str) -> None:
        if branch not in among:
            raise InvalidInput(f"No key branch {branch!r} {verb}; there are: {', '.join(among)}.")
        if not self._branches:
            raise Refused("The keyring is closed. Open it again with open_keyring.")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Keyring({self._followed.now.workspace}, {'open' if self._branches else 'closed'})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A keyring is not written out; lend_signer gives a server what it needs.")
