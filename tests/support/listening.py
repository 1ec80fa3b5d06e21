"""A server on this machine that writes down what it is sent, for looking at what goes over the wire."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread


@dataclass(frozen=True, slots=True)
class Heard:
    """A request: its first line with its headers, and its body."""

    head: str
    body: bytes


_KEPT = b'{"run_id": "1", "duplicate": false}'


@contextmanager
def listening(status: int = 201, answer: bytes = _KEPT) -> Iterator[tuple[str, list[Heard]]]:
    """Its address, and the requests so far, each of which it answers as Chronicle does, or as is said."""
    requests: list[Heard] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            requests.append(Heard(f"{self.requestline}\n{self.headers}", body))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Not on the terminal."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", requests
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
