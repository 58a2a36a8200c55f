"""A server on loopback that speaks just enough of chat completions, and misbehaves on request.

It answers each request by a function of the test's: from the request's body to a `Reply`.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Reply(NamedTuple):
    """What the server does with one request."""

    body: bytes
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    wait: float = 0.0
    """Seconds before anything is sent."""

    cut: bool = False
    """Send half of the body and close the connection."""


@dataclass
class Server:
    """A running server and what it was asked."""

    url: str
    answer: Callable[[dict[str, Any]], Reply]
    requests: list[dict[str, Any]] = field(default_factory=list)
    """Body of every request, with its headers (names in lower case) under "headers"."""

    busiest: int = 0
    """Most requests under way at one time."""

    under_way: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


def chat(content: str | None, **more: Any) -> Reply:
    """A well-formed answer of a language model."""
    message = {"role": "assistant", "content": content, **more}
    body = {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "any",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14},
    }
    return Reply(json.dumps(body).encode())


def said(**fields: str) -> Reply:
    """An answer in JSON, as asked for."""
    return chat(json.dumps(fields))


def failure(status: int, message: str = "something", headers: dict[str, str] | None = None, **more) -> Reply:
    """An error as OpenAI's service words it."""
    body = {"error": {"message": message, **more}}
    return Reply(json.dumps(body).encode(), status, tuple((headers or {}).items()))


def in_turn(*replies: Reply) -> Callable[[dict[str, Any]], Reply]:
    """The replies one after the other, the last of them forever."""
    left = list(replies)
    return lambda request: left.pop(0) if len(left) > 1 else left[0]


@contextmanager
def serving(answer: Callable[[dict[str, Any]], Reply]) -> Iterator[Server]:
    """Run a server for as long as the block."""
    server = Server("", answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            request |= {
                "headers": {name.lower(): value for name, value in self.headers.items()},
                "path": self.path,
                "at": time.monotonic(),
            }
            with server.lock:
                server.requests.append(request)
                server.under_way += 1
                server.busiest = max(server.busiest, server.under_way)
                reply = server.answer(request)
            time.sleep(reply.wait)
            with server.lock:
                server.under_way -= 1
            self._send(reply)

        def _send(self, reply: Reply) -> None:
            self.send_response(reply.status)
            given = dict(reply.headers)
            for name, value in ({"Content-Type": "application/json"} | given).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            try:
                self.wfile.write(reply.body[: len(reply.body) // 2] if reply.cut else reply.body)
            except OSError:  # who asked has given up
                self.close_connection = True
            self.close_connection = self.close_connection or reply.cut

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server.url = f"http://127.0.0.1:{http.server_address[1]}/v1"
    threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
