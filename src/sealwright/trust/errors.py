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
    """A bearer token or API key that we do not accept. HTTP clients see 401 and never `reason`."""

    code = "token.refused"
    status = 401

    def __init__(self, message: str, *, reason: str = "token.refused", link: str = "token") -> None:
        self.reason = reason  # a stable word for records, such as "token.expired"
        super().__init__(message, link=link)
