"""The application: routes, and how a question becomes an answer."""

from __future__ import annotations

import asyncio
import gzip
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import msgspec
from anyio import CapacityLimiter, to_thread
from sqlalchemy import Row
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from choreo_bdd_chronicle.answer import query
from choreo_bdd_chronicle.answer.access import authorise, stranger
from choreo_bdd_chronicle.answer.direct_route import DirectRoute, Handler, Refusal
from choreo_bdd_chronicle.answer.endpoints import ENDPOINTS, Endpoint, Question
from choreo_bdd_chronicle.answer.errors import HTTP, INTERNAL, VALIDATION, ApiError, not_found
from choreo_bdd_chronicle.answer.guard import Guard
from choreo_bdd_chronicle.answer.models import Health
from choreo_bdd_chronicle.answer.openapi import EVENTS, describe
from choreo_bdd_chronicle.answer.reference import reference
from choreo_bdd_chronicle.answer.stream import Broadcaster
from choreo_bdd_chronicle.answer.views import runs
from choreo_bdd_chronicle.answer.views.lifecycle import KINDS, Kind
from choreo_bdd_chronicle.answer.views.metrics import CONTENT_TYPE, IngestTimes, exposition
from choreo_bdd_chronicle.answer.views.report_page import APART, drawn
from choreo_bdd_chronicle.answer.views.shared import run_row, tenant_id
from choreo_bdd_chronicle.answer.views.stating import pinning, stating
from choreo_bdd_chronicle.check.names import TOPIC_MAX
from choreo_bdd_chronicle.pages import Pages
from choreo_bdd_chronicle.receive.body import read_body
from choreo_bdd_chronicle.receive.checkers import Checker
from choreo_bdd_chronicle.receive.ingest import ingest, tenant_of
from choreo_bdd_chronicle.receive.mailbox import Mailbox
from choreo_bdd_chronicle.settings import Settings
from choreo_bdd_chronicle.store import Store
from choreo_bdd_chronicle.store.removing import remove
from choreo_bdd_chronicle.store.writer import BusyError
from choreo_bdd_chronicle.summariser import Summariser
from choreo_bdd_chronicle.tokens import Caller, Scope
from choreo_bdd_chronicle.watcher import Watcher
from choreo_bdd_chronicle.webhooks import WebhookNotifier

BASE = "/api/v1"
_READERS = 12
_COMPRESSED_FROM = 1000
_STATEMENT_MAX = 10_000
_DIGITS = 19
_JSON = "application/json"
_log = logging.getLogger("choreo_bdd_chronicle")


class Api:
    """The handlers over one store. Reading and checking happen in threads, so that no one waits for another's."""

    def __init__(
        self,
        store: Store,
        broadcaster: Broadcaster,
        notifier: WebhookNotifier,
        checker: Checker,
        *,
        settings: Settings,
        version: str,
    ) -> None:
        self._store = store
        self._watcher = Watcher(store, settings.pause)
        self._summariser = Summariser(store)
        self._notifier = notifier
        self._checker = checker
        self._broadcaster = broadcaster
        self._mailbox = Mailbox(store)
        self._settings = settings
        self._times = IngestTimes()
        self._readers = CapacityLimiter(_READERS)
        self._openapi = describe(version, BASE, settings.root)

    def routes(self) -> list[Route]:
        """Every route below the base path; longer ones first, since a topic may hold any character."""
        changing: dict[str, dict[str, Handler]] = {
            "/runs": {"POST": self.take_report},
            "/runs/{run_id}": {"DELETE": self.remove_run},
        }
        return [
            Route("/runs/{run_id}/raw", self.raw_report),
            Route("/runs/{run_id}/report", self.report_page),
            Route("/runs/{run_id}/pin", self.pin_run, methods=["PUT", "DELETE"]),
            *(Route(f"/{kind}/{{issue_id}}/state", self.stater(kind), methods=["PUT"]) for kind in KINDS),
            Route("/stream", self.stream),
            *(_route(each.path, {"GET": self.reader(each), **changing.get(each.path, {})}) for each in ENDPOINTS),
            Route("/health", self.health),
            Route("/openapi.json", self.openapi),
            Route("/docs", self.docs),
        ]

    async def start(self) -> None:
        """Begin to tell of what happens, and make ready for reports."""
        await self._broadcaster.start()
        await self._checker.start()

    async def close(self) -> None:
        """Finish what is at hand and let go of the store."""
        await self._broadcaster.close()
        await self._checker.close()
        await to_thread.run_sync(self._watcher.close)
        await to_thread.run_sync(self._notifier.close)
        await to_thread.run_sync(self._summariser.close)
        await to_thread.run_sync(self._store.close)

    async def take_report(self, request: Request) -> Response:
        """``POST /runs``."""
        begun = time.perf_counter()
        caller = await self._caller(request, Scope.WRITE)
        done = await ingest(
            request,
            caller,
            self._store,
            self._watcher,
            self._mailbox,
            body_max=self._settings.body_max,
            checker=self._checker,
        )
        if not done.duplicate:
            self._times.add(tenant_of(request, caller), time.perf_counter() - begun)
        return _json(msgspec.json.encode(done), 200 if done.duplicate else 201)

    async def raw_report(self, request: Request) -> Response:
        """``GET /runs/{run_id}/raw``: the bytes that were sent, still gzipped for who takes that."""
        caller = await self._caller(request, Scope.READ)
        run_id = request.path_params["run_id"]
        headers = {
            "ETag": f'W/"{(await self._read(partial(self._run, caller, run_id))).content_hash}"',
            "Cache-Control": "private, no-cache",
            "Vary": "Accept-Encoding",
        }
        if headers["ETag"] in request.headers.get("If-None-Match", ""):
            return Response(status_code=304, headers=headers)
        stored = await self._read(partial(self._raw, caller, run_id))
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            return Response(stored, media_type=_JSON, headers={**headers, "Content-Encoding": "gzip"})
        return Response(await self._read(partial(gzip.decompress, stored)), media_type=_JSON, headers=headers)

    async def report_page(self, request: Request) -> Response:
        """``GET /runs/{run_id}/report``: the report as its own page, kept apart from everything of the dashboard."""
        caller = await self._caller(request, Scope.READ)
        stored = await self._read(partial(self._raw, caller, request.path_params["run_id"]))
        page = await self._read(partial(drawn, stored))
        return Response(
            page, media_type="text/html", headers={"Content-Security-Policy": APART, "X-Frame-Options": "SAMEORIGIN"}
        )

    async def remove_run(self, request: Request) -> Response:
        """``DELETE /runs/{run_id}``."""
        caller = await self._caller(request, Scope.ADMIN)
        row = await self._read(partial(self._run, caller, request.path_params["run_id"]))
        work = self._store.change(lambda connection, dialect: remove(connection, dialect, row.id))
        if not await asyncio.wrap_future(work):
            raise not_found("Run")
        return Response(status_code=204)

    async def pin_run(self, request: Request) -> Response:
        """``PUT`` and ``DELETE /runs/{run_id}/pin``."""
        caller = await self._caller(request, Scope.ADMIN)
        work = pinning(caller, request.path_params["run_id"], is_pinned=request.method == "PUT")
        await asyncio.wrap_future(self._store.change(work))
        return Response(status_code=204)

    def stater(self, kind: Kind) -> Handler:
        """The handler of ``PUT /{kind}/{issue_id}/state``."""

        async def handle(request: Request) -> Response:
            caller = await self._caller(request, Scope.ADMIN)
            asked = query.read((query.TENANT,), request.query_params)
            _check_tenant(caller, asked.tenant)
            body = await read_body(request.stream(), request.headers.get("Content-Encoding", ""), _STATEMENT_MAX)
            await asyncio.wrap_future(self._store.change(stating(asked, kind, request.path_params["issue_id"], body)))
            return Response(status_code=204)

        return handle

    async def stream(self, request: Request) -> Response:
        """``GET /stream``: the tenant is looked up before the stream begins, so that it holds no connection."""
        caller = await self._caller(request, Scope.READ)
        asked = query.read((query.TENANT,), request.query_params)
        tenant = await self._read(partial(self._tenant, caller, asked.tenant))
        seen = request.headers.get("Last-Event-ID", "")
        number = int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < _DIGITS else None
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        if request.method == "HEAD":  # else it would be sent nothing, without an end
            return Response(media_type=EVENTS, headers=headers)
        frames = self._broadcaster.frames(tenant, number)
        return StreamingResponse(frames, media_type=EVENTS, headers=headers)

    async def health(self, request: Request) -> Response:
        """``GET /health``: asked by load balancers, which have no token."""
        asked = query.read((query.flag("deep", "whether the tables are looked at too"),), request.query_params)
        try:
            await self._read(self._store.ping)
            is_current = not asked.deep or await self._read(self._store.is_current)
        except SQLAlchemyError:
            return _json(msgspec.json.encode(Health(status="degraded", database="unreachable")), 503)
        tables = ("current" if is_current else "outdated") if asked.deep else None
        found = Health(status="ok" if is_current else "degraded", database="connected", tables=tables)
        return _json(msgspec.json.encode(found), 200 if is_current else 503)

    async def metrics(self, request: Request) -> Response:
        """``GET /metrics``, beside the API, where Prometheus looks for it."""
        caller = await self._caller(request, Scope.READ)
        found = await self._read(partial(self._exposition, caller, list(self._times.lines(caller))))
        return Response(found, headers={"Content-Type": CONTENT_TYPE})

    async def openapi(self, _request: Request) -> Response:
        """``GET /openapi.json``."""
        return _json(msgspec.json.encode(self._openapi))

    async def docs(self, _request: Request) -> Response:
        """``GET /docs``: the same to read."""
        return Response(reference(self._openapi), media_type="text/html")

    def reader(self, endpoint: Endpoint) -> Handler:
        """The handler of something that can be read."""

        async def handle(request: Request) -> Response:
            caller = await self._caller(request, Scope.READ)
            asked = query.read(endpoint.parameters, request.query_params)
            _check_tenant(caller, asked.tenant)
            question = Question(caller=caller, asked=asked, path=_path(request))
            return _json(await self._read(partial(self._answer, endpoint, question)))

        return handle

    def _answer(self, endpoint: Endpoint, question: Question) -> bytes:
        if endpoint.is_summed:
            with suppress(SQLAlchemyError, BusyError, TimeoutError):  # then it is told what is summed up so far
                self._store.sum_up()
        with self._store.reading() as connection:
            return msgspec.json.encode(endpoint.answer(connection, question))

    def _exposition(self, caller: Caller, times: list[str]) -> str:
        with self._store.reading() as connection:
            return exposition(connection, caller, times)

    def _raw(self, caller: Caller, run_id: str) -> bytes:
        with self._store.reading() as connection:
            return runs.raw_report(connection, caller, run_id)

    def _run(self, caller: Caller, run_id: str) -> Row[Any]:
        with self._store.reading() as connection:
            return run_row(connection, caller, run_id)

    def _tenant(self, caller: Caller, slug: str) -> int:
        _check_tenant(caller, slug)
        with self._store.reading() as connection:
            return tenant_id(connection, slug)

    async def _caller(self, request: Request, scope: Scope) -> Caller:
        if not self._settings.needs_token:
            return stranger(request)
        return await to_thread.run_sync(partial(authorise, request, self._store, scope), limiter=self._readers)

    async def _read(self, work: Callable[[], Any]) -> Any:
        return await to_thread.run_sync(work, limiter=self._readers)


def build_app(api: Api, settings: Settings) -> ASGIApp:
    """The whole application over its handlers, which it closes at the end with all that works for them."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await api.start()
        yield
        await api.close()

    refusals: dict[type[Exception], Refusal] = {
        ApiError: _refused,
        HTTPException: _http_error,
        BusyError: _busy,
        SQLAlchemyError: _database_error,
        ClientDisconnect: _gone,
        Exception: _failed,
    }
    inner = Starlette(
        routes=[Mount(BASE, routes=api.routes()), Route("/metrics", api.metrics), *Pages(BASE, settings.root).routes()],
        middleware=[Middleware(GZipMiddleware, minimum_size=_COMPRESSED_FROM)],
        exception_handlers=refusals,
        lifespan=lifespan,
    )
    direct = DirectRoute(inner, "POST", f"{BASE}/runs", api.take_report, refusals)
    return Guard(direct, sends_hsts=settings.sends_hsts, root=settings.root)


def _route(path: str, handlers: Mapping[str, Handler]) -> Route:
    """A route for all verbs of a path, so that whoever uses another one is told of them all."""

    async def handle(request: Request) -> Response:
        return await handlers["GET" if request.method == "HEAD" else request.method](request)

    return Route(path, handle, methods=list(handlers))


def _check_tenant(caller: Caller, tenant: str) -> None:
    if tenant and not caller.sees(tenant):
        raise ApiError(403, "The token is for another tenant.")


def _path(request: Request) -> dict[str, str]:
    found = {name: str(value) for name, value in request.path_params.items()}
    topic = found.get("topic", "")
    if len(topic) > TOPIC_MAX:
        raise ApiError(422, f"topic: longer than {TOPIC_MAX} characters", error=VALIDATION)
    return found | ({"topic": topic.replace("\0", "\u2400")} if "topic" in found else {})


async def _refused(_request: Request, problem: Exception) -> Response:
    assert isinstance(problem, ApiError)
    return _json(msgspec.json.encode(problem.body()), problem.status, problem.headers)


async def _http_error(_request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    return _json(
        msgspec.json.encode({"error": HTTP, "detail": problem.detail}), problem.status_code, dict(problem.headers or {})
    )


async def _busy(request: Request, problem: Exception) -> Response:
    return await _refused(request, ApiError(503, f"Busy: {problem}; send it again.", headers={"Retry-After": "1"}))


async def _database_error(request: Request, problem: Exception) -> Response:
    _log.error("the database failed: %s", problem)
    detail = "The database cannot be used now; send it again later."
    return await _refused(request, ApiError(503, detail, headers={"Retry-After": "5"}))


async def _failed(request: Request, _problem: Exception) -> Response:
    detail = "Something went wrong here; the server's log says what, under this answer's X-Request-ID."
    return await _refused(request, ApiError(500, detail, error=INTERNAL))


async def _gone(_request: Request, _problem: Exception) -> Response:
    return Response(status_code=400)  # nobody is there to read it


def _json(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(body, status, headers, media_type=_JSON)
