"""Arrays are kept up to a number of bytes, and those of longest ago go first."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from dashboard.data.head_vectors import ArrayCache


def makers(made: list[str]):
    """Makes an array of eight bytes by name, and notes that it did."""

    def make(name: str):
        def array():
            made.append(name)
            return np.zeros(1)

        return array

    return make


def test_an_array_is_made_once():
    cache, made = ArrayCache(16), []

    first, again = (cache.get("a", makers(made)("a")) for _ in range(2))

    assert first is again
    assert made == ["a"]


def test_what_was_used_longest_ago_makes_room():
    cache, made = ArrayCache(16), []
    make = makers(made)

    for name in ("a", "b", "a", "c", "a", "b"):
        cache.get(name, make(name))

    assert made == ["a", "b", "c", "b"]
    assert cache.nbytes == 16


def test_what_is_larger_than_all_the_room_is_made_every_time_and_drives_nothing_out():
    cache, made = ArrayCache(16), []
    cache.get("a", makers(made)("a"))

    large = [cache.get("large", lambda: np.zeros(3)) for _ in range(2)]

    assert large[0] is not large[1]
    cache.get("a", makers(made)("a"))
    assert made == ["a"]


def test_the_bound_holds_while_threads_share_it():
    cache = ArrayCache(64)

    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(lambda i: cache.get(i % 20, lambda: np.full(1, i % 20))[0], range(2000)))

    assert names == [i % 20 for i in range(2000)]
    assert cache.nbytes <= 64
