"""Which guarantee of differential privacy attacks are held against: the stricter of the trained and the stated one."""

from collections.abc import Mapping
from typing import Any

from sealwright.assurance import AssuranceSpec, ClaimedPrivacy

__all__ = ["with_claim"]


def with_claim(spec: AssuranceSpec, trained: Mapping[str, Any] | None) -> AssuranceSpec:
    """The settings with the guarantee to hold attacks against.

    Parameters
    ----------
    trained : mapping or None
        What a private training says of itself: epsilon and delta. A project that states a smaller epsilon is held to its
        own words; one that states a larger is held to what was trained.
    """
    if trained is None:
        return spec
    claim = ClaimedPrivacy(epsilon=trained["epsilon"], delta=trained["delta"])
    stated = spec.claimed_privacy
    stricter = claim if stated is None or claim.epsilon <= stated.epsilon else stated
    return spec.model_copy(update={"claimed_privacy": stricter})
