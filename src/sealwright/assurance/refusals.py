"""Which rows the server would refuse before the model sees them.

What the contract refuses cannot mislead the model; what it lets through can. So every stress is told with the
share of disturbed rows that never reach the model when it is served.
"""

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.features import Features
from sealwright.assurance.interface import Interface

__all__ = ["refused"]


def refused(features: Features, interface: Interface) -> NDArray[np.bool_]:
    """True, shape (n,), where a value is missing, outside its range, not whole or not known against the contract.

    Infinity is refused everywhere; a category without a declared list is taken as it comes.
    """
    out = np.zeros(len(features), dtype=np.bool_)
    for place, item in enumerate(interface.numbers):
        values = features.numbers[:, place].astype(np.float64)
        missing = np.isnan(values)
        out |= np.isinf(values) | (missing & (not item.nullable))
        if item.least is not None:
            out |= values < np.float64(np.float32(item.least))  # the value was rounded to float32 as well
        if item.most is not None:
            out |= values > np.float64(np.float32(item.most))
        if item.type == "boolean":
            out |= ~missing & (values != 0) & (values != 1)
        elif item.type in ("integer", "date"):
            out |= ~missing & (values != np.round(values))
    for place, text in enumerate(interface.strings):
        known = {*text.categories, ""} if text.nullable else set(text.categories)
        if text.categories:
            out |= np.fromiter((value not in known for value in features.strings[:, place]), np.bool_, len(features))
    return out
