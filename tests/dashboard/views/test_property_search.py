"""The page Property search over the tiny bundle."""

from tests.support.bundles import CONTROL_KEY
from tests.support.pages import link, open_page, said


def test_changing_the_model_changes_its_properties():
    app = open_page("property_search", heads="property:color")

    app.selectbox(key="w.model").set_value(CONTROL_KEY).run()

    assert app.selectbox(key="w.property").options == ["pattern · 1 of 2 heads supported"]
    assert link(app)["heads"] == "property:pattern"
    assert 'no head of this model is labeled "color"' in said(app)


def test_a_set_of_heads_keeps_what_the_new_model_has():
    app = open_page("property_search", heads="L1.H0,L2.H1")

    app.selectbox(key="w.model").set_value(CONTROL_KEY).run()

    assert not app.exception
    assert app.multiselect(key="w.many").value == [(2, 1)]
    assert link(app)["heads"] == "L2.H1,"


def test_no_heads_at_all_asks_for_one():
    app = open_page("property_search", heads="L1.H0,L2.H1")

    app.multiselect(key="w.many").set_value([]).run()

    assert "Choose at least one head" in said(app)
    assert link(app)["heads"] == "", "a fresh load asks for one too"
