"""A local server with the chat completions that tests need, and with failures on request.

A function of the test maps the body of each request to a `Reply`.
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
    """Response of the server to one request."""

    body: bytes
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    wait: float = 0.0
    """Seconds before the response."""

    cut: bool = False
    """True to send half of the body and close the connection."""

    byte_wait: float = 0.0
    """Seconds before each byte of the response, header included."""


@dataclass
class Server:
    """A running server and its requests."""

    url: str
    answer: Callable[[dict[str, Any]], Reply]
    requests: list[dict[str, Any]] = field(default_factory=list)
    """Body of every request, with its headers (names in lower case) under "headers"."""

    max_concurrent: int = 0
    """Maximum number of simultaneous requests."""

    concurrent: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


def chat(content: Any, **more: Any) -> Reply:
    """Returns a well-formed answer of a language model; `content` is a string, or what the test sends."""
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


def json_chat(**fields: str) -> Reply:
    """Returns an answer in JSON, as the question requires."""
    return chat(json.dumps(fields))


def failure(status: int, message: str = "something", headers: dict[str, str] | None = None, **more) -> Reply:
    """Returns an error in the form of OpenAI's service."""
    body = {"error": {"message": message, **more}}
    return Reply(json.dumps(body).encode(), status, tuple((headers or {}).items()))


def in_turn(*replies: Reply) -> Callable[[dict[str, Any]], Reply]:
    """Returns the replies in order, then repeats the last reply."""
    left = list(replies)
    return lambda request: left.pop(0) if len(left) > 1 else left[0]


@contextmanager
def serving(answer: Callable[[dict[str, Any]], Reply]) -> Iterator[Server]:
    """Runs a server for the duration of the block."""
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
                server.concurrent += 1
                server.max_concurrent = max(server.max_concurrent, server.concurrent)
                reply = server.answer(request)
            time.sleep(reply.wait)
            with server.lock:
                server.concurrent -= 1
            try:
                self._send_slowly(reply) if reply.byte_wait else self._send(reply)
            except OSError:  # the client has closed the connection
                self.close_connection = True

        def _send_slowly(self, reply: Reply) -> None:
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(reply.body)}\r\n\r\n"
            for byte in head.encode() + reply.body:
                time.sleep(reply.byte_wait)
                self.wfile.write(bytes([byte]))

        def _send(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in ({"Content-Type": "application/json"} | dict(reply.headers)).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body[: len(reply.body) // 2] if reply.cut else reply.body)
            self.close_connection = self.close_connection or reply.cut

        def log_message(self, format: str, *args: Any) -> None:
            """Logs nothing."""

    class HTTPServer(ThreadingHTTPServer):
        def handle_error(self, *arguments: Any) -> None:
            """Prints nothing: clients close connections to servers that misbehave."""

    http = HTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server.url = f"http://127.0.0.1:{http.server_address[1]}/v1"
    threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
