"""A signer whose key is elsewhere, and whose every signature is verified here before anybody gets it."""

from collections.abc import Callable

from sealwright.kernel import VerificationFailed
from sealwright.trust.backends.errors import BackendLied
from sealwright.trust.public_keys import PublicKey, Signer

__all__ = ["VerifiedSigner"]


class VerifiedSigner:
    """Implements `Signer`. The public key is asked for once, when it is made."""

    __slots__ = ("_ask", "_beside", "_public", "_where")

    def __init__(
        self, public: PublicKey, ask: Callable[[bytes], bytes], *, where: str, beside: tuple[Signer, ...] = ()
    ) -> None:
        """`ask` returns what claims to be the signature over what it is given; `where` names its home in errors."""
        self._public, self._ask, self._where, self._beside = public, ask, where, beside

    @property
    def key_id(self) -> str:
        return self._public.key_id

    @property
    def algorithm(self) -> str:
        return self._public.algorithm

    @property
    def beside(self) -> tuple[Signer, ...]:
        return self._beside

    def sign(self, data: bytes) -> bytes:
        """The signature over `data`, which verifies.

        Raises
        ------
        BackendLied
            What came back is not the signature of this key over this data.
        BackendUnavailable, BackendRefused
            Nothing came back.
        """
        signature = self._ask(data)
        try:
            self._public.verify(signature, data)
        except VerificationFailed:
            raise BackendLied(
                f"{self._where} returned a signature that key {self.key_id[:16]}… did not make over this. It was not used.\n"
                "Take it out of service until you know why.",
                link="signature",
            ) from None
        return signature

    def sign_together(self, data: bytes) -> tuple[bytes, ...]:
        """The signature over `data`, then those of `beside`. Raises as `sign`."""
        return (self.sign(data), *(one.sign(data) for one in self._beside))

    def public(self) -> PublicKey:
        """The key to check signatures with."""
        return self._public

    def with_beside(self, *beside: Signer) -> "VerifiedSigner":
        """The same signer, whose statements `beside` sign, too."""
        return VerifiedSigner(self._public, self._ask, where=self._where, beside=beside)

    def __repr__(self) -> str:
        return f"VerifiedSigner({self.algorithm}, {self.key_id[:16]}…, {self._where})"
