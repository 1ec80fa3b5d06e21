"""Configuration: ``choreo.yaml`` or ``[tool.choreo]`` in pyproject.toml (spec/steps.md 6)."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from choreo_bdd.exceptions import ChoreoError
from choreo_bdd_project.topic_settings import TopicSettings, first_that_fits
from choreo_bdd_project.transport_types import admitting_other_types

if TYPE_CHECKING:
    import jsonschema
    import yaml

FILE_NAMES = ("choreo.yaml", "choreo.yml")
_PLACEHOLDER = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")
_DURATION = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>ms|s|m|seconds?|minutes?|milliseconds?)")
_UNIT_SECONDS = {"ms": 0.001, "millisecond": 0.001, "s": 1.0, "second": 1.0, "m": 60.0, "minute": 60.0}

Where = Mapping[tuple[str | int, ...], int]


class ConfigError(ChoreoError):
    """The configuration is not what it should be; the message names file, line and key, and what was expected."""


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

    def topic(self, topic: str) -> Mapping[str, Any] | None:
        """What the configuration says of one topic; ``None`` where it says nothing."""
        return first_that_fits(self.topics, topic)


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
    python_matchers: bool = False
    vacuity: Literal["ignore", "warn", "error"] = "warn"
    unattributed: Literal["fail", "warn", "ignore"] = "warn"
    asyncapi: tuple[Path, ...] = ()
    unknown_topics: Literal["error", "warn", "ignore"] = "error"

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
        for name in FILE_NAMES:
            if (folder / name).is_file():
                return folder / name
        pyproject = folder / "pyproject.toml"
        if pyproject.is_file() and "choreo" in _toml(pyproject).get("tool", {}):
            return pyproject
    return None


def load_config(path: Path, *, schema: Mapping[str, Any], profile: str | None = None) -> Config:
    """Read, validate and resolve one profile of a configuration file.

    ``schema`` is the JSON Schema of the file. Raises ``ConfigError``.
    """
    document, lines = _read(path)
    where = _Place(path, lines)
    _validate(document, admitting_other_types(schema, document), where)
    profiles: Mapping[str, Any] = document.get("profiles") or {"memory": {"bus": {"type": "memory"}}}
    chosen = profile or document.get("default_profile") or next(iter(profiles))
    if chosen not in profiles:
        raise ConfigError(f"{path}: there is no profile {chosen!r}; the file has {', '.join(map(repr, profiles))}")
    resolved = _substitute(profiles[chosen], where, ("profiles", chosen))
    transports = {
        name: _transport(name, settings, partial(where.at, "profiles", chosen, name))
        for name, settings in resolved.items()
    }
    if not transports:
        raise ConfigError(f"{where.at('profiles', chosen)}: the profile names no transport")
    default = document.get("default_transport") or next(iter(transports))
    if default not in transports:
        raise ConfigError(
            f"{where.at('default_transport')}: {default!r} is not a transport of profile {chosen!r}, which has "
            f"{', '.join(map(repr, transports))}"
        )
    return Config(
        source=path,
        profile=chosen,
        transports=MappingProxyType(transports),
        default_transport=default,
        timeout_s=_seconds(document.get("timeout", "2s"), where.at("timeout")),
        slow=document.get("slow", "fail"),
        allowlist=_allowlist(document, where),
        report_dir=(document.get("report") or {}).get("dir"),
        env_names=frozenset(document.get("env") or ()),
        python_matchers=bool(document.get("python_matchers", False)),
        vacuity=document.get("vacuity", "warn"),
        unattributed=document.get("unattributed", "warn"),
        asyncapi=_asyncapi(document, where),
        unknown_topics=_asyncapi_settings(document).get("unknown", "error"),
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a key of the document stands."""

    path: Path
    lines: Where

    def at(self, *keys: str | int) -> str:
        for length in range(len(keys), 0, -1):
            line = self.lines.get(tuple(keys[:length]))
            if line is not None:
                return f"{self.path}:{line}: {'.'.join(map(str, keys))}"
        return f"{self.path}: {'.'.join(map(str, keys))}" if keys else str(self.path)


def _read(path: Path) -> tuple[dict[str, Any], Where]:
    if path.suffix == ".toml":
        return dict(_toml(path)["tool"]["choreo"]), {}
    import yaml  # noqa: PLC0415 - needed only where there is a file

    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        document = yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"{path}: cannot be read as YAML: {error}") from error
    if document is None:
        return {}, {}
    if not isinstance(document, dict):
        raise ConfigError(f"{path}:1: expected a mapping of settings, found {type(document).__name__}")
    lines: dict[tuple[str | int, ...], int] = {}
    _note_lines(node, (), lines, path)
    return document, lines


def _toml(path: Path) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 - as above

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"{path}: cannot be read as TOML: {error}") from error


def _note_lines(
    node: yaml.Node | None, at: tuple[str | int, ...], lines: dict[tuple[str | int, ...], int], path: Path
) -> None:
    """Note where each key stands. Raises ``ConfigError`` for a key that is written twice, or is no text to YAML."""
    import yaml  # noqa: PLC0415 - as above

    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here, line = (*at, str(key.value)), key.start_mark.line + 1
            if here in lines:
                raise ConfigError(
                    f"{path}:{line}: {'.'.join(map(str, here))} is written twice, here and in line {lines[here]}; "
                    f"keep one of them"
                )
            if not str(key.tag).endswith((":str", ":merge")):
                raise ConfigError(f'{path}:{line}: YAML reads the name {key.value} as no text; quote it: "{key.value}"')
            lines[here] = line
            _note_lines(value, here, lines, path)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            lines[*at, index] = value.start_mark.line + 1
            _note_lines(value, (*at, index), lines, path)


def _validate(document: Mapping[str, Any], schema: Mapping[str, Any], where: _Place) -> None:
    import jsonschema  # noqa: PLC0415 - slow to load, and needed only where there is a file

    validator = jsonschema.Draft202012Validator(dict(schema))
    error = jsonschema.exceptions.best_match(validator.iter_errors(document))
    if error is None:
        return
    unknown = _unknown_key(error)
    if unknown is not None:
        known = sorted(_of_schema(error, "properties") or ())
        import difflib  # noqa: PLC0415 - needed only for a misspelt key

        close = difflib.get_close_matches(unknown, known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}"
        raise ConfigError(f"{where.at(*error.absolute_path, unknown)}: there is no such key; {hint}")
    raise ConfigError(f"{where.at(*error.absolute_path)}: {_in_yaml(error) or _safe(error)}")


def _of_schema(error: jsonschema.ValidationError, keyword: str) -> Any:
    return error.schema.get(keyword) if isinstance(error.schema, Mapping) else None


def _unknown_key(error: jsonschema.ValidationError) -> str | None:
    """The key that the schema does not know, where that is what is wrong."""
    if error.validator != "additionalProperties" or not isinstance(error.instance, dict):
        return None
    known = _of_schema(error, "properties") or {}
    return next((str(key) for key in error.instance if key not in known), None)


def _in_yaml(error: jsonschema.ValidationError) -> str | None:
    """What YAML has made of a word that was meant as text."""
    if error.validator not in ("type", "enum", "anyOf", "oneOf"):
        return None
    if isinstance(error.instance, bool):
        expected = _of_schema(error, "enum")
        words = f"; expected one of {', '.join(map(str, expected))}" if expected else ""
        return f"YAML reads on, off, yes and no as true and false; put a word of text in quotes{words}"
    is_number = isinstance(error.instance, (int, float))
    if is_number and error.absolute_path and "timeout" in str(error.absolute_path[-1]):
        return f"{error.instance} is a number without a unit; write {error.instance}s or {error.instance}ms"
    return None


def _safe(error: jsonschema.ValidationError) -> str:
    """The message of a schema error, without the value where that may be a secret."""
    path = [str(part).lower() for part in error.absolute_path]
    secret = any(word in part for part in path for word in ("auth", "password", "token", "secret", "url", "servers"))
    if secret and error.validator not in ("additionalProperties", "required"):
        return f"expected {error.validator} {error.validator_value!r}"
    return error.message


def _substitute(value: Any, where: _Place, at: tuple[str | int, ...]) -> Any:
    if isinstance(value, dict):
        return {key: _substitute(item, where, (*at, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_substitute(item, where, (*at, index)) for index, item in enumerate(value)]
    if not isinstance(value, str):
        return value

    def replaced(match: re.Match[str]) -> str:
        found = os.environ.get(match["name"], match["default"])
        if found is None:
            raise ConfigError(
                f"{where.at(*at)}: the environment variable {match['name']} is not set; set it, or give a default "
                f"with ${{{match['name']}:-default}}"
            )
        return found

    return _PLACEHOLDER.sub(replaced, value)


def _transport(name: str, settings: Mapping[str, Any], at: Callable[..., str]) -> TransportConfig:
    place = at()
    given = settings.get("correlation")
    correlation = given if isinstance(given, dict) else {}
    request = settings.get("request") or {}
    codec = settings.get("codec", "json")
    codec_options = codec if isinstance(codec, dict) else {"type": codec}
    own = ("type", "correlation", "codec", "request", "connect_timeout", "topics")
    patience = settings.get("connect_timeout")
    return TransportConfig(
        name=name,
        type=settings["type"],
        place=place,
        correlation_field=correlation.get("field"),
        correlation_header=_header(correlation, settings["type"], place),
        correlation_prefix=correlation.get("prefix", ""),
        correlation_off=given is not None and not correlation,
        request_field=request.get("field"),
        request_header=request.get("header"),
        connect_timeout_s=None if patience is None else _seconds(patience, f"{place}.connect_timeout"),
        topics=tuple(_topics(settings.get("topics") or {}, at)),
        codec=codec_options["type"],
        codec_options=MappingProxyType(codec_options),
        options=MappingProxyType({key: value for key, value in settings.items() if key not in own}),
    )


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


def _allowlist(document: Mapping[str, Any], where: _Place) -> Path | None:
    named = document.get("allowlist")
    if named is None:
        return None
    path = where.path.parent / str(named)
    if not path.is_file():
        raise ConfigError(f"{where.at('allowlist')}: the file {path} does not exist")
    return path


def _asyncapi_settings(document: Mapping[str, Any]) -> Mapping[str, Any]:
    given = document.get("asyncapi") or ()
    return given if isinstance(given, dict) else {"spec": given}


def _asyncapi(document: Mapping[str, Any], where: _Place) -> tuple[Path, ...]:
    named = _asyncapi_settings(document)["spec"]
    paths = [where.path.parent / name for name in ([named] if isinstance(named, str) else named)]
    for path in paths:
        if not path.is_file():
            raise ConfigError(f"{where.at('asyncapi')}: the file {path} does not exist")
    return tuple(paths)


def _seconds(text: str, place: str) -> float:
    match = _DURATION.fullmatch(str(text).strip())
    if match is None:
        raise ConfigError(f"{place}: {text!r} is not a duration such as 500ms, 2s or 1 minute")
    unit = match["unit"]
    return float(match["number"]) * _UNIT_SECONDS[unit if unit in _UNIT_SECONDS else unit.removesuffix("s")]
