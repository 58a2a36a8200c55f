"""What all pages owe to a reader in a hurry and to one who hears them: short captions, names, alt texts."""

import re
from collections import Counter

import pytest

from tests.support.bundles import CONTROL_KEY, GALLERY
from tests.support.pages import PAGES, PINNED, galleries, open_page, plain

LINE = 165
"""Letters in a line of a caption at 1440 pixels; a half column has half of them, the sidebar 42."""

STATES = [(page, {}) for page in PAGES] + [
    ("heads", {"color": "ccs"}),
    ("heads", {"color": "selectivity:color"}),
    ("property_search", {"heads": "all", "by": "dot"}),
    ("topic_segmentation", {"control": "none"}),
    ("property_search", {"versus": "heads:L2.H0"}),
    ("mean_ablation", {"versus": "heads:L2.H0"}),
    ("topic_segmentation", {"versus": "text:a circle"}),
    ("contrastive_segmentation", {"versus": f"model:{CONTROL_KEY}"}),
    ("image_neighbors", {"versus": f"image:{GALLERY[0]}"}),
    ("text_neighbors", {"versus": f"model:{CONTROL_KEY}"}),
    ("collection", {"pins": str(PINNED)}),
    *(("validation", {"section": name}) for name in ("heads", "maps", "neighbors", "mean_ablation", "texts")),
]


@pytest.fixture(
    scope="module", params=STATES, ids=lambda state: " ".join([state[0], *state[1].values()])[:40]
)
def app(request, bundle):
    page, params = request.param
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADLIGHT_BUNDLE", str(bundle))
        return open_page(page, **params)


def elements(block):
    """Every element of a block, in the order of the page."""
    for child in getattr(block, "children", {}).values():
        yield child
        yield from elements(child)


def alts(app, kind):
    protos = [element.proto for element in app.get(kind)]
    return [part.alt for proto in protos for part in getattr(proto, "imgs", [proto])]


def test_a_caption_has_at_most_two_lines(app):
    lengths = {caption.value: len(shown(caption.value)) for caption in app.main.caption}
    beside = {caption.value: len(shown(caption.value)) for caption in app.sidebar.caption}

    assert {text for text, length in lengths.items() if length > 2 * LINE} == set()
    assert {text for text, length in beside.items() if length > 2 * 42} == set()


def shown(markdown):
    """The text of Markdown as it is drawn."""
    return re.sub(r"\*+|:material/\w+:", "", plain(markdown))


def test_no_level_of_headings_is_skipped(app):
    levels = [level(element) for element in elements(app.main)]
    levels = [number for number in levels if number]

    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False))


def level(element):
    tag = getattr(getattr(element, "proto", None), "tag", "")
    text = element.value if element.type == "markdown" else ""
    return int(tag[1]) if tag in ("h1", "h2", "h3") else len(re.match("#*", text)[0])


def test_every_picture_and_chart_has_a_description_of_its_own(app):
    tiles = [tile for gallery in galleries(app) for tile in gallery]
    words = [*alts(app, "image"), *alts(app, "vega_lite_chart"), *(tile["alt"] for tile in tiles)]

    assert all(words)
    assert [text for text, count in Counter(words).items() if count > 1] == []


def test_no_two_buttons_have_one_name(app):
    names = Counter(shown(button.label) for button in app.button)

    assert [name for name, count in names.items() if count > 1] == []
