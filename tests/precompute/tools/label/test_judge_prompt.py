"""Questions to judges, and parsing of their answers."""

from precompute.tools.label import judge_prompt
from tests.support.questions import OPTIONS


def test_a_judge_answers_yes_or_no_only():
    answers = [
        '{"consistent": "yes"}',
        '{"consistent": "No"}',
        '{"consistent": "maybe"}',
        '{"consistent": true}',
    ]

    assert [judge_prompt.read(answer) for answer in answers] == ["yes", "no", None, None]


def test_a_judge_gets_one_text_and_the_label():
    question = judge_prompt.question("a red door", "color", draw=1, **OPTIONS)

    assert question.messages[-1] == ("user", "property: color\ndescription: a red door")
    schema = question.options["response_format"]["json_schema"]["schema"]
    assert schema["properties"] == {"consistent": {"type": "string", "enum": ["yes", "no"]}}
