"""The text pool and the prompts of the demo: reproducible, and balanced over properties."""

import unicodedata
from collections import Counter, defaultdict

import pytest

from precompute.demo import CONTEXT_LENGTH
from precompute.demo.folder import row as scene_row
from precompute.demo.pool import FRAMES, POOL_PATH, PROMPTS_PATH, write_pool, write_prompts
from precompute.demo.scenes import content_of
from precompute.demo.words import PROPERTIES, unknown_words
from precompute.inputs import prompts
from tests.support.prompts import attributes


@pytest.fixture(scope="module")
def pool_lines():
    lines = POOL_PATH.read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


def test_the_text_pool_is_reproducible(tmp_path):
    write_pool(tmp_path / "again.tsv")

    assert (tmp_path / "again.tsv").read_bytes() == POOL_PATH.read_bytes()


def test_the_text_pool_uses_the_vocabulary_and_repeats_no_text(pool_lines):
    texts = [text for text, _ in pool_lines]

    assert len(texts) == len(set(texts)) >= 750
    for text in texts:
        assert text == unicodedata.normalize("NFC", text).strip()
        assert unknown_words(text) == []
        assert len(text.split()) + 2 <= CONTEXT_LENGTH


def test_every_property_has_the_same_number_of_texts_in_every_frame(pool_lines):
    by_property = defaultdict(Counter)
    openings = sorted((frame.format("") for frame in FRAMES), key=len, reverse=True)
    for text, tag in pool_lines:
        by_property[tag][next(opening for opening in openings if text.startswith(opening))] += 1

    assert set(by_property) == set(PROPERTIES)
    counts = {tuple(sorted(counter.items())) for counter in by_property.values()}
    assert len(counts) == 1
    assert len(openings) >= 5 and sum(dict(counts.pop()).values()) == 135


def test_the_demo_prompts_are_reproducible(tmp_path):
    write_prompts(tmp_path / "again.tsv")

    assert (tmp_path / "again.tsv").read_bytes() == PROMPTS_PATH.read_bytes()


def test_the_demo_prompts_cover_every_value_of_the_scenes_in_the_vocabulary():
    """Values are spelled as in attributes.csv: a count is a number there."""
    scenes = [scene_row(f"{index}.png", content_of(index, 3), index, 3) for index in range(300)]
    labels = [
        (scene["path"], of, value) for scene in scenes for of in PROPERTIES for value in scene[of].split("|")
    ]

    class_prompts = prompts.expand(prompts.load(PROMPTS_PATH), attributes(labels))

    assert {(of, value) for of, value, _ in class_prompts} == {(of, value) for _, of, value in labels}
    assert len(class_prompts) == len(prompts.load(PROMPTS_PATH).rows) == 46
    assert [word for _, _, text in class_prompts for word in unknown_words(text)] == []
    assert ("count", "1", "a picture with one object") in class_prompts
