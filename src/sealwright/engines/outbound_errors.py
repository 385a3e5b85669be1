"""Why a request did not leave, or did not come back. `reason` is stable: programs and the ledger match on it."""

from sealwright.kernel import OperationFailed, Refused

__all__ = ["OutboundFailed", "OutboundRefused"]


class OutboundRefused(Refused):
    """A request that must not leave: its address, port, host or the other side's answer is not allowed."""

    code = "outbound.refused"

    def __init__(self, reason: str, message: str) -> None:
        self.reason = f"outbound.{reason}"
        super().__init__(message)


class OutboundFailed(OperationFailed):
    """The other side did not answer, not in time, too much, or not in HTTP."""

    code = "outbound.failed"

    def __init__(self, reason: str, message: str) -> None:
        self.reason = f"outbound.{reason}"
        super().__init__(message)
