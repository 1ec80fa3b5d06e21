"""The dashboard as routes: the shell at every address of a page, its files at addresses that change with them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_FOLDERS = ("css", "js", "js/views", "vendor")
_TYPES = {".js": "text/javascript", ".css": "text/css"}
_FOR_EVER = "public, max-age=31536000, immutable"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Pages:
    """The files of the dashboard, read once. ``api`` is the path that the API is below, ``root`` that of all."""

    def __init__(self, api: str, root: str = "") -> None:
        room = files(__package__)
        self._api = api
        self._root = root
        self.assets: Mapping[str, bytes] = {
            f"{folder}/{file.name}": file.read_bytes()
            for folder in _FOLDERS
            for file in room.joinpath(folder).iterdir()
            if _suffix(file) in _TYPES
        }
        self._version = _digest(self.assets)

    @cached_property
    def shell(self) -> str:
        """The page that loads all others, made when the first of them is asked for."""
        import jinja2  # noqa: PLC0415 - a start does without

        source, root = files(__package__).joinpath("shell.html.j2").read_text("utf-8"), self._root
        template = jinja2.Environment(autoescape=True).from_string(source)
        return template.render(assets=f"{root}/assets/{self._version}", api=f"{root}{self._api}", root=root)

    def routes(self) -> list[Route]:
        """To be put after all others, as every path is an address of the dashboard."""
        return [Route("/assets/{version}/{path:path}", self._asset), Route("/{path:path}", self._page)]

    async def _asset(self, request: Request) -> Response:
        path = request.path_params["path"]
        if request.path_params["version"] != self._version or path not in self.assets:
            raise HTTPException(404, "There is no such file; the pages of another release have others.")
        headers = {"Cache-Control": _FOR_EVER}
        return Response(self.assets[path], media_type=_TYPES["." + path.rpartition(".")[2]], headers=headers)

    async def _page(self, request: Request) -> Response:
        if request.url.path == "/api" or request.url.path.startswith("/api/"):
            raise HTTPException(404, f"There is no such path; the API is below {self._api}.")
        headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}
        return Response(self.shell, media_type="text/html", headers=headers)


def _suffix(file: Traversable) -> str:
    return "." + file.name.rpartition(".")[2]


def _digest(assets: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in sorted(assets.items()):
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:16]
