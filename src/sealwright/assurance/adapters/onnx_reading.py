"""An ONNX model opened up, with its trees as leaves and the conditions that lead there: what bounds and attacks read.

The bytes were verified or given by whoever asks; nothing in them is run here.
"""

from collections.abc import Sequence

from sealwright.assurance.adapters.leaves import leaves_of
from sealwright.assurance.certified.reading import Reading
from sealwright.registry import Linear, Unreadable, open_model

__all__ = ["read_onnx"]

_MOST_CONDITIONS = 3_000_000


def read_onnx(model: bytes, numbers: Sequence[str], strings: Sequence[str], task: str) -> Reading:
    """Read a model of these number and text columns.

    Raises
    ------
    Unreadable
        It is no linear function and no sum of trees behind encoders of single columns, or has too many of them.
    """
    found = open_model(model, numbers, strings, task)
    if isinstance(found.core, Linear):
        return Reading(words="a linear function", columns=found.columns, core=found.core, links=found.links)
    trees = leaves_of(found.core.model, len(found.columns))
    if trees.leaf.size > _MOST_CONDITIONS:
        raise Unreadable(f"its trees ask {trees.leaf.size:,} questions; at most {_MOST_CONDITIONS:,} are read")
    words = f"{trees.first.size} trees"
    return Reading(words=words, columns=found.columns, core=trees, links=found.links)
