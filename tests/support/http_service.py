"""A service with a front door over HTTP, as a program of its own: it answers as its paths say.

``python -m tests.support.http_service``: prints its port.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

ROOT = Path(__file__).parents[2]


class Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self) -> None:
        heard_at = time.monotonic()
        address = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        time.sleep(float(asked.get("takes_s", 0)))
        status = int(asked.get("status", 200))
        kind = asked.get("kind", "application/json")
        if "cut" in asked:
            self.close_connection = True
            self.connection.close()
            return
        told: Any = {
            "method": self.command,
            "path": address.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body": body.decode("utf-8", "replace"),
            "heard_at": heard_at,
        }
        sent = asked["says"].encode() if "says" in asked else json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(sent)))
        self.send_header("Location", asked.get("to", "/orders/7"))
        self.send_header("Set-Cookie", "sid=0123456789abcdef; HttpOnly")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(sent)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def http_service() -> Iterator[str]:
    """The service's address, while it runs in a process of its own."""
    command = [sys.executable, "-m", "tests.support.http_service"]
    service = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert service.stdout is not None
        yield f"http://127.0.0.1:{int(service.stdout.readline())}"
    finally:
        service.kill()
        service.communicate()


def serve() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    serve()
