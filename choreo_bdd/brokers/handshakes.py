"""Is a broker answering? One exchange of its own protocol over a plain socket, by kind.

Every function raises ``OSError`` when there is no answer or a wrong one.
"""

from __future__ import annotations

import json
import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import contextmanager


def nats(host: str, port: int, timeout_s: float) -> None:
    """The server's INFO; where it asks for neither login nor TLS, a PING as well."""
    with _connection(host, port, timeout_s) as connection:
        line = _line(connection)
        if not line.startswith(b"INFO "):
            raise _wrong("NATS", line)
        info = json.loads(line[5:])
        if info.get("auth_required") or info.get("tls_required"):
            return
        connection.sendall(b'CONNECT {"verbose":false}\r\nPING\r\n')
        answer = _line(connection)
        if answer != b"PONG":
            raise _wrong("NATS", answer)


def redis(host: str, port: int, timeout_s: float, *, tls: bool = False) -> None:
    """A PING; that a login is wanted is an answer too, that data is still being loaded is not."""
    with _connection(host, port, timeout_s, tls=tls) as connection:
        connection.sendall(b"PING\r\n")
        answer = _line(connection)
        if not answer.startswith((b"+PONG", b"-NOAUTH")):
            raise _wrong("Redis", answer)


def rabbitmq(host: str, port: int, timeout_s: float, *, tls: bool = False) -> None:
    """The AMQP 0-9-1 header, answered by Connection.Start."""
    with _connection(host, port, timeout_s, tls=tls) as connection:
        connection.sendall(b"AMQP\x00\x00\x09\x01")
        answer = _exactly(connection, 11)
        if answer[:1] != b"\x01" or answer[7:] != b"\x00\x0a\x00\x0a":
            raise _wrong("AMQP", answer)


def kafka(host: str, port: int, timeout_s: float, *, tls: bool = False) -> None:
    """An ApiVersions request, which a broker answers before any login."""
    api_versions, version, correlation_id, no_client_id = 18, 0, 7, -1
    request = struct.pack(">hhih", api_versions, version, correlation_id, no_client_id)
    with _connection(host, port, timeout_s, tls=tls) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        _, answered_id, error = struct.unpack(">iih", _exactly(connection, 10))
        if answered_id != correlation_id or error:
            raise _wrong("Kafka", f"correlation id {answered_id}, error {error}".encode())


def any_listener(host: str, port: int, timeout_s: float) -> None:
    """That somebody accepts connections, for servers whose protocol is nobody's business."""
    with _connection(host, port, timeout_s):
        pass


@contextmanager
def _connection(host: str, port: int, timeout_s: float, *, tls: bool = False) -> Iterator[socket.socket]:
    with socket.create_connection((host, port), timeout=timeout_s) as plain:
        if not tls:
            yield plain
            return
        try:
            with _trusting_anyone().wrap_socket(plain) as secured:
                yield secured
        except ssl.SSLError as error:
            # A server that insists on a client certificate refuses with an alert: it is up, and that is the question.
            if "ALERT" not in (error.reason or ""):
                raise


def _trusting_anyone() -> ssl.SSLContext:
    """For a question that carries no secret and believes no answer but "I am here"."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _line(connection: socket.socket) -> bytes:
    received = b""
    while not received.endswith(b"\n"):
        received += _some(connection, 4096)
    return received.rstrip(b"\r\n")


def _exactly(connection: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        received += _some(connection, size - len(received))
    return received


def _some(connection: socket.socket, size: int) -> bytes:
    received = connection.recv(size)
    if not received:
        raise ConnectionError("the server closed the connection without an answer")
    return received


def _wrong(protocol: str, answer: bytes) -> ConnectionError:
    return ConnectionError(f"the answer is not {protocol}: {answer[:80]!r}")
