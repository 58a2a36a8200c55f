"""A browser's side of Streamlit's protocol: sessions that click on a real server and draw nothing."""

import hashlib
import http.cookiejar
import json
import random
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import ClientConnection, connect

from tests.support.pages import click_on_tile

FINISHED = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_WITH_COMPILE_ERROR)
XSRF = "_streamlit_xsrf"


class Session:
    """One tab: what its last run drew, and clicks on it."""

    def __init__(self, socket: ClientConnection, address: str, token: str) -> None:
        self.socket, self.address, self.token = socket, address, token
        self.session_id = ""
        self.page, self.query = "", ""
        self.pages: dict[str, str] = {}
        """Pages by path."""

        self.drawn: dict[tuple[int, ...], Delta] = {}
        """Elements and blocks by their place on the page."""

    def open(self, page: str, query: str = "") -> None:
        """Opens a page as a link or the navigation does."""
        self.query = query
        self.page = self.pages.get(page, "")
        self._run(name="" if self.page else page)

    def set(self, state: WidgetState) -> None:
        self._run([state])

    def upload(self, widget_id: str, name: str, data: bytes) -> None:
        """Uploads a file, then shows it to the script."""
        request = BackMsg()
        request.file_urls_request.request_id = uuid.uuid4().hex
        request.file_urls_request.file_names.append(name)
        request.file_urls_request.session_id = self.session_id
        self.socket.send(request.SerializeToString())
        urls = next(message for message in self._messages() if message.HasField("file_urls_response"))
        [place] = urls.file_urls_response.file_urls
        self._put(place.upload_url, name, data)
        state = WidgetState(id=widget_id)
        state.file_uploader_state_value.uploaded_file_info.add(
            name=name, size=len(data), file_id=place.file_id, file_urls=place
        )
        self.set(state)

    def _put(self, path: str, name: str, data: bytes) -> None:
        border = uuid.uuid4().hex
        head = f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        headers = {
            "Content-Type": f"multipart/form-data; boundary={border}",
            "Cookie": f"{XSRF}={self.token}",
            "X-Xsrftoken": self.token,
        }
        body = head.encode() + data + f"\r\n--{border}--\r\n".encode()
        request = urllib.request.Request(f"{self.address}{path}", body, headers, method="PUT")
        urllib.request.urlopen(request, timeout=60).close()

    def _run(self, states: list[WidgetState] | None = None, name: str = "") -> None:
        """Runs the script to its end; a page that leads to another ends there."""
        message = BackMsg()
        message.rerun_script.query_string = self.query
        message.rerun_script.page_script_hash = self.page
        message.rerun_script.page_name = name
        message.rerun_script.widget_states.widgets.extend(states or [])
        self.socket.send(message.SerializeToString())
        for message in self._messages():
            self._follow(message)
            if message.WhichOneof("type") == "script_finished" and message.script_finished in FINISHED:
                return

    def _messages(self) -> Iterator[ForwardMsg]:
        while True:
            yield ForwardMsg.FromString(self.socket.recv(timeout=120))

    def _follow(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self.page = message.new_session.page_script_hash
            self.session_id = message.new_session.initialize.session_id
            self.drawn = {}
        elif kind == "navigation":
            self.page = message.navigation.page_script_hash
            self.pages = {
                "" if page.is_default else page.url_pathname: page.page_script_hash
                for page in message.navigation.app_pages
                if not page.is_hidden
            }
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "delta":
            self.drawn[tuple(message.metadata.delta_path)] = message.delta

    def elements(self, *kinds: str) -> list[Any]:
        """Returns what the page shows of these kinds, in the order of the page."""
        found = [self.drawn[place].new_element for place in sorted(self.drawn)]
        kinds_of = ((element.WhichOneof("type"), element) for element in found)
        return [getattr(element, kind) for kind, element in kinds_of if kind in kinds]

    def digest(self) -> str:
        """Returns a hash of all that the page shows."""
        shown = [(place, _lasting(self.drawn[place])) for place in sorted(self.drawn)]
        return hashlib.sha256(repr(shown).encode()).hexdigest()


def _lasting(delta: Delta) -> bytes:
    """Returns what is drawn without the names that Streamlit draws at random."""
    copy = Delta.FromString(delta.SerializeToString())
    if copy.new_element.HasField("download_button"):
        copy.new_element.download_button.ClearField("deferred_file_id")
    if copy.new_element.HasField("dataframe"):
        copy.new_element.dataframe.arrow_data.styler.ClearField("uuid")
    return copy.SerializeToString(deterministic=True)


@contextmanager
def session(address: str) -> Iterator[Session]:
    """Opens a tab on a server; its first page is opened by `Session.open`."""
    cookies = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
    opener.open(f"{address}/_stcore/health", timeout=60).close()
    token = next((cookie.value or "" for cookie in cookies if cookie.name == XSRF), "")
    url = f"ws://{urlsplit(address).netloc}/_stcore/stream"
    with connect(url, subprotocols=["streamlit", token or "none"], max_size=None) as socket:  # type: ignore
        yield Session(socket, address, token)


CLICKABLE = (
    "bidi_component",
    "button",
    "button_group",
    "checkbox",
    "dataframe",
    "multiselect",
    "number_input",
    "pagination",
)
CLICKABLE += ("selectbox", "slider")


def other_value(kind: str, widget: Any, choice: random.Random) -> WidgetState | None:
    """Returns a click on a widget: a value it may have; None if it has no other."""
    state = WidgetState(id=widget.id)
    if kind == "button" and not widget.disabled:
        state.trigger_value = True
    elif kind == "bidi_component":
        tiles = json.loads(widget.json).get("tiles")
        return click_on_tile(widget, choice.choice(tiles)["id"]) if tiles else None
    elif kind == "checkbox":
        state.bool_value = choice.random() < 0.5
    elif kind == "selectbox" and widget.options:
        state.string_value = choice.choice(widget.options)
    elif kind == "multiselect" and widget.options:
        state.string_array_value.data[:] = choice.sample(list(widget.options), choice.randint(0, 1))
    elif kind == "button_group":
        state.string_array_value.data.append(choice.choice(widget.options).content)
    elif kind == "slider":
        values = [choice.uniform(widget.min, widget.max) for _ in widget.default]
        whole = [float(round(value)) for value in values] if widget.step >= 1 else values
        state.double_array_value.data[:] = sorted(whole)
    elif kind == "number_input":
        state.double_value = float(round(choice.uniform(widget.min, widget.max)))
    elif kind == "pagination":
        state.int_value = choice.randint(1, widget.num_pages)
    elif kind == "dataframe" and widget.id and len(widget.selection_mode):
        state.string_value = json.dumps({"selection": {"rows": [0], "columns": [], "cells": []}})
    else:
        return None
    return state
