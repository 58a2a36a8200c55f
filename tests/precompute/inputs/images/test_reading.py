"""Reading many images: scanned one by one, deduplicated, batched in order."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from precompute.inputs import images
from precompute.inputs.images import Failed, ImagesError, ScannedImage
from tests.support.pictures import corners, distinct, encoded, mean_color, mixed_folder, without_root


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return mixed_folder(tmp_path / "set")


def test_finding_and_scanning_never_load_torch():
    code = "import sys, precompute.inputs.images; print('torch' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"


def test_scan_yields_a_result_for_each_file_in_order(folder):
    files = images.gather(folder).files

    jpeg, broken, copy, original = images.scan(files, workers=0)

    assert isinstance(jpeg, ScannedImage) and (jpeg.width, jpeg.height) == (300, 200)
    assert isinstance(broken, Failed) and broken.relative == "b/broken.jpeg"
    assert copy.image_id == original.image_id != jpeg.image_id
    assert [result.relative for result in images.scan(files[::-1], workers=0)][0] == "z.png"


def test_thumbnails_can_be_left_out(folder):
    results = images.scan(images.gather(folder).files, workers=0, thumbnails=False)

    assert all(result.thumbnail is None for result in results if isinstance(result, ScannedImage))


def test_a_broken_link_fails_with_a_reason(tmp_path):
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")

    (result,) = images.scan(images.gather(tmp_path).files, workers=0)

    assert result == Failed("gone.png", "cannot be opened: No such file or directory")


@pytest.mark.skipif(os.name != "posix" or sys.platform == "darwin", reason="needs /proc or file modes")
def test_an_unreadable_file_fails_with_a_reason():
    with tempfile.TemporaryDirectory() as root:
        os.chmod(root, 0o755)
        path = Path(root, "a.png")
        path.write_bytes(encoded(corners()))
        path.chmod(0)

        with without_root():
            (result,) = images.scan(images.gather(Path(root)).files, workers=0)

    assert result == Failed("a.png", "cannot be opened: Permission denied")


def test_the_same_bytes_under_two_paths_are_one_image(folder):
    assert [file.relative for file in distinct(folder).values()] == ["b/a.jpg", "b/c/copy.PNG"]


def test_a_file_deleted_after_the_scan_is_named(folder):
    expected = distinct(folder)
    (folder / "b" / "a.jpg").unlink()

    with pytest.raises(ImagesError, match=r"a\.jpg was readable when scanned"):
        list(images.pixel_batches(expected, mean_color, batch_size=1, workers=0))
