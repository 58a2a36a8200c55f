"""What a source of images becomes: rows of files, images and failures, scanned once."""

import shutil

import pytest

from precompute.inputs import images
from precompute.inputs.images import ImagesError
from precompute.runtime import progress
from precompute.stages import scan_images
from tests.support.calls import count_calls
from tests.support.pictures import tar


@pytest.fixture
def folder(scene_folder, tmp_path):
    target = tmp_path / "pictures"
    (target / "deep").mkdir(parents=True)
    for file in sorted(scene_folder.glob("*.png"))[:4]:
        shutil.copy(file, target / "deep")
    return target


def read(source, work, *, metadata=None, workers=0, **options):
    listing = scan_images.list_files(source, work, thumbnails=True, **options)
    scan_images.scan(listing, workers=workers, thumbnails=True)
    return scan_images.load_image_set(listing, source, metadata)


def test_images_come_sorted_by_identity_not_by_name(folder, tmp_path):
    image_set = read(folder, tmp_path / "work")

    assert list(image_set.image_files) == sorted(image_set.image_files)
    assert {file.relative.split("/")[0] for file in image_set.image_files.values()} == {"deep"}


def test_the_same_bytes_under_two_paths_are_one_image(folder, tmp_path):
    shutil.copy(next((folder / "deep").iterdir()), folder / "a copy.png")

    image_set = read(folder, tmp_path / "work")

    assert len(image_set.files) == 5 and len(image_set.image_files) == 4
    assert sum(len(rows) for rows in image_set.thumbnails()) == 4


def test_a_broken_link_is_a_failure_with_a_reason(folder, tmp_path):
    (folder / "gone.png").symlink_to(folder / "nowhere.png")

    image_set = read(folder, tmp_path / "work")

    assert image_set.failed.path.tolist() == ["gone.png"]
    assert "cannot be opened" in image_set.failed.reason.iloc[0]


def test_a_limit_takes_files_spread_evenly_and_says_so(folder, tmp_path):
    image_set = read(folder, tmp_path / "work", limit=2)

    names = sorted(file.name for file in (folder / "deep").iterdir())
    assert image_set.files.path.tolist() == [f"deep/{names[0]}", f"deep/{names[-1]}"]
    assert image_set.notes[0] == "spread evenly over 4 files (--limit)"


def test_other_files_are_ignored_and_counted(folder, tmp_path, capsys):
    (folder / "notes.txt").write_text("not a picture")

    read(folder, tmp_path / "work")

    assert "1 file of other kinds: .txt" in capsys.readouterr().err


def test_a_second_scan_of_the_same_files_reads_none_of_them(folder, tmp_path, monkeypatch):
    first = read(folder, tmp_path / "work")
    scans = count_calls(monkeypatch, images, "scan")

    assert read(folder, tmp_path / "work").files.equals(first.files)
    assert scans == []


def test_a_changed_file_is_scanned_again(folder, tmp_path):
    before = read(folder, tmp_path / "work")
    first, *_, last = sorted((folder / "deep").iterdir())
    first.write_bytes(last.read_bytes())

    assert set(read(folder, tmp_path / "work").image_files) < set(before.image_files)


def test_attributes_reach_the_image_they_are_of(folder, tmp_path):
    (tmp_path / "known.csv").write_text("path,color\ndeep/scene_00000.png,red|blue\n", encoding="utf-8")

    image_set = read(folder, tmp_path / "work", metadata=tmp_path / "known.csv")

    [image_id] = image_set.files.loc[image_set.files.path == "deep/scene_00000.png", "image_id"]
    assert image_set.attributes.to_numpy().tolist() == [
        [image_id, "color", "red"],
        [image_id, "color", "blue"],
    ]


def test_class_folders_are_known_of_the_images_unless_that_is_not_wanted(folder, tmp_path):
    (folder / "cat").mkdir()
    (next((folder / "deep").iterdir())).rename(folder / "cat" / "a.png")

    image_set = read(folder, tmp_path / "work")
    without = read(folder, tmp_path / "work", class_folders=False)

    assert image_set.notes == ("class from 2 folders",)
    assert sorted(image_set.attributes.value) == ["cat", "deep", "deep", "deep"]
    assert without.notes == () and without.attributes.empty
    assert list(without.attributes.columns) == ["image_id", "attribute", "value"]


@pytest.fixture
def packed(folder, tmp_path):
    """The same pictures in two tars, the second cut in the middle of its last one."""
    pictures = [file.read_bytes() for file in sorted((folder / "deep").iterdir())]
    root = tmp_path / "shards"
    root.mkdir()
    tar(root / "0.tar", {"a.png": pictures[0], "a.cls": "7", "b.png": pictures[1]})
    whole = tar(root / "1.tar", {"a.png": pictures[2], "b.png": pictures[3]}).read_bytes()
    (root / "1.tar").write_bytes(whole[: 512 + 512 + -(-len(pictures[2]) // 512) * 512 + 100])
    return root


@pytest.mark.parametrize("workers", [0, 1])
def test_tars_give_the_images_that_files_give(folder, packed, tmp_path, workers):
    files, members = read(folder, tmp_path / "work"), read(packed, tmp_path / "work", workers=workers)

    assert set(members.image_files) < set(files.image_files) and len(members.image_files) == 3
    assert list(members.image_files) == sorted(members.image_files)
    thumbnails = {row.image_id: row.thumbnail for rows in files.thumbnails() for row in rows.itertuples()}
    for rows in members.thumbnails():
        assert all(thumbnails[row.image_id] == row.thumbnail for row in rows.itertuples())


def test_what_a_cut_tar_has_lost_is_listed(packed, tmp_path):
    image_set = read(packed, tmp_path / "work")

    assert image_set.files.path.tolist() == ["0.tar/a.png", "0.tar/b.png", "1.tar/a.png"]
    assert image_set.failed.path.tolist() == ["1.tar/b.png", "1.tar"]
    assert image_set.failed.reason.str.startswith("cut off").all()
    assert "class from .cls members" in image_set.notes and "damaged tars: 1" in image_set.notes[1]


def test_tars_are_indexed_once(packed, tmp_path, monkeypatch):
    first = read(packed, tmp_path / "work")
    indexed = count_calls(monkeypatch, images, "index")

    assert read(packed, tmp_path / "work").files.equals(first.files)
    assert indexed == []


def test_a_tar_that_was_fetched_again_is_indexed_and_scanned_again(folder, packed, tmp_path):
    before = read(packed, tmp_path / "work")
    pictures = [file.read_bytes() for file in sorted((folder / "deep").iterdir())]
    tar(packed / "1.tar", {"a.png": pictures[2], "b.png": pictures[3]})

    after = read(packed, tmp_path / "work")

    assert len(before.image_files) == 3 and len(after.image_files) == 4 and after.failed.empty


def test_a_listed_set_is_scanned_as_a_folder_is(folder, tmp_path):
    names = sorted(file.name for file in (folder / "deep").iterdir())
    (folder / "list.csv").write_text("\n".join(["path,color", *(f"deep/{name},red" for name in names[1:])]))

    image_set = read(folder / "list.csv", tmp_path / "work")

    assert image_set.files.path.tolist() == [f"deep/{name}" for name in names[1:]]
    assert set(image_set.attributes.image_id) == set(image_set.image_files)
    assert (image_set.name, image_set.notes) == ("list.csv", ("color from list.csv",))


def test_a_changed_file_costs_only_its_own_chunk(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(scan_images, "_CHUNK", 1)
    read(folder, tmp_path / "work")
    last = sorted((folder / "deep").iterdir())[-1]
    last.write_bytes(last.read_bytes() + b"more")
    scans = count_calls(monkeypatch, images, "scan")

    read(folder, tmp_path / "work")

    assert [[file.path for file in files] for (files,) in scans] == [[last]]


def test_images_that_cannot_be_read_at_all_are_refused_with_the_first_reason(tmp_path):
    (tmp_path / "set").mkdir()
    tar(tmp_path / "set" / "a.tar", {"a.png": "no picture"})

    with pytest.raises(ImagesError, match=r"1 image files .* a.tar/a.png: not an image"):
        read(tmp_path / "set", tmp_path / "work")


def test_long_steps_report_progress(capsys, monkeypatch):
    monkeypatch.setattr(progress, "_QUIET", 0.0)

    with progress.counted("looking for images") as passed:
        passed(3)
    with progress.counted("indexing tars", total=4, unit="MB", scale=1000) as passed:
        passed(1000)
        passed(2999)

    said = capsys.readouterr().err
    assert "looking for images: 3 files so far" in said
    assert "indexing tars" in said and "3/4" in said


def test_what_is_done_at_once_is_not_spoken_of(capsys):
    with progress.counted("listing files", total=3) as passed:
        passed(3)

    assert capsys.readouterr().err == ""
