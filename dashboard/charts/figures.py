"""Figures to save: titled pictures in rows above a color scale and a caption. Pillow and numpy alone."""

from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dashboard.images import colors, png

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

FONT = "static/static/media/SourceSansVF-Upright*"
"""The font of the pages, in the files of Streamlit: Pillow's own has no minus sign and no accents."""

GAP, LINE = 24, 19
"""Space around panels, and the height of a line of the caption, pixels."""

MIN_WIDTH = 720
"""Width of a figure, pixels, at which a link of the pages takes three lines."""

SCALE_WIDTH, SCALE_HEIGHT = 400, 14
INK, PALE_INK = "#0b1016", "#48515c"


@cache
def font(size: int, weight: str = "Regular") -> Font:
    """Returns the font of the pages; that of Pillow if Streamlit has moved its files."""
    package = find_spec("streamlit")
    folders = package.submodule_search_locations or [] if package else []
    for path in [path for folder in folders for path in Path(folder).glob(FONT)]:
        try:
            found = ImageFont.truetype(path, size)
            found.set_variation_by_name(weight)
            return found
        except OSError:  # a build of Pillow without this format
            continue
    return ImageFont.load_default(size)


def sheet(
    panels: Sequence[tuple[str, Image.Image]],
    limit: float,
    numbers: Sequence[str],
    unit: str,
    caption: Sequence[str],
    *,
    columns: int = 4,
) -> bytes:
    """Returns titled panels in rows above one color scale and the lines of a caption, as PNG bytes.

    Panels have one size. `numbers` stand below the scale from -limit to limit, at equal distances.
    """
    columns = min(columns, len(panels))
    wide, high = panels[0][1].size
    width = max(columns * (wide + GAP) + GAP, MIN_WIDTH)
    lines = [part for line in caption for part in broken(line, width - 2 * GAP, font(15))]
    titles = font(18 if wide >= 300 else 14, "Semibold")
    head = 34 if wide >= 300 else 24
    rows = -(-len(panels) // columns)
    foot = rows * (high + head) + GAP
    page = Image.new("RGB", (width, foot + 74 + LINE * len(lines) + GAP), "white")
    draw = ImageDraw.Draw(page)
    for place, (title, panel) in enumerate(panels):
        left, top = GAP + place % columns * (wide + GAP), place // columns * (high + head) + 8
        draw.text((left, top + head - 9), fit(title, wide, titles), fill=INK, font=titles, anchor="ls")
        page.paste(panel, (left, top + head - 2))
    _draw_scale(page, foot + 6, limit, numbers, unit)
    for place, line in enumerate(lines):
        draw.text((GAP, foot + 66 + LINE * place), line, fill=PALE_INK, font=font(15))
    return png(page)


def _draw_scale(page: Image.Image, top: int, limit: float, numbers: Sequence[str], unit: str) -> None:
    """Draws the colors from -limit to limit with their numbers, and the unit beside them."""
    draw = ImageDraw.Draw(page)
    bar = np.linspace(-limit, limit, SCALE_WIDTH)[None, :].repeat(SCALE_HEIGHT, axis=0)
    page.paste(Image.fromarray(colors(bar, limit)), (GAP, top))
    for place, number in enumerate(numbers):
        x = GAP + place * SCALE_WIDTH / (len(numbers) - 1)
        draw.line([(x, top + SCALE_HEIGHT), (x, top + SCALE_HEIGHT + 4)], fill=PALE_INK)
        anchor = {0: "la", len(numbers) - 1: "ra"}.get(place, "ma")
        draw.text((x, top + SCALE_HEIGHT + 6), number, fill=INK, font=font(15), anchor=anchor)
    draw.text((GAP + SCALE_WIDTH + 16, top + SCALE_HEIGHT / 2), unit, fill=INK, font=font(15), anchor="lm")


def broken(text: str, width: int, font: Font) -> list[str]:
    """Returns a text in lines of at most a width, broken at spaces, or anywhere in longer words."""
    lines, line = [], ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if font.getlength(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        line = ""
        for letter in word:
            if font.getlength(line + letter) > width:
                lines.append(line)
                line = ""
            line += letter
    return [*lines, line]


def fit(text: str, width: int, font: Font) -> str:
    """Returns a line cut to a width, with an ellipsis if it was cut."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"
