"""Which cells broke the contract, before anything else was looked at."""

from sealwright.data.quality.check import Asked, Check, Checked

__all__ = ["CHECK"]


def _run(asked: Asked) -> Checked:
    """Rows were held against the contract while they were read; what was set aside is handed in."""
    return Checked(faults=tuple(asked.outside))


CHECK = Check(name="outside_contract", run=_run)
