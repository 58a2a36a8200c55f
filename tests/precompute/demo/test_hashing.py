"""Random numbers of the demo: SplitMix64, the same on every machine."""

import numpy as np

from precompute.demo.hashing import GOLDEN, Stream, mix, noise


def test_the_first_number_of_splitmix64_is_the_published_one():
    assert mix(GOLDEN) == 0xE220A8397B1DCDAF


def test_a_stream_depends_on_its_seed_and_index_alone():
    first, again = [Stream(5, 7) for _ in range(2)]

    words = [first.word() for _ in range(20)]

    assert words == [again.word() for _ in range(20)]
    assert words[0] not in (Stream(6, 7).word(), Stream(5, 8).word())


def test_numbers_of_a_stream_are_even_over_their_range():
    stream = Stream(0, 0)

    counts = np.bincount([stream.below(4) for _ in range(4000)])
    uniform = [stream.uniform(2, 3) for _ in range(1000)]

    assert len(counts) == 4 and counts.min() > 880  # 1,000 each: four standard deviations are 110
    assert 2 <= min(uniform) < 2.02 and 2.98 < max(uniform) < 3


def test_noise_is_a_function_of_the_point_and_the_salt():
    y, x = np.mgrid[0:30, 0:30]

    whole = noise(x, y, 3)

    assert np.array_equal(noise(x[4:6, 7:9], y[4:6, 7:9], 3), whole[4:6, 7:9])
    assert not np.isclose(noise(x, y, 4), whole).any()
    assert whole.min() >= 0 and whole.max() < 1 and abs(whole.mean() - 0.5) < 0.04
