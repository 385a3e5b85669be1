"""What permissions refuse with."""

from collections.abc import Sequence

from sealwright.kernel import Refused

__all__ = ["NotProven", "PermissionDenied"]


class PermissionDenied(Refused):
    """Somebody known may not do this. Says which conditions fail and who may do it instead."""

    code = "permission.denied"
    status = 403
    exit_code = 3

    def __init__(self, message: str, *, policies: Sequence[str] = (), reasons: Sequence[str] = ()) -> None:
        self.policies, self.reasons = tuple(policies), tuple(reasons)
        super().__init__(message)


class NotProven(Refused):
    """The name of somebody enrolled was used without their key or a session of theirs."""

    code = "permission.not_proven"
    status = 401
    exit_code = 3
