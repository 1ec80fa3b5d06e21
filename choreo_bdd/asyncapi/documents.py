"""Reading AsyncAPI documents and the files that they refer to. Nothing is ever fetched from a network."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit
from urllib.request import url2pathname

from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]  # ships no types
from referencing import Registry, Resource
from referencing.exceptions import NoSuchResource, Unresolvable
from referencing.jsonschema import DRAFT7

from choreo_bdd.exceptions import ChoreoError
from choreo_bdd.yaml_files import YamlProblem, read_yaml

_HOLD_VALUES = frozenset({"const", "default", "enum", "example", "examples"})
_MAX_HOPS = 100
_SCHEMA_FORMAT = re.compile(r"application/(?:vnd\.aai\.asyncapi\b|schema\+(?:json|yaml)).*?(?:version=(draft-[\w-]+))?")


class AsyncApiError(ChoreoError):
    """An AsyncAPI document cannot be used; the message names the file and the place in it."""


def dialect(schema_format: object) -> str | None:
    """What a ``schemaFormat`` means: AsyncAPI's own is a superset of draft-07, ``None`` is no JSON Schema."""
    if schema_format is None:
        return "draft-07"
    found = _SCHEMA_FORMAT.fullmatch(str(schema_format))
    return None if found is None else found[1] or "draft-07"


@dataclass(frozen=True, slots=True)
class Node:
    """A value in a document; ``uri`` says which document, and where in it, as a JSON pointer."""

    uri: str
    value: Any

    @property
    def place(self) -> str:
        """Where it stands, for people: ``spec.yaml#/channels/orders``."""
        document, pointer = urldefrag(self.uri)
        name = unquote(document.rpartition("/")[2])
        return f"{name}#{unquote(pointer)}" if pointer else name

    def __getitem__(self, key: str) -> Node:
        """The value of a key that is there."""
        escaped = str(key).replace("~", "~0").replace("/", "~1").replace("%", "%25").replace("#", "%23")
        return Node(f"{self.uri}/{escaped}", self.value[key])

    def has(self, key: str) -> bool:
        """Whether it is an object with this key."""
        return isinstance(self.value, dict) and key in self.value

    def require_object(self) -> Node:
        """The node itself; ``AsyncApiError`` if its value is no object."""
        if not isinstance(self.value, dict):
            raise AsyncApiError(f"{self.place}: expected an object, found {type(self.value).__name__}")
        return self

    def references(self) -> Iterator[Node]:
        """All references inside it; places that hold plain values, or schemas in other languages, are left out."""
        if isinstance(self.value, dict):
            if isinstance(self.value.get("$ref"), str):
                yield self
            foreign = ("payload", "schema") if dialect(self.value.get("schemaFormat")) is None else ()
            for key in self.value:
                if key not in _HOLD_VALUES and key not in foreign:
                    yield from self[key].references()
        elif isinstance(self.value, list):
            for index, value in enumerate(self.value):
                yield from Node(f"{self.uri}/{index}", value).references()


class Documents:
    """A document and, as they are referred to, others beside it. Raises ``AsyncApiError``, as its methods do."""

    def __init__(self, path: Path) -> None:
        given: Registry[Any] = Registry(retrieve=cache(_retrieve))  # type: ignore[call-arg]  # an attrs field
        self.registry = given.combine(REGISTRY)
        """What JSON Schema validators find references with."""
        self._underway = set[str]()
        self.root = self._at(f"{path.resolve().as_uri()}#")

    def follow(self, node: Node) -> Node:
        """Where a reference leads to in the end; the node itself if it is none."""
        start = node
        for _ in range(_MAX_HOPS):
            if not node.has("$ref"):
                return node
            node = self._target(node)
        raise AsyncApiError(f"{start.place}: the reference leads round in a circle")

    def members(self, node: Node, key: str) -> Iterator[tuple[str, Node]]:
        """Names and values of the object under a key, references followed; nothing where there is no such key."""
        if node.has(key):
            holder = self.follow(node[key])
            if holder.value is None:  # as YAML reads a key with nothing behind it
                return
            holder.require_object()
            for name in holder.value:
                yield name, self.follow(holder[name])

    def reached(self, node: Node, *, is_schema: bool = False) -> Iterator[Node]:
        """The node, and everything that references inside it lead to, directly or not.

        Validators of a schema find what stands where its references point, and nothing behind other references.
        """
        seen: set[str] = set()
        waiting = [node]
        while waiting:
            node = waiting.pop()
            if node.uri not in seen:
                seen.add(node.uri)
                yield node
                waiting += [self._target(each, is_straight=is_schema) for each in node.references()]

    def _target(self, node: Node, *, is_straight: bool = False) -> Node:
        reference = str(node.value["$ref"])
        uri = urljoin(urldefrag(node.uri)[0], reference)
        try:
            return self._at(uri) if is_straight else self._behind(uri)
        except AsyncApiError as error:
            raise AsyncApiError(f"{node.place}: the reference to {reference!r} leads nowhere: {error}") from None

    def _behind(self, uri: str) -> Node:
        """As ``_at``; where the way leads over other references, as to a message of a channel in another file."""
        try:
            return self._at(uri)
        except AsyncApiError:
            document, pointer = urldefrag(uri)
            if uri in self._underway or not pointer:
                raise
            self._underway.add(uri)
            try:
                node = self._at(f"{document}#")
                for part in pointer.split("/")[1:]:
                    node = self._part(self.follow(node), unquote(part).replace("~1", "/").replace("~0", "~"))
            except LookupError:
                pass
            else:
                return node
            finally:
                self._underway.discard(uri)
            raise

    def _part(self, node: Node, name: str) -> Node:
        """``LookupError`` where there is none."""
        if isinstance(node.value, list) and name.isdecimal():
            return Node(f"{node.uri}/{name}", node.value[int(name)])
        if not node.has(name):
            raise LookupError(name)
        return node[name]

    def _at(self, uri: str) -> Node:
        try:
            contents = self.registry.resolver().lookup(uri).contents
        except (Unresolvable, LookupError, ValueError) as error:
            raise AsyncApiError(_why(error, uri)) from None
        return Node(uri if "#" in uri else f"{uri}#", contents)


def _retrieve(uri: str) -> Resource[Any]:
    parts = urlsplit(uri)
    if parts.scheme != "file":
        raise NoSuchResource(uri)
    path = Path(url2pathname(parts.path))
    try:
        contents = _parsed(path.read_text("utf-8"), is_json=path.suffix.lower() == ".json")
    except YamlProblem as problem:
        where = "" if problem.line is None else f" (line {problem.line})"
        raise AsyncApiError(f"{path} {problem.problem}{where}") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise AsyncApiError(f"{path} cannot be read as JSON: {error.msg} ({where})") from None
    except OSError as error:
        raise AsyncApiError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise AsyncApiError(f"{path} is no plain YAML or JSON document: {error}") from error
    return Resource.from_contents(contents, default_specification=DRAFT7)


def _parsed(text: str, *, is_json: bool) -> Any:
    if is_json:
        return json.loads(text)
    # through JSON: such a document has no keys that are no text, whatever YAML makes of them
    _, document = read_yaml(text, is_1_2=True)
    return json.loads(json.dumps(document, default=str))


def _why(error: BaseException | None, uri: str) -> str:
    """What reading the file has said, somewhere below the library's own error; else that there is no such part."""
    while error is not None:
        if isinstance(error, AsyncApiError):
            return str(error)
        error = error.__cause__
    document, pointer = urldefrag(uri)
    if urlsplit(document).scheme != "file":
        return f"{document} is not a local file, and nothing is fetched from a network; keep a copy beside the document"
    return f"{Node(document, None).place} has no {unquote(pointer) or 'such part'}"
