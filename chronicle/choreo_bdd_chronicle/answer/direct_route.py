"""The way of reports, past the router and all that questions go through: they are many, and their answers are small."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

Handler = Callable[[Request], Awaitable[Response]]
Refusal = Callable[[Request, Exception], Awaitable[Response]]


class DirectRoute:
    """Hands one kind of request to its handler, and everything else on to the application."""

    def __init__(
        self, app: ASGIApp, method: str, path: str, handler: Handler, refusals: Mapping[type[Exception], Refusal]
    ) -> None:
        self._app = app
        self._asked = (method, path)
        self._handler = handler
        self._refusals = refusals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI). What no narrower refusal is for is answered and raised, to be logged."""
        if scope["type"] != "http" or (scope["method"], scope["path"]) != self._asked:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive, send)
        try:
            response = await self._handler(request)
        except Exception as problem:
            kind = next(each for each in self._refusals if isinstance(problem, each))
            response = await self._refusals[kind](request, problem)
            await response(scope, receive, send)
            if kind is Exception:
                raise
            return
        await response(scope, receive, send)
