"""Published figures are read with their source, or refused by line."""

import pytest

from precompute.inputs import model_specs
from precompute.runtime.config import ConfigError
from precompute.tools.verify_paper import published_figures
from tests.support.figures import FIGURES


def test_figures_of_one_model_have_their_source(published):
    figures = published_figures.load("m", published)

    assert figures["accuracy"].citation == "a paper (primary)"
    assert figures["loss without MLPs"].citation == "a reader (secondary); range only"
    assert published_figures.load("n", published) == {}


@pytest.mark.parametrize(
    ("old", "new"), [("90\t90", "90"), ("90\t90", "90\tmany"), ("primary", "heard"), ("accuracy", "beauty")]
)
def test_an_unusable_line_of_figures_is_named(published, old, new):
    published.write_text(FIGURES.replace(old, new, 1))

    with pytest.raises(ConfigError, match="figures.tsv, line 1"):
        published_figures.load("m", published)


def test_the_published_figures_are_of_models_of_the_study_and_segmentation_is_said_once():
    for name in model_specs.STUDY:
        assert published_figures.load(name)["accuracy"].read_from == "primary"
    found = published_figures.load("ViT-B-16/laion2b_s34b_b88k")
    assert tuple(found[name].low for name in published_figures.SEGMENTATION) == (75.21, 54.50, 81.61)
    assert (found["loss without MLPs"].low, found["loss without MLPs"].high) == (1, 3)
