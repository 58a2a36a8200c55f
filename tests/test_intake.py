"""What a folder of images becomes: rows of files, images and failures, scanned once."""

import shutil

import pytest

from precompute import images, intake


@pytest.fixture
def folder(scene_folder, tmp_path):
    target = tmp_path / "pictures"
    (target / "deep").mkdir(parents=True)
    for file in sorted(scene_folder.glob("*.png"))[:4]:
        shutil.copy(file, target / "deep")
    return target


def read(folder, work, **options):
    return intake.read(folder, None, work, **({"workers": 0, "thumbnails": True} | options))


def test_images_come_sorted_by_identity_not_by_name(folder, tmp_path):
    found = read(folder, tmp_path / "work")

    assert list(found.distinct) == sorted(found.distinct)
    assert {file.relative.split("/")[0] for file in found.distinct.values()} == {"deep"}


def test_the_same_bytes_under_two_paths_are_one_image(folder, tmp_path):
    shutil.copy(next((folder / "deep").iterdir()), folder / "a copy.png")

    found = read(folder, tmp_path / "work")

    assert len(found.files) == 5 and len(found.distinct) == 4
    assert sum(len(rows) for rows in found.thumbnails()) == 4


def test_a_broken_link_is_a_failure_with_a_reason(folder, tmp_path):
    (folder / "gone.png").symlink_to(folder / "nowhere.png")

    found = read(folder, tmp_path / "work")

    assert found.failed.path.tolist() == ["gone.png"]
    assert "cannot be opened" in found.failed.reason.iloc[0]


def test_other_files_are_ignored_and_counted(folder, tmp_path, capsys):
    (folder / "notes.txt").write_text("not a picture")

    read(folder, tmp_path / "work")

    assert "1 file of other kinds: .txt" in capsys.readouterr().err


def test_a_second_scan_of_the_same_files_reads_none_of_them(folder, tmp_path, monkeypatch):
    first = read(folder, tmp_path / "work")
    monkeypatch.setattr(images, "scan", None)

    assert read(folder, tmp_path / "work").files.equals(first.files)


def test_a_changed_file_is_scanned_again(folder, tmp_path):
    before = read(folder, tmp_path / "work")
    first, *_, last = sorted((folder / "deep").iterdir())
    first.write_bytes(last.read_bytes())

    assert set(read(folder, tmp_path / "work").distinct) < set(before.distinct)


def test_attributes_reach_the_image_they_are_of(folder, tmp_path):
    (tmp_path / "known.csv").write_text("path,color\ndeep/scene_00000.png,red|blue\n", encoding="utf-8")

    found = intake.read(folder, tmp_path / "known.csv", tmp_path / "work", workers=0, thumbnails=False)

    [image_id] = found.files.loc[found.files.path == "deep/scene_00000.png", "image_id"]
    assert found.attributes.to_numpy().tolist() == [[image_id, "color", "red"], [image_id, "color", "blue"]]
