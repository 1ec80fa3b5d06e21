"""What stands for something else in a configuration: ``${VARIABLE}``, and ``${services.NAME.url}`` of its services."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from msgspec import Struct

from choreo_bdd_project.config_file import ConfigError, shown_name

_PLACEHOLDER = re.compile(
    r"\$\{(?:services\.(?P<service>[\w-]+)\.(?P<fact>\w+)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?)\}"
)
_NEARLY = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*(?:-|:(?!-)|\?)|\$\{\{[^{}]*\}\}")
_BARE = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]*|\{\{[^{}]*\}\}|%\w+%")
"""A variable as a shell, a CI service or Compose may write it: the first anywhere, the second as an address."""
_ADDRESSES = ("servers", "url")
_FACTS = ("url", "host", "port")


class Address(Struct, frozen=True):
    """Where a service is reached."""

    url: str
    host: str
    port: int


Addresses = Mapping[str, Address | None]
"""The services there are, by name; ``None`` for one that does not run yet."""


def fill(value: Any, at: Callable[..., str], addresses: Addresses, *, offline: bool = False) -> Any:
    """A value of the configuration with everything in it filled in; ``at`` tells where a key of it stands.

    The address of a service that does not run stays as it is written, and ``offline``, where nothing is connected to,
    a variable that is not set. Raises ``ConfigError``.
    """
    return _replaced(value, at, partial(_filled, addresses=addresses, offline=offline))


def fill_from_environment(value: Any) -> Any:
    """The same with the variables that are set only; all else stays as it is written."""
    return _replaced(value, lambda *_keys: "", lambda match, _at: _of_environment(match) or match[0])


def refuse_nearly(value: Any, at: Callable[..., str], name: object = "") -> None:
    """Raise ``ConfigError`` for a variable in another spelling: it would stay as it is, and nobody can connect there.

    What stands there is not shown: it may hold a password, as what follows the name in ``${NAME:…}`` may.
    """
    if isinstance(value, dict):
        for key, item in value.items():
            refuse_nearly(item, _below(at, key), key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            refuse_nearly(item, _below(at, index), name)
    elif isinstance(value, str) and (_NEARLY.search(value) or (name in _ADDRESSES and _BARE.fullmatch(value))):
        raise ConfigError(f"{at()}: a variable is written ${{NAME}} here, or ${{NAME:-default}} with a default")


_Replace = Callable[[re.Match[str], Callable[..., str]], str]


def _replaced(value: Any, at: Callable[..., str], replace: _Replace) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(item, _below(at, key), replace) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, _below(at, index), replace) for index, item in enumerate(value)]
    if not isinstance(value, str):
        return value
    return _PLACEHOLDER.sub(lambda match: replace(match, at), value)


def _below(at: Callable[..., str], key: str | int) -> Callable[..., str]:
    return lambda *keys: at(key, *keys)


def _filled(match: re.Match[str], at: Callable[..., str], addresses: Addresses, *, offline: bool) -> str:
    if match["service"] is not None:
        return _of_service(match, at, addresses)
    found = _of_environment(match)
    if found is None and offline:
        return match[0]
    if found is None:
        raise ConfigError(
            f"{at()}: the environment variable {match['name']} is not set; set it, or give a default "
            f"with ${{{match['name']}:-default}}"
        )
    return found


def _of_environment(match: re.Match[str]) -> str | None:
    return None if match["name"] is None else os.environ.get(match["name"], match["default"])


def _of_service(match: re.Match[str], at: Callable[..., str], addresses: Addresses) -> str:
    name, fact = match["service"], match["fact"]
    if name not in addresses:
        known = ", ".join(map(shown_name, addresses)) or "none"
        raise ConfigError(
            f"{at()}: there is no service {name!r} that runs with this profile, or it stands below what needs it (they "
            f"are started in their order); there are: {known}"
        )
    if fact not in _FACTS:
        raise ConfigError(f"{at()}: a service has {', '.join(_FACTS)}, and no {fact!r}")
    address = addresses[name]
    return match[0] if address is None else str(getattr(address, fact))
