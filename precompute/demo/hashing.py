"""Random numbers that are the same on every machine: SplitMix64 in integer arithmetic.

Steele, Lea and Flood 2014. Knows nothing of scenes. A library's generator would not do: the pixels of a scene
must not change with the version of a library.
"""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from jaxtyping import Float64, Integer

Value = TypeVar("Value")

GOLDEN = 0x9E3779B97F4A7C15
WORD = (1 << 64) - 1


def mix(value: int) -> int:
    """Returns the hash of one 64-bit word."""
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & WORD
    return value ^ (value >> 31)


def noise(
    x: Integer[np.ndarray, "*shape"], y: Integer[np.ndarray, "*shape"], salt: int
) -> Float64[np.ndarray, "*shape"]:
    """Returns a number in [0, 1) for every lattice point, a function of the point and `salt` alone."""
    value = (x.astype(np.uint64) * np.uint64(GOLDEN)) ^ (y.astype(np.uint64) * np.uint64(0xD1B54A32D192ED03))
    value = value + np.uint64(mix(salt))
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        value = (value ^ (value >> np.uint64(shift))) * np.uint64(factor)
    return ((value ^ (value >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) / float(1 << 53)


class Stream:
    """Endless sequence of random numbers for a seed and an index."""

    def __init__(self, seed: int, index: int):
        self.state = mix((mix(seed & WORD) + index * GOLDEN) & WORD)

    def word(self) -> int:
        """Returns the next 64 bits."""
        self.state = (self.state + GOLDEN) & WORD
        return mix(self.state)

    def below(self, bound: int) -> int:
        """Returns an integer from 0 to bound - 1."""
        return (self.word() >> 11) % bound

    def uniform(self, low: float | int = 0, high: float | int = 1) -> float:
        """Returns a number in [low, high)."""
        return low + (high - low) * ((self.word() >> 11) / (1 << 53))

    def choice(self, values: Sequence[Value]) -> Value:
        """Returns one of the values."""
        return values[self.below(len(values))]
