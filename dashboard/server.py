"""The server: the app, and an answer to addresses below a page, which Streamlit would leave blank."""

from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from starlette.responses import RedirectResponse


class ToPage:
    """Leads a browser from /head/L5.H12 to /L5.H12, where the app says what there is of this name."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        base = "/" + st.get_option("server.baseUrlPath").strip("/")
        below = scope.get("path", "").removeprefix(base).strip("/")
        accepted = dict(scope.get("headers", ())).get(b"accept", b"")
        app = self.app
        if "/" in below and b"text/html" in accepted:  # a page: scripts, pictures and calls are no HTML
            app = RedirectResponse(f"{base.rstrip('/')}/{below.rpartition('/')[2]}")
        await app(scope, receive, send)


app = st.App("app.py", middleware=[Middleware(ToPage)])
