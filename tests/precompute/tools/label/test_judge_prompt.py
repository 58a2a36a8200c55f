"""What a judge is shown, and what it can answer."""

from precompute.tools.label import judge_prompt
from tests.support.questions import HOW


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
