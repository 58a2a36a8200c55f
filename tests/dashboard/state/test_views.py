"""A link reopens the view it was made from, and says what it could not show."""

from dataclasses import fields, replace

import numpy as np
import pytest

from dashboard.state import url
from dashboard.state.choices import Choices
from dashboard.state.links import from_query
from dashboard.state.pins import Collection, Pin
from dashboard.state.versus import Versus
from dashboard.state.views import (
    MODES,
    AboutView,
    CollectionView,
    CompareView,
    ContrastView,
    HeadsView,
    HeadView,
    ImageNeighborsView,
    Labels,
    LeaderboardView,
    MeanAblationView,
    Plot,
    PropertyView,
    Range,
    ReadsView,
    Scope,
    SqlView,
    StartView,
    TextNeighborsView,
    TopicView,
    ValidationView,
    head_name,
    parse_head,
    parse_scope,
    show,
    to_query,
)
from tests.support.hostile import HOSTILE

PAGES = [
    StartView,
    LeaderboardView,
    HeadsView,
    HeadView,
    PropertyView,
    ImageNeighborsView,
    TextNeighborsView,
    TopicView,
    ContrastView,
    MeanAblationView,
    ReadsView,
    CompareView,
    ValidationView,
    SqlView,
    CollectionView,
    AboutView,
]
HEADS = tuple((layer, head) for layer in (10, 11) for head in range(12))
IMAGES = {"0123456789abcdef", "fedcba9876543210"}
WORDS = ["a red star", "50% & more = ü, ß?", "x:y,z", "L1.H0", "two  spaces", "#hash+plus"]
CHOICES = Choices(
    heads=HEADS,
    properties=("color", "time of day", "a:b"),
    metrics=("entanglement", "ccs"),
    attributes=("color", "time of day"),
    head_metrics=("ccs", "importance"),
    colors=("label", "ccs", "selectivity:time of day"),
    labels=("color", "time of day", "a:b"),
    positions=60,
    max_k=39,
    others=("b-2", "c-3"),
    tables=("head", "head_label"),
    grid=(7, 9),
    has_image=IMAGES.__contains__,
    has_picture=IMAGES.__contains__,
    splits=("most", "none", "attribute:time of day"),
)


def random_scope(rng) -> Scope:
    heads = [HEADS[i] for i in rng.permutation(len(HEADS))[: rng.integers(1, 6)]]
    some = [Scope("all"), Scope("layer", layer=11), Scope.of_heads(*heads), Scope.of_heads(heads[0])]
    some += [Scope("property", property=name) for name in CHOICES.properties]
    return some[rng.integers(len(some))]


def random_view(page, rng):
    pick = {
        "bundle": lambda: rng.choice(("demo", "my bundle")),
        "model": lambda: rng.choice(("a-1", "b-2")),
        "metric": lambda: rng.choice(CHOICES.metrics),
        "attribute": lambda: rng.choice(CHOICES.attributes),
        "image": lambda: rng.choice(sorted(IMAGES)),
        "picture": lambda: rng.choice(["", *sorted(IMAGES)]),
        "onto": lambda: rng.choice(["", *WORDS]),
        "split": lambda: rng.choice(CHOICES.splits),
        "text": lambda: rng.choice(WORDS),
        "against": lambda: rng.choice(WORDS),
        "k": lambda: rng.integers(1, 40),
        "seed": lambda: rng.integers(0, 9999),
        "opacity": lambda: rng.integers(0, 101),
        "most": lambda: rng.integers(1, 1001),
        "position": lambda: rng.integers(0, 60),
        "color": lambda: rng.choice(CHOICES.colors),
        "head_metric": lambda: rng.choice(CHOICES.head_metrics),
        "words": lambda: rng.choice(WORDS),
        "concept": lambda: rng.choice(("property:color", *WORDS)),
        "picks": lambda: rng.integers(1, 21),
        "other": lambda: rng.choice(CHOICES.others),
        "query": lambda: rng.choice(WORDS),
        "table": lambda: rng.choice(CHOICES.tables),
        "patch": lambda: rng.choice(("", "1,1", "7,9", "2,8")),
    } | {name: lambda modes=modes: rng.choice(modes) for name, modes in MODES.items()}
    plain = {
        name: make().item() if name in ("k", "seed", "opacity", "most", "position", "picks") else str(make())
        for name, make in pick.items()
    }
    other = {"model": CHOICES.others[0], "head": "L11.H3", "heads": str(random_scope(rng))}
    other |= {"image": min(IMAGES), "text": str(rng.choice(WORDS))}
    versus = [Versus(), *(Versus(kind, other[kind]) for kind in page.kinds)]
    plain |= {
        "head": HEADS[rng.integers(len(HEADS))],
        "heads": random_scope(rng),
        "versus": versus[rng.integers(len(versus))],
        "pins": Collection(tuple(Pin("head", (("k", str(k)),), "b") for k in range(rng.integers(3)))),
        "plot": [Plot(), Plot("bars", "a:b", "c"), Plot("points", "x y", "y", "z")][rng.integers(3)],
        "scale": float(rng.choice([0, 2.5, 40])),
        "labels": Labels(tuple(CHOICES.labels[: rng.integers(0, 4)])),
        "range": [Range(), Range(-0.5, 0.25), Range(1e-05, 3.0), Range(2.0, 2.0)][rng.integers(4)],
    }
    return page(**{field.name: plain[field.name] for field in fields(page)})


@pytest.mark.parametrize("page", PAGES)
def test_every_view_survives_the_address_bar(page):
    rng = np.random.default_rng(0)
    for _ in range(200):
        view = random_view(page, rng)

        again, notes = from_query(to_query(view), page(), CHOICES._replace(kinds=page.kinds))

        assert again == view
        assert notes == []


@pytest.mark.parametrize("page", PAGES)
def test_every_field_stands_in_the_link_even_at_its_default(page):
    assert set(to_query(page())) == {field.name for field in fields(page)}


def test_a_link_without_a_value_shows_the_default():
    default = PropertyView("demo", "a-1", k=7)

    view, notes = from_query({"model": "b-2"}, default, CHOICES)

    assert view == replace(default, model="b-2")
    assert notes == []


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("image", "ffffffffffffffff", "no such image in this bundle"),
        ("heads", "L11.H99", "this model has no L11.H99"),
        ("heads", "property:taste", 'no head of this model is labeled "taste"'),
        ("heads", "layer:3", "layer 3 of this model is not in the bundle"),
        ("heads", "layer:²", "write all, layer:11, property:color"),
        ("heads", "L11.H3,,", "write all, layer:11, property:color"),
        ("reference", "upside down", "write absolute or relative"),
        ("control", "dream", "write heads or text or none"),
        ("patch", "8,1", "this model has 7 rows and 9 columns of patches"),
        ("patch", "1,10", "this model has 7 rows and 9 columns of patches"),
        ("patch", "0,1", "a patch is written row,column"),
        ("patch", "3", "a patch is written row,column"),
        ("opacity", "130", "it must lie between 0 and 100"),
        ("scale", "nan", "it must lie between 0 and 1000"),
        ("seed", "many", "it is not a number"),
        ("seed", "9" * 5000, "it is not a number"),
    ],
)
def test_a_value_the_bundle_lacks_is_named_and_replaced(name, value, reason):
    default = TopicView("demo", "a-1", image="0123456789abcdef", text="a star")

    view, notes = from_query({name: value}, default, CHOICES)

    assert view == default
    assert len(notes) == 1
    assert reason in notes[0]
    assert "Shown instead" in notes[0]


@pytest.mark.parametrize("page", PAGES)
def test_a_hostile_value_is_shown_or_explained_never_silently_another(page):
    """Every parameter of every page: the view holds the value of the link, or one short note says why not."""
    default = random_view(page, np.random.default_rng(0))
    for name in [f.name for f in fields(page)]:
        for value in HOSTILE:
            view, notes = from_query({name: value}, default, CHOICES._replace(kinds=page.kinds))

            assert len(notes) == (show(getattr(view, name)) != value), (name, value)
            assert all(len(note) < 200 for note in notes)


def test_an_attribute_without_class_texts_is_named_and_replaced():
    view, notes = from_query({"attribute": "taste"}, MeanAblationView(attribute="color"), CHOICES)

    assert view.attribute == "color"
    assert notes == [
        "attribute=taste: no such attribute with class texts in this bundle. Shown instead: color."
    ]


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("color", "warmth", "label"),
        ("head_metric", "entanglement", "ccs"),
        ("labels", "taste|color", "color"),
        ("range", "0.2", "nothing"),
        ("range", "high..low", "nothing"),
        ("range", "3..2", "nothing"),
        ("range", "nan..2", "nothing"),
    ],
)
def test_a_filter_that_the_model_lacks_is_named_and_what_is_left_of_it_shown(name, value, shown):
    view, notes = from_query({name: value}, HeadsView(head_metric="ccs"), CHOICES)

    assert str(getattr(view, name)) == ("" if shown == "nothing" else shown)
    assert notes[0].startswith(f"{name}={value}: ")
    assert notes[0].endswith(f"Shown instead: {shown}.")


def test_a_model_without_metrics_of_heads_has_a_link_without_one():
    view, notes = from_query({"head_metric": ""}, HeadsView(), CHOICES._replace(head_metrics=()))

    assert view == HeadsView()
    assert notes == []


def test_a_range_is_open_until_it_is_narrowed():
    assert not Range()
    assert Range(0, 1)
    assert str(Range(0.1 + 0.2, 1)) == "0.3..1"


def test_one_bad_value_loses_no_other():
    default = ImageNeighborsView("demo", "a-1")

    view, notes = from_query({"head": "L99.H0", "by": "dot", "k": "5"}, default, CHOICES)

    assert (view.head, view.by, view.k) == (default.head, "dot", 5)
    assert len(notes) == 1


def test_more_neighbors_than_images_are_asked_for():
    view, notes = from_query({"k": "500"}, ImageNeighborsView(k=12), CHOICES)

    assert view.k == 39
    assert notes == ["k=500: only 39 can be shown. Shown instead: 39."]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("text:a star", "write what to compare with: model:…, head:…, image:…"),
        ("zebra", "write what to compare with"),
        ("model:a-1", "no such other model"),
        ("head:L11.H99", "this model has no such head"),
        ("image:zebra", "no such image"),
    ],
)
def test_another_side_that_the_page_cannot_show_is_named(value, reason):
    choices = CHOICES._replace(kinds=ImageNeighborsView.kinds)

    view, [note] = from_query({"versus": value}, ImageNeighborsView(), choices)

    assert view.versus == Versus() and reason in note and note.endswith("Shown instead: nothing.")


def test_an_unknown_name_in_the_link_is_reported():
    _, notes = from_query({"zoom": "3"}, LeaderboardView(), CHOICES)

    assert notes == ["The link asks for zoom, which this page does not have."]


@pytest.mark.parametrize("name", ["L0.H0", "L11.H3", "l11.h3"])
def test_heads_are_named_as_people_name_them(name):
    assert head_name(parse_head(name)) == name.upper()


@pytest.mark.parametrize("name", ["", "11.3", "L1", "L.H", "L1.H", "LL1.H2", "L1.H2.H3", "L-1.H2", "L²."])
def test_other_names_are_no_heads(name):
    assert parse_head(name) is None


def test_a_set_of_heads_has_one_name_whatever_the_order():
    assert parse_scope("L11.H3,L10.H1,L11.H3") == Scope.of_heads((10, 1), (11, 3))
    assert str(Scope.of_heads((11, 3), (10, 1))) == "L10.H1,L11.H3"


@pytest.mark.parametrize("text", ["", "L11.H3,", "L11.H3", "L10.H1,L11.H3"])
def test_several_heads_may_be_one_or_none(text):
    scope = parse_scope(text)

    assert str(scope) == text
    assert scope.kind == ("head" if text == "L11.H3" else "heads")


def test_a_number_of_thousands_of_digits_is_replaced():
    view, notes = from_query({"k": "9" * 5000}, PropertyView("demo", "a-1", k=7), CHOICES)

    assert view.k == 7
    assert "it is not a number" in notes[0]


def test_an_image_goes_along_if_it_or_its_text_was_chosen_and_not_because_another_option_was():
    """Else the maps of an image that a page opened with, and that has none stored, would load the model."""
    before = {"bundle": "demo", "image": "a", "text": "x", "k": "5"}

    other = url.shared_after({}, before, before | {"k": "7"}, linked=False)
    chosen = url.shared_after({}, before, before | {"text": "y"}, linked=False)

    assert other == {"bundle": "demo"} and chosen == {"bundle": "demo", "image": "a", "text": "y"}
