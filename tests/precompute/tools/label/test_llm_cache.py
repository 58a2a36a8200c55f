"""Draws: answers that cannot be read are kept, and asked again up to a limit."""

from precompute.tools.label.label_prompt import read
from precompute.tools.label.llm_cache import TRIES, draw
from tests.support.questions import about, asking


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
