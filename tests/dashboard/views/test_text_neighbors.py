"""The page Text neighbors over the tiny bundle."""

from tests.support.bundles import TEXTS
from tests.support.pages import open_page


def test_changing_the_model_changes_the_texts_that_describe_a_head():
    app = open_page("text_neighbors", head="L2.H1")
    app.selectbox(key="w.text.filter").set_value("head").run()
    before = app.selectbox(key="w.text.pool").options

    app.selectbox(key="w.head").set_value((2, 0)).run()

    after = app.selectbox(key="w.text.pool").options
    assert before == list(TEXTS)[3:6]
    assert after == list(TEXTS)[2:5]
