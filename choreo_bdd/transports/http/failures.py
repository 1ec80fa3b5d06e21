"""Why a call brought no answer: what happened, where, and what to look at next."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from types import MappingProxyType

from choreo_bdd.shared.causes import causes_of

_BROKEN_OFF = "{where} broke the connection off before its answer was complete: see the service's own log"
_SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        "ConnectError": "no connection to {where} ({reason}): is the host's name right, and can it be reached?",
        "RemoteProtocolError": _BROKEN_OFF,
        "ReadError": _BROKEN_OFF,
        "WriteError": _BROKEN_OFF,
        "TooManyRedirects": "{where} redirects in a circle",
        "ProxyError": "the proxy refused the way to {where}: see `proxy:` at this transport",
        "DecodingError": "the answer of {where} is not packed as its content-encoding says",
        "LocalProtocolError": (
            "the request to {where} cannot be written: a header has characters that HTTP does not carry"
        ),
        "UnicodeEncodeError": (
            "the request to {where} cannot be written: a header has characters that HTTP does not carry"
        ),
        "InvalidURL": "{where} is no address of HTTP",
        "UnsupportedProtocol": "{where} is no address of HTTP",
    }
)
"""By the name of the client's error."""


def told(error: BaseException, where: str, timeout_s: float) -> str:
    """An error of the client's in words; it quotes no request and no header."""
    if isinstance(error, TimeoutError):
        return (
            f"{where} gave no whole answer within {timeout_s:g} s: see why in the service's own log, or allow more "
            f"with `timeout:` at this transport"
        )
    causes = list(causes_of(error))
    secured = next((each for each in causes if isinstance(each, ssl.SSLError)), None)
    if secured is not None:
        return _insecure(secured, where)
    if any(isinstance(each, ConnectionRefusedError) for each in causes) or "attempts failed" in str(error):
        return f"nobody listens at {where} (connection refused): start the service, or correct `url:`"
    sentence = _SENTENCES.get(type(error).__name__, f"{{where}} could not be called ({type(error).__name__})")
    return sentence.replace("{where}", where).replace("{reason}", _reason(causes))


def _insecure(error: ssl.SSLError, where: str) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the certificate of {where} is not trusted ({error.verify_message}): name its authority with "
            f"`tls: {{ca: …}}` at this transport"
        )
    return f"no TLS with {where}: does the service speak https on this port, and of which version?"


def _reason(causes: list[BaseException]) -> str:
    found = next((each for each in causes if isinstance(each, OSError) and each.strerror), None)
    return type(causes[-1]).__name__ if found is None else str(found.strerror)
