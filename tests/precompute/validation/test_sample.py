"""The sample of images that is validated."""

from precompute.validation.sample import choose


def test_the_sample_is_spread_evenly_over_the_ids():
    assert choose(["d", "a", "c", "b", "e", "a"], 3) == ["a", "c", "e"]
    assert choose(["b", "a"], 500) == ["a", "b"]
