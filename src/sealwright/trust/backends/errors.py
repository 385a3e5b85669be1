"""Refusals of homes of keys that callers match on by type or by `code`."""

from sealwright.kernel import OperationFailed, Refused, VerificationFailed

__all__ = ["BACKEND_ERRORS", "BackendLied", "BackendRefused", "BackendUnavailable", "SecretRefused"]


class BackendUnavailable(OperationFailed):
    """The device or service that holds the key did not answer, or not in time. Nothing was done without it."""

    code = "keys.backend_unavailable"


class BackendRefused(Refused):
    """The device or service answers and does not do it: the key is disabled, destroyed, missing or not ours to use."""

    code = "keys.backend_refused"


class SecretRefused(BackendRefused):
    """It does not take the PIN. Whoever tries the same one again and again makes a token lock itself."""


class BackendLied(VerificationFailed):
    """What came back does not hold, such as a signature that does not verify. It was not used."""

    code = "keys.backend_lied"


BACKEND_ERRORS = (BackendUnavailable, BackendRefused, BackendLied)
"""All that asking a home of keys can end with."""
