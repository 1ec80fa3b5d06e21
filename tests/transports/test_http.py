"""HTTP as a transport: where a call may go, and what is said where no answer comes."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import trustme

from choreo_bdd.exceptions import HostNotInAllowlist, TransportError
from choreo_bdd.message import NO_PAYLOAD, Message
from choreo_bdd.transports import HttpTransport
from choreo_bdd.transports.shared.tls import ssl_context
from tests.support.http_service import http_service

PASSWORD = "s3cr3t-of-the-test"


@pytest.fixture(scope="module")
def door() -> Iterator[str]:
    with http_service() as url:
        yield url


class Heard:
    """A callback that takes whole messages."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def __call__(self, topic: str, payload: bytes) -> None:
        raise AssertionError("whole messages are wanted")

    def deliver(self, message: Message) -> None:
        self.messages.append(message)


async def call(transport: HttpTransport, topic: str, payload: bytes = NO_PAYLOAD, **options: Any) -> Message:
    heard = Heard()
    await transport.connect()
    try:
        transport.subscribe(topic, heard)
        sent = transport.publish(topic, payload, **options)
        assert sent is not None
        await sent
    finally:
        await transport.disconnect()
    (message,) = heard.messages
    return message


async def problem_of(transport: HttpTransport, topic: str = "GET /") -> str:
    with pytest.raises(TransportError) as failed:
        await call(transport, topic)
    return str(failed.value)


async def test_the_answer_comes_on_the_topic_of_its_call(door: str) -> None:
    left: list[float] = []
    clock = asyncio.get_running_loop().time
    message = await call(
        HttpTransport(url=door), "POST /a?status=201&takes_s=0.1", b"x", on_sent=lambda: left.append(clock())
    )
    assert message.headers[":status"] == "201"
    assert message.headers["location"] == "/orders/7"
    assert len(left) == 1
    assert message.received_at - left[0] >= 0.1


class Departure:
    """Knows when its message has left."""

    def __init__(self) -> None:
        self.left_at: list[float] = []
        self.calls = 0

    def __call__(self) -> None:
        self.calls += 1

    def leaving(self, at: float) -> None:
        self.left_at.append(at)


@pytest.mark.parametrize("topic", ["GET /", "POST /", "GET /?status=303&to=/elsewhere"])
async def test_nobody_has_heard_a_call_before_it_left_however_rarely_we_are_let_run(door: str, topic: str) -> None:
    departure = Departure()

    def hold_up() -> None:
        time.sleep(0.01)  # as a machine does that lets others run first
        held_up.append(loop.call_soon(hold_up))

    loop = asyncio.get_running_loop()
    held_up = [loop.call_soon(hold_up)]
    message = await call(HttpTransport(url=door, follow_redirects=True), topic, b"x", on_sent=departure)
    held_up[-1].cancel()
    (left_at,) = departure.left_at
    assert departure.calls == 1, "a redirect is no message of its own"
    assert left_at <= json.loads(message.payload)["heard_at"]


async def test_nobody_listens() -> None:
    told = await problem_of(HttpTransport(url="http://127.0.0.1:1"), "POST /orders")
    assert told.startswith("POST has no answer")
    assert "nobody listens at http://127.0.0.1:1/orders" in told
    assert "start the service" in told


async def test_no_answer_in_time(door: str) -> None:
    told = await problem_of(HttpTransport(url=door, timeout_s=0.2), "GET /?takes_s=2")
    assert "gave no whole answer within 0.2 s" in told
    assert "timeout:" in told


async def test_an_answer_that_is_cut_off(door: str) -> None:
    assert "broke the connection off" in await problem_of(HttpTransport(url=door), "GET /?cut=1")


async def test_no_name_and_no_tls(door: str, tmp_path: Path) -> None:
    assert "does the service speak https" in await problem_of(HttpTransport(url=door.replace("http:", "https:")))
    hosts = tmp_path / "allowlist.yaml"
    hosts.write_text("http_hosts: [no.such.host.invalid:80]")
    told = await problem_of(HttpTransport(url="http://no.such.host.invalid", allowlist_path=hosts))
    assert "no connection to http://no.such.host.invalid/" in told


async def test_a_certificate_that_nobody_has_named() -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    server = HTTPServer(("127.0.0.1", 0), Hello)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    Thread(target=server.serve_forever, daemon=True).start()
    url = f"https://localhost:{server.server_port}"
    try:
        told = await problem_of(HttpTransport(url=url))
        assert f"the certificate of {url}/ is not trusted" in told
        assert "tls: {ca: …}" in told
        trusting = ssl_context(authority.cert_pem.bytes(), None, None)
        assert (await call(HttpTransport(url=url, tls=trusting), "GET /")).payload == b"hello"
    finally:
        server.shutdown()
        server.server_close()


class Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.mark.parametrize("url", ["127.0.0.1:80", "ftp://localhost", "http://", "http://localhost:99999", "http://a/?q"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="no address to call"):
        HttpTransport(url=url)


def test_a_login_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(ValueError, match="under auth") as refused:
        HttpTransport(url=f"http://app:{PASSWORD}@localhost")
    assert PASSWORD not in str(refused.value)


# --- where a call may go ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("elsewhere", ["http://192.0.2.1", "http://example.org:8080"])
async def test_without_a_list_only_this_machine_is_called(elsewhere: str) -> None:
    with pytest.raises(HostNotInAllowlist, match="only loopback addresses"):
        await HttpTransport(url=elsewhere).connect()
    with pytest.raises(HostNotInAllowlist, match="only loopback addresses"):
        await HttpTransport(url="http://localhost", proxy=elsewhere).connect()


async def test_with_a_list_only_what_it_names_is_called(door: str, tmp_path: Path) -> None:
    hosts = tmp_path / "allowlist.yaml"
    hosts.write_text(f"http_hosts: ['{door.removeprefix('http://')}']")
    assert (await call(HttpTransport(url=door, allowlist_path=hosts), "GET /")).headers[":status"] == "200"
    with pytest.raises(HostNotInAllowlist, match="http_hosts"):
        await HttpTransport(url="http://127.0.0.1:1", allowlist_path=hosts).connect()


async def test_a_redirect_is_an_answer_unless_it_is_to_be_followed(door: str) -> None:
    redirected = f"GET /?status=302&to={door}/there"
    assert (await call(HttpTransport(url=door), redirected)).headers[":status"] == "302"
    followed = await call(HttpTransport(url=door, follow_redirects=True), redirected)
    assert followed.headers[":status"] == "200"
    assert b'"/there"' in followed.payload


async def test_a_redirect_to_where_nothing_may_be_called_is_refused(door: str) -> None:
    with pytest.raises(HostNotInAllowlist, match=r"192\.0\.2\.1"):
        await call(HttpTransport(url=door, follow_redirects=True), "GET /?status=302&to=http://192.0.2.1/")


@pytest.mark.parametrize("path", ["//192.0.2.1/x", "/@192.0.2.1/x", "/http://192.0.2.1/x"])
async def test_no_path_leads_to_another_host(door: str, path: str) -> None:
    assert (await call(HttpTransport(url=door), f"GET {path}")).headers[":status"] == "200"


async def test_the_proxies_of_the_environment_are_not_used(door: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert (await call(HttpTransport(url=door), "GET /")).headers[":status"] == "200"


# --- logins -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("login", "sent"), [(("app", "pw"), b'"Basic YXBwOnB3"'), ("abc", b'"Bearer abc"')], ids=["basic", "bearer"]
)
async def test_a_login_goes_with_every_request(door: str, login: tuple[str, str] | str, sent: bytes) -> None:
    assert sent in (await call(HttpTransport(url=door, login=login), "GET /")).payload


async def test_a_login_goes_to_no_other_host(door: str) -> None:
    other = door.replace("127.0.0.1", "localhost")
    message = await call(
        HttpTransport(url=door, login="abc", follow_redirects=True), f"GET /?status=302&to={other}/there"
    )
    assert b"Bearer" not in message.payload


async def test_no_error_shows_a_login_or_a_secret_of_the_address(door: str) -> None:
    transport = HttpTransport(url="http://127.0.0.1:1", login=PASSWORD, headers={"X-Api-Key": PASSWORD})
    told = await problem_of(transport, f"GET /?token={PASSWORD}")
    assert PASSWORD not in told
    assert PASSWORD not in repr(transport)


async def test_a_probe_finds_the_service_and_says_when_it_refuses_the_login(door: str) -> None:
    transport = HttpTransport(url=door, login="abc")
    await transport.connect()
    await transport.probe()
    await transport.disconnect()
    refusing = HttpTransport(url="http://127.0.0.1:1")
    await refusing.connect()
    with pytest.raises(TransportError, match="nobody listens"):
        await refusing.probe()
    await refusing.disconnect()
