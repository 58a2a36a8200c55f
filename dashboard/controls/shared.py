"""Shared controls. Each starts from the view, keeps its own state, and returns what is chosen."""

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import images
from dashboard.data import cached, choices, defaults, scopes
from dashboard.data import images as image_data
from dashboard.data import texts as text_data
from dashboard.data.types import Source
from dashboard.sections.shared import (
    cells,
    describe,
    draw_image,
    draw_thumbnail,
)
from dashboard.state.url import (
    WIDGET,
    init_widget,
    requested,
    set_widget,
)
from dashboard.state.views import (
    MAX_CLASSES,
    Head,
    MeanAblationView,
    Scope,
)

BY = {"cosine": "Centered cosine", "dot": "Dot product, as in the paper"}
SCOPES = {"head": "One", "heads": "Several", "layer": "A layer", "property": "A property", "all": "All"}
OVER = {"all": "All heads", "supported": "Supported heads"}
REFERENCES = {"absolute": "No similarity", "relative": "The pool's mean text"}
CONTROLS = {"heads": "Random heads", "text": "Random text", "none": "None"}
TEXT_KINDS = {"pool": "From the pool", "own": "Own words"}
PER_PAGE = 16
MOST = MeanAblationView.most


def sidebar() -> Source:
    """Choose a bundle and a model; what the link asks for comes first."""
    paths = cached.bundle_paths()
    with st.sidebar:
        name = next(iter(paths))
        if len(paths) > 1 or requested("bundle") not in (None, name):
            name = choose("bundle", "Bundle", {name: name for name in paths})
        bundle = cached.bundle(paths[name])
        models = cached.models(bundle)
        titles = {row.model_key: row.model + " (control)" * row.is_control for row in models.itertuples()}
        source = cached.source(bundle, name, choose("model", "Model", titles))
        st.caption(choices.about(source))
    return source


def choose(name: str, label: str, titles: dict[str, str]) -> str:
    """A selectbox that starts from the link, and says so where the link asks for what is not there."""
    wanted = requested(name)
    first = wanted if wanted in titles else next(iter(titles))
    if wanted and wanted not in titles:
        st.warning(f'The link asks for {name} "{wanted}", which is not here. Shown instead: {titles[first]}.')
    return st.selectbox(
        label, list(titles), key=init_widget(name, first, titles), format_func=titles.__getitem__
    )


def current_source() -> Source:
    """The bundle and model that the sidebar chose."""
    return st.session_state["source"]


def needs_vectors(source: Source) -> None:
    """Stop a page that works on vectors where the model has none, and say how to go on."""
    if source.has_vectors:
        return
    with_vectors = [row.model for row in cached.models(source.bundle).itertuples() if row.has_vectors]
    other = f"choose a model that has them ({', '.join(with_vectors)}), or " if with_vectors else ""
    st.info(
        f"The results of {source.info.model} were imported without vectors, and this page works on vectors. "
        f"What is known of its heads is on the pages Leaderboard, Heads and Head. For this one {other}take "
        f"the model apart here: `python -m precompute run --model {source.info.model}` with your images.",
        icon=":material/info:",
    )
    st.stop()


def segmented(name: str, label: str, titles: dict[str, str], value: str, help: str | None = None) -> str:
    """One of a few, all in sight."""
    key = init_widget(name, value, titles)
    chosen = st.segmented_control(
        label, list(titles), key=key, format_func=titles.__getitem__, required=True, help=help
    )
    return chosen or value  # one is always chosen


def head_picker(source: Source, value: Head) -> Head:
    titles = choices.head_names(source)
    return st.selectbox(
        "Head", list(titles), key=init_widget("head", value, titles), format_func=titles.__getitem__
    )


def scope_picker(
    source: Source, value: Scope, kinds: Sequence[str] = tuple(SCOPES), *, ticks: bool = False
) -> Scope:
    """Which heads to work through; stops the page where none is chosen.

    `ticks` offers several heads as a grid, layer by head, instead of a list.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = segmented("scope", "Heads", {kind: SCOPES[kind] for kind in kinds}, value.kind)
        names = choices.head_names(source)
        if kind == "head":
            first = value.heads[0] if value.heads else defaults.best_head(source)
            return Scope.of_heads(head_picker(source, first))
        if kind == "heads" and not ticks:
            return several_heads(names, list(value.heads) or [defaults.best_head(source)])
        if kind == "layer":
            layers = sorted({layer for layer, _ in names})
            last = value.layer if value.layer in layers else layers[-1]
            return Scope("layer", layer=st.selectbox("Layer", layers, key=init_widget("layer", last, layers)))
        if kind == "property":
            return property_picker(source, value.property)
    return ticked_heads(names, scopes.resolve(source, value)) if kind == "heads" else Scope("all")


def ticked_heads(names: dict[Head, str], value: Sequence[Head]) -> Scope:
    """Heads to tick in a grid, a row a layer, the last layer at the top; starts from what was chosen."""
    chosen: list[Head] = []
    for layer in sorted({layer for layer, _ in names}, reverse=True):
        row = [head for head in names if head[0] == layer]
        key = init_widget(f"ticks.{layer}", [head for head in value if head in row])
        # The model may have changed since, and lack some of them.
        st.session_state[key] = [head for head in st.session_state[key] if head in row]
        # The layer stands over the row already.
        titles = {head: names[head].removeprefix(f"L{layer}.") for head in row}
        chosen += st.pills(
            f"Layer {layer}",
            row,
            selection_mode="multi",
            key=key,
            format_func=titles.__getitem__,
            wrap=True,
        )
    if not chosen:
        st.info("Tick at least one head to go on.", icon=":material/touch_app:")
        st.stop()
    return Scope.of_heads(*chosen)


def several_heads(names: dict[Head, str], value: list[Head]) -> Scope:
    key = init_widget("many", value)
    kept = [head for head in st.session_state[key] if head in names]
    if len(kept) < len(st.session_state[key]):  # the model has changed and lacks some of them
        st.session_state[key] = kept or value
    chosen = st.multiselect("Heads to work through", list(names), key=key, format_func=names.__getitem__)
    if not chosen:
        st.info("Choose at least one head to go on.", icon=":material/touch_app:")
        st.stop()
    return Scope.of_heads(*chosen)


def property_picker(source: Source, value: str) -> Scope:
    titles = choices.property_titles(source)
    if not titles:
        st.info("No head of this model has a label. Choose heads instead.", icon=":material/touch_app:")
        st.stop()
    first = value if value in titles else next(iter(titles))
    key = init_widget("property", first, titles)
    chosen = st.selectbox("Property", list(titles), key=key, format_func=titles.__getitem__)
    return Scope("property", property=chosen)


def by_picker(value: str) -> str:
    return segmented(
        "by",
        "Compare by",
        BY,
        value,
        help="Centered cosine takes the average image off both sides. The plain dot product favors a few "
        "images with long contributions, whatever the query.",
    )


def k_picker(source: Source, value: int) -> int:
    most = choices.max_neighbors(source)
    if most == 1:
        return 1
    return st.slider("How many", 1, most, key=init_widget("k", min(value, most), range(1, most + 1)))


def image_picker(source: Source, value: str, *, gallery: bool = False) -> tuple[str, DeltaGenerator]:
    """The chosen image at the left, and beside it the place for the page's other controls."""
    left, right = st.columns([1, 4], gap="large")
    key = init_widget("image", value)
    if not image_data.exists(source, st.session_state[key]):  # of another bundle, or an upload long ago
        st.session_state[key] = value
    with st.expander("Choose another image", icon=":material/image_search:"):
        search_images(source, gallery=gallery)
        upload()
    with left:
        draw_image(source, st.session_state[key])
    return st.session_state[key], right


def search_images(source: Source, *, gallery: bool) -> None:
    """A page of thumbnails that match a path or an attribute, each with a button."""
    box, switch = st.columns([3, 2], vertical_alignment="bottom")
    words = box.text_input(
        "Search by path or attribute",
        key=init_widget("search", ""),
        placeholder="red star, or part of a path",
    )
    only = switch.toggle(
        "Only images whose maps are stored",
        key=init_widget("stored", gallery),
        help="Maps of these need no model. For any other image the model is loaded once.",
    )
    count = image_data.count(source, words, stored=only)
    if not count:
        st.info(f'No image matches "{words}". Try fewer or other words.')
        return
    pages = -(-count // PER_PAGE)
    key = WIDGET + "page"
    if st.session_state.get(key, 1) > pages:
        del st.session_state[key]
    first = (st.session_state.get(key, 1) - 1) * PER_PAGE
    shown = image_data.find(source, words, stored=only, limit=PER_PAGE, offset=first)
    thumbnails = image_data.thumbnails(source, tuple(shown["image_id"]))
    for cell, row in zip(cells(len(shown), 8), shown.itertuples(), strict=False):
        with cell:
            draw_thumbnail(thumbnails[row.image_id], alt=row.path)
            choose_button("Choose", row.image_id, describe(row.path, row.attributes))
    st.caption(f"{count:,} images")
    if pages > 1:
        st.pagination(pages, key=key)


def choose_button(label: str, image_id: str, help: str | None = None) -> None:
    """Make an image the query."""
    key = f"{label}.{image_id}"
    st.button(label, key=key, help=help, on_click=set_widget, args=("image", image_id), type="tertiary")


def upload() -> None:
    """Take any picture of the user's own; it is kept in memory while the server runs."""
    file = st.file_uploader(
        "Or use your own image (the model is loaded once)", key="upload", max_upload_size=25
    )
    if file is None:
        st.session_state["uploaded"] = None
        return
    try:
        image_id = image_data.take_upload(file.getvalue(), file.name)
    except images.PictureError as error:
        st.error(str(error), icon=":material/broken_image:")
        return
    if st.session_state.get("uploaded") != image_id:  # once, or the file would win over every later choice
        st.session_state["uploaded"] = image_id
        set_widget("image", image_id)


def text_picker(
    source: Source, label: str, value: str, *, name: str = "text", head: Head | None = None
) -> str:
    """A text of the pool, or the user's own words; stops the page where there is none yet."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first = "own" if value and not text_data.in_pool(source, value) else "pool"
        if segmented(f"{name}.kind", label, TEXT_KINDS, first) == "own":
            return own_words(label, value, name)
        titles = text_data.filters(source, head)
        key = init_widget(f"{name}.filter", "", titles)
        which = st.selectbox("Texts about", list(titles), key=key, format_func=titles.__getitem__)
        texts = text_data.of_filter(source, which, head)
        key = init_widget(f"{name}.pool", value if value in texts else texts[0], texts)
        return st.selectbox("The text", texts, key=key)


def own_words(label: str, value: str, name: str) -> str:
    key = init_widget(f"{name}.words", value)
    words = st.text_input(f"{label}, in your own words", key=key, placeholder="The model is loaded once")
    if not words.strip():
        st.info("The text is empty. Type one, or choose one from the pool.", icon=":material/edit:")
        st.stop()
    return words.strip()


def map_controls(view, reference: str | None = None) -> dict:
    """How maps are drawn, and against what; every choice is part of the link."""
    looks: dict = {}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        if reference is not None:
            looks["reference"] = segmented(
                "reference",
                "Zero is",
                REFERENCES,
                reference,
                help="All texts share a common direction, so the zero of a plain map is a convention. "
                "Relative maps take the pool's mean text off first.",
            )
        looks["control"] = segmented(
            "control",
            "Control beside it",
            CONTROLS,
            view.control,
            help="A map is worth something where its control looks different. Random heads are as many heads "
            "of like variance; where all are shown there are no others, and a random text stands in.",
        )
        init_widget("seed", view.seed)
        st.button(
            "Draw another", on_click=redraw, icon=":material/casino:", disabled=looks["control"] == "none"
        )
        looks["opacity"] = st.slider(
            "Opacity, %", 0, 100, key=init_widget("opacity", view.opacity), width=150
        )
        looks["scale"] = st.number_input(
            "Scale ± x 1000 (0 fits)",
            min_value=0.0,
            max_value=1000.0,
            step=1.0,
            format="%g",
            key=init_widget("scale", view.scale),
            width=170,
            help="Set it to compare maps of different pictures on one scale.",
        )
    looks["seed"] = st.session_state[WIDGET + "seed"]
    return looks


def attribute_picker(value: str, titles: dict[str, str]) -> str:
    key = init_widget("attribute", value, titles)
    return st.selectbox("Classes", list(titles), key=key, format_func=titles.__getitem__)


def redraw_button(value: int) -> int:
    """The seed of what is drawn at random, and a button for the next one."""
    key = init_widget("seed", value)
    st.button("Draw other random heads", on_click=redraw, icon=":material/casino:")
    return st.session_state[key]


def most_picker(value: int, classes: int) -> int:
    """How many classes to show at each end; left alone where all are shown anyway."""
    if classes <= 2 * min(value, MOST):
        return value
    return st.number_input(
        "Classes shown at each end",
        min_value=1,
        max_value=MAX_CLASSES,
        key=init_widget("most", value),
        width=200,
    )


def redraw() -> None:
    set_widget("seed", (st.session_state[WIDGET + "seed"] + 1) % 10000)


def metric_picker(value: str, titles: dict[str, str]) -> str:
    key = init_widget("metric", value if value in titles else next(iter(titles)), titles)
    return st.selectbox("Metric", list(titles), key=key, format_func=titles.__getitem__)


def over_picker(value: str) -> str:
    return segmented(
        "over",
        "Over",
        OVER,
        value,
        help="Papers use all heads. A supported head's label is beyond what rotated heads reach (q <= 0.05).",
    )
