"""About: what the bundle holds, where it came from, what was checked, licenses, versions and citation."""

import streamlit as st

from dashboard.controls import shared as controls
from dashboard.data import cached, provenance
from dashboard.sections import about as about_sections
from dashboard.sections import shared as sections
from dashboard.state import url
from dashboard.state.views import AboutView

st.markdown("What this bundle holds, where it came from, and how to cite it.")
source, view = controls.open_page(AboutView)
url.write_url(view)

with provenance.recorded() as queries:
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.header("The bundle")
        facts = about_sections.draw_facts(source)
    with right:
        st.header("What was checked")
        about_sections.draw_checks(source)
    st.header("Models")
    models = about_sections.draw_models(source)
    runs = cached.query(source.bundle, "runs")
    st.header("Options")
    options = about_sections.draw_options(source)
left, right = st.columns([3, 2], gap="large")
with left:
    st.header("Cite")
    about_sections.draw_citation()
with right:
    st.header("Versions")
    versions = about_sections.draw_versions(source)
more = {"models": models, "options": options, "versions": versions, "runs": runs}
sections.draw_numbers(facts, queries, file_name="bundle.csv", more=more)
