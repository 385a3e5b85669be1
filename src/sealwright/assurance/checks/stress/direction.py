"""Changes that may matter one way only: does the score ever move against the declared direction?"""

from sealwright.assurance.expectations import expectation_check

__all__ = ["CHECK"]

CHECK = expectation_check(
    "direction",
    ("rises", "falls"),
    "only rise, or only fall",
    "Share of rows whose score moves against the declared direction, by more than the tolerance, when only this column"
    " is raised.",
)
