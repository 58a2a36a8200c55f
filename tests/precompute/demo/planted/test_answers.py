"""Margins of the planted model, and what mean-ablation of a head costs."""

import pytest

from precompute import clip
from precompute.demo.planted.answers import ABOUT, falls
from precompute.demo.planted.expected import TOLERANCE, length, margins
from tests.support.planted import COLOR, POSITION, RELAY, SHAPE, margins_of


@pytest.mark.parametrize("attribute", ["color", "shape", "position"])
def test_every_picture_is_classified_by_its_text(model, pixels, attribute):
    """Margins: 1.5 x 5/8 for color, early head included, 0.8 + 0.48 for shape, 0.7 for position."""
    picture_margins = margins_of(clip.encode_image(model, pixels), model, attribute)

    margin = {"color": 1.5 * 5 / 8, "shape": 1.28, "position": 0.7}[attribute]
    assert picture_margins == pytest.approx(margin / length(), abs=TOLERANCE)


@pytest.mark.parametrize("head", [COLOR, SHAPE, POSITION, RELAY])
def test_the_forward_pass_with_a_mean_ablated_head_gives_the_planted_margins(model, pixels, head):
    """When the first head of the pair for shape is mean-ablated, the second loses its input."""
    z = clip.capture(model, pixels, (0, 1, 2)).head[:, head[0], head[1]]
    mean_ablation = clip.Intervention({head: clip.HeadIntervention(z.mean(dim=0))})

    embedding = clip.encode_with_interventions(model, pixels, [mean_ablation])[0]

    expected = margins(ABOUT[head], (head,), forward=True)
    assert margins_of(embedding, model, ABOUT[head]) == pytest.approx(expected, abs=TOLERANCE)


def test_the_planted_loss_of_a_margin_by_hand():
    """A value of frequency p loses 1 - p + the largest other frequency, times what the head writes."""
    color = (3 * 5 / 6 + 2 * 7 / 6 + 1 * 8 / 6) / 6
    shape = (5 * 14 + 4 * 16 + 3 * 17 + 2 * 18 + 1 * 19) / 15**2

    assert falls(COLOR, "color")["direct"] == pytest.approx(5 / 8 * color / length())
    assert falls(SHAPE, "shape")["direct"] == pytest.approx(0.8 * shape / length())
    assert (
        falls(SHAPE, "shape")["forward"] > 1.5 * falls(SHAPE, "shape")["direct"]
    )  # the relay head loses its input
