"""Features drafted from the channels of an AsyncAPI document, each with a stand-in that takes what is valid."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from msgspec import Struct

from choreo_bdd.asyncapi.channels import SEGMENT, Channel, read_channels
from choreo_bdd.asyncapi.documents import Documents, Node
from choreo_bdd.topic_patterns import unspeakable
from choreo_bdd_project.config import Config
from choreo_bdd_steps.drafting.examples import ExampleField, Examples
from choreo_bdd_steps.drafting.messages import (
    OWN_ID,
    Carried,
    DraftError,
    Message,
    broken,
    literally,
    messages_of,
    named,
)

_ESCAPED = re.compile(r"\\.")
_WATCHED = "200ms"


class Draft(Struct, frozen=True):
    """A feature: the name of its file, and its text."""

    name: str
    text: str


class Drafts(Struct, frozen=True):
    """The features of a document, and what of it could not be drafted."""

    features: tuple[Draft, ...]
    left_out: tuple[str, ...]


def drafts(path: Path, config: Config) -> Drafts:
    """A feature for each channel, as the configuration's default transport carries its messages.

    Raises ``AsyncApiError`` for a document that cannot be read, ``DraftError`` for one without channels.
    """
    documents, left_out = Documents(path), list[str]()
    channels = [_sampled(documents, each) for each in read_channels(documents)]
    if not channels:
        raise DraftError(f"{path}: no channel with an address stands in this document")
    own = Carried.by(config)
    told = [(channel, messages_of(documents, channel, own, left_out)) for channel in channels]
    writable = [(channel, messages) for channel, messages in told if messages and _is_sayable(channel, left_out)]
    sent, answers, names, found = _sent(documents), _answers(documents), set[str](), []
    for channel, messages in writable:
        reply = _reply(channel, writable, sent, answers.get(channel.address))
        writer = _Writer(channel.example, messages, reply, has_contract=own.has_contract)
        head = f"# Drafted from {path.name}. The values are examples: put those in that your service knows."
        lines = [head, *_about(reply), f"Feature: {channel.address}", *writer.scenarios()]
        name = _file_name(channel.address, names)
        names.add(name)
        found.append(Draft(name, "\n".join(lines) + "\n"))
    return Drafts(tuple(found), tuple(left_out))


# --- what a document says -----------------------------------------------------------------------------


def _sampled(documents: Documents, channel: Channel) -> Channel:
    """With values for the parameters of its address that the document names none for, as their schemas want them."""
    made = {name: Examples(documents).value(node, name=name) for name, node in channel.schemas.items()}
    texts = {name: each if isinstance(each, str) else json.dumps(each) for name, each in made.items()}
    fitting = {name: text for name, text in texts.items() if re.fullmatch(SEGMENT, text)}
    return replace(channel, samples={**fitting, **channel.samples})


def _is_sayable(channel: Channel, left_out: list[str]) -> bool:
    """Whether a step can name the channel's topic between quotation marks, as it stands."""
    topic = channel.example
    if topic.strip() != topic or not topic.isprintable() or re.search(r'^$|"|\\|\{[{%#]', topic):
        left_out.append(f"{channel.address!r}: no step can name this topic, so nothing is drafted; write it yourself")
        return False
    if (why := unspeakable(topic)) is not None:
        left_out.append(f"{channel.address!r}: {why}; nothing is drafted")
        return False
    return True


def _sent(documents: Documents) -> frozenset[str]:
    """Addresses on which the application sends, as far as the document tells."""
    root = documents.root
    if str(root.value.get("asyncapi")).startswith("2"):
        return frozenset(name for name, channel in documents.members(root, "channels") if channel.has("subscribe"))
    senders = (node for _, node in documents.members(root, "operations") if node.value.get("action") == "send")
    return frozenset(filter(None, (_address(documents, node) for node in senders)))


def _answers(documents: Documents) -> dict[str, frozenset[str]]:
    """For the address of a request where its replies go, as operations of 3.x tell; none where only a run shows it."""
    found: dict[str, frozenset[str]] = {}
    for _, operation in documents.members(documents.root, "operations"):
        asked = _address(documents, operation)
        if asked and operation.has("reply"):
            answered = _address(documents, documents.follow(operation["reply"]))
            found[asked] = found.get(asked, frozenset()) | {each for each in [answered] if each}
    return found


def _address(documents: Documents, holder: Node) -> str | None:
    """That of the channel which an operation or a reply names; one without is only known while it runs."""
    channel = documents.follow(holder["channel"]) if holder.has("channel") else None
    told = channel.value["address"] if channel is not None and channel.has("address") else None
    return None if told is None else str(told)


def _reply(
    channel: Channel,
    channels: Iterable[tuple[Channel, Sequence[Message]]],
    sent: frozenset[str],
    answered: frozenset[str] | None,
) -> tuple[str, Message] | None:
    """Topic and message that come of one on a channel.

    It is where the document says that it is ``answered``; else on one of those the application has ``sent`` on, or
    on any other.
    """
    others = [(each, messages[0]) for each, messages in channels if each is not channel]
    usable = [(each, message) for each, message in others if _is_whole(message.headers, message.payload)]
    likely = [pair for pair in usable if pair[0].address in (sent if answered is None else answered)]
    chosen = next(iter(likely or (usable if answered is None else [])), None)
    return None if chosen is None else (chosen[0].example, chosen[1])


# --- a feature ----------------------------------------------------------------------------------------


class _Writer(Struct, frozen=True):
    """The scenarios of one channel; ``reply`` is topic and message of what the stand-in answers with."""

    topic: str
    messages: Sequence[Message]
    reply: tuple[str, Message] | None
    has_contract: bool

    def scenarios(self) -> Iterator[str]:
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
            for place in message.places:
                yield from self._refused(message, place)

    def _refused(self, message: Message, place: ExampleField) -> Iterator[str]:
        name = named(place.path)
        shown = f"with a stranger as {name}" if place.choices else f"without {name}"
        yield from ("", f"  Scenario: A {message.name} {shown} is not taken")
        payload = broken(message.payload, place)
        if not message.headers:
            yield f'    When I publish "{self.topic}" as raw bytes:'
            yield from _body(payload, media_type="")
        elif self.has_contract:  # which bytes go past
            yield f'    When I publish "{self.topic}" as an envelope:'
            yield from _envelope(message.headers, payload)
        else:
            yield from self._publish(message, payload)
        expected = f'"{self.topic}"{message.condition}' if self.reply is None else f'"{self.reply[0]}"'
        yield f"    Then I expect no {expected} for {_WATCHED}"

    def _publish(self, message: Message, payload: Any) -> Iterator[str]:
        if not _is_whole(message.headers, payload):
            yield f'    When I publish "{self.topic}" as an envelope:'
            yield from _body({"headers": message.headers, "payload": payload})
            return
        yield f'    When I publish "{self.topic}":'
        yield from _body(_whole(message, payload))

    def _expected(self, message: Message) -> str:
        if self.reply is not None:
            return f'I expect "{self.reply[0]}"'
        return f'I expect exactly 1 "{self.topic}" messages{message.condition} within {_WATCHED}'


def _is_whole(headers: Mapping[str, Any], payload: Any) -> bool:
    """Whether a body can hold the headers beside the payload's fields, none of which is called like theirs."""
    return "@headers" not in payload if isinstance(payload, dict) else not headers


def _whole(message: Message, payload: Any) -> Any:
    """A payload with the headers that go with it."""
    return {"@headers": message.headers, **payload} if message.headers else payload


def _about(reply: tuple[str, Message] | None) -> Iterator[str]:
    if reply is not None:
        yield "# The stand-in plays the service, so that this runs at once: take the background out when yours runs."
    else:
        yield "# The document names no other channel for an answer, so these scenarios look at the message itself:"
        yield "# where your service answers somewhere, expect that topic instead."


def _body(value: Any, media_type: str = "json") -> Iterator[str]:
    yield f'      """{media_type}'
    yield textwrap.indent(_text(value, indent=2), "      ")
    yield '      """'


def _text(value: Any, *, indent: int | None) -> str:
    """JSON that stands in a doc string, and is read as it stands."""
    written = json.dumps(value, indent=indent, ensure_ascii=False)
    shown = "".join(each if each.isprintable() or each == "\n" else json.dumps(each)[1:-1] for each in written)
    return _ESCAPED.sub(_without_quote, OWN_ID.join(map(literally, shown.split(OWN_ID))))


def _envelope(headers: Mapping[str, Any], payload: Any) -> Iterator[str]:
    """Headers, and the payload as bytes."""
    _, *lines, end = _body(payload)
    yield '      """'
    yield from textwrap.indent(f"headers: {_text(headers, indent=None)}\nraw: |", "      ").splitlines()
    yield from (textwrap.indent(line, "  ") for line in lines)
    yield end


def _without_quote(escaped: re.Match[str]) -> str:
    """Three quotation marks would end the doc string, and Gherkin reads three escaped ones as three bare ones."""
    return "\\u0022" if escaped[0] == '\\"' else escaped[0]


def _file_name(address: str, taken: set[str]) -> str:
    name = re.sub(r"[^A-Za-z0-9]+", "_", address).strip("_").lower() or "channel"
    number = 2
    while f"{name}.feature" in taken:
        name, number = f"{name.rstrip('0123456789').rstrip('_')}_{number}", number + 1
    return f"{name}.feature"
