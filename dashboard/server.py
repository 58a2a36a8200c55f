"""The server: the app, and an answer to addresses below a page, which Streamlit would leave blank."""

from typing import Any

import streamlit as st


class ToPage:
    """Leads a browser from /head/L5.H12 to /L5.H12, where the app says what there is of this name."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        base = "/" + st.get_option("server.baseUrlPath").strip("/")
        # In its raw form: a name may hold what a header may not.
        path = scope.get("raw_path", b"").partition(b"?")[0].removeprefix(base.encode()).strip(b"/")
        accepted = dict(scope.get("headers", ())).get(b"accept", b"")
        if b"/" not in path or b"text/html" not in accepted:  # scripts, pictures and calls are no HTML
            await self.app(scope, receive, send)
            return
        address = base.rstrip("/").encode() + b"/" + path.rpartition(b"/")[2]
        await send({"type": "http.response.start", "status": 307, "headers": [(b"location", address)]})
        await send({"type": "http.response.body"})


app: Any = st.App("app.py")  # Streamlit looks for such a line
app = ToPage(app)
