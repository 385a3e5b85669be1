"""How a keyring reaches its signer: the one that stands in the workspace, else one of its own, started when needed.

Answers: which signer does this program ask, and does it hold the keys that our trust root lists?
Does not answer: what it signs.

What opens the signing keys is handed to a new signer when the keyring is opened, and forgotten here; a key file stays
where it is, and is read by the signer when the first signature is asked for.
"""

import contextlib
import os
import socket
import subprocess
import threading
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path

from sealwright.kernel import Refused, VerificationFailed
from sealwright.trust.followed_root import FollowedRoot
from sealwright.trust.public_keys import PublicKey
from sealwright.trust.signing.client import Line, adopt, join, ready
from sealwright.trust.signing.errors import SignerUnavailable
from sealwright.trust.signing.opening import Opening
from sealwright.trust.signing.remote import RemoteSigner
from sealwright.trust.signing.starting import lent, start_signer
from sealwright.trust.signing.where import find_standing, read_elsewhere

__all__ = ["SignerLink"]

_FIRST_ANSWER_SECONDS = 60.0  # a passphrase takes a second on a slow machine
_END_SECONDS = 5.0


class _Held:
    """What a link has open, apart from the link, so that it is let go of when the link is forgotten."""

    def __init__(self) -> None:
        self.line: Line | None = None
        self.own: dict[str, tuple[Line, Line]] = {}  # what for -> the line it was joined over, and its own
        self.started: subprocess.Popen[bytes] | None = None
        self.lent = False

    def let_go(self) -> None:
        line, self.line = self.line, None
        started, self.started = self.started, None
        if line is not None:
            line.close()
        while self.own:
            self.own.popitem()[1][1].close()
        if started is None:
            return
        if self.lent:
            lent(started)
            return
        try:
            started.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


class SignerLink:
    """The way from one keyring to one signer. Safe to use from many threads."""

    def __init__(self, keys: Path, opening: Opening, followed: FollowedRoot, *, at_once: bool) -> None:
        """`at_once`: reach a signer now, and forget what opens its keys."""
        self._followed = followed
        self._keys = keys.resolve()
        self._alone = threading.Lock()
        self._held = _Held()
        self._let_go = weakref.finalize(self, self._held.let_go)
        self._checked = self._closed = False
        self._process = os.getpid()
        self.on_refusal: Callable[[str, str], None] | None = None
        self._opening: Opening | None = opening
        if at_once:
            with self._alone:
                self._open_line()
                self._opening = None

    def signer(self, branch: str, key: PublicKey) -> RemoteSigner:
        """The signer of a branch with this key, and those beside it; asks for nothing yet."""
        return RemoteSigner(branch, key, lambda: self.line_of(branch), second=key.beside, tell=self._told)

    def older_signer(self, branch: str, key: PublicKey) -> RemoteSigner:
        """As `signer`, with a key that was replaced: that the signer has it no more is an answer, which nobody is told of."""
        return RemoteSigner(branch, key, lambda: self.line_of(branch))

    def line_of(self, what: str) -> Line:
        """A connection for one branch, or for "keys": while a device is waited for there, nothing else has to wait.

        Raises
        ------
        SignerUnavailable, SignerRefused, WrongUnlock, KeyFileUnsafe, VerificationFailed, Refused
            As `line`.
        """
        main = self.line()
        try:
            return self._own(what, main)
        except SignerUnavailable:
            if main.usable:
                raise
        return self._own(what, self.line())  # that line had broken unseen

    def _own(self, what: str, main: Line) -> Line:
        with self._alone:
            over, own = self._held.own.get(what, (None, None))
            if own is not None and over is main and own.usable:
                return own
            if own is not None:
                own.close()
            made = _joined(main)
            self._held.own[what] = (main, made)
            return made

    def _told(self, branch: str, reason: str) -> None:
        if self.on_refusal is not None:
            self.on_refusal(branch, reason)

    def line(self, *, checked: bool = True) -> Line:
        """A connection to a signer that holds our keys; not `checked`: to whatever signer there is, for what is signed
        anyway.

        Raises
        ------
        SignerUnavailable
            There is none, and none can be started.
        SignerRefused
            What listens in the workspace is not safe to ask.
        WrongUnlock, KeyFileUnsafe, VerificationFailed
            Why a signer could not open the keys.
        Refused
            The keyring is closed, or was opened by another process.
        """
        with self._alone:
            if self._closed:
                raise Refused("The keyring is closed. Open it again with open_keyring.")
            if os.getpid() != self._process:
                raise Refused("This keyring was opened by the parent process. Open it where it is needed.")
            if self._held.line is None or not self._held.line.usable:
                self._open_line()
            line = self._held.line
            assert line is not None
            if checked and not self._checked:
                self._check(line)
                self._checked = True
            return line

    def lend(self, origins: Sequence[str]) -> socket.socket:
        """A connected socket for a server process: all it can have signed are heads of the logs `origins`.

        The signer lives as long as whoever holds the socket does, also when this link is closed.
        """
        line = self.line()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with contextlib.closing(theirs):
            try:
                adopt(line, theirs, origins)
            except BaseException:
                ours.close()
                raise
        self._held.lent = True
        return ours

    def close(self) -> None:
        """Hang up; a signer that was started here, and lent to nobody, has ended when this returns."""
        with self._alone:
            self._closed, self._opening = True, None
            self._let_go()

    def _open_line(self) -> None:
        """A new line, not yet checked: to the standing signer, else to one started now."""
        self._checked = False
        if self._held.line is not None:
            self._held.line.close()
        standing = find_standing(self._keys)
        if standing is not None:
            self._held.line = Line(standing)
            return
        if read_elsewhere(self._keys) is not None:
            raise SignerUnavailable(
                "The signing keys of this workspace are with a signer of their own, and it does not answer.\n"
                "Start it, as its own user: sealwright signer --home FOLDER --key-file FILE"
            )
        if self._opening is None:
            raise SignerUnavailable(
                "The signer is gone, and what opens its keys is not kept here. Run the command again."
            )
        if self._held.started is not None:
            self._held.started.kill()
            self._held.started.wait()
        self._held.started, connected = start_signer(self._opening)
        self._held.line = Line(connected, patience=_FIRST_ANSWER_SECONDS)

    def _check(self, line: Line) -> None:
        """Return if the signer at the other end holds the keys our trust root lists."""
        try:
            found = ready(line)
            ours = self._followed.now
            held = all(keys[-1].key_id in found.keys.get(branch, []) for branch, keys in ours.keys.items())
            if found.workspace != ours.workspace or not held:
                raise VerificationFailed(
                    f"The signer holds keys of {found.workspace} that our trust root does not list as the newest.\n"
                    "Open the workspace again; if that does not help, restore the whole keys folder from one backup.",
                    link="keys/trust.json",
                )
        except BaseException:
            line.close()
            raise


def _joined(main: Line) -> Line:
    """One more connection to the signer at the other end of `main`."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with contextlib.closing(theirs):
        try:
            join(main, theirs)
        except BaseException:
            ours.close()
            raise
    return Line(ours)
