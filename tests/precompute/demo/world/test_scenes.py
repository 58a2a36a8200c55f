"""The demo scenes: the same on every machine, with independent and readable attributes."""

import hashlib
import itertools

import numpy as np
import pytest

from precompute.demo.world.artwork import NATURAL, TINTS, sprite
from precompute.demo.world.scenes import BACKGROUNDS, LAYOUTS, POSITIONS, content_of, cue_of, draw
from precompute.demo.world.things import NOUNS

SEED = 11

PIXELS = "ae43af8e938aed795b7f5f82cf951c77635232388da42e0ec852efdc7631aeb2"


@pytest.fixture(scope="module")
def scenes():
    return [draw(index, SEED) for index in range(160)]


def cramers_v(first, second):
    """Returns Cramér's V without its bias under independence (Bergsma 2013)."""
    table = np.zeros((first.max() + 1, second.max() + 1))
    np.add.at(table, (first, second), 1)
    count, (rows, columns) = table.sum(), table.shape
    expected = table.sum(1, keepdims=True) * table.sum(0, keepdims=True) / count
    phi = ((table - expected) ** 2 / expected).sum() / count
    phi = max(0.0, phi - (rows - 1) * (columns - 1) / (count - 1))
    rows, columns = (n - (n - 1) ** 2 / (count - 1) for n in (rows, columns))
    return (phi / (min(rows, columns) - 1)) ** 0.5


def read_noun(scene, k):
    """Returns the noun whose artwork is nearest to the pixels of the first thing of a kind."""
    kind, spot = scene.content.kinds[k], scene.spots[k][0]
    half, side = spot.side // 2, 2 * (spot.side // 2)
    pixels = scene.image[spot.y - half : spot.y + half, spot.x - half : spot.x + half].astype(float)

    def error(noun):
        thing = sprite(noun, kind.color, spot.side)
        margin = (len(thing.alpha) - side) // 2
        inner = slice(margin, margin + side)
        visible = thing.alpha[inner, inner] >= 250
        here = scene.mask[k][spot.y - half : spot.y + half, spot.x - half : spot.x + half]
        difference = np.square(pixels[visible] - thing.color[inner, inner][visible]).mean()
        return difference + 255.0**2 * (visible & ~here).mean() + 255.0**2 * (here & ~visible).mean()

    return min(NOUNS, key=error)


def read_color(scene, k):
    """Returns the tint nearest to the mean color inside the mask."""
    mean = scene.image[scene.mask[k]].mean(axis=0)
    return min(TINTS, key=lambda tint: np.square(np.array(TINTS[tint]) - mean).sum())


def texture(image, hidden):
    """Returns variance, skewness and autocorrelations of a background's pixels, across and down."""
    light = image.astype(float).mean(axis=2)
    visible = ~hidden
    light = light - light[visible].mean()
    variance = np.square(light[visible]).mean()
    features = [np.log(variance), (light[visible] ** 3).mean() / variance**1.5]
    for step in (1, 2, 4, 8, 16, 32):
        for a, b in ((np.s_[:, step:], np.s_[:, :-step]), (np.s_[step:], np.s_[:-step])):
            both = visible[a] & visible[b]
            features.append((light[a] * light[b])[both].mean() / variance)
    return np.array(features)


def widened(mask, pixels=10):
    """Returns the mask with everything that is at most so many pixels to its right or below: its shadow."""
    wide = mask.copy()
    for step in range(-4, pixels):
        wide |= (
            np.roll(mask, step, axis=0) | np.roll(mask, step, axis=1) | np.roll(mask, (step, step), (0, 1))
        )
    return wide


def test_the_same_pixels_on_every_machine():
    digest = hashlib.sha256()
    for index in range(6):
        scene = draw(index, SEED)
        digest.update(scene.image.tobytes() + scene.mask.tobytes())

    assert digest.hexdigest() == PIXELS


def test_every_kind_has_as_many_things_as_its_count_and_none_touch(scenes):
    for scene in scenes:
        spots = [spot for group in scene.spots for spot in group]
        assert [len(group) for group in scene.spots] == [kind.count for kind in scene.content.kinds]
        for a, b in itertools.combinations(spots, 2):
            assert 2 * max(abs(a.x - b.x), abs(a.y - b.y)) >= a.side + b.side


def test_no_layout_lets_squares_overlap():
    for layouts in LAYOUTS.values():
        for a, b in ((a, b) for layout in layouts for a, b in itertools.combinations(layout, 2)):
            assert max(abs(a[0] - b[0]), abs(a[1] - b[1])) >= 1


def test_the_mask_of_a_kind_lies_in_the_squares_of_its_things_and_in_each_of_them(scenes):
    for scene in scenes[:80]:
        for mask, spots in zip(scene.mask, scene.spots, strict=True):
            outside = mask.copy()
            for spot in spots:
                half = spot.side // 2 + 1
                square = np.s_[spot.y - half : spot.y + half + 1, spot.x - half : spot.x + half + 1]
                assert mask[square].mean() > 0.05
                outside[square] = False
            assert not outside.any()


def test_every_kind_is_at_its_position(scenes):
    for scene in scenes:
        for kind, spots in zip(scene.content.kinds, scene.spots, strict=True):
            cell = POSITIONS.index(kind.position)
            for along, third in (
                ([spot.x for spot in spots], cell % 3),
                ([spot.y for spot in spots], cell // 3),
            ):
                middle = (min(along) + max(along)) / 2  # things are jittered by a few pixels
                assert third * 256 / 3 - 4 <= middle <= (third + 1) * 256 / 3 + 4


def test_nothing_leaves_the_picture(scenes):
    for scene in scenes:
        border = scene.mask.copy()
        border[:, 1:-1, 1:-1] = False
        assert not border.any()


def test_the_area_of_the_squares_does_not_depend_on_the_count(scenes):
    single = [scene for scene in scenes if len(scene.content.kinds) == 1]
    area = [sum(spot.side**2 for spot in scene.spots[0]) / 256**2 for scene in single]

    assert min(area) > 0.12 and max(area) < 0.16
    assert abs(np.corrcoef(area, [len(scene.spots[0]) for scene in single])[0, 1]) < 0.35


def test_two_kinds_differ_in_category_position_and_tint(scenes):
    double = [scene.content.kinds for scene in scenes if len(scene.content.kinds) == 2]

    assert 0.4 < len(double) / len(scenes) < 0.6
    for first, second in double:
        assert first.category != second.category and first.position != second.position
        assert first.color != second.color or first.color == NATURAL


def test_three_of_five_kinds_are_tinted():
    colors = [kind.color for index in range(2000) for kind in content_of(index, SEED).kinds]

    assert 0.56 < np.mean([color != NATURAL for color in colors]) < 0.64


def test_attributes_are_pairwise_independent():
    contents = [content_of(index, SEED) for index in range(8_000)]
    rows = [
        (content.background, kind.category, kind.color, kind.count, kind.position)
        for content in contents
        for kind in content.kinds
    ]
    columns = [np.unique(column, return_inverse=True)[1] for column in zip(*rows, strict=True)]

    for first, second in itertools.combinations(columns, 2):
        assert cramers_v(first, second) < 0.04


def test_all_nouns_are_about_equally_frequent():
    nouns = [kind.noun for index in range(16_000) for kind in content_of(index, SEED).kinds]
    counts = np.unique(nouns, return_counts=True)[1]

    assert len(counts) == len(NOUNS) and counts.min() > 100  # 150 each: four standard deviations are 49


def test_a_cue_makes_background_and_category_agree_and_changes_nothing_else():
    plain = [content_of(index, SEED) for index in range(2000)]
    cued = [content_of(index, SEED, cue=0.95) for index in range(2000)]
    agree = [content.background == cue_of(content.kinds[0].category) for content in cued]

    assert 0.94 < np.mean(agree) < 0.97
    assert [content.kinds for content in plain] == [content.kinds for content in cued]


def test_nouns_can_be_read_from_the_pixels(scenes):
    right = [
        read_noun(scene, k) == kind.noun
        for scene in scenes[:12]
        for k, kind in enumerate(scene.content.kinds)
    ]

    assert all(right)


def test_tints_can_be_read_from_the_pixels(scenes):
    right = [
        read_color(scene, k) == kind.color
        for scene in scenes
        for k, kind in enumerate(scene.content.kinds)
        if kind.color != NATURAL
    ]

    assert np.mean(right) >= 0.99


def test_backgrounds_can_be_read_from_their_texture(scenes):
    features = np.array([texture(scene.image, widened(scene.mask.any(axis=0))) for scene in scenes])
    names = np.array([scene.content.background for scene in scenes])
    training, held_out = slice(0, 110), slice(110, None)
    features = (features - features[training].mean(0)) / features[training].std(0)
    centers = np.array([features[training][names[training] == name].mean(0) for name in BACKGROUNDS])

    nearest = np.square(features[held_out][:, None] - centers).sum(-1).argmin(1)

    assert np.mean(np.array(BACKGROUNDS)[nearest] == names[held_out]) >= 0.99
