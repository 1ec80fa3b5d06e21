"""Telling other programs of anomalies: one thread that posts what happened, behind everything else."""

from __future__ import annotations

import hashlib
import http.client
import json
import logging
import threading
import urllib.error
import urllib.request
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from choreo_bdd_chronicle.check.moments import now
from choreo_bdd_chronicle.store import Store, events, tables
from choreo_bdd_chronicle.store.events import Event
from choreo_bdd_chronicle.store.writer import BusyError
from choreo_bdd_chronicle.summarise.days import DAY

_TOLD = "anomaly.detected"
_SLACK = "slack+"
_SLACK_HOST = "hooks.slack.com"
_PAUSES = (1.0, 5.0)
_TIMEOUT_S = 10.0
_TOLD_WITHIN = DAY
_log = logging.getLogger("choreo_bdd_chronicle")


class WebhookError(Exception):
    """A webhook cannot be used; the text says why, without what is secret in its address."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where to post, and whether as Slack reads it; ``host`` is what may be told of the address."""

    url: str
    host: str
    is_slack: bool

    @property
    def digest(self) -> str:
        """What it is known by in the database."""
        return hashlib.sha256(f"{self.is_slack} {self.url}".encode()).hexdigest()


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows nobody: the allowed host may not send on to another one."""

    def redirect_request(self, *_args: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirects)


def read_webhooks(urls: Iterable[str], hosts: Sequence[str]) -> tuple[Webhook, ...]:
    """The webhooks at these addresses. Raises ``WebhookError`` for no http(s) address or a host that is not allowed.

    ``slack+https://…`` and addresses of Slack's own host are told in Slack's form.
    """
    return tuple(_read(url, hosts) for url in urls)


class WebhookNotifier:
    """Posts each anomaly of every tenant once to each webhook, whichever server of the database does. Close it
    before its store.

    A new webhook is told of what happens from now on, another one of what happened since too, up to a day. Who does
    not answer is tried three times, then that event is left out.
    """

    def __init__(self, store: Store, webhooks: Sequence[Webhook], pauses: Sequence[float] = _PAUSES) -> None:
        self._store = store
        self._webhooks = webhooks
        self._pauses = pauses
        self._news = threading.Event()
        self._is_over = threading.Event()
        self._last = 0
        self._thread = threading.Thread(target=self._run, name="chronicle-webhooks", daemon=True)
        if webhooks:
            digests = {each.digest for each in webhooks}
            self._last = store.change(lambda connection, _dialect: events.enter_webhooks(connection, digests)).result()
            self._news.set()
            store.on_change(self._news.set)
            self._thread.start()

    def close(self) -> None:
        """Stop, after the post at hand."""
        self._is_over.set()
        self._news.set()
        if self._webhooks:
            self._thread.join()

    def _run(self) -> None:
        while True:
            self._news.wait()
            self._news.clear()
            if self._is_over.is_set():
                return
            try:
                while found := self._since():
                    for event, tenant in found:
                        self._tell(event, tenant)
            except (SQLAlchemyError, BusyError) as problem:
                _log.warning("webhooks are told with the next event: %s", problem)

    def _since(self) -> list[tuple[Event, str]]:
        if self._is_over.is_set():
            return []
        with self._store.reading() as connection:
            found = events.since(connection, self._last)
            tenants = connection.execute(select(tables.tenants.c.id, tables.tenants.c.slug))
            slugs = {row.id: row.slug for row in tenants}
        return [(event, slugs[event.tenant_id]) for event in found]

    def _tell(self, event: Event, tenant: str) -> None:
        if event.kind == _TOLD and event.at > now() - _TOLD_WITHIN:
            for webhook in self._webhooks:
                if self._is_ours(webhook, event):
                    self._post(webhook, json.dumps(_said(webhook, event, tenant)).encode())
        self._last = event.number

    def _is_ours(self, webhook: Webhook, event: Event) -> bool:
        work = partial(events.claim, digest=webhook.digest, number=event.number)
        return self._store.change(lambda connection, _dialect: work(connection)).result()

    def _post(self, webhook: Webhook, body: bytes) -> None:
        reason = ""
        for pause in (*self._pauses, None):
            request = urllib.request.Request(webhook.url, body, {"Content-Type": "application/json"})
            try:
                with _OPENER.open(request, timeout=_TIMEOUT_S):
                    return
            except urllib.error.HTTPError as answer:
                answer.close()
                reason = f"answered {answer.code}"
            except (OSError, http.client.HTTPException):
                reason = "cannot be reached"
            if pause is None or self._is_over.wait(pause):
                break
        _log.warning("the webhook at %s %s, and is not told of this anomaly", webhook.host, reason)


def _read(url: str, hosts: Sequence[str]) -> Webhook:
    plain = url.removeprefix(_SLACK)
    try:
        parts = urlsplit(plain)
        host = parts.hostname
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https"):
        raise WebhookError("a webhook is http(s)://HOST/…, or slack+https://HOST/… for one that reads Slack's form")
    if host not in hosts:
        raise WebhookError(f"the webhook at {host} is not allowed: name its host in CHRONICLE_WEBHOOK_HOSTS")
    return Webhook(plain, host, url.startswith(_SLACK) or host == _SLACK_HOST)


def _said(webhook: Webhook, event: Event, tenant: str) -> dict[str, Any]:
    data = json.loads(event.data)
    if not webhook.is_slack:
        return {"event": event.kind, "id": event.number, "tenant": tenant, "data": data}
    way = "slower" if data["change_pct"] > 0 else "better"
    return {
        "text": f"{tenant}: {_plain(data['topic'])} is {way}: {data['metric']} {data['baseline']:.4g} → "
        f"{data['current']:.4g} ({data['change_pct']:+.0f} %), {data['severity']}, {data['detection_method']}"
    }


def _plain(text: str) -> str:
    """A topic's name without what Slack would take for a mention or a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
