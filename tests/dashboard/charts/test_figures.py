"""Figures to save: everything that a reader of the picture alone needs is on them, and can be read."""

import io

import numpy as np
import pytest
from PIL import Image

from dashboard.charts import figures, theme

NUMBERS = ["−5", "−2.5", "0", "+2.5", "+5"]
CAPTION = ["Picture: scene.png", "Model: a/b · Heads: L1.H1", "http://localhost/topic?" + "text=a%20b&" * 40]


def sheet(count: int = 2, side: int = 448, caption=CAPTION, **options) -> np.ndarray:
    panels = [(f"panel {place} " * 30, Image.new("RGB", (side, side), "red")) for place in range(count)]
    data = figures.sheet(panels, 0.005, NUMBERS, theme.UNIT, caption, **options)
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def test_the_figure_holds_all_panels_and_the_whole_scale():
    pixels = sheet()

    assert pixels.shape[1] > 2 * 448
    assert (pixels == (255, 0, 0)).all(-1).sum() == 2 * 448 * 448
    for end in ((0x7F, 0x3B, 0x08), (0x2D, 0x00, 0x4B)):
        assert (pixels == end).all(-1).any()
    assert (pixels[0] == 255).all(), "a light background"


def test_many_panels_stand_in_rows():
    pixels = sheet(20, 64, columns=8)

    red = (pixels == (255, 0, 0)).all(-1)
    assert red.sum() == 20 * 64 * 64
    assert (red.sum(axis=1).max(), red.sum(axis=0).max()) == (8 * 64, 3 * 64)


def test_every_line_of_the_caption_adds_to_the_figure_and_stays_inside_it():
    short, long = sheet(caption=CAPTION[:1]), sheet()

    assert long.shape[0] > short.shape[0]
    assert (long[:, -figures.GAP + 1 :] == 255).all()
    assert (long[-figures.GAP + 8 :] == 255).all()


def test_words_are_broken_at_spaces_and_links_anywhere():
    font = figures.font(15)
    width = round(font.getlength("three words of a line"))

    lines = figures.broken("three words of a line and " + "x" * 60, width, font)

    assert lines[0] == "three words of a line"
    assert lines[1].startswith("and")
    assert "".join(lines).count("x") == 60
    assert all(font.getlength(line) <= width for line in lines)


@pytest.mark.parametrize("letter", "−×·…éäжñ±")
def test_the_font_has_the_signs_of_the_pages(letter):
    """Pillow's own font draws an empty box for a minus sign."""
    font = figures.font(16)

    assert bytes(font.getmask(letter)) != bytes(font.getmask("\uffff"))
