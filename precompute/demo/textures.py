"""Backgrounds: a relief of lightness with mean zero for each, added to a tint of one common distribution.

Backgrounds must differ in texture alone, so the tint is drawn independently of the texture. Reliefs are
512 x 512 and computed once; a scene shows a 256 x 256 window of one.
"""

from functools import cache

import numpy as np
from jaxtyping import Float64, Int16

from precompute.demo.hashing import Stream, noise

Relief = Float64[np.ndarray, "y x"]
SIDE = 512


def _whole(value: Relief) -> np.ndarray:
    return np.floor(value).astype(np.int64)


def _smooth_noise(x: Relief, y: Relief, salt: int) -> Relief:
    """Returns value noise in [0, 1), interpolated between lattice points."""
    left, top = _whole(x), _whole(y)
    u, v = x - left, y - top
    u, v = u * u * (3.0 - 2.0 * u), v * v * (3.0 - 2.0 * v)
    upper = noise(left, top, salt) * (1.0 - u) + noise(left + 1, top, salt) * u
    lower = noise(left, top + 1, salt) * (1.0 - u) + noise(left + 1, top + 1, salt) * u
    return upper * (1.0 - v) + lower * v


def _wave(x: Relief) -> Relief:
    """Returns a sine-like wave of parabolas with period 1, from -1 to 1."""
    phase = 2.0 * (x - np.floor(x)) - 1.0
    return 4.0 * phase * (1.0 - np.abs(phase))


def _soft(distance: Relief) -> Relief:
    """Returns 1 inside an edge and 0 outside, with one pixel of transition."""
    return np.clip(distance + 0.5, 0.0, 1.0)


def _brick(x: Relief, y: Relief) -> Relief:
    row, v = np.divmod(y, 32.0)
    column, u = np.divmod(x + 32.0 * (row % 2.0), 64.0)
    mortar = 1.0 - _soft(np.minimum(np.minimum(u, 63.0 - u), np.minimum(v, 31.0 - v)) - 2.0)
    shade = 22.0 * noise(_whole(column), _whole(row), 11) - 24.0 - 8.0 * _soft(v - 24.0)
    return shade * (1.0 - mortar) + 44.0 * mortar


def _waves(x: Relief, y: Relief) -> Relief:
    row = np.floor(y / 32.0)
    height = np.zeros_like(x)
    for step in (-1, 0, 1):
        crest = (row + step) * 32.0 + 12.0 * _wave(x / 85.0 + 0.37 * (row + step)) + 6.0
        below = y - crest
        edge = _soft(below)
        band = edge * (28.0 - 1.9 * np.clip(below, 0.0, 26.0)) + 16.0 * edge * _soft(4.0 - below)
        height = np.where(below > 0.0, band, height)
    return height


def _grass(x: Relief, y: Relief) -> Relief:
    relief = np.full_like(x, -30.0)
    stream = Stream(17, 3)
    for blade in range(1700):
        root = 10.0 + blade * 560.0 / 1700.0
        left, lean, tall = stream.uniform(0, SIDE), stream.uniform(-16, 16), stream.uniform(34, 58)
        light, half = stream.uniform(-26, 40), stream.uniform(2.2, 4.2)
        y0, y1 = max(0, int(root - tall)), min(SIDE, int(root) + 1)
        x0, x1 = max(0, int(left - 22)), min(SIDE, int(left + 22))
        if y0 >= y1 or x0 >= x1:
            continue
        up = (root - y[y0:y1, x0:x1]) / tall
        cover = _soft(half * (1.0 - up) - np.abs(x[y0:y1, x0:x1] - left - lean * up * up))
        window = relief[y0:y1, x0:x1]
        relief[y0:y1, x0:x1] = window * (1.0 - cover) + (light - 22.0 * (1.0 - up)) * cover
    return relief


def _wood(x: Relief, y: Relief) -> Relief:
    plank, u = np.divmod(x, 64.0)
    shift = 37.0 * plank
    bend = _smooth_noise(x / 30.0 + shift, y / 110.0 + shift, 23)
    rings = _wave((x + 46.0 * bend) / 13.0)
    fine = _smooth_noise(x / 2.5, y / 40.0, 29)
    seam = 1.0 - _soft(np.minimum(u, 63.0 - u) - 1.0)
    shade = 26.0 * noise(_whole(plank), _whole(plank), 31) - 13.0
    return (shade + 11.0 * rings + 18.0 * (fine - 0.5)) * (1.0 - seam) - 52.0 * seam


def _clouds(x: Relief, y: Relief) -> Relief:
    relief = 10.0 * (_smooth_noise(x / 90.0, y / 60.0, 37) - 0.5) - 18.0
    stream = Stream(41, 5)
    for cell in range(49):
        left = (cell % 7) * 84.0 + stream.uniform(-22, 22) + 42.0 * (cell // 7 % 2) - 20.0
        top = (cell // 7) * 78.0 + stream.uniform(-10, 10)
        scale = stream.uniform(0.75, 1.1)
        edge = np.full_like(x, -99.0)
        for dx, dy, radius in ((-25, 2, 13), (-9, -8, 17), (10, -5, 15), (26, 3, 12)):
            across, down = x - left - dx * scale, y - top - dy * scale
            edge = np.maximum(edge, radius * scale - np.sqrt(across * across + down * down))
        cover = _soft(np.minimum(edge, top + 9.0 * scale - y))
        light = 52.0 - 1.1 * np.clip(y - top + 20.0 * scale, 0.0, 36.0)
        relief = relief * (1.0 - cover) + light * cover
    return relief


def _tiles(x: Relief, y: Relief) -> Relief:
    u, v = np.abs(x % 48.0 - 23.5), np.abs(y % 48.0 - 23.5)
    corner = np.sqrt((u - 24.0) * (u - 24.0) + (v - 24.0) * (v - 24.0))
    grout = 1.0 - _soft(22.5 - np.maximum(u, v))
    petal = _soft(15.5 - corner)
    heart = _soft(9.0 - (u + v) * 0.7)
    ring = _soft(2.0 - np.abs((u + v) * 0.7 - 14.5)) * (1.0 - petal)
    relief = 14.0 - 44.0 * petal - 30.0 * heart + 22.0 * ring
    return relief * (1.0 - grout) - 58.0 * grout


def _pebbles(x: Relief, y: Relief) -> Relief:
    step = 34.0
    column, row = _whole(x / step), _whole(y / step)
    near, next_near, shade = np.full_like(x, 1e9), np.full_like(x, 1e9), np.zeros_like(x)
    for dy in (-2, -1, 0, 1, 2):
        for dx in (-2, -1, 0, 1, 2):
            i, j = column + dx, row + dy
            across = x - (i + 0.15 + 0.7 * noise(i, j, 43)) * step
            down = y - (j + 0.15 + 0.7 * noise(i, j, 47)) * step
            far = np.sqrt(across * across + down * down)
            shade = np.where(far < near, 46.0 * noise(i, j, 53), shade)
            next_near = np.where(far < near, near, np.minimum(next_near, far))
            near = np.minimum(near, far)
    stone = np.clip((next_near - near - 3.0) / 3.0, 0.0, 1.0)
    return (shade - 0.8 * near) * stone - 52.0 * (1.0 - stone)


# Unit vectors of sixteen directions, as constants: cosines may differ between machines.
EIGHTH = ((1.0, 0.0), (0.92387953, 0.38268343), (0.70710678, 0.70710678), (0.38268343, 0.92387953))


def _leaves(x: Relief, y: Relief) -> Relief:
    relief = np.full_like(x, -26.0)
    stream = Stream(59, 7)
    for _ in range(520):
        left, top = stream.uniform(0, SIDE), stream.uniform(0, SIDE)
        cosine, sine = EIGHTH[stream.below(4)]
        if stream.below(2):
            cosine, sine = -sine, cosine
        light, length = stream.uniform(-20, 34), stream.uniform(20, 29)
        y0, y1, x0, x1 = max(0, int(top) - 32), int(top) + 32, max(0, int(left) - 32), int(left) + 32
        across, down = x[y0:y1, x0:x1] - left, y[y0:y1, x0:x1] - top
        u, v = (across * cosine + down * sine) / length, (down * cosine - across * sine) / length
        edge = (0.46 * (1.0 - u * u) - np.abs(v)) * length * np.where(np.abs(u) < 1.0, 1.0, 0.0)
        cover = np.where(np.abs(u) < 1.0, _soft(edge), 0.0)
        tone = light - 16.0 * _soft(2.2 - edge) - 18.0 * _soft(0.8 - np.abs(v * length))
        relief[y0:y1, x0:x1] = relief[y0:y1, x0:x1] * (1.0 - cover) + tone * cover
    return relief


RELIEF = {
    "brick": _brick, "waves": _waves, "grass": _grass, "wood": _wood,
    "clouds": _clouds, "tiles": _tiles, "pebbles": _pebbles, "leaves": _leaves,
}  # fmt: skip


@cache
def relief(background: str) -> Int16[np.ndarray, "512 512"]:
    """Returns the lightness offsets of one background; integers, so that their mean is exact."""
    x, y = np.meshgrid(np.arange(float(SIDE)), np.arange(float(SIDE)))
    raw = np.floor(RELIEF[background](x, y) * 4.0 + 0.5).astype(np.int64)
    return np.clip((raw - raw.sum() // raw.size) // 4, -90, 90).astype(np.int16)


# Twelve tints around the color circle, nearly equal in lightness.
HUES = (
    (16, -6, -10), (14, 0, -16), (10, 4, -18), (2, 8, -14), (-8, 10, -6), (-14, 10, 0),
    (-16, 6, 8), (-14, 0, 16), (-6, -6, 18), (4, -9, 14), (12, -9, 6), (16, -8, -2),
)  # fmt: skip


def paint(background: str, stream: Stream) -> Int16[np.ndarray, "256 256 3"]:
    """Returns a window of the background over a tint that is drawn independently."""
    hue, depth, light = stream.choice(HUES), stream.below(100), 148 + stream.below(32)
    tint = np.array([light + channel * (60 + depth) // 100 for channel in hue], dtype=np.int16)
    top, left = stream.below(256), stream.below(256)
    return tint + relief(background)[top : top + 256, left : left + 256, None]
