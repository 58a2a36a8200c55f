"""Draws: unreadable answers are kept and replaced by further draws, up to a limit."""

from precompute.tools.label.label_prompt import read
from precompute.tools.label.llm_cache import MAX_TRIES, draw
from tests.support.questions import answering, question_of_draw


def test_every_readable_draw_is_asked_once():
    ask, questions = answering(*['{"label": "color"}'] * 3)

    (draws,) = draw({"head": question_of_draw}, read, ask, draws=3).values()

    assert [answer.parsed for answer in draws] == ["color"] * 3
    assert [question.draw for question in questions] == [0, 1, 2]


def test_an_unreadable_answer_is_kept_and_replaced_by_another_draw():
    ask, questions = answering('{"label": "color"}', "I would say color", '{"label": "shape"}')

    (draws,) = draw({"head": question_of_draw}, read, ask, draws=2).values()

    assert [answer.parsed for answer in draws] == ["color", None, "shape"]
    assert draws[1].answer.text == "I would say color"
    assert [question.draw for question in questions] == [0, 1, 2]


def test_the_number_of_further_draws_is_limited():
    ask, questions = answering(*["I cannot tell"] * 100)

    (draws,) = draw({"head": question_of_draw}, read, ask, draws=2).values()

    assert len(draws) == len(questions) == 2 * MAX_TRIES
    assert not any(answer.parsed for answer in draws)


def test_a_further_draw_of_one_head_does_not_affect_another():
    ask, _ = answering('{"label": "color"}', "no idea", '{"label": "shape"}')

    draws = draw({"first": question_of_draw, "second": question_of_draw}, read, ask, draws=1)

    assert [answer.parsed for answer in draws["first"]] == ["color"]
    assert [answer.parsed for answer in draws["second"]] == [None, "shape"]
