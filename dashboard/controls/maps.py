"""Controls of the pages Topic segmentation and Contrastive segmentation."""

from typing import Any

import streamlit as st

from dashboard.controls.shared import redraw_button, segmented, select
from dashboard.data import images, patches, scopes
from dashboard.data.types import Source
from dashboard.state.url import init_widget, set_widget
from dashboard.state.views import MapView, Scope

REFERENCES = {"absolute": "None", "relative": "Average text"}
CONTROLS = {"heads": "Random heads", "text": "Random text", "none": "None"}
MAPS = {"sum": "Together", "each": "Each head"}
DRAWINGS = {"patches": "Patches", "smooth": "Smooth"}
LIMITS = {"robust": "99 % of patches", "full": "All patches"}
STEPS = {"Previous": (":material/arrow_back:", "K"), "Next": (":material/arrow_forward:", "J")}
"""Icon and key of the buttons for images; P and N lead to other heads."""


def map_controls(
    source: Source, view: MapView, image_id: str, scope: Scope, reference: str | None = None
) -> dict[str, Any]:
    """Returns the chosen options of maps, by their names in the link; a popover holds the rarer ones.

    The first are buttons for the previous and the next image.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        image_steps(source, image_id)
        help = "The sum of the heads, or a map through each of them."
        options: dict[str, Any] = {"maps": segmented("maps", "Maps of the heads", MAPS, view.maps, help)}
        options["opacity"] = st.slider(
            "Opacity (%)",
            0,
            100,
            key=init_widget("opacity", view.opacity),
            width=130,
            help="0: the picture alone. 100: the map alone.",
        )
        help = "Click a patch in a map, or choose it here, to see which heads and texts speak there."
        titles = patches.titles(source)
        options["patch"] = select("patch", "Patch", titles, view.patch, help=help, width=160)
        with st.popover("Map options", icon=":material/tune:"):
            return options | rarer(source, view, scope, options["maps"], reference)


def rarer(source: Source, view: MapView, scope: Scope, maps: str, reference: str | None) -> dict[str, Any]:
    """Returns the baseline, the comparison map, and how values become colors."""
    options: dict[str, Any] = {}
    if reference is not None:
        help = (
            "All texts share a common direction, so the zero of a plain map is a convention. The average "
            "text is the mean of the pool."
        )
        options["reference"] = segmented("reference", "Baseline", REFERENCES, reference, help)
    if maps == "sum":
        help = (
            "Trust a map only if its comparison looks different. Random heads: as many heads of similar "
            "variance; a random text if the map uses all heads."
        )
        all_heads = bool(scopes.mask(source, scope).all())
        options["control"] = control_picker(view.control, help, all_heads=all_heads)
        options["seed"] = redraw_button(view.seed, disabled=options["control"] == "none")
    help = "Smooth: colors between the centers of patches are interpolated. The numbers are those of patches."
    options["drawing"] = segmented("drawing", "Drawing", DRAWINGS, view.drawing, help)
    help = "A few strong patches do not fade all others if they may lie beyond the color limit."
    options["limit"] = segmented("limit", "Automatic color limit covers", LIMITS, view.limit, help)
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


def image_steps(source: Source, image_id: str) -> None:
    """Buttons for the images with stored maps before and after one; all else stays."""
    beside = images.beside(source, image_id)
    for name, (icon, key) in STEPS.items():
        st.button(
            f"{name} image",
            icon=icon,
            shortcut=key,
            help=f"The {name.lower()} image with stored maps. The key {key} does the same.",
            disabled=name not in beside,
            on_click=set_widget,
            args=("image", beside.get(name, image_id)),
        )


def control_picker(value: str, help: str, *, all_heads: bool) -> str:
    """Returns the chosen comparison; no random heads if the map uses all, which leaves none to draw.

    Without an own choice among the others, random heads stay chosen for maps of fewer heads.
    """
    if not all_heads:
        return segmented("control", "Comparison map", CONTROLS, value, help)
    others = {name: title for name, title in CONTROLS.items() if name != "heads"}
    chosen = segmented("control.all", "Comparison map", others, "text" if value == "heads" else value, help)
    return value if (chosen, value) == ("text", "heads") else chosen
