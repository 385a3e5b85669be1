"""Refusals of this room that callers match on by type or by `code`."""

from sealwright.kernel import Refused, VerificationFailed

__all__ = ["KeyFileUnsafe", "TokenRefused", "WrongUnlock"]


class WrongUnlock(Refused):
    """The passphrase or key file does not open these keys, or the wrapped key was changed."""

    code = "keys.wrong_unlock"


class KeyFileUnsafe(Refused):
    """A file holding a secret is missing, shared, linked or of the wrong size."""

    code = "keys.file_unsafe"


class TokenRefused(VerificationFailed):
    """A bearer token that we do not accept. HTTP clients see 401."""

    code = "token.refused"
    status = 401
