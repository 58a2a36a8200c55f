"""Thumbnails of a received bundle need not be pictures."""

import io
from pathlib import Path

import pytest
from PIL import EpsImagePlugin, Image

from dashboard.images import is_thumbnail
from tests.support.pages import PICKER, galleries, open_page, words
from tests.support.places import changed_copy

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 3000 3000\n%%EndComments\nshowpage\n%%EOF\n"


def wide() -> bytes:
    file = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("data", [b"<svg/>", EPS, wide()], ids=["svg", "eps", "bomb"])
def test_what_is_no_small_picture_is_not_shown(two_models, tmp_path, monkeypatch, data):
    """Streamlit raised an error, or started Ghostscript with the PostScript of the sender."""
    started: list[Path] = []
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *args, **options: started.append(args))
    numbers = "".join(f"\\x{byte:02X}" for byte in data)
    bundle = changed_copy(two_models, tmp_path / "demo", f"update image set thumbnail = '{numbers}'::blob")
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(bundle))

    for page in ("head", "topic_segmentation", "image_neighbors"):
        app = open_page(page, opened=PICKER)

        assert not app.exception
        assert not started
        assert {tile["picture"] for gallery in galleries(app) for tile in gallery} == {""}
    assert "no thumbnail in this bundle" in words(app)


def test_a_small_picture_is_a_thumbnail():
    file = io.BytesIO()
    Image.new("RGB", (224, 10)).save(file, "JPEG")

    assert is_thumbnail(file.getvalue())
    assert not is_thumbnail(file.getvalue()[:-200])
