"""Controls of the page *Mean-ablation*."""

import streamlit as st

from dashboard.state.url import init_widget
from dashboard.state.views import MAX_CLASSES, MeanAblationView

MOST = MeanAblationView.most


def most_picker(value: int, classes: int) -> int:
    """Returns the number of classes at each end; no control if all classes fit."""
    if classes <= 2 * min(value, MOST):
        return value
    return st.number_input(
        "Classes shown at each end",
        min_value=1,
        max_value=MAX_CLASSES,
        key=init_widget("most", value),
        width=200,
    )
