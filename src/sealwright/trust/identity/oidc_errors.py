"""Why a login by an identity provider did not happen. `reason` is stable: the ledger and programs match on it."""

from sealwright.kernel import OperationFailed, Refused

__all__ = ["OidcRefused", "OidcUnavailable"]


class OidcRefused(Refused):
    """A login by the identity provider that we do not accept."""

    code = "oidc.refused"
    status = 401

    def __init__(self, reason: str, why: str) -> None:
        self.reason = f"oidc.{reason}"
        super().__init__(
            f"Signing in with the identity provider did not work: {why.rstrip('.')}.\nBegin again at the sign-in page."
        )


class OidcUnavailable(OperationFailed):
    """The identity provider cannot be asked, or what it says about itself cannot be used. Local sign-in is not touched."""

    code = "oidc.unavailable"

    def __init__(self, reason: str, why: str) -> None:
        self.reason = reason
        super().__init__(
            f"The identity provider cannot be used now: {why.rstrip('.')}.\nSign in with a password or a passkey, or try again later."
        )
