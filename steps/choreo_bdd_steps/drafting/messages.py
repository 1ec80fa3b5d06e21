"""The messages of a channel as they are drafted: a valid payload and headers, and where they can be spoilt."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct, structs

from choreo_bdd.asyncapi.channels import Channel, MessageSpec, Schema
from choreo_bdd.asyncapi.documents import Documents
from choreo_bdd.asyncapi.schemas import compiled, typed
from choreo_bdd.correlation import TRACEPARENT, traceparent
from choreo_bdd.exceptions import ChoreoError
from choreo_bdd_project.config import Config
from choreo_bdd_steps.drafting.examples import ExampleField, Examples, spoilt, stranger_to
from choreo_bdd_steps.drafting.foreign_schemas import avro_example, language_of, openapi_schema
from choreo_bdd_steps.drafting.mending import mended
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.grammar.conditions import parse_condition
from choreo_bdd_steps.language.trees import MISSING, at, label

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

OWN_ID = "{{ correlation_id }}"
"""As a body names it."""
_AN_ID = "0123456789abcdef" * 2
"""As long as those of scenarios, and of their characters."""


class DraftError(ChoreoError):
    """Nothing can be drafted from a document."""


class Message(Struct, frozen=True):
    """A message with a valid payload and headers, and the places where the payload can be spoilt."""

    name: str
    payload: Any
    headers: dict[str, Any]
    places: tuple[ExampleField, ...] = ()

    @property
    def condition(self) -> str:
        """What tells it from one that is not valid, as a step says it; empty for no difference."""
        clauses = " and ".join(dict.fromkeys(map(_clause, self.places)))
        return f" where {clauses}" if clauses else ""

    def takes(self, payload: Any) -> bool:
        """Whether its condition holds for a payload."""
        return all(_holds(place, payload) for place in self.places)


class Carried(Struct, frozen=True):
    """The field or header in which every message carries its scenario's id, and whether contracts look at it.

    ``sample`` is what such an id looks like.
    """

    id_field: str | None
    id_header: str | None
    sample: str
    has_contract: bool

    @classmethod
    def by(cls, config: Config) -> Carried:
        """As the configuration's default transport does."""
        transport = config.transports.get(config.default_transport)
        if transport is None:
            return cls(None, None, _AN_ID, has_contract=bool(config.asyncapi))
        is_trace = str(transport.correlation_header).lower() == TRACEPARENT
        return cls(
            id_field=transport.correlation_field,
            id_header=transport.correlation_header,
            sample=traceparent(_AN_ID) if is_trace else f"{transport.correlation_prefix}{_AN_ID}",
            has_contract=bool(config.asyncapi),
        )

    def require_room(self, payload: Any, validator: Validator) -> None:
        """``DraftError`` where the field stands in the way of the schema."""
        if not self.id_field or not self.has_contract or not isinstance(payload, dict):
            return
        if not validator.is_valid(_placed(payload, tuple(self.id_field.split(".")), self.sample)):
            raise DraftError(
                f"its schema lets no field {self.id_field!r} in that holds a scenario's id, which this transport "
                "carries there (correlation: {header: x-request-id} lets it travel beside)"
            )

    def without_id(self, headers: dict[str, Any], validators: Iterable[Validator]) -> dict[str, Any]:
        """Headers without the one that each scenario puts its own id into; ``DraftError`` where that may not stand."""
        wanted = "" if self.id_header is None else self.id_header.lower()
        taken = next((name for name in headers if name.lower() == wanted), None)
        if taken is None:
            return headers
        sent = {**_as_text(headers), taken: self.sample}
        if self.has_contract and not all(each.is_valid(typed(each, sent)) for each in validators):
            raise DraftError(
                f"its schema lets no scenario's id be the header {taken!r}, where this transport carries it"
            )
        return {name: value for name, value in headers.items() if name != taken}


def messages_of(documents: Documents, channel: Channel, own: Carried, left_out: list[str]) -> tuple[Message, ...]:
    """The channel's messages; what no valid payload is found for is left out."""
    if not channel.messages:
        return (Message("message", {}, {}),)
    made = []
    for spec in channel.messages:
        try:
            made.append(_message(documents, spec, own))
        except DraftError as why:
            left_out.append(f"{spec.node.place}: {why}, so nothing is drafted; write it yourself")
            continue
        if spec.payload is None and spec.node.has("payload") and made[-1].payload == {}:
            language = language_of(documents, spec.node)
            left_out.append(
                f"{spec.node.place}: its payload is in {language}, of which no example is made, so {{}} stands for it; "
                "put yours in, or an example into the document"
            )
    found = [_with_id(each, own.id_field) for each in made]
    named = [structs.replace(each, name=_told_apart(found, index)) for index, each in enumerate(found)]
    told = [structs.replace(each, places=tuple(_refused_places(each, named))) for each in named]
    left_out += [
        f"{channel.address!r}: a {before.name} with anything left out could be another of its messages, as far as a "
        "condition tells, so only the valid one is drafted"
        for before, after in zip(named, told, strict=True)
        if before.places and not after.places
    ]
    return tuple(told)


def _told_apart(messages: Sequence[Message], index: int) -> str:
    """A message's name, with a number behind it where an earlier one of the channel has the same."""
    name = messages[index].name
    again = sum(each.name == name for each in messages[:index])
    return f"{name} {again + 1}" if again else name


def _refused_places(message: Message, messages: Sequence[Message]) -> Iterator[ExampleField]:
    """Where the payload can be spoilt so that it is none of the channel's other messages, either."""
    for place in message.places:
        payload = broken(message.payload, place)
        if not any(each.takes(payload) for each in messages):
            yield place


def _message(documents: Documents, spec: MessageSpec, own: Carried) -> Message:
    """Raises ``DraftError``."""
    told, headers = [*_told(spec, "payload")], _headers(documents, spec, own)
    schema = spec.payload or openapi_schema(documents, spec.node)
    if schema is None:
        return Message(_name(spec), told[0] if told else avro_example(documents, spec.node), headers)
    validator = compiled(schema, documents)
    good = [each for each in told if validator.is_valid(each)]
    payload = good[0] if good else _valid(schema, documents, validator, "payload")
    if spec.payload is not None:  # else no contract looks at it
        own.require_room(payload, validator)
    try:
        found = _once_each(Examples(documents).places(schema.node, payload))
    except LookupError as error:
        raise DraftError(f"what can be spoilt of its payload was not found, for {error}") from error
    places = tuple(each for each in found if _has_clause(each) and not validator.is_valid(broken(payload, each)))
    return Message(_name(spec), payload, headers, places)


def _once_each(places: Iterable[ExampleField]) -> Iterable[ExampleField]:
    """Without those that are spoilt as an earlier one is: parts of a schema often tell of the same field."""
    found: dict[tuple[object, bool], ExampleField] = {}
    for place in places:
        found.setdefault((place.path, bool(place.choices)), place)
    return found.values()


def _headers(documents: Documents, spec: MessageSpec, own: Carried) -> dict[str, Any]:
    headers: dict[str, Any] = dict(next((each for each in _told(spec, "headers") if isinstance(each, dict)), {}))
    validators = [(schema, compiled(schema, documents)) for schema in spec.headers]
    for schema, validator in validators:
        made = _valid(schema, documents, validator, "headers")
        headers = {**(made if isinstance(made, dict) else {}), **headers}
    headers = {name: value for name, value in headers.items() if isinstance(value, str | int | float)}
    for _, validator in validators:
        _require_sendable(validator, headers)
    return own.without_id(headers, [validator for _, validator in validators])


def _valid(schema: Schema, documents: Documents, validator: Validator, part: str) -> Any:
    for is_least in (False, True):  # little has little wrong with it
        try:
            example = Examples(documents, is_least=is_least).value(schema.node)
            return mended(schema.node, documents, validator, example)
        except (LookupError, RecursionError):  # the latter: every value needs another of its own kind in the same place
            continue
    raise DraftError(f"no valid {part} was found")


def _require_sendable(validator: Validator, headers: Mapping[str, Any]) -> None:
    """``DraftError`` for headers that are not what their schema wants once they are text, as null and objects are."""
    if not validator.is_valid(typed(validator, _as_text(headers))):
        raise DraftError("it needs headers that no text can be")


def _as_text(headers: Mapping[str, Any]) -> dict[str, str]:
    return {name: json.dumps(value) if isinstance(value, bool) else str(value) for name, value in headers.items()}


def _placed(payload: Any, path: tuple[str, ...], value: str) -> Any:
    inner = payload if isinstance(payload, dict) else {}
    return {**inner, path[0]: _placed(inner.get(path[0]), path[1:], value)} if path else value


def _name(spec: MessageSpec) -> str:
    told = spec.node.value.get("name")
    name = " ".join(str(told or spec.node.place.rpartition("/")[2]).split())
    return "message" if name in ("message", "") or name.isdigit() else name


def _with_id(message: Message, id_field: str | None) -> Message:
    """With the scenario's own id where the transport looks for one, which no scenario can do without."""
    path: tuple[str | int, ...] = tuple(id_field.split(".")) if id_field else ()
    if not path or not at(message.payload, path) is not MISSING:
        return message
    payload = spoilt(message.payload, ExampleField(path), stranger=OWN_ID)
    return structs.replace(message, payload=payload, places=tuple(each for each in message.places if each.path != path))


def _told(spec: MessageSpec, part: str) -> Iterator[Any]:
    """What the message's own examples say."""
    given = spec.node.value.get("examples")
    yield from (
        each[part] for each in (given if isinstance(given, list) else ()) if isinstance(each, dict) and part in each
    )


def broken(payload: Any, place: ExampleField) -> Any:
    """A payload that is spoilt in one place."""
    return spoilt(payload, place, stranger=stranger_to(place.choices) if place.choices else None)


# --- conditions ---------------------------------------------------------------------------------------


def literally(text: str) -> str:
    """Text that no template is found in; the braces of JSON itself never stand so close."""
    return re.sub(r"\{\{|\{%|\{#", lambda found: f"{{{{ '{found[0]}' }}}}", text)


def _has_clause(place: ExampleField) -> bool:
    """Whether a condition can name the field, and its values where the schema lists them."""
    return named(place.path) is not None and _is_condition(_clause(place))


def _is_condition(text: str) -> bool:
    try:
        parse_condition(text)
    except BodyError:
        return False
    return True


def named(path: tuple[str | int, ...]) -> str | None:
    """A path as a condition writes it, names that are no plain words in quotes; ``None`` where none can be written."""
    quoted = "".join(f"[{part}]" if isinstance(part, int) else f'."{part}"' for part in path).removeprefix(".")
    return next((each for each in (label(path), quoted) if each is not None and _is_read_as(path, each)), None)


def _is_read_as(path: tuple[str | int, ...], field: str) -> bool:
    try:
        clauses = parse_condition(f"x exists and {field} exists and x exists").clauses
    except BodyError:
        return False
    return "{{" not in field and [each.segments for each, _ in clauses] == [("x",), path, ("x",)]


def _clause(place: ExampleField) -> str:
    """What a condition says of a field that is as it should be."""
    field = named(place.path)
    listed = [literally(json.dumps(each, ensure_ascii=False)) for each in place.choices if each is not None]
    if not listed:
        return f"{field} exists"
    return f"{field} is {listed[0]}" if len(listed) == 1 else f"{field} is one of {', '.join(listed)}"


def _holds(place: ExampleField, payload: Any) -> bool:
    value = at(payload, place.path)
    if value is MISSING:
        return False
    return not place.choices or value in [each for each in place.choices if each is not None]
