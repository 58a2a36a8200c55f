"""What a label rests on, in words."""

from types import SimpleNamespace

import pytest

from dashboard.data import cached, label_text
from tests.support import bundles
from tests.support.bundles import MODEL_KEY


@pytest.fixture
def source(two_models):
    return cached.source(cached.bundle(two_models), "tiny", MODEL_KEY)


@pytest.mark.parametrize(
    ("carrying", "q", "words"),
    [
        (2, 0.2, "unsupported: not better than rotated heads, q = 0.2"),
        (1, 0.01, "unsupported: only one text carries it, q = 0.01"),
        (1, 0.2, "unsupported: not better than rotated heads, only one text carries it, q = 0.2"),
        (0, 1.0, "unsupported: not better than rotated heads, no text carries it, q = 1"),
        (None, 0.2, "unsupported: not better than rotated heads, q = 0.2"),
    ],
)
def test_the_badge_says_which_condition_fails(carrying, q, words):
    row = SimpleNamespace(
        label="color",
        method="variance_share",
        supported=False,
        grade="unsupported",
        q_value=q,
        carrying_picks=carrying,
    )

    assert label_text.label_support(row) == words


def test_whether_a_label_can_be_trusted_is_said_by_who_gave_it(source):
    said_of = {
        head: label_text.label_support(label_text.head_row(source, head)) for head in bundles.PAIRS[:3]
    }

    assert list(said_of.values()) == [
        "strong, q = 0.01",
        "given by Ada",
        "weak: color leads in texts; 100 % of 2 draws of tiny-judge agree",
    ]
