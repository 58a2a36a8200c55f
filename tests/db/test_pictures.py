"""Decoding: every readable file becomes an 8-bit RGB picture; every other file is refused."""

import io
import random
import re
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from db.layout import image_id
from precompute.inputs import images
from precompute.inputs.images import UnreadableImage
from tests.support.paths import ROOT
from tests.support.pictures import BLUE, GREEN, RED, WHITE, corners, encoded, noise, tiff

# Pillow warns of damaged metadata and of large pictures, which these tests use on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::PIL.Image.DecompressionBombWarning")


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *, depth: int, color: int, rows: bytes, extra: bytes = b"") -> bytes:
    """Returns the bytes of a PNG; each of `rows` follows its filter byte 0, `extra` is more chunks."""
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    body = chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def row(image: Image.Image, y: int = 0) -> list:
    return [image.getpixel((x, y)) for x in range(image.width)]


def reason(data: bytes) -> str:
    """Returns the reason why `data` is refused."""
    with pytest.raises(UnreadableImage) as error:
        images.decode(data)
    return str(error.value)


def test_the_id_is_the_first_16_digits_of_the_hash_of_the_bytes():
    assert image_id(b"abc") == "ba7816bf8f01cfea"


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "TIFF", "PPM", "WEBP", "JPEG", "AVIF", "JPEG2000"])
def test_reads_one_pixel_of_any_format(kind):
    image = images.decode(encoded(Image.new("RGB", (1, 1), RED), kind))

    assert (image.mode, image.size) == ("RGB", (1, 1))
    assert np.allclose(image.getpixel((0, 0)), RED, atol=4)


def test_the_format_depends_on_the_content_not_on_the_name(tmp_path):
    (tmp_path / "a.jpg").write_bytes(encoded(corners(), "PNG"))

    assert images.read(tmp_path / "a.jpg").getpixel((0, 0)) == RED


ORIENTED = {  # Colors at the top left and top right after each EXIF orientation is applied.
    1: (RED, GREEN),
    2: (GREEN, RED),
    3: (WHITE, BLUE),
    4: (BLUE, WHITE),
    5: (RED, BLUE),
    6: (BLUE, RED),
    7: (WHITE, GREEN),
    8: (GREEN, WHITE),
}


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", ORIENTED)
def test_the_exif_orientation_is_applied_once(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    lossless = {"lossless": True} if kind == "WEBP" else {}

    image = images.decode(encoded(corners(), kind, exif=exif, **lossless))

    assert image.size == ((40, 20) if orientation < 5 else (20, 40))
    assert (image.getpixel((0, 0)), image.getpixel((image.width - 1, 0))) == ORIENTED[orientation]


@pytest.mark.parametrize("exif", [b"Exif\0\0 nonsense", b"Exif\0\0MM\0*\xff\xff\xff\xff", b"Exif\0\0"])
def test_damaged_exif_is_ignored(exif):
    assert images.decode(encoded(corners(), "JPEG", exif=exif)).size == (40, 20)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM", "JPEG2000"])
def test_a_16_bit_gradient_keeps_its_gradient(kind):
    gradient = (np.arange(256) * 257).astype(np.uint16)[None].repeat(2, axis=0)

    image = images.decode(encoded(Image.fromarray(gradient), kind))

    assert row(image) == [(value,) * 3 for value in range(256)]


def test_16_bit_big_endian_tiff_keeps_its_gradient():
    values = (np.arange(256) * 257).astype(">u2")
    data = tiff(values.tobytes(), 256, bits=16, photometric=1, order=">")

    assert row(images.decode(data)) == [(value,) * 3 for value in range(256)]


@pytest.mark.parametrize("bits", [8, 16])
def test_a_tiff_with_white_as_zero_is_not_read_as_its_negative(bits):
    samples = (np.arange(256) * (257 if bits == 16 else 1)).astype(f"<u{bits // 8}").tobytes()

    image = images.decode(tiff(samples, 256, bits=bits, photometric=0))

    assert row(image) == [(255 - value,) * 3 for value in range(256)]


@pytest.mark.parametrize("bits", [8, 16])
def test_signed_pixels_are_refused(bits):
    samples = np.arange(-100, 100).astype(f"<i{bits // 8}").tobytes()

    assert "signed" in reason(tiff(samples, 200, bits=bits, photometric=1, sample_format=2))


def test_12_bit_tiff_is_scaled_to_8():
    samples = bytes([0x00, 0x08, 0x00, 0xFF, 0xF0, 0x10])  # 000 800 FFF 010

    assert row(images.decode(tiff(samples, 4, bits=12, photometric=1)))[:3] == [
        (0,) * 3,
        (128,) * 3,
        (255,) * 3,
    ]


@pytest.mark.parametrize(
    "values, expected",
    [
        (np.arange(4096, dtype=np.uint16).reshape(64, 64), True),  # 12 bits stored in 16
        (16 * np.arange(4096, dtype=np.uint16).reshape(64, 64), False),
        (np.full((4, 4), 90, np.uint8), True),
        (np.array([[0, 25]], np.uint8), True),
        (np.array([[0, 26]], np.uint8), False),
    ],
)
def test_a_picture_that_uses_less_than_a_tenth_of_its_range_is_flat(tmp_path, values, expected):
    (tmp_path / "a.png").write_bytes(encoded(Image.fromarray(values)))

    (scanned,) = images.scan(images.gather(tmp_path).files, workers=0)

    assert scanned.is_flat == expected


def test_16_bit_colors_keep_their_high_byte():
    rows = b"\0" + struct.pack(">6H", 0xFFFF, 0x01FF, 0, 0x12FF, 0x8000, 0xFF)

    assert row(images.decode(png(2, 1, depth=16, color=2, rows=rows))) == [(255, 1, 0), (18, 128, 0)]


def test_10_bit_gray_is_scaled_to_8():
    image = images.decode(b"P5 3 1 1023\n" + struct.pack(">3H", 0, 512, 1023))

    assert row(image) == [(0,) * 3, (128,) * 3, (255,) * 3]


@pytest.mark.parametrize("mode, name", [("F", "floating-point"), ("I", "32-bit")])
def test_pixels_without_an_agreed_white_are_refused_by_name(mode, name):
    assert f"{name}" in reason(encoded(Image.new(mode, (2, 2)), "TIFF"))


@pytest.mark.parametrize("kind", ["TIFF", "JPEG"])
def test_cmyk_is_not_inverted(kind):
    """Adobe stores a CMYK JPEG inverted, but not a TIFF; both give the same picture."""
    image = images.decode(encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), kind))

    assert np.allclose(image.getpixel((4, 4)), RED, atol=3)


def test_a_transparent_palette_is_composited_over_white():
    image = Image.new("P", (2, 1))
    image.putpalette([*BLUE, *RED])
    image.putpixel((1, 0), 1)

    for kind in ["PNG", "GIF"]:
        assert row(images.decode(encoded(image, kind, transparency=0))) == [WHITE, RED]


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_alpha_is_composited_over_white(kind):
    image = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    image.putpixel((1, 0), (0, 0, 0, 128))
    lossless = {"lossless": True} if kind == "WEBP" else {}

    assert row(images.decode(encoded(image, kind, **lossless))) == [WHITE, (127, 127, 127)]


def test_gray_with_alpha_is_composited_over_white():
    image = Image.new("LA", (2, 1), (0, 0))
    image.putpixel((1, 0), (7, 255))

    assert row(images.decode(encoded(image))) == [WHITE, (7, 7, 7)]


def test_one_transparent_16_bit_gray_is_composited_over_white():
    rows = b"\0" + struct.pack(">3H", 0x1200, 0x1201, 0x8000)
    data = png(3, 1, depth=16, color=0, rows=rows, extra=chunk(b"tRNS", struct.pack(">H", 0x1201)))

    assert row(images.decode(data)) == [(18,) * 3, WHITE, (128,) * 3]


def test_one_transparent_16_bit_color_is_composited_over_white():
    rows = b"\0" + struct.pack(">6H", 0x1200, 0x8000, 1, 0xFFFF, 0, 0)
    data = png(
        2, 1, depth=16, color=2, rows=rows, extra=chunk(b"tRNS", struct.pack(">3H", 0x1200, 0x8000, 1))
    )

    assert row(images.decode(data)) == [WHITE, RED]


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBX"])
def test_other_pixel_modes_become_rgb(mode):
    kind = "TIFF" if mode == "RGBX" else "PNG"

    assert (
        images.decode(encoded(Image.new("RGB", (3, 2), WHITE).convert(mode), kind)).getpixel((0, 0)) == WHITE
    )


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_an_animation_gives_its_first_frame(kind):
    frames = [Image.new("RGB", (4, 4), color) for color in (RED, GREEN, BLUE)]
    lossless = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **lossless)

    assert images.decode(data).getpixel((0, 0)) == RED


@pytest.mark.parametrize("side, megapixels", [(10_001, "100"), (20_000, "400")])
def test_over_100_megapixels_are_refused_before_they_are_decoded(side, megapixels):
    """The file has no pixels: only its header is read."""
    data = png(side, side, depth=8, color=2, rows=b"")

    assert reason(data) == f"{megapixels} megapixels, more than the 100 allowed"


def test_a_strip_that_no_model_could_resize_is_refused():
    assert "2002 x 2 pixels" in reason(encoded(Image.new("RGB", (2002, 2))))
    assert images.decode(encoded(Image.new("RGB", (2, 2000)))).size == (2, 2000)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "PPM"])
@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_a_truncated_file_is_refused(kind, kept):
    data = encoded(noise(64, 64), kind)

    assert reason(data[: int(len(data) * kept)]) == "truncated"


@pytest.mark.parametrize("kind", ["WEBP", "AVIF", "JPEG2000"])
def test_a_truncated_file_of_a_newer_format_is_refused(kind):
    data = encoded(noise(64, 64), kind)

    assert re.match("truncated|damaged", reason(data[: len(data) // 2]))


@pytest.mark.parametrize("data", [b"hello", b"<html>", bytes(100), b"%!PS-Adobe-3.0 EPSF-3.0\n"])
def test_a_file_of_another_kind_is_refused(data):
    assert reason(data).startswith("not an image")


@pytest.mark.parametrize(
    "data, expected",
    [
        (tiff(bytes(8), 4, bits=16, photometric=1, sample_format=3), "a TIFF .* save it with 8 or 16 bits"),
        (b"\0\0\0\x18ftypheic" + bytes(90), "HEIC.*convert it to JPEG"),
        (b"\0\0\0\x18ftyphevc" + bytes(90), "HEIC.*convert it to JPEG"),
        (b"\0\0\0\x18ftypmp42" + bytes(90), "a video.*convert it to JPEG"),
        (b"\n<!DOCTYPE html><html>404", "web page.*fetch the image again"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG.*save it as PNG"),
        (b'<?xml version="1.0"?>\n<!-- drawn -->\n<svg/>', "SVG.*save it as PNG"),
        (b"%PDF-1.7 ", "a PDF; save it as PNG or JPEG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "PostScript; save it as PNG or JPEG"),
        (b"\xff\x0a" + bytes(90), "JPEG XL; save it as PNG or JPEG"),
        (b"8BPS" + bytes(90), "a Photoshop file; save it as PNG or JPEG"),
        (b"PK\3\4" + bytes(90), "an archive or a document"),
        (b"\x89PNG\r\n\x1a\n the rest is text", "damaged: its first bytes are those of an image"),
        (b"\xff\xd8", "damaged: its first bytes"),
    ],
)
def test_a_file_that_cannot_be_identified_is_named_with_what_to_do(data, expected):
    assert re.search(expected, reason(data))


def test_an_empty_file_and_a_git_lfs_pointer_have_their_own_reasons():
    assert reason(b"") == "empty file"
    assert "git lfs pull" in reason(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")


def test_flipped_bytes_only_raise_unreadable_image():
    dice = random.Random(0)
    for kind in ["PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP", "PPM"]:
        good = encoded(noise(24, 16), kind)
        for _ in range(100):
            bad = bytearray(good)
            for _ in range(3):
                bad[dice.randrange(min(len(bad), 200))] = dice.randrange(256)
            try:
                assert images.decode(bytes(bad)).mode == "RGB"
            except UnreadableImage as error:
                assert not re.search(r"0x[0-9a-f]{6}", str(error)), "an address would differ from run to run"


@pytest.mark.parametrize(
    "size, small",
    [((640, 320), (256, 128)), ((50, 60), (50, 60)), ((128, 9000), (15, 1024)), ((5000, 5), (1024, 1))],
)
def test_a_thumbnail_is_the_whole_picture_never_enlarged(size, small):
    data = images.thumbnail(Image.new("RGB", size, BLUE))

    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.size) == ("JPEG", small)
    assert images.thumbnail(Image.new("RGB", size, BLUE)) == data


def test_a_thumbnail_keeps_the_corners():
    image = images.decode(images.thumbnail(corners().resize((800, 400))))

    assert np.allclose(image.getpixel((2, 2)), RED, atol=8)
    assert np.allclose(image.getpixel((253, 2)), GREEN, atol=8)
    assert np.allclose(image.getpixel((2, 125)), BLUE, atol=8)


def test_a_thumbnail_has_no_metadata():
    exif = Image.Exif()
    exif[0x010E] = "a secret"
    bare = encoded(corners(), "JPEG")
    annotated = encoded(corners(), "JPEG", exif=exif, comment="a secret", icc_profile=b"a secret")

    assert images.thumbnail(images.decode(annotated)) == images.thumbnail(images.decode(bare))


def test_a_jpeg_of_many_passes_is_refused():
    """0.7 MB of a plain gray picture took over 40 seconds."""
    data = encoded(Image.new("L", (64, 64), 90), "JPEG", progressive=True)
    last = data[data.rfind(b"\xff\xda") : -2]

    assert reason(data[:-2] + 600 * last + data[-2:]).startswith("a JPEG of 606 passes")
    assert images.decode(data).size == (64, 64)


@pytest.mark.parametrize("header", [b"P5 5000 4900 254 ", b"P3 5000 4900 255 ", b"P6 5000 4900 300 "])
def test_a_large_ppm_of_a_kind_that_is_slow_to_read_is_refused(header):
    """24.5 MB with 254 as the largest value took over 40 seconds."""
    assert reason(header + b"1 " * 1000) == "a PPM of a kind that is slow to read; save it as PNG"


def test_an_unusual_ppm_is_read():
    assert row(images.decode(b"P5 2 1 100 " + bytes([0, 100]))) == [(0, 0, 0), (255, 255, 255)]


def test_a_large_transparent_picture_takes_little_more_memory_than_its_pixels(tmp_path):
    """One of 100 megapixels took 2.4 GB."""
    Image.new("RGBA", (6000, 6000), (1, 2, 3, 4)).save(tmp_path / "a.png", compress_level=1)
    code = (
        "import resource, sys; from pathlib import Path; from db.pictures import decode\n"
        "start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "assert decode(Path(sys.argv[1]).read_bytes()).getpixel((5999, 5999)) == (251, 251, 251)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a.png")]

    grown = int(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout)

    assert grown < 330_000  # kilobytes: 144 MB of RGBA, 108 MB of RGB, and a strip
