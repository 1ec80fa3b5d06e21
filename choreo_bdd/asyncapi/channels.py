"""Channels of an AsyncAPI document, alike for 2.x and 3.x."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest

from choreo_bdd.asyncapi.documents import AsyncApiError, Documents, Node, dialect
from choreo_bdd.topic_patterns import matches

_PARAMETER = re.compile(r"\{([^{}]*)\}")
SEGMENT = "[^./]+"
"""What a parameter of an address stands for."""


@dataclass(frozen=True, slots=True)
class Schema:
    """A JSON Schema by where it stands; ``draft`` is its dialect where it does not name one itself."""

    node: Node
    draft: str


@dataclass(frozen=True, slots=True)
class MessageSpec:
    """A message as a channel describes it: its payload, and its headers, each schema of which has to hold."""

    node: Node
    payload: Schema | None
    headers: tuple[Schema, ...]


@dataclass(frozen=True, slots=True)
class Channel:
    """An address with its messages; without any, every message will do.

    ``parameters`` are the values that a parameter of the address may have, where the document lists them; ``samples``
    are values that it names for one, ``schemas`` what it says of all.
    """

    address: str
    messages: tuple[MessageSpec, ...]
    parameters: Mapping[str, tuple[str, ...]]
    samples: Mapping[str, str]
    schemas: Mapping[str, Node]

    @property
    def is_template(self) -> bool:
        """Whether the address has parameters."""
        return _PARAMETER.search(self.address) is not None

    @property
    def example(self) -> str:
        """A topic of this channel."""
        return self._filled(self.address)

    def pattern(self) -> re.Pattern[str]:
        """Matches the topics this channel is about: a parameter is one segment."""
        return self._fitting(self.address)

    def falls_under(self, pattern: str) -> bool:
        """Whether one of its topics is among those that a pattern (``*``, ``>``) stands for."""
        own = self.address.split(".")
        wanted = zip_longest(own, pattern.split(".")[: len(own)], fillvalue="")
        likely = (segment if self._fitting(part).fullmatch(segment) else self._filled(part) for part, segment in wanted)
        return matches(pattern, ".".join(likely))

    def _filled(self, text: str) -> str:
        return _PARAMETER.sub(lambda found: self.samples.get(found[1], found[1]), text)

    def _fitting(self, text: str) -> re.Pattern[str]:
        parts = _PARAMETER.split(text)  # text and names of parameters by turns
        return re.compile(
            "".join(self._values(part) if index % 2 else re.escape(part) for index, part in enumerate(parts))
        )

    def _values(self, parameter: str) -> str:
        allowed = self.parameters.get(parameter)
        return f"(?:{'|'.join(map(re.escape, allowed))})" if allowed else SEGMENT


def read_channels(documents: Documents) -> list[Channel]:
    """All channels whose address is known, in the document's order. Raises ``AsyncApiError``."""
    root = documents.root.require_object()
    version = str(root.value.get("asyncapi", ""))
    if version.partition(".")[0] not in ("2", "3"):
        found = f"`asyncapi: {version}`" if version else "no key `asyncapi`"
        raise AsyncApiError(f"{root.place}: expected an AsyncAPI document of version 2.x or 3.x, found {found}")
    if not root.has("channels"):
        raise AsyncApiError(f"{root.place}: the document has no `channels`")
    for _ in documents.reached(root):
        pass  # each reference of the document has led somewhere
    members = documents.members(root, "channels")
    # a channel that is only named has no messages, so every message will do
    channels = [(name, Node(node.uri, {}) if node.value is None else node.require_object()) for name, node in members]
    if version.startswith("2"):
        return [_channel(documents, name, node, _messages_2(documents, node)) for name, node in channels]
    return [
        _channel(documents, node.value["address"], node, (each for _, each in documents.members(node, "messages")))
        for _, node in channels
        if node.value.get("address") is not None
    ]


def _channel(documents: Documents, address: str, node: Node, messages: Iterator[Node]) -> Channel:
    distinct = {message.uri: message.require_object() for message in messages}
    named = {name: _named_values(documents, each) for name, each in documents.members(node, "parameters")}
    return Channel(
        address=str(address),
        messages=tuple(_message(documents, message) for message in distinct.values()),
        parameters={name: values for name, (values, _) in named.items() if values},
        samples={name: sample for name, (_, sample) in named.items() if sample is not None},
        schemas={name: each["schema"] for name, each in documents.members(node, "parameters") if each.has("schema")},
    )


def _named_values(documents: Documents, parameter: Node) -> tuple[tuple[str, ...], str | None]:
    """The values that a parameter may have, where they are listed, and one that it can have, where any is named.

    3.x names them beside the parameter's description, 2.x in its schema.
    """
    holder = documents.follow(parameter["schema"]) if parameter.has("schema") else parameter
    listed = tuple(map(str, holder.value["enum"])) if holder.has("enum") else ()
    named = [str(holder.value["default"])] if holder.has("default") else []
    named += [*map(str, holder.value["examples"])] if holder.has("examples") else []
    fitting = (each for each in (*named, *listed) if (each in listed if listed else re.fullmatch(SEGMENT, each)))
    return listed, next(fitting, None)


def _messages_2(documents: Documents, channel: Node) -> Iterator[Node]:
    """In 2.x a message belongs to an operation, one or one of several."""
    for key in ("publish", "subscribe"):
        operation = documents.follow(channel[key]) if channel.has(key) else channel
        if operation is channel or not operation.has("message"):
            continue
        message = documents.follow(operation["message"])
        if not message.has("oneOf"):
            yield message
            continue
        choices = message["oneOf"]
        for index, value in enumerate(choices.value):
            yield documents.follow(Node(f"{choices.uri}/{index}", value))


def _message(documents: Documents, node: Node) -> MessageSpec:
    draft = dialect(node.value.get("schemaFormat"))
    holders = [node]
    if node.has("traits"):
        traits = documents.follow(node["traits"])
        holders += [documents.follow(Node(f"{traits.uri}/{i}", each)) for i, each in enumerate(traits.value)]
    headers = (_schema(documents, holder, "headers", dialect(None)) for holder in holders)
    return MessageSpec(
        node=node,
        payload=_schema(documents, node, "payload", draft),
        headers=tuple(schema for schema in headers if schema is not None),
    )


def _schema(documents: Documents, holder: Node, key: str, draft: str | None) -> Schema | None:
    """The JSON Schema under a key; none where there is none, and where the payload is told in another language."""
    if draft is None or not holder.has(key):
        return None
    node = holder[key]
    told = documents.follow(node)
    if told.has("schema") and told.has("schemaFormat"):  # 3.x: a schema with its format
        node, draft = told["schema"], dialect(told.value["schemaFormat"])
    return None if draft is None else Schema(node, draft)
