"""Features drafted from the channels of an AsyncAPI document, each with a stand-in that takes what is valid."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from choreo_bdd.asyncapi.channels import Channel, MessageSpec, Schema, read_channels
from choreo_bdd.asyncapi.documents import Documents
from choreo_bdd.asyncapi.schemas import compiled, typed
from choreo_bdd.exceptions import ChoreoError
from choreo_bdd_project.config import Config
from choreo_bdd_steps.drafting.examples import Examples, Place, spoilt, stranger_to
from choreo_bdd_steps.drafting.mending import mended
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.grammar.conditions import parse_condition
from choreo_bdd_steps.language.trees import MISSING, at, label

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

_ESCAPED = re.compile(r"\\.")
_WATCHED = "200ms"
_OWN_ID = "{{ correlation_id }}"


class DraftError(ChoreoError):
    """Nothing can be drafted from a document."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A feature: the name of its file, and its text."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Drafts:
    """The features of a document, and what of it could not be drafted."""

    features: tuple[Draft, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Message:
    """A message with a valid payload and headers, and the places where the payload can be spoilt."""

    name: str
    payload: Any
    headers: dict[str, Any]
    places: tuple[Place, ...] = ()

    @property
    def condition(self) -> str:
        """What tells it from one that is not valid, as a step says it; empty for no difference."""
        clauses = " and ".join(dict.fromkeys(map(_clause, self.places)))
        return f" where {clauses}" if clauses else ""

    def takes(self, payload: Any) -> bool:
        """Whether its condition holds for a payload."""
        return all(_holds(place, payload) for place in self.places)


@dataclass(frozen=True, slots=True)
class _Carried:
    """The field in which every message carries its scenario's id, if in a field, and whether contracts look at it."""

    id_field: str | None
    has_contract: bool

    def require_room(self, payload: Any, validator: Validator) -> None:
        """``DraftError`` where the field stands in the way of the schema."""
        if not self.id_field or not self.has_contract or not isinstance(payload, dict):
            return
        path = tuple(self.id_field.split("."))
        if at(payload, path) is MISSING and not validator.is_valid(_placed(payload, path)):
            raise DraftError(
                f"its schema lets no field {self.id_field!r} in, where this transport carries the scenario's id "
                "(correlation: {header: x-request-id} lets it travel beside)"
            )


def drafts(path: Path, config: Config) -> Drafts:
    """A feature for each channel, as the configuration's default transport carries its messages.

    Raises ``AsyncApiError`` for a document that cannot be read, ``DraftError`` for one without channels.
    """
    documents, left_out = Documents(path), list[str]()
    channels = read_channels(documents)
    if not channels:
        raise DraftError(f"{path}: no channel with an address stands in this document")
    transport = config.transports.get(config.default_transport)
    own = _Carried(None if transport is None else transport.correlation_field, has_contract=bool(config.asyncapi))
    told = [(channel, _messages(documents, channel, own, left_out)) for channel in channels]
    writable = [(channel, messages) for channel, messages in told if messages and _is_sayable(channel, left_out)]
    sent, names, found = _sent(documents), set[str](), []
    for channel, messages in writable:
        reply = _reply(channel, writable, sent)
        writer = _Writer(channel.example, messages, reply, has_contract=bool(config.asyncapi))
        head = f"# Drafted from {path.name}. The values are examples: put those in that your service knows."
        lines = [head, *_about(reply), f"Feature: {channel.address}", *writer.scenarios(left_out)]
        name = _file_name(channel.address, names)
        names.add(name)
        found.append(Draft(name, "\n".join(lines) + "\n"))
    return Drafts(tuple(found), tuple(left_out))


# --- what a document says -----------------------------------------------------------------------------


def _is_sayable(channel: Channel, left_out: list[str]) -> bool:
    """Whether a step can name the channel's topic between quotation marks, as it stands."""
    is_plain = channel.example.isprintable() and not re.search(r'"|\\|\{[{%#]', channel.example)
    if not is_plain:
        left_out.append(f"{channel.address!r}: no step can name this topic, so nothing is drafted; write it yourself")
    return is_plain


def _sent(documents: Documents) -> frozenset[str]:
    """Addresses on which the application sends, as far as the document tells."""
    root = documents.root
    if str(root.value.get("asyncapi")).startswith("2"):
        return frozenset(name for name, channel in documents.members(root, "channels") if channel.has("subscribe"))
    senders = (node for _, node in documents.members(root, "operations") if node.value.get("action") == "send")
    channels = (documents.follow(node["channel"]) for node in senders if node.has("channel"))
    return frozenset(str(channel.value.get("address")) for channel in channels if isinstance(channel.value, dict))


def _reply(
    channel: Channel, channels: Iterable[tuple[Channel, Sequence[_Message]]], sent: frozenset[str]
) -> tuple[str, _Message] | None:
    """Topic and message that come of one on a channel: where the application sends, or else on any other."""
    others = [(each.example, messages[0], each.address in sent) for each, messages in channels if each is not channel]
    usable = [each for each in others if _is_whole(each[1].headers, each[1].payload)]
    chosen = next((each for each in usable if each[2]), usable[0] if usable else None)
    return None if chosen is None else chosen[:2]


def _messages(documents: Documents, channel: Channel, own: _Carried, left_out: list[str]) -> tuple[_Message, ...]:
    """The channel's messages; what no valid payload is found for is left out."""
    if not channel.messages:
        return (_Message("message", {}, {}),)
    made = []
    for spec in channel.messages:
        try:
            made.append(_message(documents, spec, own))
        except DraftError as why:
            left_out.append(f"{spec.node.place}: {why}, so nothing is drafted; write it yourself")
    found = [_with_id(each, own.id_field) for each in made]
    named = [replace(each, name=_told_apart(found, index)) for index, each in enumerate(found)]
    return tuple(replace(each, places=tuple(_refused_places(each, named))) for each in named)


def _told_apart(messages: Sequence[_Message], index: int) -> str:
    """A message's name, with a number behind it where an earlier one of the channel has the same."""
    name = messages[index].name
    again = sum(each.name == name for each in messages[:index])
    return f"{name} {again + 1}" if again else name


def _refused_places(message: _Message, messages: Sequence[_Message]) -> Iterator[Place]:
    """Where the payload can be spoilt so that it is none of the channel's other messages, either."""
    for place in message.places:
        payload = _broken(message.payload, place)
        if not any(each.takes(payload) for each in messages):
            yield place


def _message(documents: Documents, spec: MessageSpec, own: _Carried) -> _Message:
    """Raises ``DraftError``."""
    examples, payload, places = Examples(documents), _told(spec, "payload"), tuple[Place, ...]()
    if spec.payload is not None:
        validator = compiled(spec.payload, documents)
        if payload is None or not validator.is_valid(payload):
            payload = _valid(spec.payload, documents, validator, "payload")
        own.require_room(payload, validator)
        places = tuple(
            place
            for place in dict.fromkeys(examples.places(spec.payload.node, payload))
            if _has_clause(place) and not validator.is_valid(_broken(payload, place))
        )
    return _Message(_name(spec), {} if payload is None else payload, _headers(documents, spec), places)


def _headers(documents: Documents, spec: MessageSpec) -> dict[str, Any]:
    headers: dict[str, Any] = dict(_told(spec, "headers") or {})
    validators = [(schema, compiled(schema, documents)) for schema in spec.headers]
    for schema, validator in validators:
        made = _valid(schema, documents, validator, "headers")
        headers = {**(made if isinstance(made, dict) else {}), **headers}
    headers = {name: value for name, value in headers.items() if isinstance(value, str | int | float)}
    for _, validator in validators:
        _require_sendable(validator, headers)
    return headers


def _valid(schema: Schema, documents: Documents, validator: Validator, part: str) -> Any:
    try:
        return mended(schema.node, documents, validator, Examples(documents).value(schema.node))
    except (LookupError, RecursionError):  # the latter: every value needs another of its own kind in the same place
        raise DraftError(f"no valid {part} was found") from None


def _require_sendable(validator: Validator, headers: Mapping[str, Any]) -> None:
    """``DraftError`` for headers that are not what their schema wants once they are text, as null and objects are."""
    as_text = {name: json.dumps(value) if isinstance(value, bool) else str(value) for name, value in headers.items()}
    if not validator.is_valid(typed(validator, as_text)):
        raise DraftError("it needs headers that no text can be")


def _placed(payload: Any, path: tuple[str, ...]) -> Any:
    inner = payload if isinstance(payload, dict) else {}
    return {**inner, path[0]: _placed(inner.get(path[0]), path[1:])} if path else "1"


def _name(spec: MessageSpec) -> str:
    told = spec.node.value.get("name")
    name = " ".join(str(told or spec.node.place.rpartition("/")[2]).split())
    return "message" if name in ("message", "") or name.isdigit() else name


def _with_id(message: _Message, id_field: str | None) -> _Message:
    """With the scenario's own id where the transport looks for one, which no scenario can do without."""
    path: tuple[str | int, ...] = tuple(id_field.split(".")) if id_field else ()
    if not path or not at(message.payload, path) is not MISSING:
        return message
    payload = spoilt(message.payload, Place(path), stranger=_OWN_ID)
    return replace(message, payload=payload, places=tuple(each for each in message.places if each.path != path))


def _told(spec: MessageSpec, part: str) -> Any:
    """What the message's own first example says."""
    given = spec.node.value.get("examples")
    first = given[0] if isinstance(given, list) and given else None
    return first.get(part) if isinstance(first, dict) else None


def _broken(payload: Any, place: Place) -> Any:
    return spoilt(payload, place, stranger=stranger_to(place.choices) if place.choices else None)


# --- a feature ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Writer:
    """The scenarios of one channel; ``reply`` is topic and message of what the stand-in answers with."""

    topic: str
    messages: Sequence[_Message]
    reply: tuple[str, _Message] | None
    has_contract: bool

    def scenarios(self, left_out: list[str]) -> Iterator[str]:
        """What stands below the feature's name."""
        if self.reply is not None:
            yield from ("", "  Background:")
            for number, condition in enumerate(dict.fromkeys(each.condition for each in self.messages)):
                word = "And" if number else "Given"
                yield f'    {word} a service that answers "{self.topic}"{condition} with "{self.reply[0]}":'
                yield from _body(_whole(self.reply[1], self.reply[1].payload))
        for message in self.messages:
            yield from ("", f"  Scenario: A valid {message.name} is taken")
            yield from self._publish(message, message.payload)
            yield f"    Then {self._expected(message)}"
            if message.headers and message.places and self.has_contract:
                left_out.append(
                    f"{self.topic}: a contract lets no {message.name} with headers out that breaks it, so what the "
                    "service refuses is not drafted"
                )
                continue
            for place in message.places:
                yield from self._refused(message, place)

    def _refused(self, message: _Message, place: Place) -> Iterator[str]:
        name = label(place.path)
        shown = f"with a stranger as {name}" if place.choices else f"without {name}"
        yield from ("", f"  Scenario: A {message.name} {shown} is not taken")
        payload = _broken(message.payload, place)
        if message.headers:
            yield from self._publish(message, payload)
        else:
            yield f'    When I publish "{self.topic}" as raw bytes:'
            yield from _body(payload, media_type="")
        expected = f'"{self.topic}"{message.condition}' if self.reply is None else f'"{self.reply[0]}"'
        yield f"    Then I expect no {expected} for {_WATCHED}"

    def _publish(self, message: _Message, payload: Any) -> Iterator[str]:
        if not _is_whole(message.headers, payload):
            yield f'    When I publish "{self.topic}" as an envelope:'
            yield from _body({"headers": message.headers, "payload": payload})
            return
        yield f'    When I publish "{self.topic}":'
        yield from _body(_whole(message, payload))

    def _expected(self, message: _Message) -> str:
        if self.reply is not None:
            return f'I expect "{self.reply[0]}"'
        return f'I expect exactly 1 "{self.topic}" messages{message.condition} within {_WATCHED}'


def _is_whole(headers: Mapping[str, Any], payload: Any) -> bool:
    """Whether a body can hold the headers beside the payload's fields, none of which is called like theirs."""
    return "@headers" not in payload if isinstance(payload, dict) else not headers


def _whole(message: _Message, payload: Any) -> Any:
    """A payload with the headers that go with it."""
    return {"@headers": message.headers, **payload} if message.headers else payload


def _about(reply: tuple[str, _Message] | None) -> Iterator[str]:
    if reply is not None:
        yield "# The stand-in plays the service, so that this runs at once: take the background out when yours runs."
    else:
        yield "# The document has no other channel, so these scenarios look at the message itself: where your service"
        yield "# answers somewhere, expect that topic instead."


def _body(value: Any, media_type: str = "json") -> Iterator[str]:
    text = _OWN_ID.join(map(_literally, json.dumps(value, indent=2, ensure_ascii=False).split(_OWN_ID)))
    yield f'      """{media_type}'
    yield textwrap.indent(_ESCAPED.sub(_without_quote, text), "      ")
    yield '      """'


def _without_quote(escaped: re.Match[str]) -> str:
    """Three quotation marks would end the doc string, and Gherkin reads three escaped ones as three bare ones."""
    return "\\u0022" if escaped[0] == '\\"' else escaped[0]


def _literally(text: str) -> str:
    """Text that no template is found in; the braces of JSON itself never stand so close."""
    return re.sub(r"\{\{|\{%|\{#", lambda found: f"{{{{ '{found[0]}' }}}}", text)


def _has_clause(place: Place) -> bool:
    """Whether a condition can name the field: one called "and" or "exists" would have to be quoted."""
    if label(place.path) is None:
        return False
    try:
        parse_condition(f"x exists and {_clause(place)} and x exists")
    except BodyError:
        return False
    return True


def _clause(place: Place) -> str:
    """What a condition says of a field that is as it should be."""
    field = label(place.path)
    listed = [_literally(json.dumps(each, ensure_ascii=False)) for each in place.choices if each is not None]
    if not listed:
        return f"{field} exists"
    return f"{field} is {listed[0]}" if len(listed) == 1 else f"{field} is one of {', '.join(listed)}"


def _holds(place: Place, payload: Any) -> bool:
    value = at(payload, place.path)
    if value is MISSING:
        return False
    return not place.choices or value in [each for each in place.choices if each is not None]


def _file_name(address: str, taken: set[str]) -> str:
    name = re.sub(r"[^A-Za-z0-9]+", "_", address).strip("_").lower() or "channel"
    number = 2
    while f"{name}.feature" in taken:
        name, number = f"{name.rstrip('0123456789').rstrip('_')}_{number}", number + 1
    return f"{name}.feature"
