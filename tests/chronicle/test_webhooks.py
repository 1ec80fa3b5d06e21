"""Anomalies told to other programs, and only to hosts that are allowed."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from choreo_bdd_chronicle.commands import commands
from choreo_bdd_chronicle.settings import Settings, read_settings
from choreo_bdd_chronicle.store import Store, open_store
from choreo_bdd_chronicle.store.events import announce
from choreo_bdd_chronicle.webhooks import WebhookError, WebhookNotifier, read_webhooks
from tests.chronicle.conftest import started
from tests.chronicle.reports import report
from tests.support.command_line import CliRunner

SLOWER = {
    "topic": "orders <!here>", "metric": "mean_ms", "current": 31.2, "baseline": 20.1, "change_pct": 55.2,
    "severity": "critical", "detection_method": "change_point",
}  # fmt: skip


@dataclass
class Hook:
    """A program that is told; ``answers`` are the codes it answers with, then 200 for good."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    told: queue.Queue[tuple[str, Any]] = field(default_factory=queue.Queue)


@pytest.fixture
def hook() -> Iterator[Hook]:
    found = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            code = found.answers.pop(0) if found.answers else 200
            self.send_response(code)
            if code == 302:
                self.send_header("Location", f"{found.url}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()
            found.told.put((self.path, body))

        def log_message(self, *_args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


def told_of(store: Store, **changes: Any) -> None:
    """Have an anomaly announced, of the first tenant there is."""
    event = (1, "anomaly.detected", SLOWER | changes)
    store.change(lambda connection, dialect: announce(connection, dialect, [event])).result()


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    with started(Settings(database=database)) as chronicle:
        chronicle.keep(report())
    found = open_store(database)
    yield found
    found.close()


def test_an_anomaly_is_told_once_in_the_form_that_is_read(store: Store, hook: Hook) -> None:
    urls = [f"{hook.url}/generic", f"slack+{hook.url}/slack"]
    notifier = WebhookNotifier(store, read_webhooks(urls, ["127.0.0.1"]))
    told_of(store)
    told = dict(hook.told.get(timeout=20) for _ in urls)
    assert (told["/generic"]["event"], told["/generic"]["tenant"]) == ("anomaly.detected", "alpha")
    assert told["/generic"]["data"] == SLOWER
    (text,) = told["/slack"].values()
    assert "orders &lt;!here&gt; is slower" in text
    assert "20.1 → 31.2 (+55 %)" in text
    told_of(store, topic="second")
    again = dict(hook.told.get(timeout=20) for _ in urls)  # in whatever order the two are told
    assert {path: "id" in data for path, data in again.items()} == {"/generic": True, "/slack": False}
    notifier.close()
    assert hook.told.empty()


def test_servers_of_one_database_tell_an_anomaly_once(store: Store, database: str, hook: Hook) -> None:
    other, hooks = open_store(database), read_webhooks([f"{hook.url}/x"], ["127.0.0.1"])
    notifiers = [WebhookNotifier(each, hooks) for each in (store, other)]
    topics = [f"orders.{number}" for number in range(12)]
    for topic in topics:
        told_of(store, topic=topic)
    # a file's other users are not woken: the second store is told of a change, and looks
    other.change(lambda _connection, _dialect: None).result()
    told = [hook.told.get(timeout=20)[1]["data"]["topic"] for _ in topics]
    for each in notifiers:
        each.close()
    other.close()
    assert sorted(told) == sorted(topics)
    assert hook.told.empty()


def test_what_happened_while_no_server_ran_is_told_at_the_next_start(store: Store, hook: Hook) -> None:
    hooks = read_webhooks([f"{hook.url}/x"], ["127.0.0.1"])
    told_of(store, topic="before anybody was to be told")
    WebhookNotifier(store, hooks).close()
    told_of(store, topic="meanwhile")
    notifier = WebhookNotifier(store, hooks)
    assert hook.told.get(timeout=20)[1]["data"]["topic"] == "meanwhile"
    notifier.close()
    assert hook.told.empty()


def test_who_does_not_answer_is_tried_again_and_the_next_anomaly_is_told(
    store: Store, hook: Hook, caplog: pytest.LogCaptureFixture
) -> None:
    hook.answers[:] = [500, 200, 500, 500, 500]
    notifier = WebhookNotifier(store, read_webhooks([f"{hook.url}/x?secret=1"], ["127.0.0.1"]), pauses=(0, 0))
    for topic in ("again", "lost", "next"):
        told_of(store, topic=topic)
    told = [hook.told.get(timeout=20)[1]["data"]["topic"] for _ in range(6)]
    notifier.close()
    assert told == ["again", "again", "lost", "lost", "lost", "next"]
    assert "the webhook at 127.0.0.1 answered 500" in caplog.text
    assert "secret" not in caplog.text


def test_nobody_is_followed_elsewhere(store: Store, hook: Hook) -> None:
    hook.answers[:] = [302]
    notifier = WebhookNotifier(store, read_webhooks([f"{hook.url}/x"], ["127.0.0.1"]), pauses=())
    told_of(store)
    told_of(store, topic="second")
    assert [hook.told.get(timeout=20)[0] for _ in range(2)] == ["/x", "/x"]
    notifier.close()
    assert hook.told.empty()


@pytest.mark.parametrize("url", ["https://evil.example/x", "ftp://127.0.0.1/x", "nonsense", "https://[/"])
def test_only_allowed_hosts_are_taken(url: str) -> None:
    with pytest.raises(WebhookError) as refused:
        read_webhooks([url], ["127.0.0.1"])
    assert "/x" not in str(refused.value)


def test_a_server_does_not_start_with_one_that_is_not_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHRONICLE_WEBHOOKS", "https://ci.example/secret")
    done = CliRunner().invoke(commands, ["chronicle", "serve", "--port", "0", "--data", str(tmp_path)])
    assert done.exit_code == 2
    assert "the webhook at ci.example is not allowed: name its host in CHRONICLE_WEBHOOK_HOSTS" in done.output
    assert "secret" not in done.output


def test_the_environment_names_them() -> None:
    found = read_settings(
        environment={
            "CHRONICLE_DATABASE_URL": "sqlite://",
            "CHRONICLE_WEBHOOKS": "https://a.example/1 slack+https://b.example/2",
            "CHRONICLE_WEBHOOK_HOSTS": "a.example b.example",
        }
    )
    assert [each.is_slack for each in read_webhooks(found.webhooks, found.webhook_hosts)] == [False, True]
