"""A receiver of OTLP over HTTP, on loopback and a free port. Nothing that is sent to it can hurt a run."""

from __future__ import annotations

import gzip
import io
import threading
import zlib
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType

from choreo_bdd.traces.otlp import read_json, read_protobuf
from choreo_bdd.traces.spans import Span, Spans

LARGEST_BODY = 4 * 1024 * 1024
"""Bytes of a request, as it comes and unpacked."""
_PATIENCE_S = 10.0
_END_NOTICED_S = 0.05
"""How long a run waits at most for this at its end; the server's own half a second would be noticed."""
_READERS: Mapping[str, Callable[[bytes], list[Span]]] = MappingProxyType(
    {"application/x-protobuf": read_protobuf, "application/json": read_json}
)
_DROPPED = ("/v1/metrics", "/v1/logs")


class Receiver:
    """Listens from ``start`` to ``stop``; what came is in ``spans``."""

    def __init__(self) -> None:
        self.spans = Spans()
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """Where services send their spans; ``RuntimeError`` before ``start``."""
        if self._server is None:
            raise RuntimeError("the receiver of traces does not listen: call start() first")
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def environment(self) -> Mapping[str, str]:
        """What the OpenTelemetry SDK of a service reads to send its spans here, soon after they have ended."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.url,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_TRACES_EXPORTER": "otlp",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_LOGS_EXPORTER": "none",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }

    def start(self) -> None:
        """Begin to listen; a second call changes nothing."""
        if self._server is None:
            server = _Server(self.spans)
            self._server = server
            threading.Thread(
                target=server.serve_forever, args=(_END_NOTICED_S,), name="choreo-traces", daemon=True
            ).start()

    def stop(self) -> None:
        """Listen no more; harmless when called again."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, spans: Spans) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.spans = spans

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that breaks off is nobody's fault here."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = _PATIENCE_S

    def do_POST(self) -> None:
        """Take an export."""
        try:
            body = self._body()
        except _Refused as refused:
            self.close_connection = True  # what is left of the body is no request
            self._answer(refused.status, b"")
            return
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        reader = _READERS.get(kind)
        if self.path in _DROPPED:
            self._answer(200, b"")
        elif self.path != "/v1/traces":
            self._answer(404, b"")
        elif reader is None:
            self._answer(415, b"")
        else:
            self._take(reader, body, kind)

    def _take(self, reader: Callable[[bytes], list[Span]], body: bytes, kind: str) -> None:
        try:
            self.server.spans.add(reader(body))
        except Exception:  # noqa: BLE001 - whatever it was, it is the sender's, and no run ends of it
            self._answer(400, b"")
        else:
            self._answer(200, b"{}" if kind == "application/json" else b"", kind)

    def _body(self) -> bytes:
        try:
            length = int(self.headers.get("content-length", ""))
        except ValueError:
            raise _Refused(411) from None
        if not 0 <= length <= LARGEST_BODY:
            raise _Refused(413 if length > 0 else 400)
        body = self.rfile.read(length)
        packed = self.headers.get("content-encoding", "identity").strip().lower()
        if packed == "identity":
            return body
        if packed != "gzip":
            raise _Refused(415)
        return _unpacked(body)

    def _answer(self, status: int, body: bytes, kind: str = "application/x-protobuf") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """A run's output is no place for this."""


class _Refused(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def _unpacked(body: bytes) -> bytes:
    """What was packed, as far as it may be: a small body can hold a very large one."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as packed:
            whole = packed.read(LARGEST_BODY + 1)
    except (OSError, EOFError, zlib.error):
        raise _Refused(400) from None
    if len(whole) > LARGEST_BODY:
        raise _Refused(413)
    return whole
