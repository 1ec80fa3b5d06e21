"""TLS settings shared by every broker's credentials."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from choreo_bdd.exceptions import TransportError

CaSource = str | Path | bytes | ssl.SSLContext
"""A PEM file, PEM bytes, or a ready context (then nothing else is looked at)."""


def configured_context(settings: Mapping[str, Any] | bool, folder: Path) -> ssl.SSLContext | None:
    """What choreo.yaml says under ``tls:``, with paths relative to ``folder``; ``None`` for no TLS.

    Raises ``TransportError`` for what cannot be loaded.
    """
    if not settings:
        return None
    given = settings if isinstance(settings, Mapping) else {}
    ca, cert, key = (folder / given[name] if name in given else None for name in ("ca", "cert", "key"))
    context = ssl_context(ca, cert, key, key_password=given.get("key_password"))
    if given.get("verify") is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def ssl_context(ca: CaSource | None, cert: Any, key: Any, *, key_password: str | None = None) -> ssl.SSLContext:
    """A client context that trusts ``ca`` (the system's roots without it) and shows ``cert``, if there is one.

    Raises ``TransportError`` for what cannot be loaded; it names the kind of trouble, never the material.
    """
    if isinstance(ca, ssl.SSLContext):
        return ca
    if isinstance(cert, bytes) or isinstance(key, bytes):
        raise TransportError("a client certificate as bytes is not supported: pass file paths, or an ssl.SSLContext")
    try:
        context = ssl.create_default_context()
        if isinstance(ca, bytes):
            context.load_verify_locations(cadata=ca.decode("ascii"))
        elif ca is not None:
            context.load_verify_locations(cafile=str(ca))
        if cert is not None and key is not None:
            context.load_cert_chain(str(cert), str(key), key_password)
    except (OSError, ValueError) as error:
        raise TransportError(f"the TLS material could not be loaded: {type(error).__name__}") from None
    return context
