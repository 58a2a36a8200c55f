"""A head's label by a language model: what is asked, what an answer says, and what the draws say together."""

from collections.abc import Sequence
from datetime import datetime

import pytest

from precompute.tools.label import judge_prompt, label_prompt
from precompute.tools.label.label_prompt import (
    Example,
    ExamplesError,
    Voted,
    load_examples,
    majority,
    read,
)
from precompute.tools.label.llm_cache import (
    TRIES,
    Answer,
    Question,
    draw,
)
from precompute.tools.label.spelling import as_in_pool, kind, normalize

TEXTS = [f"text {number}" for number in range(30)]
HOW = {"model": "small", "temperature": 0.7, "answer_tokens": 64}


def written(tmp_path, text: str):
    path = tmp_path / "examples.md"
    path.write_text(text, encoding="utf-8")
    return path


def asking(*said: str):
    """Answers one after the other, as a service would give them, and the questions that came."""
    left, came = list(said), []

    def ask(questions: Sequence[Question]) -> list[Answer]:
        came.extend(questions)
        return [Answer(left.pop(0), {}, datetime(2024, 5, 1), 1, 1) for _ in questions]

    return ask, came


def about(number: int) -> Question:
    return label_prompt.question(TEXTS, (), draw=number, **HOW)


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


def test_yes_and_no_are_all_that_a_judge_can_say():
    said = [
        '{"consistent": "yes"}',
        '{"consistent": "No"}',
        '{"consistent": "maybe"}',
        '{"consistent": true}',
    ]

    assert [judge_prompt.read(one) for one in said] == ["yes", "no", None, None]


def test_a_judge_is_shown_one_text_and_the_label():
    asked = judge_prompt.question("a red door", "color", draw=1, **HOW)

    assert asked.messages[-1] == ("user", "property: color\ndescription: a red door")
    schema = asked.options["response_format"]["json_schema"]["schema"]
    assert schema["properties"] == {"consistent": {"type": "string", "enum": ["yes", "no"]}}


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


@pytest.mark.parametrize(
    ("label", "same"),
    [("colors", "color"), ("cities", "city"), ("glass", "glass"), ("focus", "focus"), ("bus", "bus")]
    + [("tennis", "tennis"), ("art styles", "art style"), ("gas", "gas")],
)
def test_plurals_are_told_by_their_ending(label, same):
    assert kind(label) == same


def test_words_are_parted_by_one_space_and_stripped_of_punctuation():
    assert normalize("  “Black–and–White”,  photos! ") == "black and white photos"
    assert as_in_pool("texture", ("color", "Textures")) == "Textures"
    assert as_in_pool("mood", ("color",)) == "mood"


def test_every_draw_that_can_be_read_is_asked_once():
    ask, came = asking(*['{"label": "color"}'] * 3)

    (draws,) = draw({"head": about}, read, ask, draws=3).values()

    assert [one.parsed for one in draws] == ["color"] * 3
    assert [question.draw for question in came] == [0, 1, 2]


def test_what_cannot_be_read_is_kept_and_asked_again_as_another_draw():
    ask, came = asking('{"label": "color"}', "I would say color", '{"label": "shape"}')

    (draws,) = draw({"head": about}, read, ask, draws=2).values()

    assert [one.parsed for one in draws] == ["color", None, "shape"]
    assert [one.answer.text for one in draws][1] == "I would say color"
    assert [question.draw for question in came] == [0, 1, 2]


def test_asking_again_has_an_end():
    ask, came = asking(*["I cannot tell"] * 100)

    (draws,) = draw({"head": about}, read, ask, draws=2).values()

    assert len(draws) == len(came) == 2 * TRIES
    assert not any(one.parsed for one in draws)


def test_one_head_that_is_asked_again_does_not_disturb_another():
    said = ['{"label": "color"}', "no idea", '{"label": "shape"}']
    ask, came = asking(*said)

    found = draw({"first": about, "second": about}, read, ask, draws=1)

    assert [one.parsed for one in found["first"]] == ["color"]
    assert [one.parsed for one in found["second"]] == [None, "shape"]


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
