"""Names of files: stable, and inside the report whatever a bundle of strangers calls its models."""

import pytest

from headlight.report import places
from tests.support.hostile import HOSTILE


def test_names_come_from_the_key_of_the_model_and_the_name_of_the_head():
    key = "ViT-B-32-openai-0a1b2c3d"

    assert places.head_page(key, (11, 3)) == f"models/{key}/heads/L11H3.html"
    assert places.image_file("003ddae56fee075b") == "images/003ddae56fee075b.jpg"


@pytest.mark.parametrize("key", [*HOSTILE, "..", ".hidden", "a/b", "con\n"])
def test_no_key_leads_out_of_the_report(key):
    name = places.file_name(key)

    assert places.SAFE.fullmatch(name)
    assert places.LAYOUT.fullmatch(places.head_page(key, (1, 2)))
    assert places.LAYOUT.fullmatch(places.image_file(key))


def test_different_keys_have_different_names():
    assert len({places.file_name(key) for key in (*HOSTILE, "a/b", "a-b", "a?b")}) == len(HOSTILE) + 3
