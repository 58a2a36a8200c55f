"""Maps stand where they belong, the right way round, on the scale that is printed."""

import base64
import io
import json
import struct
import zlib

import numpy as np
import pandas as pd
import pytest
from PIL import EpsImagePlugin, Image

from dashboard import images
from dashboard.charts import maps as map_charts
from dashboard.charts import theme
from precompute.inputs.images import decode
from tests.support.pictures import encoded

ASYMMETRIC = np.array([[0.0, 0.0, 0.004], [-0.002, 0.0, 0.0]])
"""2 rows, 3 columns: positive at the top right, negative at the bottom left."""


def rows(chart: dict, part: dict) -> list[dict]:
    """The data that a part of a chart draws."""
    return chart["datasets"][part.get("data", chart.get("data"))["name"]]


def draw_maps(*panels, width=300):
    return map_charts.maps(list(panels), limit=0.005, opacity=0.6, shape=(2, 3), width=width).to_dict()


def test_a_map_puts_each_patch_on_its_place_in_the_picture():
    chart = draw_maps(("url", "t", ASYMMETRIC))

    picture, patches = chart["layer"]
    cells = {(c["row"], c["column"]): c for c in rows(chart, patches)}
    assert cells[0, 2]["value"] == pytest.approx(4.0)
    assert [cells[0, 2][edge] for edge in ("left", "right", "top", "bottom")] == pytest.approx(
        [2 / 3, 1, 0, 0.5]
    )
    assert cells[1, 0]["value"] == pytest.approx(-2.0)
    assert [cells[1, 0][edge] for edge in ("left", "right", "top", "bottom")] == pytest.approx(
        [0, 1 / 3, 0.5, 1]
    )
    assert rows(chart, picture) == [{"left": 0.0, "top": 0.0, "url": "url"}]
    across, down = "min(300, width / 1.0)", f"{2 / 3} * min(300, width / 1.0)"
    assert (picture["mark"]["width"], picture["mark"]["height"]) == ({"expr": across}, {"expr": down})
    for part in (picture, patches):
        x, y = (part["encoding"][axis]["scale"] for axis in "xy")
        assert (x["domain"], x["range"]) == ([0, 1], [0, {"expr": f"1.0 * {across}"}])
        assert (y["domain"], y["range"]) == ([0, 1], [0, {"expr": down}]), "row 0 is at the top"


def test_panels_stand_beside_each_other_under_their_titles():
    said = 'a "quoted" one'
    chart = draw_maps(("u", "picture", None), ("v", said, ASYMMETRIC), ("w", "b", -ASYMMETRIC))

    picture, patches = chart["layer"]
    starts = [0, map_charts.STRIDE, 2 * map_charts.STRIDE]
    assert [row["left"] for row in rows(chart, picture)] == pytest.approx(starts)
    corners = [row["left"] for row in rows(chart, patches) if row["row"] == row["column"] == 0]
    assert corners == pytest.approx(starts[1:]), "the picture alone has no patches over it"
    axis = patches["encoding"]["x"]["axis"]
    assert axis["values"] == pytest.approx(starts)
    assert axis["labelExpr"].startswith(json.dumps(["picture", said, "b"]))


def test_zero_is_the_middle_of_the_colors_and_the_scale_is_printed_once():
    chart = draw_maps(("u", "picture", None), ("u", "a", ASYMMETRIC), ("u", "b", -ASYMMETRIC))

    (color,) = (layer["encoding"]["color"] for layer in chart["layer"] if "color" in layer["encoding"])
    assert color["scale"]["domain"] == [-5.0, 5.0]
    assert len(map_charts.DIVERGING) % 2 == 1
    assert color["scale"]["range"] == list(map_charts.DIVERGING)
    assert color["legend"]["title"] == "contribution to cosine similarity x 1000"


def test_the_saved_overlay_is_not_inverted_nor_transposed():
    """Orange (more red than blue) where the map adds, purple where it takes away, gray at zero."""
    picture = Image.new("RGB", (90, 60), (128, 128, 128))

    pixels = np.asarray(images.overlay(picture, ASYMMETRIC, 0.005, 0.8, side=300)).astype(int)

    def red_less_blue(row, column):
        red, _, blue = pixels[row * 100 + 50, column * 100 + 50]
        return red - blue

    assert pixels.shape == (200, 300, 3)
    assert red_less_blue(0, 2) > 60
    assert red_less_blue(1, 0) < -20
    assert red_less_blue(0, 0) == red_less_blue(1, 2) == 0


def test_larger_values_are_never_drawn_as_smaller_ones():
    """The peer's overlay wrapped at 255; here a value beyond the scale has the color of its end."""
    colors = images.colors(np.array([[0.0, 0.005, 0.05, -0.05]]), 0.005)[0]

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
    assert set(images.model_view(striped(96, 32), "shortest").get_flattened_data()) == {(0, 255, 0)}


def test_the_patches_cover_the_center_of_a_tall_picture():
    tall = striped(96, 32).rotate(90, expand=True)

    seen = images.model_view(tall, "shortest")

    assert seen.size == (32, 32)
    assert set(seen.get_flattened_data()) == {(0, 255, 0)}


@pytest.mark.parametrize(("mode", "red"), [("squash", 1 / 3), ("longest", 1 / 9)])
def test_other_ways_to_square_a_picture_keep_all_of_it(mode, red):
    seen = np.asarray(images.model_view(striped(96, 32), mode))

    assert seen.shape == (96, 96, 3)
    assert (seen[..., 0] > 200).mean() == pytest.approx(red, abs=0.02)


@pytest.mark.parametrize("data", [b"", b"no image", b"\x89PNG\r\n\x1a\n rest is missing"])
def test_bytes_that_are_no_image_are_refused_by_name(data):
    with pytest.raises(images.PictureError, match="holiday.png is not an image .* Choose a PNG, JPEG"):
        images.read(data, "holiday.png")


@pytest.mark.parametrize(
    ("image", "seen"),
    [
        (Image.fromarray(np.full((40, 60), 0x8000, np.uint16)), 128),
        (Image.new("RGBA", (60, 40), (0, 0, 0, 0)), 255),
    ],
)
def test_deep_and_transparent_pictures_are_shown_as_the_model_reads_them(image, seen):
    shown = images.read(encoded(image))

    assert shown.getextrema() == ((seen, seen),) * 3
    assert list(shown.get_flattened_data()) == list(decode(encoded(image)).get_flattened_data())


def test_a_preview_is_small_and_keeps_its_shape():
    assert Image.open(io.BytesIO(images.preview(encoded(striped(960, 320))))).size == (448, 149)


def test_a_postscript_file_is_refused_before_ghostscript_is_started(monkeypatch):
    started = []
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *args, **options: started.append(args))

    with pytest.raises(images.PictureError, match="drawing.png is not an image"):
        images.read(encoded(Image.new("RGB", (4, 4)), "EPS"), "drawing.png")

    assert started == []


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_picture_of_too_many_pixels_is_refused_by_its_header():
    """Small in bytes, 110 megapixels when decoded: only the header says so."""
    small = encoded(Image.new("L", (1, 1)))
    header = b"IHDR" + struct.pack(">II", 11_000, 10_000) + small[24:29]
    forged = small[:12] + header + struct.pack(">I", zlib.crc32(header)) + small[33:]

    with pytest.raises(images.PictureError, match="110 megapixels.* at most 100 megapixels"):
        images.read(forged, "huge.png")


def test_the_figure_to_save_holds_all_panels_and_the_scale():
    panel = Image.new("RGB", (448, 448), "red")

    page = Image.open(
        io.BytesIO(images.sheet([("one", panel), ("two " * 60, panel)], 0.005, theme.UNIT, "note"))
    )

    pixels = np.asarray(page.convert("RGB"))
    assert page.width > 2 * 448
    assert (pixels == (255, 0, 0)).all(-1).sum() == 2 * 448 * 448
    assert (pixels == (0x7F, 0x3B, 0x08)).all(-1).any()


def test_a_data_url_is_a_picture():
    head, _, data = images.data_url(Image.new("RGB", (20, 10), "blue")).partition(",")

    assert head == "data:image/jpeg;base64"
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (448, 224)


def test_signed_bars_keep_their_order_and_tell_sums_apart():
    frame = pd.DataFrame(
        {"part": ["b", "a", "sum"], "value": [2.0, -1.0, 1.0], "total": [False, False, True]}
    )

    chart = map_charts.signed_bars(frame).to_dict()

    assert [row["part"] for row in rows(chart, chart)] == ["b", "a", "sum"]
    assert [row["sign"] for row in rows(chart, chart)] == ["adds", "takes away", "total"]
    assert chart["encoding"]["y"]["sort"] is None
    assert chart["encoding"]["x"]["title"] == theme.UNIT


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

    chart = map_charts.head_grid(frame).to_dict()

    cells = rows(chart, chart["layer"][0])
    assert [cell["shown"] for cell in cells] == ["color", "color?", "no label"]
    assert cells[1]["tint"] == theme.WEAK
    assert cells[0]["tint"] != cells[1]["tint"]


def test_supported_labels_past_the_colors_are_white_and_never_as_unsupported_ones():
    names = [f"label {number:02d}" for number in range(12)]
    frame = pd.DataFrame({"layer": 1, "head": range(12), "label": names, "q_value": 0.01, "importance": 0.1})
    # Unsupported heads do not use up colors, however many they are.
    weak = frame.assign(layer=2, label="label 11")
    frame = pd.concat([frame.assign(supported=True), weak.assign(supported=False)])
    frame = frame.assign(name="L1.H0", first_text="a")

    cells = rows(chart := map_charts.head_grid(frame).to_dict(), chart["layer"][0])

    tints = [cell["tint"] for cell in cells if cell["layer"] == 1]
    assert sorted(tints) == sorted([*theme.LABEL_COLORS, *["#ffffff"] * 4])
    assert {cell["tint"] for cell in cells if cell["layer"] == 2} == {theme.WEAK}
