"""The file of the configuration: its settings, and where each of them stands.

What is wrong with it is told by file, line and key, and by what was expected: a value may be a password.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from choreo_bdd.exceptions import ChoreoError
from choreo_bdd.yaml_files import YamlProblem, read_yaml

if TYPE_CHECKING:
    import yaml

Where = Mapping[tuple[str | int, ...], int]
_QUOTE = re.compile(r"['\"]")
_AT = re.compile(r"\(at line \d+, column \d+\)|\(at end of document\)")
_DURATION = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>ms|s|m|seconds?|minutes?|milliseconds?)")
_UNIT_SECONDS = {"ms": 0.001, "millisecond": 0.001, "s": 1.0, "second": 1.0, "m": 60.0, "minute": 60.0}
_NAME = re.compile(r"[\w$-][\w.$ -]{0,63}")


class ConfigError(ChoreoError):
    """The configuration is not what it should be; the message names file, line and key, and what was expected."""


class SourceMap(Struct, frozen=True):
    """Where a key of the document stands."""

    path: Path
    lines: Where

    def at(self, *keys: str | int) -> str:
        """File, line and key; the line of the nearest key around it that has one."""
        told = ".".join(map(shown_name, keys))
        for length in range(len(keys), 0, -1):
            line = self.lines.get(tuple(keys[:length]))
            if line is not None:
                return f"{self.path}:{line}: {told}"
        return f"{self.path}: {told}" if keys else str(self.path)


def shown_name(key: str | int) -> str:
    """A key as an error may show it: what does not look like a name may be a value at the wrong place."""
    return str(key) if _NAME.fullmatch(str(key)) else "<a key>"


def seconds(text: str, place: str) -> float:
    """A duration in seconds. Raises ``ConfigError``."""
    match = _DURATION.fullmatch(str(text).strip())
    if match is None:
        raise ConfigError(f"{place}: expected a duration such as 500ms, 2s or 1 minute")
    unit = match["unit"]
    return float(match["number"]) * _UNIT_SECONDS[unit if unit in _UNIT_SECONDS else unit.removesuffix("s")]


def some_seconds(text: str, place: str) -> float:
    """A duration that is more than nothing, in seconds. Raises ``ConfigError``."""
    found = seconds(text, place)
    if found == 0:
        raise ConfigError(f"{place}: {text} is over before anything can come; write a longer one, such as 2s")
    return found


def read_document(path: Path) -> tuple[dict[str, Any], Where]:
    """The settings in a file, and the line of each key in YAML. Raises ``ConfigError``."""
    if path.suffix == ".toml":
        return dict(read_toml(path)["tool"]["choreo"]), {}
    try:
        node, document = read_yaml(_text(path))
    except YamlProblem as problem:
        raise ConfigError(problem.at(path)) from None
    if document is None:
        return {}, {}
    if not isinstance(document, dict):
        raise ConfigError(f"{path}:1: expected a mapping of settings, found {type(document).__name__}")
    lines: dict[tuple[str | int, ...], int] = {}
    _note_lines(node, (), lines, path)
    return document, lines


def read_toml(path: Path) -> dict[str, Any]:
    """The whole of a TOML file. Raises ``ConfigError``."""
    import tomllib  # noqa: PLC0415 - needed only where there is such a file

    try:
        return tomllib.loads(_text(path))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        words = _QUOTE.split(str(error))[0].rstrip(" (")
        where = next(iter(_AT.findall(str(error))), "")
        told = words if where in words else f"{words} {where}"
        raise ConfigError(f"{path}: cannot be read as TOML: {told}") from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text: {error.reason} at byte {error.start}") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None


def _note_lines(
    node: yaml.Node | None, at: tuple[str | int, ...], lines: dict[tuple[str | int, ...], int], path: Path
) -> None:
    """Note where each key stands. Raises ``ConfigError`` for a key that is written twice, or is no text to YAML."""
    import yaml  # noqa: PLC0415 - needed only where there is a file

    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here, line = (*at, str(key.value)), key.start_mark.line + 1
            told = ".".join(map(shown_name, here))
            if here in lines:
                raise ConfigError(
                    f"{path}:{line}: {told} is written twice, here and in line {lines[here]}; keep one of them"
                )
            if not str(key.tag).endswith((":str", ":merge")):
                name = shown_name(here[-1])
                raise ConfigError(f'{path}:{line}: YAML reads the name {name} as no text; quote it: "{name}"')
            lines[here] = line
            _note_lines(value, here, lines, path)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            lines[*at, index] = value.start_mark.line + 1
            _note_lines(value, (*at, index), lines, path)
