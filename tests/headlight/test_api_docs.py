"""docs/api.md is what the docstrings say, and every public name has one worth reading."""

import inspect
import textwrap

import pytest

import headlight
from headlight.api_docs import ORDER, api_markdown, methods
from tests.support.paths import ROOT

PUBLIC = [getattr(headlight, name) for name in ORDER if name != "UserError"]
FUNCTIONS = [member for member in PUBLIC if inspect.isfunction(member)]
FUNCTIONS += [method for member in PUBLIC if inspect.isclass(member) for _, method in methods(member)]


def test_the_page_matches_the_docstrings():
    assert (ROOT / "docs" / "api.md").read_text(encoding="utf-8") == api_markdown(), (
        'docs/api.md is out of date. Run "make docs".'
    )


def test_every_public_name_is_on_the_page():
    assert {"__version__", *ORDER} == set(headlight.__all__)


@pytest.mark.parametrize("member", [*PUBLIC, *FUNCTIONS], ids=lambda member: member.__qualname__)
def test_every_public_name_has_an_example_that_is_python(member):
    text = inspect.cleandoc(member.__doc__)
    example = text.split("Example:\n")[1]

    assert len(text.splitlines()[0]) > 20
    compile(textwrap.dedent(example), member.__qualname__, "exec")


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__qualname__)
def test_every_argument_has_a_type(function):
    signature = inspect.signature(function)
    untyped = [
        name
        for name, parameter in signature.parameters.items()
        if name != "self" and parameter.annotation is parameter.empty
    ]

    assert untyped == []
    assert signature.return_annotation is not signature.empty


def test_a_name_that_is_not_there_is_refused():
    with pytest.raises(AttributeError, match="It has: Bundle"):
        headlight.Bundel  # noqa: B018
