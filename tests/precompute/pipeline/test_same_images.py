"""The same images give the same bundle, wherever they lie; and what it keeps of them."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from db import lance_tables
from db.connection import open_bundle, query
from db.diff import diff
from db.layout import VECTORS, lance_table
from precompute.inputs import images
from precompute.pipeline import run as pipeline_run
from tests.conftest import small_config
from tests.support.pictures import tar

QUICK = {"layers": 1, "replicates": 0, "metadata": None, "shard_size": 5}


@pytest.fixture(scope="module")
def rows(scene_folder) -> list[dict[str, str]]:
    """What is known of twelve scenes."""
    with open(scene_folder / "attributes.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))[:12]


def write_csv(path: Path, rows: list[dict[str, str]]) -> Path:
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def folder(scene_folder, rows, tmp_path_factory) -> Path:
    """The twelve scenes, and a CSV file of what is known of them."""
    root = tmp_path_factory.mktemp("same") / "folder"
    root.mkdir()
    for row in rows:
        shutil.copy(scene_folder / row["path"], root)
    write_csv(root / "known.csv", rows)
    return root


@pytest.fixture(scope="module")
def from_folder(folder, pool_file) -> Path:
    """The bundle of the folder, one image after the other."""
    how = QUICK | {"metadata": folder / "known.csv"}
    return pipeline_run.run(small_config(folder, pool_file, folder.parent / "from_folder", **how))


def told_apart(one: Path, other: Path) -> set[str]:
    """Tables and columns in which two bundles differ."""
    return {line.split(":")[0] for line in diff(open_bundle(one), open_bundle(other))}


def test_a_list_gives_the_bundle_that_the_folder_gives(from_folder, folder, rows, pool_file, tmp_path):
    absolute = [row | {"path": str(folder / row["path"])} for row in reversed(rows)]
    listed = write_csv(tmp_path / "list.csv", absolute)

    made = pipeline_run.run(small_config(listed, pool_file, tmp_path / "b", **QUICK, batch_size=7))

    assert told_apart(from_folder, made) == {"image_set", "image_file"}


def test_tars_give_the_bundle_that_the_folder_gives(from_folder, folder, rows, pool_file, tmp_path):
    (tmp_path / "packed").mkdir()
    for number in range(3):
        members: dict[str, bytes | str] = {}
        for key, row in enumerate(rows[number::3]):
            members[f"{key}.json"] = json.dumps({name: row[name] for name in row if name != "path"})
            members[f"{key}.png"] = (folder / row["path"]).read_bytes()
        tar(tmp_path / "packed" / f"{number}.tar", members)
    how = QUICK | {"batch_size": 5, "shard_size": 40, "workers": 2}

    made = pipeline_run.run(small_config(tmp_path / "packed" / "*.tar", pool_file, tmp_path / "b", **how))

    assert told_apart(from_folder, made) == {"image_set", "image_file"}
    paths = query(open_bundle(made), "select path from image_file order by path").path
    assert len(paths) == 12 and paths[0] == "0.tar/0.png"


def test_class_folders_reach_the_bundle_and_are_asked_zero_shot(folder, pool_file, tmp_path):
    for number, path in enumerate(sorted(folder.glob("*.png"))[:6]):
        kind = tmp_path / "set" / ("stars", "hearts")[number % 2]
        kind.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, kind)
    (tmp_path / "prompts.tsv").write_text("class\t*\ta picture with {}\n")
    how = QUICK | {"prompts": tmp_path / "prompts.tsv"}

    bundle = open_bundle(pipeline_run.run(small_config(tmp_path / "set", pool_file, tmp_path / "b", **how)))

    known = query(bundle, "select value, count(*) as n from image_attribute group by value order by value")
    assert known.to_numpy().tolist() == [["hearts", 3], ["stars", 3]]
    assert query(bundle, "select text from class_text").text.tolist() == [
        "a picture with hearts",
        "a picture with stars",
    ]


@pytest.fixture(scope="module")
def without_thumbnails(folder, pool_file) -> Path:
    bundle = folder.parent / "bare"
    return pipeline_run.run(small_config(folder, pool_file, bundle, **QUICK, thumbnails=False))


def test_only_thumbnails_are_pictures_and_they_can_be_left_out(without_thumbnails):
    """Every other column of every table holds numbers, names and texts."""
    bundle = open_bundle(without_thumbnails)

    blobs = query(
        bundle,
        "select table_name, column_name from duckdb_columns() where data_type = 'BLOB' and not internal",
    )

    assert blobs.to_numpy().tolist() == [["image", "thumbnail"]]
    assert int(query(bundle, "select count(thumbnail) as n from image").n[0]) == 0


def pieces_of(folder: Path) -> list[bytes]:
    """48 bytes out of each file, of its thumbnail and of its decoded pixels."""
    pieces = []
    for path in sorted(folder.glob("*.png")):
        picture = images.read(path)
        for data in (path.read_bytes(), images.thumbnail(picture), picture.tobytes()):
            pieces.append(data[len(data) // 2 :][:48])
    return pieces


def found_in(bundle: Path, pieces: list[bytes]) -> int:
    """How many of the pieces lie in the files of a bundle."""
    held = [path.read_bytes() for path in bundle.rglob("*") if path.is_file()]
    return sum(any(piece in data for data in held) for piece in pieces)


def test_no_pixels_lie_in_a_bundle_without_thumbnails(from_folder, without_thumbnails, folder):
    """Not as a file, a thumbnail or decoded rows. In a bundle with thumbnails the search does find them."""
    pieces = pieces_of(folder)

    assert found_in(from_folder, pieces) >= 10  # of twelve; a page of the database may end in one
    assert found_in(without_thumbnails, pieces) == 0


def test_tokens_of_the_gallery_are_coordinates_of_heads_and_no_pixels(without_thumbnails):
    """A row holds what each head wrote from each token, in `rank` numbers, and the sum of all else."""
    bundle = open_bundle(without_thumbnails)
    [key] = bundle.model_keys
    model = query(bundle, "select * from model").iloc[0]
    schema = lance_tables.open_table(bundle.path / VECTORS, lance_table("tokens", key)).schema

    width = {field.name: getattr(field.type, "list_size", 1) for field in schema}

    tokens = 1 + model.grid_rows * model.grid_columns
    heads = {f"L5_H{head}": tokens * model["rank"] for head in range(model.heads)}
    assert width == {"image_id": 1, "rest": model.d_out, "token_scale": model.heads} | heads
