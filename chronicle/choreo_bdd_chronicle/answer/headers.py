"""What a request's headers say."""

from __future__ import annotations

from starlette.requests import Request

from choreo_bdd_chronicle.answer.errors import ApiError


def sole(request: Request, name: str) -> str:
    """A header that may be there once, empty without it. ``ApiError`` 400 for two: nobody knows which is meant."""
    found = request.headers.getlist(name)
    if len(found) > 1:
        raise ApiError(400, f"{name}: sent {len(found)} times; send it once")
    return found[0] if found else ""
