"""Who asks, and what they may."""

from __future__ import annotations

import base64
import binascii

from starlette.requests import Request

from choreo_bdd_chronicle import tokens
from choreo_bdd_chronicle.answer.errors import ApiError
from choreo_bdd_chronicle.answer.headers import sole
from choreo_bdd_chronicle.store import Store
from choreo_bdd_chronicle.tokens import Caller, Scope

_MAKE = "`choreo-bdd chronicle tokens create NAME` makes one, where the server's database is"
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="Chronicle: any user name, the token as password", Bearer'}


def stranger(request: Request) -> Caller:
    """Who asks where no token is needed: this machine, but no page of another site that a local browser shows."""
    if request.headers.get("Sec-Fetch-Site") == "cross-site" and request.method not in ("GET", "HEAD"):
        raise ApiError(403, "Pages of other sites may not write here.")
    return Caller()


def authorise(request: Request, store: Store, scope: Scope) -> Caller:
    """Who asks. ``ApiError`` 401 without a token that is known, 403 for one that is not good for this."""
    token = _token(sole(request, "Authorization"))
    if token is None:
        raise ApiError(401, f"A token is needed: Authorization: Bearer TOKEN; {_MAKE}.", headers=_CHALLENGE)
    with store.reading() as connection:
        found = tokens.caller(connection, token)
    if found is None:
        raise ApiError(401, f"The token is not known here; {_MAKE}.", headers=_CHALLENGE)
    if not found.may(scope):
        raise ApiError(403, f"The token is not good for this; a {scope} token is needed.")
    return found


def _token(header: str) -> str | None:
    """A bearer's token, or the password that a browser asked for."""
    kind, _, value = header.strip().partition(" ")
    if kind.lower() == "bearer":
        return value.strip() or None
    if kind.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2] or None
        except (binascii.Error, UnicodeDecodeError):
            return None
    return None
