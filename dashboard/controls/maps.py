"""Controls of the pages Topic segmentation and Contrastive segmentation."""

from typing import Any

import streamlit as st

from dashboard.controls.shared import redraw_button, segmented
from dashboard.data import scopes
from dashboard.data.types import Source
from dashboard.state.url import init_widget
from dashboard.state.views import MapView, Scope

REFERENCES = {"absolute": "None", "relative": "Average text"}
CONTROLS = {"heads": "Random heads", "text": "Random text", "none": "None"}


def map_controls(source: Source, view: MapView, scope: Scope, reference: str | None = None) -> dict[str, Any]:
    """Returns the chosen options of maps, by their names in the link; a popover holds them."""
    options: dict[str, Any] = {}
    with st.popover("Map options", icon=":material/tune:"):
        if reference is not None:
            help = (
                "All texts share a common direction, so the zero of a plain map is a convention. The average "
                "text is the mean of the pool."
            )
            options["reference"] = segmented("reference", "Baseline", REFERENCES, reference, help)
        help = (
            "Trust a map only if its comparison looks different. Random heads: as many heads of similar "
            "variance; a random text if the map uses all heads."
        )
        options["control"] = control_picker(
            view.control, help, all_heads=bool(scopes.mask(source, scope).all())
        )
        options["seed"] = redraw_button(view.seed, disabled=options["control"] == "none")
        options["opacity"] = st.slider("Opacity (%)", 0, 100, key=init_widget("opacity", view.opacity))
        options["scale"] = st.number_input(
            "Color limit (0 = automatic)",
            min_value=0.0,
            max_value=1000.0,
            step=1.0,
            format="%g",
            key=init_widget("scale", view.scale),
            help="In thousandths of cosine similarity. Set it to compare maps of different images.",
        )
    return options


def control_picker(value: str, help: str, *, all_heads: bool) -> str:
    """Returns the chosen comparison; no random heads if the map uses all, which leaves none to draw.

    Without an own choice among the others, random heads stay chosen for maps of fewer heads.
    """
    if not all_heads:
        return segmented("control", "Comparison map", CONTROLS, value, help)
    others = {name: title for name, title in CONTROLS.items() if name != "heads"}
    chosen = segmented("control.all", "Comparison map", others, "text" if value == "heads" else value, help)
    return value if (chosen, value) == ("text", "heads") else chosen
