"""A file appears whole or not at all."""

import pytest

from db.atomic_file import atomic_file


def test_a_file_takes_the_place_of_the_one_before_at_the_end(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")

    with atomic_file(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"

    assert path.read_text() == "new" and list(tmp_path.iterdir()) == [path]


def test_after_an_error_nothing_is_left_but_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")

    with pytest.raises(ValueError, match="half way"), atomic_file(path) as temporary:
        temporary.write_text("ne")
        raise ValueError("half way")

    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]
