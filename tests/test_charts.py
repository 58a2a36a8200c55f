"""Maps stand where they belong, the right way round, on the scale that is printed."""

import base64
import io

import altair as alt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dashboard import charts, pictures

ASYMMETRIC = np.array([[0.0, 0.0, 0.004], [-0.002, 0.0, 0.0]])
"""2 rows, 3 columns: positive at the top right, negative at the bottom left."""


def test_a_map_puts_each_patch_on_its_place_in_the_picture():
    panel = charts.map_panel(
        "url", ASYMMETRIC, "t", limit=0.005, opacity=0.6, shape=(2, 3), width=300, legend=True
    )

    picture, patches = panel["layer"]
    cells = {(c["row"], c["column"]): c for c in patches["data"]["values"]}
    assert cells[0, 2]["value"] == pytest.approx(4.0)
    assert (cells[0, 2]["right"], cells[0, 2]["bottom"]) == (3, 1)
    assert cells[1, 0]["value"] == pytest.approx(-2.0)
    assert patches["encoding"]["y"]["scale"]["domain"] == [2, 0], "row 0 is at the top"
    assert patches["encoding"]["x"]["scale"]["domain"] == [0, 3]
    assert (panel["width"], panel["height"]) == (300, 200)
    assert picture["data"]["values"] == [{"x": 1.5, "y": 1.0, "url": "url"}]


def test_zero_is_the_middle_of_the_colors_and_the_scale_is_printed_once():
    chart = charts.maps(
        [("u", "picture", None), ("u", "a", ASYMMETRIC), ("u", "b", -ASYMMETRIC)],
        limit=0.005,
        opacity=0.6,
        shape=(2, 3),
        width=100,
    )

    alt.Chart.from_dict(chart)
    colors = [panel["layer"][1]["encoding"]["color"] for panel in chart["hconcat"] if len(panel["layer"]) > 1]
    assert [color["scale"]["domain"] for color in colors] == [[-5.0, 5.0], [-5.0, 5.0]]
    assert len(charts.DIVERGING) % 2 == 1
    assert [color["legend"] is not None for color in colors] == [True, False]
    assert colors[0]["legend"]["title"] == "contribution to cosine similarity x 1000"


def test_the_saved_overlay_is_not_inverted_nor_transposed():
    """Orange (more red than blue) where the map adds, purple where it takes away, gray at zero."""
    picture = Image.new("RGB", (90, 60), (128, 128, 128))

    pixels = np.asarray(pictures.overlay(picture, ASYMMETRIC, 0.005, 0.8, side=300)).astype(int)

    def red_less_blue(row, column):
        red, _, blue = pixels[row * 100 + 50, column * 100 + 50]
        return red - blue

    assert pixels.shape == (200, 300, 3)
    assert red_less_blue(0, 2) > 60
    assert red_less_blue(1, 0) < -20
    assert red_less_blue(0, 0) == red_less_blue(1, 2) == 0


def test_larger_values_are_never_drawn_as_smaller_ones():
    """The peer's overlay wrapped at 255; here a value beyond the scale has the color of its end."""
    colors = pictures.colors(np.array([[0.0, 0.005, 0.05, -0.05]]), 0.005)[0]

    assert colors[1].tolist() == colors[2].tolist() == [0x7F, 0x3B, 0x08]
    assert colors[0].tolist() == [0xF7, 0xF7, 0xF7]
    assert colors[3].tolist() == [0x2D, 0x00, 0x4B]


def striped(width, height):
    """Left third red, middle third green, right third blue."""
    pixels = np.zeros((height, width, 3), np.uint8)
    for channel in range(3):
        pixels[:, channel * width // 3 : (channel + 1) * width // 3, channel] = 255
    return Image.fromarray(pixels)


def test_the_patches_cover_the_center_of_a_wide_picture():
    assert set(pictures.model_view(striped(96, 32), "shortest").get_flattened_data()) == {(0, 255, 0)}


def test_the_patches_cover_the_center_of_a_tall_picture():
    tall = striped(96, 32).rotate(90, expand=True)

    seen = pictures.model_view(tall, "shortest")

    assert seen.size == (32, 32)
    assert set(seen.get_flattened_data()) == {(0, 255, 0)}


@pytest.mark.parametrize(("mode", "red"), [("squash", 1 / 3), ("longest", 1 / 9)])
def test_other_ways_to_square_a_picture_keep_all_of_it(mode, red):
    seen = np.asarray(pictures.model_view(striped(96, 32), mode))

    assert seen.shape == (96, 96, 3)
    assert (seen[..., 0] > 200).mean() == pytest.approx(red, abs=0.02)


@pytest.mark.parametrize("data", [b"", b"no image", b"\x89PNG\r\n\x1a\n rest is missing"])
def test_bytes_that_are_no_image_are_refused_by_name(data):
    with pytest.raises(pictures.PictureError, match="holiday.png is not an image .* Choose a PNG, JPEG"):
        pictures.read(data, "holiday.png")


def test_the_figure_to_save_holds_all_panels_and_the_scale():
    panel = Image.new("RGB", (448, 448), "red")

    page = Image.open(
        io.BytesIO(pictures.sheet([("one", panel), ("two " * 60, panel)], 0.005, charts.UNIT, "note"))
    )

    pixels = np.asarray(page.convert("RGB"))
    assert page.width > 2 * 448
    assert (pixels == (255, 0, 0)).all(-1).sum() == 2 * 448 * 448
    assert (pixels == (0x7F, 0x3B, 0x08)).all(-1).any()


def test_a_data_url_is_a_picture():
    head, _, data = pictures.data_url(Image.new("RGB", (20, 10), "blue")).partition(",")

    assert head == "data:image/jpeg;base64"
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (448, 224)


def test_signed_bars_keep_their_order_and_tell_sums_apart():
    frame = pd.DataFrame(
        {"part": ["b", "a", "sum"], "value": [2.0, -1.0, 1.0], "total": [False, False, True]}
    )

    chart = charts.signed_bars(frame)

    alt.Chart.from_dict(chart)
    rows = chart["data"]["values"]
    assert [row["sign"] for row in rows] == ["adds", "takes away", "total"]
    assert chart["encoding"]["y"]["sort"] is None
    assert chart["encoding"]["x"]["title"] == charts.UNIT


@pytest.mark.parametrize("missing", [["low", "high"], ["low", "high", "chance"], []])
def test_the_dot_plot_stands_without_intervals_or_chance(missing):
    frame = pd.DataFrame(
        {
            "model": ["a", "b"],
            "value": [0.5, np.nan],
            "low": [0.4, 0.1],
            "high": [0.6, 0.2],
            "chance": [0.3, 0.3],
        }
    ).assign(kind=["model", "control"])
    frame[missing] = np.nan

    chart = charts.dot_plot(frame, title="Entanglement (share)")

    alt.Chart.from_dict(chart)
    ranges, chance, dots = (layer["data"]["values"] for layer in chart["layer"])
    assert len(ranges) == (0 if "low" in missing else 2)
    assert len(chance) == (0 if "chance" in missing else 2)
    assert [row["model"] for row in dots] == ["a"], "a value that is missing is not drawn at zero"
    assert dots[0]["low"] == (None if "low" in missing else 0.4)


def test_an_unsupported_label_is_gray_and_questioned():
    frame = pd.DataFrame(
        {
            "layer": [10, 10, 11],
            "head": [0, 1, 0],
            "name": ["L10.H0", "L10.H1", "L11.H0"],
            "label": ["color", "color", None],
            "supported": [True, False, None],
            "first_text": ["a", "b", None],
            "q_value": [0.01, 0.5, np.nan],
            "importance": [0.2, 0.1, 0.1],
        }
    )

    chart = charts.head_grid(frame)

    alt.Chart.from_dict(chart)
    rows = chart["data"]["values"]
    assert [row["shown"] for row in rows] == ["color", "color?", "no label"]
    assert rows[1]["tint"] == "#e9e9e9"
    assert rows[0]["tint"] != rows[1]["tint"]
