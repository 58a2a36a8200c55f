"""What stands beside maps: the color scale and the words for screen readers."""

import re

import numpy as np

from dashboard.analyses.maps import Parts, TextMap
from dashboard.data.maps import LabeledMap, in_words
from dashboard.sections import map_panels


def test_the_color_scale_states_its_ends_and_zero():
    html = map_panels.color_scale(0.05)

    assert re.findall("<span>(.*?)</span>", html) == ["−50", "−25", "0", "+25", "+50"]


def panel(*values: float) -> LabeledMap:
    return LabeledMap("", TextMap(np.array([values]), Parts(sum(values), 0.0, 0.0, 0.0)))


def test_values_beyond_the_scale_are_counted_with_the_farthest():
    panels = [panel(0.001, 0.02, -0.0625), panel(0.0, 0.03)]

    assert map_panels.clipping(0.02, panels) == "2 of 5 patches lie beyond ±20, up to −62.5."
    assert map_panels.clipping(0.05, panels) == "1 of 5 patches lies beyond ±50, up to −62.5."
    assert map_panels.clipping(0.0625, panels) == ""


def test_a_map_in_words_states_where_it_is_highest_and_lowest():
    words = in_words("a T-shirt", np.array([[0.0, 0.0, 0.004], [-0.002, 0.0, 0.0]]))

    assert words.startswith("a T-shirt: "), "the hyphen of a text is no minus"
    assert "highest +4 in patch row 1, column 3" in words
    assert "lowest −2 in row 2, column 1" in words
