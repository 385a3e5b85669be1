"""A signer whose key is elsewhere, and whose every signature is verified here before anybody gets it."""

from collections.abc import Callable

from sealwright.kernel import VerificationFailed
from sealwright.trust.backends.errors import BackendLied, BackendRefused
from sealwright.trust.public_keys import PublicKey, Signer

__all__ = ["VerifiedSigner", "refuse_other"]


def refuse_other(found: PublicKey, wanted: PublicKey | None, *, where: str, name: str) -> None:
    """Return if the pair called `name` is the one that is wanted.

    Raises
    ------
    BackendRefused
        It is another one: another token or engine of the same name, or a key that was replaced there.
    """
    if wanted is not None and found != wanted:
        raise BackendRefused(
            f"{where} has another key {name!r} than the one that is listed: {found.key_id[:16]}…, not {wanted.key_id[:16]}….\n"
            "It is another token or service of the same name, or the key was replaced there."
        )


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
