"""``GET /docs``: the OpenAPI document as a page to read, without a script."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

_REF = "#/components/schemas/"
_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 0 auto; padding: 1rem }
h2 { margin-top: 2.5rem; border-top: 1px solid; padding-top: 1rem; font-size: 1.15rem; overflow-wrap: anywhere }
code { font-family: ui-monospace, monospace; font-size: .9em }
.scrolls { overflow-x: auto }
table { border-collapse: collapse }
caption { text-align: left; font-weight: 600; padding: .5rem 0 }
th, td { text-align: left; vertical-align: top; padding: .2rem 1.5rem .2rem 0 }
"""


def reference(openapi: Mapping[str, Any]) -> str:
    """The page: each path and method with its parameters, what is sent, and the fields of what is answered."""
    info = openapi["info"]
    return "".join([
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(info["title"])} API</title>',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<style>{_STYLE}</style></head><body><main><h1>{escape(info['title'])} API</h1>",
        f"<p>Version {escape(info['version'])}; for programs: <a href='openapi.json'>openapi.json</a>. ",
        "A refusal is <code>{\"error\", \"detail\"}</code>, with the places at fault in <code>faults</code>.</p>",
        *(part for path, methods in sorted(openapi["paths"].items()) for part in _of_path(openapi, path, methods)),
        "</main></body></html>",
    ])  # fmt: skip


def _of_path(openapi: Mapping[str, Any], path: str, methods: Mapping[str, Any]) -> Iterator[str]:
    for method, operation in methods.items():
        yield f"<h2><code>{method.upper()} {escape(path)}</code></h2><p>{escape(operation['summary'])}</p>"
        asked = [
            (each["name"], f"{each['in']}{', required' if each.get('required') else ''}", _kind(each["schema"]),
             each.get("description", ""))
            for each in operation["parameters"]
        ]  # fmt: skip
        yield from _table("Parameters", asked)
        if "requestBody" in operation:
            yield from _fields(openapi, "Sent", operation["requestBody"]["content"]["application/json"]["schema"])
        for content in operation["responses"].get("200", {}).get("content", {}).values():
            yield from _fields(openapi, "Answered", content["schema"])


def _fields(openapi: Mapping[str, Any], title: str, schema: Mapping[str, Any]) -> Iterator[str]:
    """The fields of an object, and those of what its lists hold."""
    found = _resolved(openapi, schema)
    rows = [(name, _kind(each), "", each.get("description", "")) for name, each in found.get("properties", {}).items()]
    yield from _table(title, rows)
    for name, each in found.get("properties", {}).items():
        if "$ref" in each.get("items", {}):
            yield from _fields(openapi, f"Each of {name}", each["items"])


def _table(title: str, rows: list[tuple[str, str, str, str]]) -> Iterator[str]:
    if rows:
        yield f'<div class="scrolls"><table><caption>{escape(title)}</caption>'
        for name, *rest in rows:
            cells = "".join(f"<td>{escape(each)}</td>" for each in rest if each)
            yield f'<tr><th scope="row"><code>{escape(name)}</code></th>{cells}</tr>'
        yield "</table></div>"


def _kind(schema: Mapping[str, Any]) -> str:
    """What a value is, in a few words."""
    if "anyOf" in schema:
        return " or ".join(map(_kind, schema["anyOf"]))
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(_REF)
    bounds = {name: each for name, each in schema.items() if name not in ("type", "items", "description")}
    kind = f"list of {_kind(schema['items'])}" if "items" in schema else str(schema.get("type", ""))
    return f"{kind} {', '.join(f'{name} {_told(each)}' for name, each in bounds.items())}".strip()


def _told(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _resolved(openapi: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in schema:
        return schema
    found: Mapping[str, Any] = openapi["components"]["schemas"][schema["$ref"].removeprefix(_REF)]
    return found
