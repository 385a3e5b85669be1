"""What asking the signer can end with, besides a signature."""

from sealwright.kernel import OperationFailed, Refused

__all__ = ["SignerRefused", "SignerUnavailable"]


class SignerRefused(Refused):
    """The signer does not sign this. `reason` is a stable word to match on, such as "pointer.older".

    `at` is the number that the next one has to exceed, where that is what is wrong; else 0.
    """

    code = "signer.refused"

    def __init__(self, reason: str, message: str, *, at: int = 0) -> None:
        self.reason, self.at = reason, at
        super().__init__(message)


class SignerUnavailable(OperationFailed):
    """There is no signer to ask: it did not start, it ended, or it did not answer in time. Nothing was signed."""

    code = "signer.unavailable"
