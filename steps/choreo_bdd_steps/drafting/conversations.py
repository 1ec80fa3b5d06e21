"""From traffic to conversations: what one trigger brought about, its repeats beside each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from choreo_bdd_steps.drafting.traffic import Seen

PAYLOAD, KEY, HEADERS = "payload", "@key", "@headers"
"""What a message is told as: an object of its payload and, where it has them, its key and its headers."""
REPLY = ""
"""The topic of an answer that goes to the address which the trigger named."""

Topic = tuple[str, str]
"""A transport and a topic on it."""


class Conversation(Struct, frozen=True):
    """What one trigger brought about: the same topics each time, in whatever order; ``times`` are the repeats.

    ``is_request`` says that the trigger named an address for its answer, ``has_id`` that an id tells its messages from
    others.
    """

    topics: tuple[Topic, ...]
    times: tuple[tuple[Any, ...], ...]
    is_request: bool = False
    has_id: bool = False


_Kind = frozenset[tuple[Topic, int]]
"""Topics, and how many messages of a conversation come on each."""


class Grouped(Struct, frozen=True):
    """What came, by conversations, and what is in none of them.

    ``without_id`` are the topics of messages that carry no id, which others do. ``begun_before`` conversations had
    begun before anybody listened: their trigger is missing.
    """

    conversations: list[Conversation]
    without_id: list[str]
    begun_before: int


def grouped(seen: Sequence[Seen]) -> Grouped:
    """Messages by correlation id; where none has one they are one conversation."""
    kinds = _kinds(seen)
    torn = _torn(seen, kinds)
    whole = [_conversation(times) for kind, times in kinds.items() if kind not in torn]
    return Grouped(whole, _without_id(seen), sum(len(kinds[kind]) for kind in torn))


def _torn(seen: Sequence[Seen], kinds: Mapping[_Kind, Sequence[Sequence[Seen]]]) -> set[_Kind]:
    """The kinds that are a more frequent one without its trigger, and had all begun before one of that had ended."""
    place = {id(each): number for number, each in enumerate(seen)}
    torn: set[_Kind] = set()
    for kind, times in kinds.items():
        for whole, repeats in kinds.items():
            if len(times) < len(repeats) and _is_part(kind, whole) and _trigger(repeats) not in dict(kind):
                ended = min(place[id(messages[-1])] for messages in repeats)
                if all(place[id(messages[0])] < ended for messages in times):
                    torn.add(kind)
    return torn


def _is_part(kind: _Kind, whole: _Kind) -> bool:
    counts = dict(whole)
    return all(number <= counts.get(topic, 0) for topic, number in kind)


def _kinds(seen: Sequence[Seen]) -> dict[_Kind, list[Sequence[Seen]]]:
    asked: dict[Topic, str | None] = {}
    by_id: dict[str | None, list[Seen]] = {}
    for each in seen:
        conversation = each.conversation or asked.get((each.transport, each.topic))  # an answer needs no id
        by_id.setdefault(conversation, []).append(each)
        if each.reply_to is not None:
            asked[each.transport, each.reply_to] = conversation
    if len(by_id) > 1:
        by_id.pop(None, None)
    kinds: dict[_Kind, list[Sequence[Seen]]] = {}
    for messages in by_id.values():  # of several topics a broker may hand over the later message first
        kinds.setdefault(frozenset(Counter(map(_topic_of(messages), messages)).items()), []).append(messages)
    return kinds


def _without_id(seen: Sequence[Seen]) -> list[str]:
    addresses = {each.reply_to for each in seen}
    if all(each.conversation is None for each in seen):
        return []
    return [each.topic for each in seen if each.conversation is None and each.topic not in addresses]


def _topic_of(messages: Sequence[Seen]) -> Callable[[Seen], Topic]:
    """Where a message came, the addresses that messages of its conversation name for answers taken as one."""
    addresses = {each.reply_to for each in messages}
    return lambda each: (each.transport, REPLY if each.topic in addresses else each.topic)


def _conversation(times: Sequence[Sequence[Seen]]) -> Conversation:
    """Repeats in the order that most of them begin in."""
    trigger = _trigger(times)
    usual = next((messages for messages in times if _topic_of(messages)(messages[0]) == trigger), times[0])
    order = list(dict.fromkeys(map(_topic_of(usual), usual)))
    ordered = [_in_order(messages, [trigger, *order]) for messages in times]
    return Conversation(
        tuple(map(_topic_of(ordered[0]), ordered[0])),
        tuple(tuple(map(_told, messages)) for messages in ordered),
        is_request=all(messages[0].reply_to is not None for messages in ordered),
        has_id=all(messages[0].conversation is not None for messages in ordered),
    )


def _trigger(times: Sequence[Sequence[Seen]]) -> Topic:
    """Where most of the repeats begin, which is with no answer."""
    firsts = Counter(_topic_of(messages)(messages[0]) for messages in times).most_common()
    return next((topic for topic, _ in firsts if topic[1] != REPLY), firsts[0][0])


def _in_order(messages: Sequence[Seen], order: Sequence[Topic]) -> Sequence[Seen]:
    """As the topics are, without answers to the services among themselves: no scenario knows their addresses."""
    topic = _topic_of(messages)
    first, *others = sorted(messages, key=lambda each: order.index(topic(each)))
    return [first, *(each for each in others if topic(each)[1] != REPLY or each.topic == first.reply_to)]


def _told(message: Seen) -> Any:
    told: dict[str, Any] = {PAYLOAD: message.payload}
    if message.key is not None:
        told[KEY] = message.key
    if message.headers:
        told[HEADERS] = dict(message.headers)
    return told
