"""A head's label by a language model: what is asked, what an answer says, and what the draws say together."""

import pytest

from precompute.tools.label import label_prompt
from precompute.tools.label.label_prompt import Example, ExamplesError, Voted, load_examples, majority, read
from tests.support.questions import HOW, TEXTS


def written(tmp_path, text: str):
    path = tmp_path / "examples.md"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_question_shows_the_examples_answered_and_then_the_first_texts_of_the_head():
    examples = (Example("color", ("red", "blue")), Example("shape", ("round",)))

    asked = label_prompt.question(TEXTS, examples, draw=4, **HOW)

    assert [role for role, _ in asked.messages] == ["system", *["user", "assistant"] * 2, "user"]
    assert asked.messages[1:3] == (("user", "- red\n- blue"), ("assistant", '{"label": "color"}'))
    assert asked.messages[-1][1].splitlines() == [f"- text {number}" for number in range(20)]
    assert asked.options["seed"] == 4


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
def test_an_answer_is_read_and_spelled_one_way(answer, label):
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
    assert majority(["shape", "color", "color", "location", "color"]) == Voted("color", 0.6, 5)


def test_of_labels_that_as_many_say_the_first_wins():
    assert majority(["shape", "color", "color", "shape"]) == Voted("shape", 0.5, 4)


def test_a_label_is_supported_where_more_than_half_of_the_draws_agree():
    assert majority(["color", "color", "shape"]).supported
    assert not majority(["color", "shape"]).supported


def test_a_plural_does_not_split_the_votes():
    assert majority(["colors", "shape", "color", "shapes", "color"]) == Voted("colors", 0.6, 5)


def test_a_label_is_spelled_as_the_property_of_the_pool_that_it_is():
    assert majority(["letter", "letter"], ("color", "letters")).label == "letters"
    assert majority(["time of day"], ("time_of_day",)).label == "time_of_day"


def test_no_draw_gives_no_label():
    assert majority([]) is None


def test_the_examples_that_come_with_it_can_be_read_and_are_of_different_labels():
    examples = load_examples()

    assert 4 <= len(examples) <= 6
    assert len({one.label for one in examples}) == len(examples)
    assert all(len(one.texts) >= 6 for one in examples)


def test_examples_are_headings_with_texts_below_and_notes_between(tmp_path):
    path = written(
        tmp_path, "# Notes\nfor you\n\n## Colors\n- red\n- blue\nmore notes\n## shape\n- a circle\n"
    )

    assert load_examples(path) == (Example("colors", ("red", "blue")), Example("shape", ("a circle",)))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("# nothing\n", "has no example"),
        ("- red\n## color\n", "line 1 .* above the first label"),
        ("## color\n## shape\n- a circle\n", 'the example "color" .* lacks its texts'),
        ("## ?\n- red\n", 'the example "\\?" .* lacks its label'),
    ],
)
def test_examples_that_cannot_be_used_say_what_is_missing(tmp_path, text, says):
    with pytest.raises(ExamplesError, match=says):
        load_examples(written(tmp_path, text))


def test_examples_that_are_not_there_are_named(tmp_path):
    with pytest.raises(ExamplesError, match="cannot read the examples .*nowhere.md"):
        load_examples(tmp_path / "nowhere.md")
