"""Names of heads, tables and images."""

import pytest

from db.layout import head_name, image_id, lance_table, parse_head_name


def test_the_name_of_a_head_gives_its_layer_and_head():
    assert head_name(11, 3) == "L11.H3"
    assert parse_head_name("L11.H3") == (11, 3)


@pytest.mark.parametrize("name", ["", "L1", "L1.H", "l1.h2", "L-1.H2", "L1.H2 ", "L12345.H0"])
def test_other_names_give_no_head(name):
    assert parse_head_name(name) is None


def test_an_image_is_named_by_the_hash_of_its_bytes():
    assert image_id(b"") == "e3b0c44298fc1c14"
    assert lance_table("images", "tiny-1") == "images__tiny-1"
