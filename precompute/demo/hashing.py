"""Random numbers that are the same on every machine: SplitMix64, counted, in whole numbers.

Steele, Lea and Flood 2014. Knows nothing of scenes. No library's generator is used: the
pixels of a scene must not change with a library's version.
"""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from jaxtyping import Float64, Integer

Value = TypeVar("Value")

GOLDEN = 0x9E3779B97F4A7C15
WORD = (1 << 64) - 1


def mix(value: int) -> int:
    """Scramble one 64-bit word."""
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & WORD
    return value ^ (value >> 31)


def noise(
    x: Integer[np.ndarray, "*shape"], y: Integer[np.ndarray, "*shape"], salt: int
) -> Float64[np.ndarray, "*shape"]:
    """One number in [0, 1) for every lattice point, the same wherever it is asked for."""
    value = (x.astype(np.uint64) * np.uint64(GOLDEN)) ^ (y.astype(np.uint64) * np.uint64(0xD1B54A32D192ED03))
    value = value + np.uint64(mix(salt))
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        value = (value ^ (value >> np.uint64(shift))) * np.uint64(factor)
    return ((value ^ (value >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) / float(1 << 53)


class Stream:
    """An endless row of random numbers that belongs to a seed and an index."""

    def __init__(self, seed: int, index: int):
        self.state = mix((mix(seed & WORD) + index * GOLDEN) & WORD)

    def word(self) -> int:
        """The next 64 bits."""
        self.state = (self.state + GOLDEN) & WORD
        return mix(self.state)

    def below(self, bound: int) -> int:
        """A whole number from 0 to bound - 1."""
        return (self.word() >> 11) % bound

    def uniform(self, low: float | int = 0, high: float | int = 1) -> float:
        """A number in [low, high)."""
        return low + (high - low) * ((self.word() >> 11) / (1 << 53))

    def choice(self, values: Sequence[Value]) -> Value:
        """One of the values."""
        return values[self.below(len(values))]
