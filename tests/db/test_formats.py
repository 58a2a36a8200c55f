"""A bundle of every format from 10 on: those of this format open, those of another are refused by name.

`python -m tests.support.format_bundle` writes the file of a new format.
"""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from db import bundle as commands
from db import lance_tables, verify
from db.connection import open_bundle, query
from db.errors import BundleFormat
from db.export import table_names
from db.layout import FORMAT, KINDS, MANIFEST, VECTORS, lance_table
from db.manifest import read_manifest
from tests.support.bundles import MODEL_KEY
from tests.support.format_bundle import FILES, MAX_BYTES, file_of

EVERY = sorted(FILES.glob("format-*.zip"))


def test_every_format_has_a_file_and_each_is_small():
    numbers = [int(re.findall(r"\d+", file.stem)[0]) for file in EVERY]

    assert sorted(numbers) == list(range(10, FORMAT + 1)), "python -m tests.support.format_bundle"
    assert [file.name for file in EVERY if file.stat().st_size >= MAX_BYTES] == []


def test_every_table_view_and_kind_of_vector_of_this_format_is_read():
    bundle = open_bundle(file_of())

    rows = {name: query(bundle, f'from "{name}"') for name in table_names(bundle)}
    assert [name for name, table in rows.items() if table.empty] == ["first_view"]
    for kind in KINDS:
        table = lance_tables.open_table(bundle.path / VECTORS, lance_table(kind, MODEL_KEY))
        (column,) = (name for name in table.schema.names if name in ("embedding", "basis", "rest"))
        values = lance_tables.read(table, [column], [0])[column].to_pylist()[0]
        assert np.isfinite(values).all() and np.any(values)
    bundle.close()


def test_the_bundle_of_this_format_is_sound():
    assert verify.problems(file_of()) == []


@pytest.mark.parametrize("file", [file for file in EVERY if file != file_of()], ids=lambda file: file.stem)
def test_a_bundle_of_a_former_format_is_refused_with_the_command_that_builds_it_anew(file):
    with pytest.raises(BundleFormat, match=r"has format \d+, .* headlight run --model tiny/known"):
        open_bundle(file)


@pytest.fixture
def former(copy) -> Path:
    """A bundle of the format before this one, as its manifest says."""
    return of_format(copy, FORMAT - 1)


def of_format(folder: Path, number: object, **facts: object) -> Path:
    manifest = json.loads((folder / MANIFEST).read_text()) | {"format": number} | facts
    (folder / MANIFEST).write_text(json.dumps(manifest))
    return folder


def test_the_refusal_names_format_maker_and_command(former, capsys):
    of_format(former, FORMAT - 1, software={"headlight": "0.0.9"})

    assert commands.main(["show", str(former)]) == 2

    said = capsys.readouterr().err
    assert f"has format {FORMAT - 1}, this Headlight reads format {FORMAT}. Use Headlight 0.0.9" in said
    assert (
        f"headlight run --model tiny/known --images IMAGES --texts TEXTS --bundle {former} --replace" in said
    )
    assert "tiny/random" not in said  # controls come with their models


def test_a_zip_of_a_former_format_is_refused_like_a_folder(former, tmp_path):
    zip_file = Path(shutil.make_archive(str(tmp_path / "old one"), "zip", former.parent, former.name))

    with pytest.raises(BundleFormat, match=rf"format {FORMAT - 1}.* --bundle '{tmp_path}/old one' --replace"):
        open_bundle(zip_file)


@pytest.mark.parametrize(
    "facts",
    [
        {"models": None, "software": None},
        {"models": [1, {}, {"model": ["x"]}, {"model": "$(reboot)/x"}], "software": {"headlight": "`x`"}},
        {"models": {"model": "a/b"}, "software": ["0.1"]},
    ],
)
def test_a_manifest_of_any_other_shape_is_refused_too(former, facts):
    of_format(former, FORMAT + 1, **facts)

    with pytest.raises(BundleFormat, match=r"Use the Headlight, which .* --model ARCHITECTURE/WEIGHTS --im"):
        read_manifest(former)
