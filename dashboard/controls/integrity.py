"""Says in the sidebar whether the files of the bundle are as they were written."""

import streamlit as st

from dashboard.data import integrity
from dashboard.state import url
from db.connection import Bundle
from db.errors import BundleDamaged, first_few

EVERY = 1.0
"""Seconds between two looks at a comparison that is not done."""


def note_replacement(bundle: Bundle, name: str) -> None:
    """Says it once if the bundle of this name is another one than this visitor saw before."""
    seen = st.session_state.setdefault("seen", {})
    if seen.get(name, bundle.manifest) != bundle.manifest:
        st.info(
            "This bundle was replaced while the page was open. Shown is the new one.", icon=":material/sync:"
        )
    seen[name] = bundle.manifest


def show(bundle: Bundle) -> None:
    """Draws the state of the bundle's files.

    Raises:
        BundleDamaged: a file is missing or changed, so that no page may show its numbers.
    """
    verdict = integrity.verdict(bundle)
    if not verdict.done:
        _wait(bundle)
    elif verdict.damage:
        st.error("This bundle is damaged.", icon=":material/error:")
        st.text(first_few(verdict.damage))
        raise BundleDamaged(
            f"the bundle at {bundle.path} is damaged: {first_few(verdict.damage)}. Copy or build it again."
        )
    elif verdict.strangers:
        st.warning("The folder holds what is not of this bundle. It is not read.")
        st.text(first_few(verdict.strangers))  # as it is written: a name may be Markdown
    else:
        st.caption("Files checked: all are as they were written.")


@st.fragment(run_every=EVERY)
def _wait(bundle: Bundle) -> None:
    if integrity.verdict(bundle).done:
        url.send_again()
        st.rerun()
    st.caption("Comparing the files with their checksums ...")
