"""Pictures of the pages: cut as the model sees them, in colors that keep sign and order."""

import base64
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image

from dashboard import images
from precompute.inputs.images import decode
from tests.support.pictures import encoded, tiff

ASYMMETRIC = np.array([[0.0, 0.0, 0.004], [-0.002, 0.0, 0.0]])
"""2 rows, 3 columns: positive at the top right, negative at the bottom left."""


def test_the_saved_overlay_is_not_inverted_nor_transposed():
    """Orange (more red than blue) where the map adds, purple where it takes away, gray at zero."""
    picture = Image.new("RGB", (90, 60), (128, 128, 128))

    pixels = np.asarray(images.overlay(picture, ASYMMETRIC, 0.005, 0.8, side=300)).astype(int)

    def red_less_blue(row, column):
        red, _, blue = pixels[row * 100 + 50, column * 100 + 50]
        return red - blue

    assert pixels.shape == (200, 300, 3)
    assert red_less_blue(0, 2) > 60
    assert red_less_blue(1, 0) < -10
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


@pytest.mark.parametrize("mode", ["squash", "longest", "shortest"])
@pytest.mark.parametrize("size", [(20_000, 20), (20, 20_000), (3000, 1000), (2000, 2000)])
def test_a_picture_is_scaled_before_it_is_made_a_square(mode, size):
    """The square of 20,000 x 20 pixels would have 1.6 GB, several times over."""
    seen = images.model_view(Image.new("RGB", size, "red"), mode)

    assert seen.width == seen.height <= images.VIEW_SIDE
    assert seen.getextrema()[0][1] == 255


@pytest.mark.parametrize("aspect", [0.5, 2.0])
@pytest.mark.parametrize("mode", ["squash", "shortest"])
def test_a_view_of_another_aspect_is_bounded_too(mode, aspect):
    seen = images.model_view(Image.new("RGB", (3000, 5000)), mode, aspect)

    assert max(seen.size) == images.VIEW_SIDE
    assert seen.width / seen.height == pytest.approx(aspect, abs=0.01)


@pytest.mark.parametrize(("mode", "red"), [("squash", 1 / 3), ("longest", 1 / 9)])
def test_a_large_picture_keeps_all_of_it(mode, red):
    seen = np.asarray(images.model_view(striped(3000, 1000), mode))

    assert seen.shape == (images.VIEW_SIDE, images.VIEW_SIDE, 3)
    assert (seen[..., 0] > 200).mean() == pytest.approx(red, abs=0.02)


@pytest.mark.parametrize("data", [b"", b"no image", b"\x89PNG\r\n\x1a\n rest is missing"])
def test_bytes_that_are_no_image_are_refused_by_name(data):
    with pytest.raises(images.PictureError, match="holiday.png cannot be used: .* Choose a PNG"):
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


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "TIFF", "PPM", "WEBP", "JPEG", "AVIF", "JPEG2000"])
def test_every_format_that_a_bundle_takes_can_be_uploaded(kind):
    data = encoded(striped(96, 32), kind)

    assert images.read(data).tobytes() == decode(data).tobytes()


def test_a_tiff_with_white_as_zero_is_shown_as_it_is_read():
    samples = np.arange(0, 65536, 256, dtype="<u2").tobytes()

    shown = images.read(tiff(samples, 256, bits=16, photometric=0))

    assert [shown.getpixel((x, 0))[0] for x in (0, 255)] == [255, 0]


def test_a_preview_is_small_and_keeps_its_shape():
    assert Image.open(io.BytesIO(images.preview(encoded(striped(960, 320))))).size == (448, 149)


def test_a_postscript_file_is_refused_before_ghostscript_is_started(monkeypatch):
    started = []
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *args, **options: started.append(args))

    with pytest.raises(images.PictureError, match="drawing.png cannot be used"):
        images.read(encoded(Image.new("RGB", (4, 4)), "EPS"), "drawing.png")

    assert started == []


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_picture_of_too_many_pixels_is_refused_by_its_header():
    """Small in bytes, 110 megapixels when decoded: only the header says so."""
    small = encoded(Image.new("L", (1, 1)))
    header = b"IHDR" + struct.pack(">II", 11_000, 10_000) + small[24:29]
    forged = small[:12] + header + struct.pack(">I", zlib.crc32(header)) + small[33:]

    with pytest.raises(images.PictureError, match="110 megapixels, more than the 100"):
        images.read(forged, "huge.png")


def test_a_smooth_map_runs_from_one_center_to_the_next():
    """Values at the centers of patches are those of the patches, and between them they change evenly."""
    smooth = images.smoothed(np.array([[0.0, 4.0], [0.0, 4.0]]), (9, 9))[4]

    assert smooth[[2, 6]] == pytest.approx([2 / 9, 4 - 2 / 9])  # a quarter pixel from 2.25 and 6.75
    assert smooth[4] == pytest.approx(2.0)
    assert (np.diff(smooth) >= 0).all()
    assert (smooth[0], smooth[-1]) == (0.0, 4.0)


def test_the_picture_stays_in_color_where_the_map_is_zero_and_is_gone_at_full_opacity():
    picture = Image.new("RGB", (60, 60), (200, 30, 90))
    grid = np.array([[0.0, 1.0], [0.0, 1.0]])

    def left_pixel(opacity):
        return images.overlay(picture, grid, 1.0, opacity, side=60).getpixel((5, 30))

    assert left_pixel(0.6) == (200, 30, 90)
    assert left_pixel(1.0) == (0xF7, 0xF7, 0xF7)


def test_marks_of_patches_stand_on_their_patches():
    picture = Image.new("RGB", (90, 60), "gray")
    outliers = np.array([[True, False, False], [False, False, False]])

    drawn = images.overlay(picture, np.zeros((2, 3)), 1.0, 0.5, side=300, outliers=outliers, chosen=(1, 2))

    changed = (np.asarray(drawn).astype(int) != 128).any(axis=2)
    assert changed[:100, :100].any() and changed[100:, 200:].any()
    changed[:100, :100] = changed[100:, 200:] = False
    assert not changed.any()


def test_a_data_url_is_a_picture():
    head, _, data = images.data_url(Image.new("RGB", (20, 10), "blue")).partition(",")

    assert head == "data:image/jpeg;base64"
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (448, 224)
