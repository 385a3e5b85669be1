"""One tree of errors, with stable codes.

A message says what happened, what was expected, and what to do next. It never
holds a secret or a row of data. `exit_code` is what a script sees, `status` what
an HTTP client sees, `code` what a program matches on; a code is never reused.
"""

from typing import ClassVar

__all__ = [
    "Conflict",
    "InvalidInput",
    "MissingExtra",
    "NotFound",
    "OperationFailed",
    "Refused",
    "SealwrightError",
    "StoppedByPolicy",
    "VerificationFailed",
]


class SealwrightError(Exception):
    """Anything we refuse or could not do, worded for the person who has to act."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1


class InvalidInput(SealwrightError):
    """What was given cannot be used as it is: a file, an option, a value."""

    code = "input.invalid"
    status = 422
    exit_code = 2


class NotFound(SealwrightError):
    """A named thing does not exist here."""

    code = "not_found"
    status = 404
    exit_code = 2


class Conflict(SealwrightError):
    """The thing exists already, or somebody else changed it first."""

    code = "conflict"
    status = 409
    exit_code = 2


class Refused(SealwrightError):
    """Not allowed: a wrong key, a wrong person, an unsafe setting."""

    code = "refused"
    status = 403
    exit_code = 2


class StoppedByPolicy(SealwrightError):
    """A policy said no. Subclasses carry every reason at once."""

    code = "policy.stopped"
    status = 409
    exit_code = 3


class VerificationFailed(SealwrightError):
    """A signature, digest, proof or sequence does not hold.

    `link` names the first broken link, e.g. "package/model.onnx".
    """

    code = "verification.failed"
    status = 409
    exit_code = 4

    def __init__(self, message: str, *, link: str = "") -> None:
        self.link = link
        super().__init__(message)


class OperationFailed(SealwrightError):
    """The request was right, the machine could not do it: disk full, time limit, lost service."""

    code = "operation.failed"
    status = 503


class MissingExtra(SealwrightError):
    """A verb needs libraries that the base install leaves out on purpose."""

    code = "install.extra_missing"
    status = 501
    exit_code = 2

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs libraries that are not installed here.\nInstall them with: pip install 'sealwright[{extra}]'"
        )
