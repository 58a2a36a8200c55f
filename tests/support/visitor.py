"""A visit of the app as a browser makes it: its widgets hold what they showed last, not what Python believes.

AppTest sends Python's own state back to it, so it cannot see a widget that shows an old title. A browser
holds the value of every widget on the page by the widget's id, takes another one only if it is told to, and
forgets a widget that is gone.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from google.protobuf.message import Message
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.util import calc_hash

from db.layout import parse_head_name
from tests.support.pages import NUMBERS, PAGES, PICKER, click_on_tile, link, open_page, plain

FIELDS = {
    "selectbox": "string_value",
    "button_group": "string_array_value",
    "multiselect": "string_array_value",
    "slider": "double_array_value",
    "number_input": "double_value",
    "text_input": "string_value",
    "text_area": "string_value",
    "checkbox": "bool_value",
    "toggle": "bool_value",
    "pagination": "int_value",
}
"""Types of widgets and how a browser sends their values."""

FOLDED = (PICKER, "versus.picker", NUMBERS, "answers")
"""Keys of expanders, which draw what is in them only while they are open."""

OF_THE_SESSION = re.compile(r"w\.(find|note|(versus\.)?(search|stored|page)|.*\.kind|.*\.filter|.*\.words)")
"""Keys of widgets that look for an image or a text, or hold a note that is not pinned yet, or a text that was
refused: no link holds them.
"""

PINS = "collection"
"""Key of the pinned views, which a session holds."""

OWN_LABELS = "own_labels"
"""Key of a person's own labels, which a session holds."""

HELD = (
    "id",
    "deferred_file_id",
    "default",
    "value",
    "raw_value",
    "raw_values",
    "set_value",
    "selection_state",
    "form_id",
)
"""Parts of a message by which Python tells a browser what to hold."""


STYLE_ID = re.compile(r"T_\w{5,}|uuid: .*")
"""Names that pandas draws at random for every styled table."""


class Visitor:
    """One session of a browser."""

    def __init__(
        self, page: str, *, expand: Sequence[str] = (), pinned: Any = None, own: Any = None, **parameters: str
    ) -> None:
        """Opens a page, and what is folded on it under the keys of `expand`, in a session with these pins and
        own labels.
        """
        self.page = page
        session = {PINS: pinned} if pinned else {}
        session |= {OWN_LABELS: own} if own is not None else {}
        self.app = open_page(page, session=session, **parameters)
        self.held: dict[str, Any] = {}
        self.receive()
        if expand:
            for key in expand:
                self.app.session_state[key] = True
            self.run()

    def receive(self) -> None:
        """Takes what a run of the app sent: new widgets, and values that Python set."""
        held = {}
        for node in self.widgets():
            proto = node.proto
            if proto.set_value or node.proto.id not in self.held:
                held[proto.id] = told(node.type, proto)
            else:
                held[proto.id] = self.held[proto.id]
        self.held = held
        assert not self.app.exception, self.app.exception[0].message

    def widgets(self) -> list[Any]:
        """Returns the widgets on the page that hold a value and are not disabled."""
        return [node for node in self.elements() if node.type in FIELDS]

    def widget_keys(self) -> list[str]:
        return [node.key for node in self.widgets()]

    def widget(self, key: str) -> Any:
        return next(node for node in self.widgets() if node.key == key)

    def elements(self) -> Iterator[Any]:
        """Yields every element in the order of the page, the sidebar included."""
        return (node for node in self.app._tree if hasattr(node, "proto") and not hasattr(node, "children"))

    def shown(self, node: Any) -> Any:
        return self.held[node.proto.id]

    def set(self, node: Any, value: Any) -> None:
        """Changes a widget as a person does, by what it shows."""
        self.held[node.proto.id] = value
        self.run()

    def choose(self, key: str, place: int) -> None:
        """Chooses an option of a picker or a row of buttons, by its place."""
        node = self.widget(key)
        title = titles_of(node.type, node.proto)[place]
        self.set(node, title if node.type == "selectbox" else [title])

    def buttons(self) -> list[Any]:
        return [node for node in self.elements() if node.type == "button" and not node.proto.disabled]

    def click(self, node: Any) -> None:
        self.run(WidgetState(id=node.proto.id, trigger_value=True))
        if node.key == "mover.open":  # leads to another page
            self.arrive("head")

    def tiles(self) -> list[tuple[Any, str]]:
        """Returns the tiles of all galleries: the gallery's message, and the image of the tile."""
        protos = [node.proto for node in self.elements() if node.type == "bidi_component"]
        return [(proto, tile["id"]) for proto in protos for tile in json.loads(proto.json).get("tiles", [])]

    def open_tile(self, proto: Any, image_id: str) -> None:
        self.run(click_on_tile(proto, image_id))
        if parse_head_name(image_id):  # a tile of a head
            self.arrive("head")
        elif self.page in ("compare", "start", "text_neighbors"):  # their tiles lead to another page
            self.arrive(image_id if image_id in PAGES else "image_neighbors")

    def arrive(self, page: str) -> None:
        """Takes note of a page that a click opened, as the address bar of a browser does."""
        self.page = page
        self.app._page_hash = calc_hash(page)

    def run(self, click: WidgetState | None = None) -> None:
        states = [self.state(node) for node in self.widgets()]
        self.app._run(WidgetStates(widgets=[*states, click] if click else states))
        self.receive()

    def state(self, node: Any) -> WidgetState:
        """Returns the message with which a browser sends a widget's value."""
        state, value = WidgetState(id=node.proto.id), self.shown(node)
        if isinstance(value, list):
            getattr(state, FIELDS[node.type]).data[:] = value
        elif value is not None:
            setattr(state, FIELDS[node.type], value)
        return state

    def go(self, page: str, **parameters: str) -> None:
        """Opens another page by its entry in the sidebar, or by a link with parameters."""
        self.page = page
        self.app.query_params.clear()
        for name, value in parameters.items():
            self.app.query_params[name] = value
        self.app.switch_page(f"views/{page}.py")
        self.app._run(WidgetStates())
        self.receive()

    def fresh(self) -> "Visitor":
        """Returns a new visit that opens the same link, searches as this one does, and has its pins."""
        state = self.app.session_state
        pins = state[PINS] if PINS in state and self.page != "collection" else None  # whose link has them
        open_keys = [key for key in FOLDED if key in state and state[key]]
        kept = {key: state[key] for key in (OWN_LABELS,) if key in state}
        visitor = Visitor(
            self.page, expand=open_keys, pinned=pins, own=kept.get(OWN_LABELS), **link(self.app)
        )
        for key in filter(OF_THE_SESSION.fullmatch, self.widget_keys()):
            value, there = self.shown(self.widget(key)), visitor.widget_keys()
            if key in there and visitor.shown(visitor.widget(key)) != value:
                visitor.set(visitor.widget(key), value)
        return visitor

    def drawn(self) -> list[str]:
        """Returns a line for every element as a person sees it, without notes on replaced parts of a link."""
        return [self.line(node) for node in self.elements() if ":material/link_off:" not in str(node.proto)]

    def line(self, node: Any) -> str:
        proto: Message = type(node.proto)()
        proto.CopyFrom(node.proto)
        # What AppTest has no class for is a message around the element's own.
        wrapped = "type" in proto.DESCRIPTOR.oneofs_by_name
        inner = getattr(proto, proto.WhichOneof("type")) if wrapped else proto
        for name in HELD:
            if name in inner.DESCRIPTOR.fields_by_name:
                inner.ClearField(name)
        value = f" = {self.shown(node)!r}" if node.type in FIELDS else ""
        return f"{node.type}{value}: {STYLE_ID.sub('', plain(str(proto)))}"


def told(kind: str, proto: Any) -> Any:
    """Returns the value that a message tells a new widget to show."""
    if kind in ("selectbox", "button_group", "multiselect"):
        several = kind != "selectbox"
        if proto.set_value:
            return list(proto.raw_values) if several else proto.raw_value
        titles = titles_of(kind, proto)
        if several:
            return [titles[place] for place in proto.default]
        return titles[proto.default] if proto.HasField("default") and titles else None
    value = proto.value if proto.set_value else proto.default
    return list(value) if kind == "slider" else value


def titles_of(kind: str, proto: Any) -> list[str]:
    return [option.content if kind == "button_group" else option for option in proto.options]


def other_values(node: Any, now: Any) -> list[Any]:
    """Returns what a person can choose instead: the other options, the ends, nothing, another text."""
    proto, kind = node.proto, node.type
    if kind in ("selectbox", "button_group", "multiselect"):
        titles = titles_of(kind, proto)
        if kind == "selectbox":
            near = titles.index(now) if now in titles else 0
            options: list[Any] = [titles[(near + 1) % len(titles)], titles[-1], titles[0]]
        elif kind == "button_group" and proto.click_mode == proto.SINGLE_SELECT:
            options = [[title] for title in titles]
        else:
            options = [[], titles[-1:], titles[:2]]
    elif kind == "slider":
        low, high = proto.min, proto.max
        options = [[low] * len(now), [high] * len(now), [low, high]][: 3 if len(now) == 2 else 2]
    elif kind == "number_input":
        options = [proto.min, proto.max, proto.min + 2 * proto.step]
    elif kind == "pagination":
        options = [0, proto.num_pages - 1]
    elif node.key == "w.query":
        options = ["", "select 1 as a", "select layer, head, 1 as n from head", "selec"]
    elif kind in ("text_input", "text_area"):
        options = ["", " a  square ", "a square", "nothing of the kind"]
    else:
        options = [not now]
    return [option for option in options if option != now]
