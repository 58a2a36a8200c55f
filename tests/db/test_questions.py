"""Questions to start from: each has a file, says what a row is, and has rows."""

import re
from contextlib import closing

import pytest

from db.connection import open_bundle
from db.console import ask
from db.layout import SQL
from db.questions import questions
from tests.support.bundles import MODEL_KEY

VALUES = {"model_key": MODEL_KEY, "property": "color", "layer": 1, "head": 0}


@pytest.fixture(scope="module")
def bundle(two_models):
    with closing(open_bundle(two_models)) as opened:
        yield opened


def test_every_file_has_a_title():
    files = {path.stem for path in (SQL / "questions").glob("*.sql")}

    assert {question.name for question in questions()} == files
    assert len({question.title for question in questions()}) == len(files) >= 10


@pytest.mark.parametrize("question", questions(), ids=lambda question: question.name)
def test_a_question_says_what_a_row_is_and_has_rows(bundle, question):
    values = {name: VALUES[name] for name in re.findall(r"\$(\w+)", question.sql)}

    answer = ask(bundle, question.sql, values)

    assert question.sql.startswith("-- One row per ")
    assert len(answer.rows) and not answer.cut
