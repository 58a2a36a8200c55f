"""Labels by a language model: questions, parsing of answers, and majority vote over draws."""

import pytest

from precompute.tools.label import label_prompt
from precompute.tools.label.label_prompt import (
    Example,
    ExamplesError,
    MajorityLabel,
    load_examples,
    majority,
    read,
)
from tests.support.questions import OPTIONS, TEXTS


def written(tmp_path, text: str):
    path = tmp_path / "examples.md"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_question_has_the_answered_examples_and_then_the_first_texts_of_the_head():
    examples = (Example("color", ("red", "blue")), Example("shape", ("round",)))

    question = label_prompt.question(TEXTS, examples, draw=4, **OPTIONS)

    assert [role for role, _ in question.messages] == ["system", *["user", "assistant"] * 2, "user"]
    assert question.messages[1:3] == (("user", "- red\n- blue"), ("assistant", '{"label": "color"}'))
    assert question.messages[-1][1].splitlines() == [f"- text {number}" for number in range(20)]
    assert question.options["seed"] == 4


@pytest.mark.parametrize(
    ("answer", "label"),
    [
        ('{"label": "color"}', "color"),
        ('{"label": " Time-of-Day. "}', "time of day"),
        ('{"label": "\\"Night_Life\\""}', "night life"),
        ('```json\n{"label": "color"}\n```', "color"),
        ('<think>red, blue... {"label": "no"}</think>\n{"label": "color"}', "color"),
        ('{"label": "Größe"}', "grösse"),
    ],
)
def test_the_label_of_an_answer_is_normalized(answer, label):
    assert read(answer) == label


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "color",
        '{"label": "col',
        '{"label": 3}',
        '{"label": null}',
        '{"label": "..."}',
        '{"property": "color"}',
        '["color"]',
        '{"label": "this head is about the colors of things"}',
        "The label is color.",
    ],
)
def test_what_gives_no_label_is_not_read(answer):
    assert read(answer) is None


def test_the_label_is_what_most_draws_say():
    assert majority(["shape", "color", "color", "location", "color"]) == MajorityLabel("color", 0.6, 5)


def test_the_first_of_equally_frequent_labels_wins():
    assert majority(["shape", "color", "color", "shape"]) == MajorityLabel("shape", 0.5, 4)


def test_a_label_is_supported_if_more_than_half_of_the_draws_agree():
    assert majority(["color", "color", "shape"]).supported
    assert not majority(["color", "shape"]).supported


def test_a_plural_does_not_split_the_votes():
    assert majority(["colors", "shape", "color", "shapes", "color"]) == MajorityLabel("colors", 0.6, 5)


def test_a_label_has_the_spelling_of_the_pools_property():
    assert majority(["letter", "letter"], ("color", "letters")).label == "letters"
    assert majority(["time of day"], ("time_of_day",)).label == "time_of_day"


def test_no_draw_gives_no_label():
    assert majority([]) is None


def test_the_shipped_examples_are_readable_and_have_different_labels():
    examples = load_examples()

    assert 4 <= len(examples) <= 6
    assert len({example.label for example in examples}) == len(examples)
    assert all(len(example.texts) >= 6 for example in examples)


def test_examples_are_headings_with_texts_below_and_notes_between(tmp_path):
    path = written(
        tmp_path, "# Notes\nfor you\n\n## Colors\n- red\n- blue\nmore notes\n## shape\n- a circle\n"
    )

    assert load_examples(path) == (Example("colors", ("red", "blue")), Example("shape", ("a circle",)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# nothing\n", "examples.md has no example"),
        ("- red\n## color\n", "line 1 "),
        ("## color\n## shape\n- a circle\n", '"color" .* texts'),
        ("## ?\n- red\n", '"\\?" .* label'),
    ],
)
def test_unusable_examples_are_refused_with_what_is_missing(tmp_path, text, message):
    with pytest.raises(ExamplesError, match=message):
        load_examples(written(tmp_path, text))


def test_a_missing_file_of_examples_is_named(tmp_path):
    with pytest.raises(ExamplesError, match="nowhere.md"):
        load_examples(tmp_path / "nowhere.md")
