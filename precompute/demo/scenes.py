"""Scenes with known attributes: colored, patterned objects on a textured background.

`draw(index, seed)` gives one scene, byte for byte the same on every machine. Attributes are drawn first and
independently. If the objects do not fit, only their placement is drawn again, not the attributes.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, UInt8

from precompute.demo.hashing import Stream
from precompute.demo.shapes import DISTANCE, PATTERN, distance, second_tone, unit_area
from precompute.demo.textures import RELIEF, paint

SIDE = 256
FRAME = 24  # room around the picture, so that shadows near the edge need no clipping

COLORS = {
    "red": (212, 36, 42),
    "orange": (246, 128, 24),
    "yellow": (252, 212, 40),
    "green": (34, 142, 66),
    "blue": (36, 86, 206),
    "purple": (122, 52, 168),
    "pink": (246, 134, 186),
    "brown": (116, 70, 38),
    "black": (32, 32, 38),
    "white": (248, 248, 248),
}
LIGHT = ("orange", "yellow", "pink", "white")  # colors with a dark second tone; the others have a light one
SHAPES = tuple(DISTANCE)
PATTERNS = tuple(PATTERN)
BACKGROUNDS = tuple(RELIEF)
COUNTS = ("one", "two", "three", "four", "five")
POSITIONS = (
    "top left", "top", "top right", "left", "center", "right", "bottom left", "bottom", "bottom right",
)  # fmt: skip

# Pairs of positions at opposite sides, for scenes of two kinds; the center has no opposite side.
OPPOSITE = [(a, b) for a in range(9) for b in range(9) if 2 in (abs(a % 3 - b % 3), abs(a // 3 - b // 3))]

# Positions of the objects of a kind relative to its center, in object widths.
LAYOUTS: dict[int, list[list[tuple[float, float]]]] = {
    1: [[(0, 0)]],
    2: [
        [(-0.5, 0), (0.5, 0)],
        [(0, -0.5), (0, 0.5)],
        [(-0.38, -0.38), (0.38, 0.38)],
        [(-0.38, 0.38), (0.38, -0.38)],
    ],
    3: [
        [(-0.52, 0.45), (0.52, 0.45), (0, -0.45)],
        [(-0.52, -0.45), (0.52, -0.45), (0, 0.45)],
        [(0.45, -0.52), (0.45, 0.52), (-0.45, 0)],
        [(-0.45, -0.52), (-0.45, 0.52), (0.45, 0)],
    ],
    4: [
        [(-0.5, -0.5), (0.5, -0.5), (-0.5, 0.5), (0.5, 0.5)],
        [(-0.75, -0.48), (0.25, -0.48), (-0.25, 0.48), (0.75, 0.48)],
        [(0, -0.85), (-0.6, 0), (0.6, 0), (0, 0.85)],
    ],
    5: [
        [(-0.78, -0.78), (0.78, -0.78), (0, 0), (-0.78, 0.78), (0.78, 0.78)],
        [(-0.5, -0.5), (0.5, -0.5), (-1, 0.5), (0, 0.5), (1, 0.5)],
        [(-1, -0.5), (0, -0.5), (1, -0.5), (-0.5, 0.5), (0.5, 0.5)],
        [(-0.5, -1), (-0.5, 0), (-0.5, 1), (0.5, -0.5), (0.5, 0.5)],
    ],
}


class Kind(NamedTuple):
    """Attributes of the objects of one kind."""

    color: str
    shape: str
    pattern: str
    count: int  # type: ignore[assignment]  # hides tuple.count(), which is not used
    position: str


class Content(NamedTuple):
    """Attributes of a scene."""

    background: str
    kinds: tuple[Kind, ...]


class Spot(NamedTuple):
    """Position of one object: center and radius in pixels."""

    x: float
    y: float
    radius: float


class Scene(NamedTuple):
    """One picture with its attributes, masks and object positions."""

    image: UInt8[np.ndarray, "256 256 3"]
    content: Content
    mask: Bool[np.ndarray, "kind 256 256"]
    """True where an object of the kind is."""

    spots: tuple[tuple[Spot, ...], ...]
    """Center and radius of every object, by kind."""


def content_of(index: int, seed: int, kinds: int | None = None) -> Content:
    """Returns the attributes of a scene, drawn independently; half of the scenes have two kinds of object."""
    stream = Stream(seed, index)
    number = 1 + stream.below(2)
    number = kinds or number
    background = stream.choice(BACKGROUNDS)
    cells = (stream.below(9),) if number == 1 else stream.choice(OPPOSITE)
    colors, shapes = _two_different(tuple(COLORS), stream), _two_different(SHAPES, stream)
    scene_kinds = [
        Kind(colors[k], shapes[k], stream.choice(PATTERNS), 1 + stream.below(5), POSITIONS[cell])
        for k, cell in enumerate(cells)
    ]
    return Content(background, tuple(scene_kinds))


def _two_different(values: tuple[str, ...], stream: Stream) -> tuple[str, str]:
    first = stream.below(len(values))
    second = (first + 1 + stream.below(len(values) - 1)) % len(values)
    return values[first], values[second]


def draw(index: int, seed: int, kinds: int | None = None) -> Scene:
    """Returns one scene. `kinds` is the number of kinds of object, 1 or 2; None for a random choice."""
    content = content_of(index, seed, kinds)
    # A separate stream: the number of placements tried must not change the attributes.
    stream = Stream(seed + 1_000_003, index)
    canvas = np.pad(paint(content.background, stream), ((FRAME, FRAME), (FRAME, FRAME), (0, 0)), mode="edge")
    canvas = canvas.astype(np.float64)
    spots = place(content.kinds, stream)
    mask = np.zeros((len(content.kinds), SIDE + 2 * FRAME, SIDE + 2 * FRAME), dtype=bool)
    for k, kind in enumerate(content.kinds):
        for spot in spots[k]:
            _add(canvas, mask[k], kind, spot)
    inner = slice(FRAME, FRAME + SIDE)
    image = np.floor(np.clip(canvas[inner, inner], 0.0, 255.0) + 0.5).astype(np.uint8)
    return Scene(image, content, np.ascontiguousarray(mask[:, inner, inner]), spots)


def place(kinds: tuple[Kind, ...], stream: Stream) -> tuple[tuple[Spot, ...], ...]:
    """Returns positions of all objects, drawn until all objects are inside and none touch."""
    # The area is drawn once, before the first try: it must not depend on count or shape.
    low, high = (0.100, 0.112) if len(kinds) == 1 else (0.052, 0.075)
    areas = [stream.uniform(low, high) * SIDE * SIDE for _ in kinds]
    for _ in range(5000):
        spots = tuple(_cluster(kind, area, stream) for kind, area in zip(kinds, areas, strict=True))
        if all(spots) and _apart(kinds, spots):
            return spots
    raise RuntimeError(f"no placement found for {kinds}; the areas are too large.")


def _cluster(kind: Kind, area: float, stream: Stream) -> tuple[Spot, ...]:
    """Returns a group of objects around a center in its cell; empty if it would leave the picture."""
    radius = np.sqrt(area / kind.count / unit_area(kind.shape)).item()
    spread = 2.0 * radius * stream.uniform(1.02, 1.25)
    layout = stream.choice(LAYOUTS[kind.count])
    offsets = [
        (spread * (dx + stream.uniform(-0.03, 0.03)), spread * (dy + stream.uniform(-0.03, 0.03)))
        for dx, dy in layout
    ]
    cell = POSITIONS.index(kind.position)
    x = _middle([dx for dx, _ in offsets], radius, cell % 3, stream)
    y = _middle([dy for _, dy in offsets], radius, cell // 3, stream)
    if x is None or y is None:
        return ()
    return tuple(Spot(x + dx, y + dy, radius) for dx, dy in offsets)


def _middle(offsets: list[float], radius: float, cell: int, stream: Stream) -> float | None:
    """Returns one coordinate of a group's center in its third of the picture; None if there is no room."""
    half = max(-min(offsets), max(offsets)) + 1.06 * radius + 3.0
    reach = stream.uniform(0.235, 0.322) * SIDE
    if half > 0.332 * SIDE:
        return None
    reach = max(reach, half)
    return (reach, SIDE * stream.uniform(0.46, 0.54), SIDE - reach)[cell]


def _apart(kinds: tuple[Kind, ...], spots: tuple[tuple[Spot, ...], ...]) -> bool:
    """Returns True if no two objects touch, tested on a coarse grid with slightly enlarged objects."""
    occupied = np.zeros((SIDE // 4, SIDE // 4), dtype=bool)
    side = np.arange(SIDE // 4) * 4.0 + 2.0
    for kind, group in zip(kinds, spots, strict=True):
        for spot in group:
            y, x = np.meshgrid(side - spot.y, side - spot.x, indexing="ij")
            covered = distance(kind.shape, x, y, spot.radius) < 2.5
            if (occupied & covered).any():
                return False
            occupied |= covered
    return True


def _add(
    canvas: Float64[np.ndarray, "304 304 3"], mask: Bool[np.ndarray, "304 304"], kind: Kind, spot: Spot
) -> None:
    """Paints one object with its shadow and outline on the canvas, and adds it to the mask."""
    reach = int(1.3 * spot.radius) + 8
    top, left = int(spot.y) + FRAME - reach, int(spot.x) + FRAME - reach
    top, left = max(0, top), max(0, left)
    rows, columns = slice(top, top + 2 * reach), slice(left, left + 2 * reach)
    height, width = mask[rows, columns].shape
    y = np.arange(top, top + height)[:, None] + 0.5 - FRAME - spot.y + np.zeros((1, width))
    x = np.arange(left, left + width)[None, :] + 0.5 - FRAME - spot.x + np.zeros((height, 1))
    away = distance(kind.shape, x, y, spot.radius)

    shadow = 0.34 * np.clip(0.6 - distance(kind.shape, x - 3.0, y - 4.0, spot.radius) / 7.0, 0.0, 1.0)
    tone = second_tone(kind.pattern, x, y, spot.radius)[:, :, None]
    first, second = tones(kind.color)
    fill = first * (1.0 - tone) + second * tone
    line = np.clip(away + 2.7, 0.0, 1.0)[:, :, None]
    ink = fill * (1.0 - line) + first * 0.3 * line
    cover = np.clip(0.5 - away, 0.0, 1.0)[:, :, None]
    under = canvas[rows, columns] * (1.0 - shadow[:, :, None])
    canvas[rows, columns] = under * (1.0 - cover) + ink * cover
    mask[rows, columns] |= away < 0.0


def tones(color: str) -> tuple[Float64[np.ndarray, " 3"], Float64[np.ndarray, " 3"]]:
    """Returns the first tone of a color and the second tone of its patterns."""
    first = np.array(COLORS[color], dtype=np.float64)
    target, share = (np.array([24.0, 20.0, 40.0]), 0.68) if color in LIGHT else (np.full(3, 255.0), 0.70)
    return first, first * (1.0 - share) + target * share
