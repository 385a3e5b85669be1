"""Scrambling 64-bit numbers, many at once: for choosing and comparing rows, never for protecting them."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["Words", "mix"]

Words = NDArray[np.uint64]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def mix(words: Words) -> Words:
    """Each number scrambled: uint64, same shape.

    Notes
    -----
    The output function of SplitMix64 (Steele, Lea, Flood 2014, doi:10.1145/2660193.2660195): a bijection in which every
    input bit reaches every output bit. It hides nothing from who knows its input's neighbours.
    """
    state = words + _STEP
    state = (state ^ (state >> np.uint64(30))) * _FIRST
    state = (state ^ (state >> np.uint64(27))) * _SECOND
    return state ^ (state >> np.uint64(31))
