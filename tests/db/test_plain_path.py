"""A bundle works in a folder of any name, or is refused before any work."""

import os
import shutil

import pytest

from db import bundle, verify
from db.atomic_directory import check_free
from db.connection import open_bundle
from db.errors import StoreError, message_of
from db.lance_tables import table_names
from db.plain_path import plain_path
from db.rewrite import open_copy
from tests.support import bundles

NAMES = [
    "What do heads see?",
    "c:\\d",
    "a\\b",
    "a\nb",
    "a\tb",
    "it's a#b",
    "50%25 off",
    "a[1]* {x}",
    "s3:",
    " ~",
]


@pytest.mark.parametrize("name", ["What do heads see?", "a\\b\nc\td"])
def test_a_bundle_is_written_and_copied_in_a_folder_of_any_name(tmp_path, name):
    out = bundles.write_bundle(tmp_path / name / name)
    with open_copy(open_bundle(out), out.with_name("copy?"), input_id="copy") as writer:
        writer.finish({})

    assert verify.problems(out) == verify.problems(out.with_name("copy?")) == []
    assert sorted(os.listdir(tmp_path)) == [name]
    assert sorted(os.listdir(tmp_path / name)) == sorted([name, "copy?"])


@pytest.mark.parametrize("name", [*NAMES, os.fsdecode(b"a\xff"), "x" * 200])
def test_a_bundle_is_read_in_a_folder_of_any_name(tiny, tmp_path, name):
    place = shutil.copytree(tiny.path, tmp_path / name / name)

    assert verify.problems(place) == []
    assert table_names(place / "vectors.lance")


def test_another_bundle_under_the_same_name_is_read_anew(tmp_path):
    for number in range(2):
        (tmp_path / "a?").mkdir()
        (tmp_path / "a?" / "x").write_text(str(number))

        assert (plain_path(tmp_path / "a?") / "x").read_text() == str(number)
        shutil.rmtree(tmp_path / "a?")


def test_a_usual_path_is_left_as_it_is(tmp_path):
    assert plain_path(tmp_path / "a b") == tmp_path / "a b"


@pytest.mark.parametrize(
    "name, message",
    [(os.fsdecode(b"a\xff"), "not UTF-8"), ("x" * 250, "too long"), ("a/" * 1990 + "b", "too long")],
)
def test_a_path_that_no_bundle_can_have_is_refused_before_any_work(tmp_path, name, message):
    with pytest.raises(StoreError, match=message):
        check_free(tmp_path / name, replace=True)


def test_a_path_that_is_not_utf_8_is_printed_by_its_bytes(tiny, tmp_path, capsys):
    place = shutil.copytree(tiny.path, tmp_path / os.fsdecode(b"a\xff"))

    assert bundle.main(["verify", str(place)]) == 0
    assert "a\\udcff: sound" in capsys.readouterr().out


def test_a_message_with_a_file_in_it_keeps_its_begin_and_its_end():
    text = message_of(StoreError("line 1 of pool.txt: '" + 10**6 * "x" + "' is wrong. Correct it."))

    assert len(text) < 2100 and text.startswith("line 1") and text.endswith("Correct it.")
