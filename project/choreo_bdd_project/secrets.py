"""What a configuration shows to be secret: logins, what services are given, variables, and what ``secrets`` lists."""

from __future__ import annotations

import difflib
import os
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any

from choreo_bdd.redaction import declare_secrets, is_secret_key, is_unmistakable, secrets_in_urls
from choreo_bdd_project.config import Config, TransportConfig
from choreo_bdd_project.placeholders import fill_from_environment
from choreo_bdd_project.service_settings import ServiceConfig

_NO_SECRETS = frozenset({"user", "username", "type", "mechanism", "nkey_file", "credentials_file"})
"""Keys of a login whose values may be shown."""
_ALIKE = 0.85


def declare(config: Config) -> None:
    """Have everything that a configuration shows to be secret hidden from now on, wherever it stands."""
    values = [os.environ[name] for name in (*config.env_names, *config.secrets.env) if name in os.environ]
    for transport in config.transports.values():
        values += _values(transport.options, is_login=False)
        values += _sent_over_http(transport) if transport.is_called else ()
    for service in config.services:
        values += _given_to(service)
    declare_secrets(names=config.secrets.names, patterns=config.secrets.patterns, values=values)


def unset(config: Config) -> Iterator[tuple[str, bool]]:
    """What to tell of each variable under ``secrets`` that is not set, and whether its name looks misspelt.

    What stands there is not shown: it may be the secret itself.
    """
    listed = {*config.secrets.env, *config.env_names}
    others = {name.upper(): name for name in os.environ if name not in listed}
    for name, place in config.secrets.env.items():
        if name not in os.environ:
            close = difflib.get_close_matches(name.upper(), others, n=1, cutoff=_ALIKE)
            meant = f"; did you mean {others[close[0]]}?" if close else ""
            yield (
                f"{place}: no environment variable of that name is set, so nothing is hidden for it{meant}",
                bool(close),
            )


def _sent_over_http(transport: TransportConfig) -> Iterator[str]:
    """What of a login goes over HTTP in other words: user and password in one, a header's value without its scheme."""
    login = transport.options.get("auth") or {}
    if "password" in login:
        yield b64encode(f"{login.get('user', '')}:{login['password']}".encode()).decode()
    for name, value in (transport.options.get("headers") or {}).items():
        rest = str(value).partition(" ")[2]
        if is_secret_key(name) and rest:
            yield rest


def _given_to(service: ServiceConfig) -> Iterator[str]:
    """What a service is given under secret names; plain words, as databases on one's own machine have, are none."""
    given = fill_from_environment(dict(service.settings))
    return filter(is_unmistakable, _values(given, is_login=False))


def _values(settings: Any, *, is_login: bool) -> Iterator[str]:
    if isinstance(settings, Mapping):
        for key, value in settings.items():
            yield from _values(value, is_login=key not in _NO_SECRETS and (is_login or is_secret_key(key)))
    elif isinstance(settings, list):
        for value in settings:
            yield from _values(value, is_login=is_login)
    elif isinstance(settings, str):
        yield from [settings] if is_login else secrets_in_urls(settings)
