"""Text that other people write, as Markdown that shows it."""

import pytest

from dashboard.state.markdown import literal
from tests.support.pages import plain


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("a photo of a cat, 50 %", "a photo of a cat, 50 %"),
        ("![x](y) *b* `c` <i> $x$", r"\!\[x\]\(y\) \*b\* \`c\` \<i\> \$x\$"),
        ("# one", r"\# one"),
        ("&amp;", r"\&amp;"),
        ("a\nb\tc", "a&#10;b&#9;c"),
        ("    code", "&#32;   code"),
    ],
)
def test_marks_are_escaped(text, markdown):
    assert literal(text) == markdown


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        (":smile:", r":color[\:]smile:color[\:]"),
        ("http://b", r"http:color[\:]//b"),
        ("WWW.b.org", r"WWW:color[\.]b\.org"),
        ("a@b.org", r"a:color[\@]b\.org"),
        ("a <-> b", r"a :color[\<]:color[\-]\> b"),
        ("a -- b >= c", r"a :color[\-]\- b :color[\>]\= c"),
    ],
)
def test_what_streamlit_changes_after_reading_is_split(text, markdown):
    """An escape alone would be resolved by then."""
    assert literal(text) == markdown


def test_a_reader_sees_the_text_as_it_was_written():
    text = "".join(map(chr, range(9, 127))) + " :red[x]{a=b} -- \\\\[y](z) é 猫"

    assert plain(literal(text)) == text
