"""Who signs for the workspace's certificate authority: the key in use, and those before it.

Answers: which CAs may there be, and who signs for each? Does not answer: which of them still count. The signer says so, when it
is asked for a revocation list (`signing.older_cas`).
"""

from dataclasses import dataclass

from sealwright.trust.public_keys import Signer

__all__ = ["CaKeys"]


@dataclass(frozen=True, slots=True)
class CaKeys:
    """The signers of the branch "tls"."""

    newest: Signer
    older: tuple[Signer, ...] = ()  # newest first; each signs the revocation list of its own CA, and nothing else

    @property
    def signers(self) -> tuple[Signer, ...]:
        """All of them, newest first."""
        return (self.newest, *self.older)
