"""Signers whose key is in the signer process: used as if they held it.

Answers: how does code that wants a `Signer` get one that asks another process?
Does not answer: how is asked. `client` speaks over the connection.
"""

from collections.abc import Callable, Sequence
from typing import NoReturn

from sealwright.trust.backends.errors import BACKEND_ERRORS
from sealwright.trust.notes import Descent
from sealwright.trust.public_keys import PublicKey, Signer
from sealwright.trust.signing.client import HeadIsBehind, Line
from sealwright.trust.signing.errors import SignerRefused, SignerUnavailable
from sealwright.trust.signing.messages import Sign, Signature, SignHead, SignPromise

__all__ = ["RemoteSigner"]


class RemoteSigner:
    """A signer whose key is in the signer process. Implements `Signer`; checking a signature needs no process."""

    __slots__ = ("_branch", "_known", "_line", "_public", "_second", "_shown", "_tell", "_with")

    def __init__(
        self,
        branch: str,
        public: PublicKey,
        line: Callable[[], Line],
        *,
        second: Sequence[PublicKey] = (),
        shown: bytes = b"",
        tell: Callable[[str, str], None] = lambda *_: None,
    ) -> None:
        """`second`: the keys that sign beside it, as the signer is asked for them. `tell` hears of every refusal, by
        branch and reason, before the caller does."""
        self._branch, self._public, self._line, self._shown, self._tell = branch, public, line, shown, tell
        self._second = tuple(second)
        self._with: tuple[Signer, ...] = tuple(_Beside(self, place, key) for place, key in enumerate(self._second))
        self._known: set[str] = set()  # logs whose published head this signer was shown

    @property
    def key_id(self) -> str:
        return self._public.key_id

    @property
    def algorithm(self) -> str:
        return self._public.algorithm

    @property
    def beside(self) -> tuple[Signer, ...]:
        """Who signs every statement besides, in the same process."""
        return self._with

    @property
    def second(self) -> tuple[PublicKey, ...]:
        """The keys of `beside`."""
        return self._second

    def public(self) -> PublicKey:
        """The key to check signatures with, as the trust root lists it."""
        return self._public

    def sign(self, data: bytes) -> bytes:
        """The signature over `data`, if it is something this branch signs.

        Raises
        ------
        SignerRefused, SignerUnavailable
            It is not; or there is no signer.
        BackendUnavailable, BackendRefused, BackendLied
            The key is elsewhere, and nothing is signed there.
        """
        return self.sign_together(data)[0]

    def sign_together(self, data: bytes) -> tuple[bytes, ...]:
        """The signature over `data`, then those of `beside`: one request, judged once. Raises as `sign`."""
        if self._branch in ("checkpoints", "decision-checkpoints"):
            return (self.sign_head(data, Descent(size=0, note=b"", path_from=lambda _: [])),)
        keys = [self.key_id, *(one.key_id for one in self._second)]
        asked = Sign(branch=self._branch, keys=keys, data=data, shown=self._shown)
        try:
            reply = self._line().ask(asked, Signature)
        except SignerRefused as refused:
            self._tell(self._branch, refused.reason)
            raise
        except BACKEND_ERRORS as refused:
            self._tell(self._branch, refused.code)
            raise
        if len(reply.beside) != len(self._second):
            raise SignerUnavailable("The signer gave another number of signatures than it was asked for.")
        return (reply.signature, *reply.beside)

    def showing(self, evidence: bytes) -> "RemoteSigner":
        """The same signer, which shows `evidence` with everything it asks for: the gate's decision, for a pointer."""
        return RemoteSigner(
            self._branch, self._public, self._line, second=self._second, shown=evidence, tell=self._tell
        )

    def with_key(self, key: PublicKey) -> "RemoteSigner":
        """The same way to the signer, with another key of the branch: the one in use after a rotation."""
        return RemoteSigner(self._branch, key, self._line, second=key.beside, shown=self._shown, tell=self._tell)

    def sign_head(self, data: bytes, descent: Descent) -> bytes:
        """The signature over a tree head (a note text) that descends from what was signed before.

        Raises
        ------
        SignerRefused, SignerUnavailable
            It does not; or there is no signer.
        """
        origin = data.partition(b"\n")[0].decode("ascii", "replace")
        line, since = self._line(), descent.size
        note = b"" if origin in self._known else descent.note
        for _ in range(3):  # the published head may be behind what was signed just before a crash
            path = list(descent.path_from(since))
            asked = SignHead(branch=self._branch, key=self.key_id, data=data, since=since, path=path, note=note)
            try:
                signature = line.ask(asked, Signature).signature
            except HeadIsBehind as behind:
                since, note = behind.size, descent.note
                continue
            self._known.add(origin)
            return signature
        raise SignerRefused("checkpoint.contradicts", f"The log {origin[:120]} grows under two hands at once.")

    def begin_promise(self, data: bytes) -> Callable[[], bytes]:
        """Ask for the signature over a promise of a decision log (a note text), and go on; what is returned waits for it.

        Nothing else is asked over this line before that was called. Both raise.

        Raises
        ------
        SignerRefused, SignerUnavailable
            It is none, or of another log; or there is no signer.
        """
        answer = self._line().begin(SignPromise(data=data, key=self.key_id), Signature)
        return lambda: answer().signature

    def __repr__(self) -> str:
        return f"RemoteSigner({self._branch}, {self.key_id[:16]}…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A signer is bound to its process's connection; open the keyring where it is needed.")


class _Beside:
    """A signer that signs beside another one, for who wants its signature alone. Implements `Signer`."""

    __slots__ = ("_first", "_place", "_public")

    beside: tuple[Signer, ...] = ()

    def __init__(self, first: RemoteSigner, place: int, public: PublicKey) -> None:
        self._first, self._place, self._public = first, place, public

    @property
    def key_id(self) -> str:
        return self._public.key_id

    @property
    def algorithm(self) -> str:
        return self._public.algorithm

    def public(self) -> PublicKey:
        """As `RemoteSigner.public`."""
        return self._public

    def sign(self, data: bytes) -> bytes:
        """As `RemoteSigner.sign`: what the first would not sign, this does not sign either."""
        return self._first.sign_together(data)[1 + self._place]

    def sign_together(self, data: bytes) -> tuple[bytes, ...]:
        """As `sign`."""
        return (self.sign(data),)
