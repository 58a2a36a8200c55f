"""Scenes with known attributes: things in natural colors or tinted, on a textured background.

`draw(index, seed)` gives one scene, byte for byte the same on every machine. Attributes are drawn first and
independently. If the things do not fit, only their placement is drawn again, not the attributes.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int32, UInt8

from precompute.demo.hashing import Stream
from precompute.demo.textures import RELIEF, paint
from precompute.demo.world.artwork import NATURAL, TINTS, sprite
from precompute.demo.world.things import CATEGORIES, CATEGORY, THINGS

SIDE = 256
FRAME = 48  # room around the picture, so that margins and shadows near the edge need no clipping

COLORS = tuple(TINTS)
BACKGROUNDS = tuple(RELIEF)
COUNTS = ("one", "two", "three", "four", "five")
POSITIONS = (
    "top left", "top", "top right", "left", "center", "right", "bottom left", "bottom", "bottom right",
)  # fmt: skip

TINTED, OF = 3, 5
"""Three of five kinds of thing are tinted."""

SHADOW, SHADOW_X, SHADOW_Y = 96, 3, 4
"""Darkness of a shadow, of 255, and its offset in pixels."""

# Pairs of positions at opposite sides, for scenes of two kinds; the center has no opposite side.
OPPOSITE = [(a, b) for a in range(9) for b in range(9) if 2 in (abs(a % 3 - b % 3), abs(a // 3 - b // 3))]

# Positions of the things of a kind relative to its center, in widths; no two of their squares overlap.
LAYOUTS: dict[int, list[list[tuple[float, float]]]] = {
    1: [[(0, 0)]],
    2: [[(-0.5, 0), (0.5, 0)], [(0, -0.5), (0, 0.5)], [(-0.5, -0.3), (0.5, 0.3)], [(-0.5, 0.3), (0.5, -0.3)]],
    3: [
        [(-0.5, 0.5), (0.5, 0.5), (0, -0.5)],
        [(-0.5, -0.5), (0.5, -0.5), (0, 0.5)],
        [(0.5, -0.5), (0.5, 0.5), (-0.5, 0)],
        [(-0.5, -0.5), (-0.5, 0.5), (0.5, 0)],
    ],
    4: [
        [(-0.5, -0.5), (0.5, -0.5), (-0.5, 0.5), (0.5, 0.5)],
        [(-0.75, -0.5), (0.25, -0.5), (-0.25, 0.5), (0.75, 0.5)],
        [(0, -1), (-0.5, 0), (0.5, 0), (0, 1)],
    ],
    5: [
        [(-1, -1), (1, -1), (0, 0), (-1, 1), (1, 1)],
        [(-0.5, -0.5), (0.5, -0.5), (-1, 0.5), (0, 0.5), (1, 0.5)],
        [(-1, -0.5), (0, -0.5), (1, -0.5), (-0.5, 0.5), (0.5, 0.5)],
        [(-0.5, -1), (-0.5, 0), (-0.5, 1), (0.5, -0.5), (0.5, 0.5)],
    ],
}


class Kind(NamedTuple):
    """Attributes of the things of one kind."""

    noun: str
    color: str
    """A tint, or NATURAL."""

    count: int  # type: ignore[assignment]  # hides tuple.count(), which is not used
    position: str

    @property
    def category(self) -> str:
        return CATEGORY[self.noun]


class Content(NamedTuple):
    """Attributes of a scene."""

    background: str
    kinds: tuple[Kind, ...]


class Spot(NamedTuple):
    """Square of one thing: center and side in pixels."""

    x: int
    y: int
    side: int


class Scene(NamedTuple):
    """One picture with its attributes, masks and places of things."""

    image: UInt8[np.ndarray, "256 256 3"]
    content: Content
    mask: Bool[np.ndarray, "kind 256 256"]
    """True where a thing of the kind covers at least half of the pixel."""

    spots: tuple[tuple[Spot, ...], ...]
    """Center and side of every thing, by kind."""


def content_of(index: int, seed: int, kinds: int | None = None, cue: float = 0.0) -> Content:
    """Returns the attributes of a scene, drawn independently; half of the scenes have two kinds of thing.

    `cue` is the probability that the background is the one of the first kind's category (`cue_of`).
    """
    stream = Stream(seed, index)
    number = 1 + stream.below(2)
    number = kinds or number
    background = stream.choice(BACKGROUNDS)
    cells = (stream.below(9),) if number == 1 else stream.choice(OPPOSITE)
    categories, tints = _two_different(CATEGORIES, stream), _two_different(COLORS, stream)
    scene_kinds = [
        Kind(
            stream.choice(tuple(THINGS[categories[k]])),
            tints[k] if stream.below(OF) < TINTED else NATURAL,
            1 + stream.below(5),
            POSITIONS[cell],
        )
        for k, cell in enumerate(cells)
    ]
    if cue and Stream(seed + 2_000_003, index).uniform() < cue:
        background = cue_of(scene_kinds[0].category)
    return Content(background, tuple(scene_kinds))


def cue_of(category: str) -> str:
    """Returns the background that goes with a category in scenes with a spurious cue."""
    return BACKGROUNDS[CATEGORIES.index(category) % len(BACKGROUNDS)]


def _two_different(values: tuple[str, ...], stream: Stream) -> tuple[str, str]:
    first = stream.below(len(values))
    second = (first + 1 + stream.below(len(values) - 1)) % len(values)
    return values[first], values[second]


def draw(index: int, seed: int, kinds: int | None = None, cue: float = 0.0) -> Scene:
    """Returns one scene. `kinds` is the number of kinds of thing, 1 or 2; None for a random choice."""
    content = content_of(index, seed, kinds, cue)
    # A separate stream: the number of placements tried must not change the attributes.
    stream = Stream(seed + 1_000_003, index)
    ground = np.clip(paint(content.background, stream), 0, 255).astype(np.int32)
    canvas = np.pad(ground, ((FRAME, FRAME), (FRAME, FRAME), (0, 0)), mode="edge")
    spots = place(content.kinds, stream)
    mask = np.zeros((len(content.kinds), SIDE + 2 * FRAME, SIDE + 2 * FRAME), dtype=bool)
    for k, kind in enumerate(content.kinds):
        for spot in spots[k]:
            _add(canvas, mask[k], kind, spot)
    inner = slice(FRAME, FRAME + SIDE)
    image = canvas[inner, inner].astype(np.uint8)
    return Scene(image, content, np.ascontiguousarray(mask[:, inner, inner]), spots)


def place(kinds: tuple[Kind, ...], stream: Stream) -> tuple[tuple[Spot, ...], ...]:
    """Returns squares of all things, drawn until all are inside and none overlap."""
    # The area is drawn once, before the first try: it must not depend on count.
    low, high = (0.135, 0.155) if len(kinds) == 1 else (0.075, 0.100)
    areas = [stream.uniform(low, high) * SIDE * SIDE for _ in kinds]
    for _ in range(5000):
        spots = tuple(_cluster(kind, area, stream) for kind, area in zip(kinds, areas, strict=True))
        if all(spots) and _apart(spots):
            return spots
    raise RuntimeError(f"no placement found for {kinds}; the areas are too large.")


def _cluster(kind: Kind, area: float, stream: Stream) -> tuple[Spot, ...]:
    """Returns a group of squares around a center in its cell; empty if it would leave the picture."""
    side = int(np.sqrt(area / kind.count))
    spread = side * stream.uniform(1.06, 1.2)
    layout = stream.choice(LAYOUTS[kind.count])
    offsets = [
        (spread * (dx + stream.uniform(-0.02, 0.02)), spread * (dy + stream.uniform(-0.02, 0.02)))
        for dx, dy in layout
    ]
    cell = POSITIONS.index(kind.position)
    x = _middle([dx for dx, _ in offsets], side, cell % 3, stream)
    y = _middle([dy for _, dy in offsets], side, cell // 3, stream)
    if x is None or y is None:
        return ()
    return tuple(Spot(int(x + dx + 0.5), int(y + dy + 0.5), side) for dx, dy in offsets)


def _middle(offsets: list[float], side: int, cell: int, stream: Stream) -> float | None:
    """Returns one coordinate of a group's center in its third of the picture; None if there is no room."""
    half = max(-min(offsets), max(offsets)) + 0.5 * side + 3.0
    reach = stream.uniform(0.20, 0.30) * SIDE
    if half > 0.332 * SIDE:
        return None
    reach = max(reach, half)
    return (reach, SIDE * stream.uniform(0.46, 0.54), SIDE - reach)[cell]


def _apart(spots: tuple[tuple[Spot, ...], ...]) -> bool:
    """Returns True if no thing of one kind overlaps one of the other."""
    if len(spots) == 1:
        return True
    first, second = spots
    return not any(_overlap(a, b) for a in first for b in second)


def _overlap(a: Spot, b: Spot) -> bool:
    """Returns True if the squares overlap or nearly touch."""
    return 2 * max(abs(a.x - b.x), abs(a.y - b.y)) < a.side + b.side + 6


def _add(canvas: Int32[np.ndarray, "y x 3"], mask: Bool[np.ndarray, "y x"], kind: Kind, spot: Spot) -> None:
    """Paints one thing with its shadow on the canvas, and adds it to the mask; in integers."""
    thing = sprite(kind.noun, kind.color, spot.side)
    size = len(thing.alpha)
    left, top = spot.x + FRAME - size // 2, spot.y + FRAME - size // 2
    shaded = canvas[top + SHADOW_Y : top + SHADOW_Y + size, left + SHADOW_X : left + SHADOW_X + size]
    shaded -= shaded * (thing.shadow[:, :, None].astype(np.int32) * SHADOW // 255) // 255
    rows, columns = slice(top, top + size), slice(left, left + size)
    alpha = thing.alpha[:, :, None].astype(np.int32)
    canvas[rows, columns] = (canvas[rows, columns] * (255 - alpha) + thing.color * alpha + 127) // 255
    mask[rows, columns] |= thing.alpha >= 128
