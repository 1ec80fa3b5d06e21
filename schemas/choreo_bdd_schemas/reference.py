"""The reference of choreo.yaml, from its schema: ``python -m choreo_bdd_schemas.reference > docs/settings.md``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from choreo_bdd_schemas.documents import config_schema

_HEAD = """# Settings

Every key of `choreo.yaml`, written from its schema by `python -m choreo_bdd_schemas.reference`. `[tool.choreo]` in
`pyproject.toml` takes the same. `*` stands for a name of your own, `[]` for each item of a list. `${NAME}` and
`${NAME:-default}` read the environment.
"""


def config_reference() -> str:
    """The page, in Markdown: a table for the whole file, and one for each kind of transport, login and topic."""
    schema = config_schema()
    parts = [_HEAD, _table("The file", schema)]
    parts += [_table(name.replace("_", " ").capitalize(), part) for name, part in sorted(schema["$defs"].items())]
    return "\n".join(part for part in parts if part)


def _table(title: str, schema: dict[str, Any]) -> str:
    rows = [f"| `{path}` | {_cell(kind)} | {_cell(told)} |" for path, kind, told in _rows(schema, "")]
    described = schema.get("description")
    if not rows and not described:
        return ""
    head = f"## {title}\n"
    text = f"\n{described}\n" if described else ""
    table = "\n| key | value | meaning |\n|---|---|---|\n" + "\n".join(rows) + "\n" if rows else ""
    return head + text + table


def _rows(schema: dict[str, Any], path: str) -> Iterator[tuple[str, str, str]]:
    branches = [schema[name] for name in ("then", "else") if isinstance(schema.get(name), dict)]
    branches += [each for name in ("allOf", "anyOf", "oneOf") for each in schema.get(name, ())]
    for branch in branches:
        yield from _rows(branch, path)
    for name, inner in schema.get("properties", {}).items():
        if isinstance(inner, dict):
            place = f"{path}.{name}" if path else name
            yield place, _kind(inner), _meaning(inner)
            yield from _rows(inner, place)
    for more, mark in (("additionalProperties", ".*"), ("items", "[]")):
        inner = schema.get(more)
        if path and isinstance(inner, dict):
            yield f"{path}{mark}", _kind(inner), _meaning(inner)
            yield from _rows(inner, path + mark)


def _meaning(schema: dict[str, Any]) -> str:
    """What it says of itself, else what that says which it refers to."""
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    told = schema.get("description") or config_schema()["$defs"].get(name, {}).get("description", "")
    return str(told)


def _kind(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2].replace("_", " ")
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return ", ".join(f"`{json.dumps(each)}`" for each in schema["enum"])
    told = schema.get("type", "")
    return " or ".join(told) if isinstance(told, list) else str(told)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    print(config_reference(), end="")
