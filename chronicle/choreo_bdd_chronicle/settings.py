"""What a server is told: by options first, then by the environment."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8000
BODY_MAX = 20 * 1024 * 1024
LISTENERS_MAX = 2000
_ROOT = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")


class SettingsError(Exception):
    """A setting makes no sense; the text names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How one server runs.

    ``body_max`` bounds a report's decoded bytes, ``listeners_max`` the open event streams; for ``pause`` seconds
    reports are gathered before changes are looked for. ``webhooks`` are told of anomalies; only addresses at
    ``webhook_hosts`` are taken. ``root`` is the path that a reverse proxy serves everything below, such as
    ``/chronicle``, or empty.
    """

    database: str
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    body_max: int = BODY_MAX
    listeners_max: int = LISTENERS_MAX
    pause: float = 0.5
    needs_token: bool = False
    sends_hsts: bool = False
    webhooks: tuple[str, ...] = ()
    webhook_hosts: tuple[str, ...] = ()
    root: str = ""


def read_settings(
    *,
    host: str | None = None,
    port: int | None = None,
    data: Path | None = None,
    database: str | None = None,
    needs_token: bool = False,
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """The settings of a server. Beyond loopback, tokens are always asked for. Raises ``SettingsError``."""
    at = host or environment.get("CHRONICLE_HOST") or DEFAULT_HOST
    return Settings(
        database=database or database_url(data, environment),
        host=at,
        port=port if port is not None else _number(environment, "CHRONICLE_PORT", DEFAULT_PORT),
        body_max=_number(environment, "CHRONICLE_MAX_BODY_SIZE", BODY_MAX),
        listeners_max=_number(environment, "CHRONICLE_MAX_SSE_CONNECTIONS", LISTENERS_MAX),
        needs_token=needs_token or not is_loopback(at),
        webhooks=tuple(environment.get("CHRONICLE_WEBHOOKS", "").split()),
        webhook_hosts=tuple(environment.get("CHRONICLE_WEBHOOK_HOSTS", "").split()),
        root=_root(environment.get("CHRONICLE_ROOT_PATH", "")),
        sends_hsts=environment.get("CHRONICLE_ENVIRONMENT") in ("staging", "production"),
    )


def database_url(data: Path | None, environment: Mapping[str, str] = os.environ) -> str:
    """Where reports are kept: a given folder's file, else what the environment names, else the user's own file."""
    named = environment.get("CHRONICLE_DATABASE_URL") or environment.get("DATABASE_URL")
    if data is None and named:
        return named
    folder = data or Path(environment.get("CHRONICLE_DATA") or data_folder(environment))
    folder.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{(folder / 'chronicle.db').resolve()}"


def data_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where this system's programs keep a user's data."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "choreo-bdd"
    if sys.platform == "win32":
        return Path(environment.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "choreo-bdd"
    return Path(environment.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "choreo-bdd"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a host's address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _root(text: str) -> str:
    root = text.rstrip("/")
    if root and not _ROOT.fullmatch(root):
        raise SettingsError(f"CHRONICLE_ROOT_PATH: expected a path such as /chronicle, found {text!r}")
    return root


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name, "")
    if not text:
        return default
    if not text.isdecimal():
        raise SettingsError(f"{name}: expected a whole number, found {text!r}")
    return int(text)
