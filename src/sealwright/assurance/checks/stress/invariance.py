"""Changes that must not matter: does the answer stay when a declared column changes?"""

from sealwright.assurance.expectations import expectation_check

__all__ = ["CHECK"]

CHECK = expectation_check(
    "invariance",
    ("same",),
    "stay the same",
    "Share of rows whose decision changes, or whose score moves by more than the tolerance, when only this column does.",
)
