"""The demo scenes: the same on every machine, with independent and readable attributes."""

import hashlib
import itertools
from collections import deque

import numpy as np
import pytest

from precompute.demo.scenes import BACKGROUNDS, COLORS, PATTERNS, POSITIONS, SHAPES, content_of, draw, tones
from precompute.demo.shapes import distance, second_tone

SEED = 11

PIXELS = "d9a16fae71ff6e5970262d2d593398da9d82f8dace199357ca0dd00cb14c5fd7"


@pytest.fixture(scope="module")
def scenes():
    return [draw(index, SEED) for index in range(240)]


def objects(mask):
    """Returns the connected components of a mask, as boolean arrays at quarter size."""
    small = mask[::2, ::2].copy()
    components = []
    while small.any():
        start = tuple(np.argwhere(small)[0])
        component, pending = np.zeros_like(small), deque([start])
        small[start] = False
        while pending:
            y, x = pending.popleft()
            component[y, x] = True
            for near in ((y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)):
                if 0 <= near[0] < small.shape[0] and 0 <= near[1] < small.shape[1] and small[near]:
                    small[near] = False
                    pending.append(near)
        components.append(component)
    return components


def cramers_v(first, second):
    table = np.zeros((first.max() + 1, second.max() + 1))
    np.add.at(table, (first, second), 1)
    expected = table.sum(1, keepdims=True) * table.sum(0, keepdims=True) / table.sum()
    chi_square = ((table - expected) ** 2 / expected).sum()
    return (chi_square / table.sum() / (min(table.shape) - 1)) ** 0.5


def grid_around(spot):
    y, x = np.mgrid[0:256, 0:256] + 0.5
    return x - spot.x, y - spot.y


def read_shape(scene, k):
    """Returns the shape whose outline overlaps most with the mask of the first object."""
    spot = scene.spots[k][0]
    x, y = grid_around(spot)
    near = np.maximum(np.abs(x), np.abs(y)) < 1.3 * spot.radius
    here = scene.mask[k] & near

    def overlap(shape):
        guess = (distance(shape, x, y, spot.radius) < 0) & near
        return (guess & here).sum() / (guess | here).sum()

    return max(SHAPES, key=overlap)


def read_color_and_pattern(scene, k):
    """Returns the color and pattern nearest to the pixels of the first object, without its outline."""
    kind, spot = scene.content.kinds[k], scene.spots[k][0]
    x, y = grid_around(spot)
    inside = distance(kind.shape, x, y, spot.radius) < -4.0
    pixels = scene.image[inside].astype(float)

    def error(color, pattern):
        first, second = tones(color)
        share = second_tone(pattern, x, y, spot.radius)[inside][:, None]
        return np.square(first + (second - first) * share - pixels).mean()

    return min(itertools.product(COLORS, PATTERNS), key=lambda pair: error(*pair))


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


def test_the_same_pixels_on_every_machine():
    digest = hashlib.sha256()
    for index in range(6):
        scene = draw(index, SEED)
        digest.update(scene.image.tobytes() + scene.mask.tobytes())

    assert digest.hexdigest() == PIXELS


def test_every_kind_has_as_many_objects_as_its_count(scenes):
    for scene in scenes[:80]:
        for kind, mask in zip(scene.content.kinds, scene.mask, strict=True):
            assert len(objects(mask)) == kind.count, scene.content


def test_every_kind_is_at_its_position(scenes):
    for scene in scenes:
        for kind, spots in zip(scene.content.kinds, scene.spots, strict=True):
            cell = POSITIONS.index(kind.position)
            for along, third in (
                ([spot.x for spot in spots], cell % 3),
                ([spot.y for spot in spots], cell // 3),
            ):
                middle = (min(along) + max(along)) / 2  # objects are jittered by up to 4 pixels
                assert third * 256 / 3 - 4 <= middle <= (third + 1) * 256 / 3 + 4


def test_no_object_leaves_the_picture(scenes):
    for scene in scenes:
        border = scene.mask.copy()
        border[:, 1:-1, 1:-1] = False
        assert not border.any()


def test_objects_cover_a_tenth_to_a_third_of_the_picture(scenes):
    covered = np.array([scene.mask.any(axis=0).mean() for scene in scenes])

    # The area is at least a tenth; counted in whole pixels it may be slightly smaller.
    assert covered.min() >= 0.098 and covered.max() <= 0.35


def test_the_covered_area_is_nearly_uncorrelated_with_the_count(scenes):
    single = [scene for scene in scenes if len(scene.content.kinds) == 1]
    covered = [scene.mask.mean() for scene in single]
    count = [scene.content.kinds[0].count for scene in single]

    assert abs(np.corrcoef(covered, count)[0, 1]) < 0.25


def test_two_kinds_differ_in_color_shape_and_position_and_never_overlap(scenes):
    double = [scene for scene in scenes if len(scene.content.kinds) == 2]

    assert 0.4 < len(double) / len(scenes) < 0.6
    for scene in double:
        first, second = scene.content.kinds
        assert (
            first.color != second.color and first.shape != second.shape and first.position != second.position
        )
        assert not (scene.mask[0] & scene.mask[1]).any()


def test_attributes_are_pairwise_independent():
    contents = [content_of(index, SEED) for index in range(15_000)]
    rows = [(content.background, *kind) for content in contents for kind in content.kinds]
    columns = [np.unique(column, return_inverse=True)[1] for column in zip(*rows, strict=True)]

    for first, second in itertools.combinations(columns, 2):
        assert cramers_v(first, second) < 0.03


def test_shapes_can_be_read_from_the_masks(scenes):
    right = [
        read_shape(scene, k) == kind.shape
        for scene in scenes[:100]
        for k, kind in enumerate(scene.content.kinds)
    ]

    assert np.mean(right) >= 0.99


def test_colors_and_patterns_can_be_read_from_the_pixels(scenes):
    right = [
        read_color_and_pattern(scene, k) == (kind.color, kind.pattern)
        for scene in scenes[:60]
        for k, kind in enumerate(scene.content.kinds)
    ]

    assert np.mean(right) >= 0.99


def test_backgrounds_can_be_read_from_their_texture(scenes):
    features = np.array([texture(scene.image, scene.mask.any(axis=0)) for scene in scenes])
    names = np.array([scene.content.background for scene in scenes])
    training, held_out = slice(0, 160), slice(160, None)
    features = (features - features[training].mean(0)) / features[training].std(0)
    centers = np.array([features[training][names[training] == name].mean(0) for name in BACKGROUNDS])

    nearest = np.square(features[held_out][:, None] - centers).sum(-1).argmin(1)

    assert np.mean(np.array(BACKGROUNDS)[nearest] == names[held_out]) >= 0.99
