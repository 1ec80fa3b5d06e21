"""What holds for a scenario: the configuration of its folder, and what its tags change (spec/steps.md 3, 6)."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct, structs

from choreo_bdd_project.config import Config, ConfigError, find_config, load_config, memory_config
from choreo_bdd_project.gherkin.bus_tags import buses
from choreo_bdd_project.placeholders import Address
from choreo_bdd_project.secrets import declare
from choreo_bdd_steps.language.durations import INSTANT, parse_duration

_TAG = re.compile(r"(?P<name>timeout|slow|bus)(?P<value>[(=:].*)", re.DOTALL | re.IGNORECASE)


_NAMES = ("timeout", "slow", "bus")


class Settings(Struct, frozen=True):
    """What holds for one scenario, its tags included. Durations are seconds."""

    timeout_s: float
    slow: Literal["fail", "warn"]


def configuration(start: Path, profile: str | None = None, *, offline: bool = False) -> Config:
    """The configuration that applies to a folder: the nearest file upwards, else one in-memory transport.

    What it shows to be secret is hidden from then on. ``offline``, where nothing is connected to, no variable of the
    environment needs to be set. Raises ``ConfigError``.
    """
    path = find_config(start)
    if path is None:
        if profile not in (None, "memory"):
            raise ConfigError(f"profile {profile!r} was asked for, but there is no choreo.yaml in {start} or above")
        return memory_config()
    config = load_config(path, schema=_schema(), profile=profile, offline=offline)
    declare(config)
    return config


def _schema() -> Mapping[str, Any]:
    from choreo_bdd_schemas import config_schema  # noqa: PLC0415 - needed only where there is a file

    return config_schema()


def at_addresses(config: Config, addresses: Mapping[str, Address]) -> Config:
    """A configuration as it reads now that its services are at these addresses. Raises ``ConfigError``."""
    if config.source is None:
        return config
    read = load_config(config.source, schema=_schema(), profile=config.profile, addresses=addresses)
    declare(read)
    return structs.replace(config, transports=read.transports)


def slow_policy(text: str) -> Literal["fail", "warn"]:
    """What becomes of a step whose message came over its budget. Raises ``ValueError``."""
    if text not in ("fail", "warn"):
        raise ValueError(f"the slow policy is 'fail' or 'warn', not {text!r}")
    return "fail" if text == "fail" else "warn"


def timeout_of(text: str) -> float:
    """The seconds that ``@timeout(…)`` names; a tag has no blanks, so ``_`` is one. Raises ``ValueError``."""
    return parse_duration(text.replace("_", " "))


def tag_problem(tag: str) -> str | None:
    """What is wrong with a tag of ours; ``None`` for a good one, and for one of the user's own, such as ``@slow``."""
    found = _TAG.fullmatch(tag)
    if found is None:
        return None
    name, value = found["name"].lower(), found["value"][1:-1]
    if tag != f"{name}({value})":
        return f"write @{name}(…), in small letters, with the value in parentheses and no blank"
    try:
        if name == "timeout":
            return None if timeout_of(value) else INSTANT
        if name == "slow":
            slow_policy(value)
    except ValueError as error:
        return str(error)
    return "name at least one transport, as in @bus(nats,kafka)" if name == "bus" and not buses([tag]) else None


def misspelt_tag(tag: str) -> str | None:
    """What to say of a tag that is nearly one of ours, and so means nothing."""
    name, has_value, _ = tag.partition("(")
    close = difflib.get_close_matches(name, _NAMES, n=1, cutoff=0.8) if has_value else []
    return f"@{tag} means nothing here; did you mean @{close[0]}(…)?" if close and name not in close else None


def settings_for(config: Config, tags: Sequence[str]) -> Settings:
    """The configuration's time settings, as the tags ``@timeout(5s)`` and ``@slow(warn)`` change them.

    Later tags win over earlier ones. Raises ``ConfigError`` for one that cannot be read.
    """
    timeout_s, slow = config.timeout_s, config.slow
    for tag in tags:
        if problem := tag_problem(tag):
            raise ConfigError(f"the tag @{tag}: {problem}")
        name, _, value = tag.removesuffix(")").partition("(")
        if name == "timeout" and value:
            timeout_s = timeout_of(value)
        elif name == "slow" and value:
            slow = slow_policy(value)
    return Settings(timeout_s, slow)
