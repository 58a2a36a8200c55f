"""Controls of several pages. Each starts from the view, stores its state, and returns the chosen value."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import images
from dashboard.controls import integrity
from dashboard.controls.head_steps import head_picker
from dashboard.data import cached, choices, defaults, scopes
from dashboard.data import images as image_data
from dashboard.data import texts as text_data
from dashboard.data.types import Source
from dashboard.sections.gallery import draw_choices
from dashboard.sections.shared import draw_image, stop_with
from dashboard.state import url
from dashboard.state.markdown import cut, literal
from dashboard.state.url import WIDGET, init_text, init_widget, requested, set_widget
from dashboard.state.views import ContrastView, Head, Scope, V, View, parse_head
from db.layout import normalize_text

T = TypeVar("T")

BY = {"cosine": "Centered cosine", "dot": "Dot product, as in the paper"}
SCOPES = {"head": "One", "heads": "Several", "layer": "A layer", "property": "A property", "all": "All"}
OVER = {"all": "All heads", "supported": "Supported heads"}
TEXT_KINDS = {"pool": "From the pool", "own": "Type your own"}
PER_PAGE = 16
UPLOADS = ["png", "jpg", "jpeg", "webp", "avif", "bmp", "gif", "tif", "tiff", "ppm", "jp2"]
"""Endings of files that a browser offers to upload."""

PICKER = "picker"


def sidebar(*, best_model: bool) -> Source:
    """Draws the choice of bundle and model, those of the link first; returns the chosen model.

    Without a model in the link it is the first of the bundle, or the `best_model`.
    """
    paths = cached.bundle_paths()
    with st.sidebar:
        name = next(iter(paths))
        if len(paths) > 1 or requested("bundle") not in (None, name):
            name = choose("bundle", "Bundle", {name: name for name in paths})
        bundle = cached.bundle(paths[name])
        integrity.note_replacement(bundle, name)
        best = defaults.best_model(bundle) if best_model else ""
        source = cached.source(bundle, name, choose("model", "Model", choices.model_titles(bundle), best))
        line, more = choices.about(source)
        st.caption(line, help=more)
        if note := choices.unverified(source):
            st.caption(note)
        integrity.show(bundle)
    return source


def choose(name: str, label: str, titles: dict[str, str], default: str = "") -> str:
    """A selectbox that starts from the link, and warns if the link names something else."""
    linked = requested(name)
    first = linked if linked in titles else default or next(iter(titles))
    if linked is not None and linked not in titles:
        problem = (
            f'The link asks for {name} "{cut(linked)}", which is not here. Shown instead: {titles[first]}.'
        )
        st.warning(literal(problem))
    return select(name, label, titles, first)


def open_page(kind: type[V]) -> tuple[Source, V]:
    """Returns the model chosen in the sidebar and the view of the link; ends a page without its vectors."""
    source = st.session_state["source"]
    if kind.needs_vectors and not source.has_vectors:
        stop_without_vectors(source)
    view = defaults.default_view(source, kind, url.requested_names())
    head = parse_head(requested("head") or "")
    head = head if head in choices.head_names(source) else getattr(view, "head", defaults.best_head(source))
    return source, url.open_view(view, choices.choices(source, kind, head))


def stop_without_vectors(source: Source) -> None:
    """Ends a page that needs vectors, with the next step."""
    with_vectors = [row.model for row in cached.models(source.bundle).itertuples() if row.has_vectors]
    other = f"choose a model that has them ({', '.join(with_vectors)}), or " if with_vectors else ""
    stop_with(
        literal(
            f"The results of {source.info.model} were imported without vectors, and this page needs vectors. "
            f"See its heads on the pages Leaderboard, Heads and Head. For this page {other}decompose the "
            f"model: headlight run --model {source.info.model} with your images."
        )
    )


def select(name: str, label: str, titles: Mapping[T, str], value: Any, **options: Any) -> T:
    """A selectbox of titled values; starts from `value`, or from the first if there is no such value."""
    first = value if value in titles else next(iter(titles))
    key = init_widget(name, first, titles)
    return st.selectbox(label, list(titles), key=key, format_func=titles.__getitem__, **options)


def segmented(name: str, label: str, titles: dict[str, str], value: str, help: str | None = None) -> str:
    """A row of buttons, one for each titled value."""
    key = init_widget(name, value, titles)
    chosen = st.segmented_control(
        label, list(titles), key=key, format_func=titles.__getitem__, required=True, help=help, wrap=True
    )
    return chosen or value  # never empty: `required`


def scope_picker(
    source: Source,
    value: Scope,
    kinds: Sequence[str] = tuple(SCOPES),
    *,
    ticks: bool = False,
    name: str = "",
    label: str = "Heads",
) -> Scope:
    """Returns the chosen heads, which may be none.

    `ticks` offers several heads as a grid, layer by head, instead of a list. Every kind begins with what was
    chosen for it before. `name` begins the keys of a second picker of a page.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        properties = choices.property_titles(source)
        titles = {kind: SCOPES[kind] for kind in kinds if kind != "property" or properties}
        first_kind = value.kind if value.kind in titles else "heads"
        kind = segmented(f"{name}scope", label, titles, first_kind)
        names = choices.head_names(source)
        if kind == "head":
            return Scope.of_heads(url.keep("head", head_picker(source, first_head(source, value))))
        if kind == "heads" and not ticks:
            return several_heads(names, first_heads(source, value), name)
        if kind == "layer":
            layers = {layer: str(layer) for layer in sorted({layer for layer, _ in names})}
            first = value.layer if value.layer in layers else url.last("layer", max(layers))
            return Scope("layer", layer=url.keep("layer", select(f"{name}layer", "Layer", layers, first)))
        if kind == "property":
            first = value.property or url.last("property", "")
            chosen = select(f"{name}property", "Property", properties, first)
            return Scope("property", property=url.keep("property", chosen))
    return ticked_heads(names, first_heads(source, value)) if kind == "heads" else Scope("all")


def first_head(source: Source, value: Scope) -> Head:
    """Returns the head that a choice of one begins with: of the link, the last, or the first of several."""
    last = url.last("head", None)
    if value.kind != "head" and last in choices.head_names(source):
        return last
    return value.heads[0] if value.heads else defaults.best_head(source)


def first_heads(source: Source, value: Scope) -> list[Head]:
    """Returns the heads that a choice of several begins with: those of the link, or the last ones, or those
    of the other choice that it follows.
    """
    if value.kind in ("head", "heads"):
        return list(value.heads)
    others = scopes.resolve(source, value) if value.kind != "all" else (defaults.best_head(source),)
    names = choices.head_names(source)
    return [head for head in url.last("many", ()) if head in names] or list(others)


def ticked_heads(names: dict[Head, str], value: Sequence[Head]) -> Scope:
    """A grid of heads to tick, a row a layer, the last layer at the top."""
    chosen: list[Head] = []
    for layer in sorted({layer for layer, _ in names}, reverse=True):
        # The row names the layer.
        titles = {
            head: literal(name.removeprefix(f"L{layer}.")) for head, name in names.items() if head[0] == layer
        }
        ticked = [head for head in value if head in titles]
        key = init_widget(f"ticks.{layer}", ticked, titles, many=True)
        chosen += st.pills(
            f"Layer {layer}",
            list(titles),
            selection_mode="multi",
            key=key,
            format_func=titles.__getitem__,
            wrap=True,
        )
    return several(chosen)


def several_heads(names: dict[Head, str], value: list[Head], name: str = "") -> Scope:
    key = init_widget(f"{name}many", value, names, many=True)
    return several(st.multiselect("Heads to use", list(names), key=key, format_func=names.__getitem__))


def several(heads: list[Head]) -> Scope:
    return Scope("heads", url.keep("many", tuple(sorted(heads))))


def stop_if_empty(source: Source, view: View) -> None:
    """Ends a page whose text, heads or difference are empty, or whose text the model cannot read.

    Its controls are all there.
    """
    if getattr(view, "heads", None) == Scope("heads"):
        stop_with("Choose at least one head to go on.", ":material/touch_app:")
    if "" in (getattr(view, "text", None), getattr(view, "against", None)):
        stop_with("The text is empty. Type one, or choose one from the pool.", ":material/edit:")
    texts = [getattr(view, name, "") for name in ("text", "against")]
    if any(text_data.refusal(source, text) for text in texts):  # `readable` has said why
        url.end_page()
    if isinstance(view, ContrastView) and normalize_text(view.text) == normalize_text(view.against):
        stop_with("A and B are the same text: there is no difference. Change one.", ":material/edit:")


def by_picker(value: str) -> str:
    help = (
        "Centered cosine subtracts the average image from both sides. The plain dot product favors a few "
        "images with long contributions, whatever the query."
    )
    return segmented("by", "Compare by", BY, value, help)


def k_picker(value: int, max_k: int, label: str = "How many", **options: Any) -> int:
    """Returns a number of images up to `max_k`; no control if there is no choice."""
    if max_k == 1:
        return 1
    key = init_widget("k", min(value, max_k), range(1, max_k + 1))
    return st.slider(label, 1, max_k, key=key, **options)


def image_picker(
    source: Source, value: str, *, gallery: bool = False, picture: bool = True
) -> tuple[str, DeltaGenerator]:
    """Returns the chosen image, shown at the left, and the column beside it for other controls.

    Without `picture`, for pages that show it anyway, the other controls have the whole width.
    """
    left, right = st.columns([1, 3], gap="large") if picture else (None, st.container())
    key = init_widget("image", value)
    if not image_data.exists(source, st.session_state[key]):  # another bundle, or an old upload
        st.session_state[key] = value
    box = st.expander("Choose another image", icon=":material/image_search:", key=PICKER, on_change="rerun")
    with box:
        search_images(source, gallery=gallery, shown=bool(box.open))
        upload()
    if left:
        with left:
            draw_image(source, st.session_state[key])
    return st.session_state[key], right


def search_images(source: Source, *, gallery: bool, shown: bool, name: str = "") -> None:
    """A search by words in path and attributes; if `shown`, the images found, one to be chosen.

    `name` begins the keys of a second search of a page.
    """
    names = ", ".join(image_data.attribute_names(source)[:12])
    box, switch = st.columns([3, 2], vertical_alignment="bottom")
    words = box.text_input(
        "Search by path or attribute",
        key=init_widget(f"{name}search", ""),
        placeholder="red cat, color:red, or a file name",
        on_change=to_first_page,
        args=(name,),
        help='Finds whole words. Quotes keep words together: "top left".'
        + literal(f" Attributes: {names}." if names else ""),
    )
    stored = switch.toggle(
        "Only images whose maps are stored",
        key=init_widget(f"{name}stored", gallery),
        on_change=to_first_page,
        args=(name,),
        help="Maps of other images need the model; first use loads it (some seconds).",
    )
    if shown:
        draw_found(source, words, stored=stored, name=name)


def to_first_page(name: str) -> None:
    """Shows the first of the images that a new search finds."""
    set_widget(f"{name}page", 1)


def draw_found(source: Source, words: str, *, stored: bool, name: str) -> None:
    """Thumbnails of the images that a search found, page by page; a click chooses one."""
    key, find = f"{WIDGET}{name}page", partial(image_data.find, source, words, stored=stored, limit=PER_PAGE)
    found = find(offset=(st.session_state.get(key, 1) - 1) * PER_PAGE)
    if found.empty and key in st.session_state:  # past the last page
        del st.session_state[key]
        found = find()
    if found.empty:
        st.info(literal(image_data.no_match(source, words, stored=stored)))
        return
    draw_choices(source, found, f"{name}image")
    count = int(found["matches"].iloc[0])
    pages = -(-count // PER_PAGE)
    st.caption(f"{count:,} images")
    if pages > 1:
        st.pagination(pages, key=key)


def upload() -> None:
    """An upload of any image, stored in memory while the server runs."""
    file = st.file_uploader(
        "Or use your own image (first use loads the model, some seconds)",
        type=UPLOADS,
        key="upload",
        max_upload_size=image_data.MAX_UPLOAD_MB,
        help="It stays in the memory of this server, on no disk, until the server stops or "
        f"{image_data.MAX_UPLOADS} newer files have come.",
    )
    st.caption("Everyone who has the link of a page with your image can open it, until the server stops.")
    if file is None:
        return
    last, problem = st.session_state.get("uploaded", ("", ""))
    if file.file_id != last:  # once: it would win over every later choice, and decoding takes time
        problem = take_upload(file.getvalue(), file.name)
        st.session_state["uploaded"] = file.file_id, problem
    if problem:
        st.error(literal(problem), icon=":material/broken_image:")


def take_upload(data: bytes, name: str) -> str:
    """Makes an uploaded file the chosen image; returns why it cannot be, or nothing."""
    try:
        set_widget("image", image_data.take_upload(data, name))
    except images.PictureError as error:
        return str(error)
    return ""


def text_picker(
    source: Source, label: str, value: str, *, name: str = "text", head: Head | None = None, empty: str = ""
) -> str:
    """Returns a text of the pool or free text, which may be empty; `empty` titles the choice of none."""
    value = normalize_text(value)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first = "pool" if value and text_data.in_pool(source, value) else "own"
        kinds = {"none": empty} | TEXT_KINDS if empty else TEXT_KINDS
        kind = segmented(f"{name}.kind", label, kinds, "none" if empty and not value else first)
        if kind == "none":
            return ""
        own = kind == "own"
        if own:
            key = init_text(f"{name}.words", value, normalize_text)
            text = st.text_input(
                f"{label}, in your own words", key=key, placeholder="First use loads the model (some seconds)"
            )
        else:
            titles = text_data.filters(source, head)
            which = select(f"{name}.filter", "Texts about", titles, "")
            texts = text_data.of_filter(source, which, head)
            key = init_widget(f"{name}.pool", value if value in texts else texts[0], texts)
            text = st.selectbox("The text", texts, key=key)
    return readable(source, text, name, head) if own else url.keep(name, text)


def readable(source: Source, text: str, name: str, head: Head | None) -> str:
    """Returns a typed text; if the model cannot read it, says why and returns the last text that it read."""
    refusal = text_data.refusal(source, text)
    if refusal is None:
        return url.keep(name, text) if text else text
    last = url.last(name, "")
    if text_data.refusal(source, last):  # another model read it
        last = ""
    shown = f" Shown: {cut(last)}" if last else ""
    st.warning(literal(f"{refusal.problem}{shown}"), icon=":material/spellcheck:")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption("Try", width="content")
        for example in text_data.examples(source, head):
            key = f"{name}.example.{example}"
            st.button(literal(example), key=key, on_click=set_widget, args=(f"{name}.words", example))
        if refusal.vocabulary:
            with st.popover(f"All {len(refusal.vocabulary)} words"):
                st.text(", ".join(refusal.vocabulary))
    return last or text


def redraw_button(value: int, label: str = "New random sample", **options: Any) -> int:
    """Returns the seed of a random draw, below a button for the next draw."""
    key = init_widget("seed", value)
    st.button(label, on_click=redraw, icon=":material/casino:", **options)
    return st.session_state[key]


def redraw() -> None:
    set_widget("seed", (st.session_state[WIDGET + "seed"] + 1) % 10000)
