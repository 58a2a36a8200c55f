"""A bundle that is replaced, damaged or removed while its pages are open: said, and the next click works."""

import json
import shutil

import numpy as np
import pytest

from dashboard.data import integrity
from db import bundle as commands
from db.layout import DATABASE, MANIFEST, VECTORS
from tests.support import bundles
from tests.support.bundles import MODEL_KEY
from tests.support.pages import WITH_NUMBERS, link, open_numbers, open_page, said
from tests.support.places import edit

REPLACED = "This bundle was replaced while the page was open."
NEW_VALUE = 0.123
CHANGED = f"""
update model_metric set value = {NEW_VALUE} where metric = 'entanglement';
update head set importance = importance / 2;
update validation_score set value = value / 2;
update head_label set p_value = p_value / 2;
"""


@pytest.fixture(scope="module")
def other(bundle, tmp_path_factory):
    """The bundle with other numbers."""
    copy = shutil.copytree(bundle, tmp_path_factory.mktemp("other") / "tiny")
    edit(copy, CHANGED)
    return copy


@pytest.fixture
def served(bundle, tmp_path, monkeypatch):
    """A copy of the bundle as the served one."""
    monkeypatch.setattr(integrity, "FIRST_WAIT", 30)
    copy = shutil.copytree(bundle, tmp_path / "tiny")
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(copy))
    return copy


def put(new, place) -> None:
    """Replaces a bundle as `--replace` does: by a new folder of the same name."""
    aside = shutil.copytree(new, place.with_name(".new"))
    shutil.rmtree(place, ignore_errors=True)
    aside.rename(place)


def shows_new_number(app) -> bool:
    return any(str(NEW_VALUE) in table.value.to_csv() for table in app.dataframe)


def test_a_replaced_bundle_is_shown_at_the_next_click_and_says_so_once(served, other):
    app = open_page("leaderboard")
    assert said(app) == "" and not shows_new_number(app)

    put(other, served)
    app.run()
    assert REPLACED in said(app) and shows_new_number(app)

    app.run()
    assert said(app) == "" and shows_new_number(app)


def test_a_bundle_that_is_replaced_in_the_middle_of_a_run_is_drawn_anew(served, other, monkeypatch):
    """Tables of the old one are never combined with vectors of the new one."""
    verdict, replaced = integrity.verdict, []

    def replace_first(bundle):
        if not replaced:
            replaced.append(put(other, served))
        return verdict(bundle)

    app = open_page("leaderboard")
    monkeypatch.setattr(integrity, "verdict", replace_first)
    app.switch_page("views/image_neighbors.py").run()

    assert not app.exception and not app.error
    assert replaced and REPLACED in said(app)
    assert len(app.title) == 1


def remove(served) -> None:
    shutil.rmtree(served)


def truncate(served) -> None:
    file = served / DATABASE
    file.write_bytes(file.read_bytes()[:5000])


def truncate_vectors(served) -> None:
    file = next((served / VECTORS / f"images__{MODEL_KEY}.lance" / "data").iterdir())
    file.write_bytes(file.read_bytes()[:-1])


def raise_format(served) -> None:
    manifest = json.loads((served / MANIFEST).read_text())
    (served / MANIFEST).write_text(json.dumps(manifest | {"format": 99}))


HARMS = {
    remove: "no bundle at",
    truncate: f"{DATABASE} has 5000 bytes, but had",
    truncate_vectors: "is damaged",
    raise_format: "has format 99, this Headlight reads format",
}


def test_a_bundle_that_is_harmed_is_explained_until_it_is_whole_again(bundle, served):
    app = open_page("leaderboard")

    for harm, words in HARMS.items():
        harm(served)
        app.run()
        assert words in said(app) and not app.exception
        assert len(app.title) == 0 and len(app.dataframe) == 0, "no number of a harmed bundle"
        put(bundle, served)
    app.run()

    assert said(app) == "" and len(app.title) == 1


@pytest.mark.slow
def test_a_replaced_zip_is_shown_at_the_next_click(served, other, tmp_path, monkeypatch):
    zip_file = tmp_path / "tiny.zip"
    assert commands.main(["zip", str(served), str(zip_file)]) == 0
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(zip_file))
    app = open_page("leaderboard")
    assert not shows_new_number(app)

    assert commands.main(["zip", str(other), str(zip_file), "--replace"]) == 0
    app.run()

    assert REPLACED in said(app) and shows_new_number(app)


def numbers(app) -> list[str]:
    """Everything on a page that comes from its bundle."""
    assert not app.exception and not app.error
    tables = [table.value.to_csv() for table in app.dataframe]
    charts = [node.proto.spec + str(node.proto.data) for node in app.get("vega_lite_chart")]
    return tables + charts + [caption.value for caption in app.caption]


def side_by_side(page: str, names: tuple[str, str]) -> None:
    """Opens a page of two bundles in turns: each tab shows what it showed alone."""
    tabs = {name: open_page(page, bundle=name) for name in names}
    for tab in tabs.values():
        open_numbers(tab)
    alone = {name: numbers(tab) for name, tab in tabs.items()}
    assert alone[names[0]] != alone[names[1]]
    for name in (*names, *names):
        tabs[name].run()
        assert numbers(tabs[name]) == alone[name]
        assert link(tabs[name])["bundle"] == name


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_NUMBERS)
def test_two_tabs_on_bundles_of_the_same_models_never_mix(tmp_path, monkeypatch, page):
    """Of the same names, with other numbers and other vectors."""
    bundles.write_bundle(tmp_path / "one")
    tokens = bundles.tokens
    monkeypatch.setattr(
        bundles, "tokens", lambda model_key=MODEL_KEY: np.roll(tokens(model_key), 1, axis=(0, 1))
    )
    edit(bundles.write_bundle(tmp_path / "two"), CHANGED)
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(tmp_path / "one"))

    side_by_side(page, ("one", "two"))
