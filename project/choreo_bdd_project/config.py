"""Configuration: ``choreo.yaml`` or ``[tool.choreo]`` in pyproject.toml (spec/steps.md 6)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from msgspec import Struct

from choreo_bdd.matchers.patterns.finding import Finder
from choreo_bdd.redaction import safe_url
from choreo_bdd.topic_patterns import is_pattern
from choreo_bdd_project.config_file import ConfigError, SourceMap, read_document, read_toml, shown_name, some_seconds
from choreo_bdd_project.config_problems import no_transport, validate
from choreo_bdd_project.gherkin.places import CONFIG_NAMES
from choreo_bdd_project.placeholders import Addresses, fill, refuse_nearly
from choreo_bdd_project.service_settings import ServiceConfig, read_services
from choreo_bdd_project.topic_settings import TopicSettings, first_that_fits
from choreo_bdd_project.transport_types import admitting_other_types

__all__ = [
    "Config",
    "ConfigError",
    "Secrets",
    "TransportConfig",
    "find_config",
    "for_topic",
    "load_config",
    "memory_config",
]

CALLED = "http"
"""The type of a transport that a scenario calls and never listens to."""
_SHORT_CODECS = {"avro": "schema", "python": "factory"}
"""Codecs that may be written by name alone, and what then stands beside the name."""


@dataclass(frozen=True, slots=True)
class TransportConfig:
    """One transport of a profile. ``options`` is what its constructor needs; ``repr`` never shows it."""

    name: str
    type: str
    place: str
    correlation_field: str | None = None
    correlation_header: str | None = None
    correlation_prefix: str = ""
    correlation_off: bool = False
    """Whether it is meant that nothing ties messages together."""
    request_field: str | None = None
    request_header: str | None = None
    connect_timeout_s: float | None = None
    """How long connecting may take; ``None`` for what the transport finds right."""
    topics: tuple[TopicSettings, ...] = ()
    codec: str = "json"
    codec_options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), repr=False)

    @property
    def is_called(self) -> bool:
        """Whether a scenario calls it and never listens to it."""
        return self.type == CALLED

    def topic(self, topic: str) -> Mapping[str, Any] | None:
        """What the configuration says of one topic; ``None`` where it says nothing."""
        return first_that_fits(self.topics, topic)


class Secrets(Struct, frozen=True):
    """What the project lists under ``secrets``: names, regular expressions, and environment variables."""

    names: tuple[str, ...] = ()
    patterns: tuple[Finder, ...] = ()
    env: Mapping[str, str] = MappingProxyType({})
    """Each variable, and where it is listed."""


@dataclass(frozen=True, slots=True)
class Config:
    """A profile of the configuration, ready to use. Durations are seconds."""

    source: Path | None
    profile: str
    transports: Mapping[str, TransportConfig]
    default_transport: str
    timeout_s: float = 2.0
    slow: Literal["fail", "warn"] = "fail"
    allowlist: Path | None = None
    report_dir: str | None = None
    env_names: frozenset[str] = frozenset()
    secrets: Secrets = field(default_factory=Secrets, repr=False)
    python_matchers: bool = False
    vacuity: Literal["ignore", "warn", "error"] = "warn"
    unattributed: Literal["fail", "warn", "ignore"] = "warn"
    asyncapi: tuple[Path, ...] = ()
    unknown_topics: Literal["error", "warn", "ignore"] = "error"
    services: tuple[ServiceConfig, ...] = ()
    """What is started for a run, in this order."""
    services_per: Literal["worker", "run"] = "worker"
    """Whether each worker of a run has services of its own, or all share one set."""
    causation: str | None = None
    """The header in which a message names the one it came of; reports draw it."""
    traces: bool = False
    """Whether what is sent is put into a trace, and services' spans are listened for."""

    @property
    def called(self) -> tuple[str, ...]:
        """Names of the transports that a scenario calls and never listens to."""
        return tuple(name for name, each in self.transports.items() if each.is_called)

    @property
    def base_dir(self) -> Path:
        """Where relative paths of the configuration start."""
        return self.source.parent if self.source is not None else Path.cwd()


def memory_config() -> Config:
    """What holds without any configuration file: one in-memory transport named ``bus``."""
    bus = TransportConfig("bus", "memory", "the built-in default")
    return Config(None, "memory", MappingProxyType({"bus": bus}), "bus")


def find_config(start: Path) -> Path | None:
    """The configuration file that applies to a folder: the nearest one upwards."""
    for folder in (start, *start.parents):
        for name in CONFIG_NAMES:
            if (folder / name).is_file():
                return folder / name
        pyproject = folder / "pyproject.toml"
        if _has_our_settings(pyproject):
            return pyproject
    return None


def _has_our_settings(pyproject: Path) -> bool:
    """Whether it has a table of ours; one that cannot be read is told only then, for it may be anybody's."""
    try:
        text = pyproject.read_bytes()
    except OSError:
        return False
    try:
        return b"choreo" in text and "choreo" in read_toml(pyproject).get("tool", {})
    except ConfigError:
        if b"tool.choreo" in text:
            raise
        return False


def load_config(
    path: Path,
    *,
    schema: Mapping[str, Any],
    profile: str | None = None,
    addresses: Addresses | None = None,
    offline: bool = False,
) -> Config:
    """Read, validate and resolve one profile of a configuration file.

    ``schema`` is the JSON Schema of the file; ``addresses`` are those of its services, ``None`` while they do not run.
    ``offline``, where nothing is connected to, no variable of the environment needs to be set. Raises ``ConfigError``.
    """
    document, lines = read_document(path)
    where = SourceMap(path, lines)
    validate(document, admitting_other_types(schema, document), where)
    profiles: Mapping[str, Any] = document.get("profiles") or {"memory": {"bus": {"type": "memory"}}}
    chosen = profile or document.get("default_profile") or next(iter(profiles))
    if chosen not in profiles:
        there_are = ", ".join(repr(shown_name(each)) for each in profiles)
        place = path if profile else where.at("default_profile")
        raise ConfigError(f"{place}: there is no profile {chosen!r}; the file has {there_are}")
    services = read_services(document.get("services") or {}, where, chosen)
    at, known = partial(where.at, "profiles", chosen), _known(services, addresses)
    refuse_nearly(profiles[chosen], at)
    resolved = fill(profiles[chosen], at, known, offline=offline)
    transports = {
        name: _transport(name, settings, partial(where.at, "profiles", chosen, name))
        for name, settings in resolved.items()
    }
    if not transports:
        raise ConfigError(f"{where.at('profiles', chosen)}: the profile names no transport")
    buses = (name for name, each in transports.items() if not each.is_called)
    default = document.get("default_transport") or next(buses, next(iter(transports)))
    if default not in transports:
        raise no_transport(where.at("default_transport"), chosen, transports)
    return Config(
        source=path,
        profile=chosen,
        transports=MappingProxyType(transports),
        default_transport=default,
        timeout_s=some_seconds(document.get("timeout", "2s"), where.at("timeout")),
        slow=document.get("slow", "fail"),
        allowlist=_allowlist(document, where),
        report_dir=(document.get("report") or {}).get("dir"),
        env_names=frozenset(document.get("env") or ()),
        secrets=_secrets(document, where),
        python_matchers=bool(document.get("python_matchers", False)),
        vacuity=document.get("vacuity", "warn"),
        unattributed=document.get("unattributed", "warn"),
        asyncapi=_asyncapi(document, where),
        unknown_topics=_asyncapi_settings(document).get("unknown", "error"),
        services=services,
        services_per=document.get("services_per", "worker"),
        causation=document.get("causation"),
        traces=bool(document.get("traces", False)),
    )


def _known(services: Sequence[ServiceConfig], addresses: Addresses | None) -> Addresses:
    return {each.name: (addresses or {}).get(each.name) for each in services}


def _transport(name: str, settings: Mapping[str, Any], at: Callable[..., str]) -> TransportConfig:
    place = at()
    request = settings.get("request") or {}
    own = ("type", "correlation", "codec", "request", "connect_timeout", "topics")
    patience = settings.get("connect_timeout")
    return TransportConfig(
        name=name,
        type=settings["type"],
        place=place,
        **_correlation(settings.get("correlation"), settings["type"], place),
        request_field=request.get("field"),
        request_header=request.get("header"),
        connect_timeout_s=None if patience is None else some_seconds(patience, f"{place}.connect_timeout"),
        topics=tuple(_topics(settings.get("topics") or {}, at)),
        **_codec(settings.get("codec", "json")),
        options=MappingProxyType({key: value for key, value in settings.items() if key not in own}),
    )


def for_topic(transport: TransportConfig, topic: TopicSettings) -> TransportConfig:
    """A transport as it is for the topics under one pattern: their codec and correlation. Raises ``ConfigError``."""
    codec, correlation = topic.settings.get("codec"), topic.settings.get("correlation")
    told: dict[str, Any] = {} if codec is None else _codec(codec)
    if "registry" in told.get("codec_options", ()) and not is_pattern(topic.pattern):
        usual = {"subject": f"{topic.pattern}-value"}  # as producers name it that are told nothing else
        told["codec_options"] = MappingProxyType({**usual, **told["codec_options"]})
    if correlation is not None:
        told |= _correlation(correlation, transport.type, topic.place)
        if told["correlation_prefix"]:
            raise ConfigError(f"{topic.place}.correlation.prefix: ids have one prefix; write it at the transport")
        told["correlation_prefix"] = transport.correlation_prefix
    return replace(transport, place=topic.place, **told)


def _correlation(given: Any, kind: str, place: str) -> dict[str, Any]:
    correlation = given if isinstance(given, dict) else {}
    return {
        "correlation_field": correlation.get("field"),
        "correlation_header": _header(correlation, kind, place),
        "correlation_prefix": correlation.get("prefix", ""),
        "correlation_off": given is not None and not correlation,
    }


def _codec(given: Any) -> dict[str, Any]:
    """A codec's name, its settings, or the short form: ``{avro: FILE}``, ``{python: REFERENCE}``."""
    options = dict(given) if isinstance(given, dict) else {"type": given}
    for short, name in _SHORT_CODECS.items():
        if short in options:
            options |= {"type": short, name: options.pop(short)}
    return {"codec": options["type"], "codec_options": MappingProxyType(options)}


def _topics(topics: Mapping[str, Mapping[str, Any]], at: Callable[..., str]) -> Iterator[TopicSettings]:
    for pattern, settings in topics.items():
        told = TopicSettings(pattern, MappingProxyType(dict(settings)), at("topics", pattern))
        if told.problem is not None:
            raise ConfigError(f"{told.place}: {told.problem}")
        yield told


def _header(correlation: Mapping[str, Any], kind: str, place: str) -> str | None:
    """The header that carries the id; a property of AMQP's own is one, too."""
    named = correlation.get("property")
    if named is None:
        return correlation.get("header")
    if kind not in ("rabbitmq", "memory"):
        raise ConfigError(f"{place}.correlation.property: only messages of RabbitMQ have properties; use {{header: …}}")
    return f"amqp.{named}"


def _secrets(document: Mapping[str, Any], where: SourceMap) -> Secrets:
    given = document.get("secrets") or {}
    patterns = given.get("patterns") or ()
    found = tuple(_finder(each, where.at("secrets", "patterns", index)) for index, each in enumerate(patterns))
    env = {name: where.at("secrets", "env", index) for index, name in enumerate(given.get("env") or ())}
    for name, place in env.items():
        if not name.isidentifier():
            raise ConfigError(f"{place}: expected the bare name of an environment variable, such as UPSTREAM_LICENCE")
    return Secrets(tuple(given.get("names") or ()), found, MappingProxyType(env))


def _finder(pattern: str, place: str) -> Finder:
    try:
        finder = Finder(pattern)
    except re.error as error:
        raise ConfigError(f"{place}: expected a regular expression ({error.msg})") from None
    if finder.pattern.search("") is not None:
        raise ConfigError(f"{place}: expected a pattern that cannot match nothing")
    return finder


def _allowlist(document: Mapping[str, Any], where: SourceMap) -> Path | None:
    named = document.get("allowlist")
    if named is None:
        return None
    path = where.path.parent / str(named)
    if not path.is_file():
        raise ConfigError(f"{where.at('allowlist')}: the file {safe_url(str(path))} does not exist")
    return path


def _asyncapi_settings(document: Mapping[str, Any]) -> Mapping[str, Any]:
    given = document.get("asyncapi") or ()
    return given if isinstance(given, dict) else {"spec": given}


def _asyncapi(document: Mapping[str, Any], where: SourceMap) -> tuple[Path, ...]:
    named = _asyncapi_settings(document)["spec"]
    paths = [where.path.parent / name for name in ([named] if isinstance(named, str) else named)]
    for path in paths:
        if not path.is_file():
            raise ConfigError(f"{where.at('asyncapi')}: the file {safe_url(str(path))} does not exist")
    return tuple(paths)
