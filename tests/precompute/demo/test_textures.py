"""Backgrounds are alike but for their texture."""

import numpy as np

from precompute.demo.hashing import Stream
from precompute.demo.textures import paint, relief
from precompute.demo.world.scenes import BACKGROUNDS


def test_backgrounds_do_not_differ_in_their_mean_color():
    means = {name: np.mean([paint(name, Stream(5, i)).mean() for i in range(40)]) for name in BACKGROUNDS}

    assert max(means.values()) - min(means.values()) < 6.0
    assert all(abs(float(relief(name).mean())) < 1.0 for name in BACKGROUNDS)
