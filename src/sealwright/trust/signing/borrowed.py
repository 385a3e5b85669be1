"""The signer of a serving process: a socket it inherited, and a signer that stands where that one is gone.

Answers: who signs the heads of decision logs for a process that holds no key?
Does not answer: what it may have signed. The socket was narrowed to its logs before it was handed over.
"""

import socket
import threading
from collections.abc import Sequence
from pathlib import Path

from sealwright.trust.public_keys import PublicKey
from sealwright.trust.signing.client import Line, narrow
from sealwright.trust.signing.errors import SignerUnavailable
from sealwright.trust.signing.remote import RemoteSigner
from sealwright.trust.signing.where import find_standing

__all__ = ["BorrowedLine"]


class BorrowedLine:
    """The way of a server to the signer of its decision logs: a socket it inherited (`SignerLink.lend`). Safe to use from many threads.

    When that signer is gone, a signer that stands in the workspace is asked instead, over a connection narrowed to the
    same logs; until there is one, nothing is signed.
    """

    def __init__(self, descriptor: int, origins: Sequence[str], *, home: Path) -> None:
        self._held = Line(socket.socket(fileno=descriptor))
        self._origins, self._keys, self._alone = origins, home / "keys", threading.Lock()

    def signer(self, public: PublicKey) -> RemoteSigner:
        """The signer with this key; `RemoteSigner.with_key` gives it with another one."""
        return RemoteSigner("decision-checkpoints", public, self._line)

    def close(self) -> None:
        """Hang up."""
        self._held.close()

    def _line(self) -> Line:
        with self._alone:
            if not self._held.usable:
                standing = find_standing(self._keys)
                if standing is None:
                    raise SignerUnavailable("The signer of this server is gone. Start one: sealwright signer")
                self._held = Line(standing)
                narrow(self._held, self._origins)
            return self._held
