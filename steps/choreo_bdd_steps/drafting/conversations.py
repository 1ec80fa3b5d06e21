"""From traffic to a feature: conversations told apart, their volatile values found over repeats."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from choreo_bdd.redaction import REDACTED
from choreo_bdd_steps.drafting.traffic import Seen
from choreo_bdd_steps.language.templates.rendering import is_template
from choreo_bdd_steps.language.trees import MISSING, Path, at, label, leaves, put

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TEMPLATE = re.compile(r"\{\{|\{%|\{#")
_EPOCH_S = (1_000_000_000, 10_000_000_000)
_LEAVES_MAX = 60

Topic = tuple[str, str]
"""A transport and a topic on it."""
Varying = frozenset[tuple[Topic, Path]]
"""Fields that were not the same each time."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What one trigger brought about: the same topics each time, in whatever order; ``times`` are the repeats."""

    topics: tuple[Topic, ...]
    times: tuple[tuple[Any, ...], ...]


def conversations(seen: Sequence[Seen], own_field: Path) -> list[Conversation]:
    """Messages by correlation id; those without one are a conversation of their own."""
    by_id: dict[str | None, list[Seen]] = {}
    for each in seen:
        by_id.setdefault(each.conversation, []).append(each)
    kinds: dict[frozenset[tuple[Topic, int]], list[Sequence[Seen]]] = {}
    for messages in by_id.values():  # of several topics a broker may hand over the later message first
        kinds.setdefault(frozenset(Counter(map(_topic, messages)).items()), []).append(messages)
    return [_conversation(times, own_field) for times in kinds.values()]


def _conversation(times: Sequence[Sequence[Seen]], own_field: Path) -> Conversation:
    """Repeats in the order that most of them begin in."""
    trigger = Counter(_topic(messages[0]) for messages in times).most_common(1)[0][0]
    usual = next(messages for messages in times if _topic(messages[0]) == trigger)
    order = list(dict.fromkeys(map(_topic, usual)))
    ordered = [sorted(messages, key=lambda each: order.index(_topic(each))) for messages in times]
    payloads = (tuple(_without(each.payload, own_field) for each in messages) for messages in ordered)
    return Conversation(tuple(map(_topic, ordered[0])), tuple(payloads))


def _topic(message: Seen) -> Topic:
    return message.transport, message.topic


def feature(found: Sequence[Conversation], source: str, default: str) -> str:
    """A feature with a scenario a conversation, the most frequent first."""
    is_masked = any(_is_masked(each) for conversation in found for time in conversation.times for each in time)
    ordered = sorted(filter(_can_be_written, found), key=lambda each: -len(each.times))
    left_out = len(found) - len(ordered)
    lines = [
        f"# Drafted from {source}. What changed from time to time is a matcher or a variable: look whether it is",
        "# what you mean, and name each scenario after what it shows.",
    ]
    if left_out:
        lines.append(f"# Left out: {left_out} kind(s) of conversation whose topics or keys no step can name.")
    if is_masked:
        lines.append(
            f"# What is secret stands here as {REDACTED}: where the system needs it, take it from {{{{ env(…) }}}}."
        )
    lines.append("Feature: Recorded")
    varying = frozenset(field for conversation in found for field in _varying(conversation))
    for number, conversation in enumerate(ordered, start=1):
        lines += ["", *_scenario(conversation, number, default, varying)]
    return "\n".join(lines) + "\n"


def _can_be_written(conversation: Conversation) -> bool:
    """Whether topics and keys stay on their lines, and call for nothing when the feature runs."""
    topics = [topic for _, topic in conversation.topics]
    paths = (path for each in conversation.times[0] for path, _ in leaves(each))
    keys = (part for path in paths for part in path if isinstance(part, str))
    return all(each.isprintable() and '"' not in each for each in topics) and not any(
        map(_is_template, (*topics, *keys))
    )


def _is_template(value: object) -> bool:
    return isinstance(value, str) and is_template(value)


def _varying(conversation: Conversation) -> Iterator[tuple[Topic, Path]]:
    """Fields that repeats have shown to vary: where they came but once, too, their value says nothing."""
    for index, topic in enumerate(conversation.topics):
        times = [each[index] for each in conversation.times]
        for path, value in list(leaves(times[0]))[:_LEAVES_MAX]:
            if any(_key(at(each, path)) != _key(value) for each in times):
                yield topic, path


def _scenario(conversation: Conversation, number: int, default: str, varying: Varying) -> Iterator[str]:
    (transport, topic), *answers = conversation.topics
    triggers = [each[0] for each in conversation.times]
    variables = _variables(triggers)
    yield f"  Scenario: {number}. What comes of {topic} (seen {len(triggers)} time(s))"
    for name in variables:
        yield f"    Given {name} is a unique id"
    yield f'    When I publish "{topic}"{_on(transport, default)}:'
    yield from _doc_string(_sent(triggers[0], variables))
    for index, (there, answer) in enumerate(answers, start=1):
        word = "Then" if index == 1 else "And"
        times = [each[index] for each in conversation.times]
        known = frozenset(path for of, path in varying if of == (there, answer))
        rows = list(_expected(times, triggers, variables, known))
        yield f'    {word} I expect "{answer}"{_on(there, default)}{":" if rows else ""}'
        if rows:
            yield from _table([("field", "value"), *rows])
    if answers:
        yield from _stand_in(topic, answers[-1], [each[-1] for each in conversation.times], triggers, default)


def _on(transport: str, default: str) -> str:
    return "" if transport == default else f" on {transport}"


# --- values -------------------------------------------------------------------------------------------


def _variables(triggers: Sequence[Any]) -> dict[str, Path]:
    """Ids of the trigger that no second one would have: by variable, where they stand."""
    found: dict[str, Path] = {}
    for path, value in leaves(triggers[0]):
        if not isinstance(value, str) or not value:
            continue
        varies = len(triggers) > 1 and len({_key(at(each, path)) for each in triggers}) == len(triggers)
        if _UUID.fullmatch(value) or (varies and not _MOMENT.fullmatch(value)):
            name = "_".join(str(part) for part in path if isinstance(part, str)).replace("-", "_")
            if _PLAIN.fullmatch(name) and name not in found:
                found[name] = path
    return found


def _as_text(body: Any) -> Any:
    """What looks like a template in a message is text, and stays text when the feature runs."""
    for path, value in list(leaves(body)):
        if _is_template(value):
            body = put(body, path, _TEMPLATE.sub(lambda found: f"{{{{ '{found.group()}' }}}}", value))
    return body


def _sent(trigger: Any, variables: Mapping[str, Path]) -> Any:
    trigger = _as_text(trigger)
    for name, path in variables.items():
        trigger = put(trigger, path, f"{{{{ {name} }}}}")
    for path, value in list(leaves(trigger)):
        if isinstance(value, str) and _MOMENT.fullmatch(value):
            trigger = put(trigger, path, "{{ now() }}")
    return trigger


def _expected(
    times: Sequence[Any], triggers: Sequence[Any], variables: Mapping[str, Path], varying: Collection[Path]
) -> Iterator[tuple[str, str]]:
    for path, value in list(leaves(times[0]))[:_LEAVES_MAX]:
        field = label(path)
        if field is None:
            continue
        values = [at(each, path) for each in times]
        if any(each is MISSING for each in values):
            continue
        named = next((name for name, there in variables.items() if _follows(values, triggers, there)), None)
        if named is not None:
            yield field, f"{{{{ {named} }}}}"
        elif path not in varying and not _is_volatile(value) and not _is_template(value):
            yield field, _json(value)
        else:
            yield field, _kind(value)


def _follows(values: Sequence[Any], triggers: Sequence[Any], path: Path) -> bool:
    return all(value == at(trigger, path) for value, trigger in zip(values, triggers, strict=True))


def _is_volatile(value: Any) -> bool:
    """Whether a value looks as if no second one were the same, or is not what it was."""
    if isinstance(value, str):
        return bool(REDACTED in value or _UUID.fullmatch(value) or _MOMENT.fullmatch(value))
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and any(_EPOCH_S[0] <= abs(value) / scale < _EPOCH_S[1] for scale in (1, 1000))


def _is_masked(payload: Any) -> bool:
    return any(isinstance(value, str) and REDACTED in value for _, value in leaves(payload))


def _kind(value: Any) -> str:
    match value:
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str() if _UUID.fullmatch(value):
            return "a uuid"
        case str() if _MOMENT.fullmatch(value):
            return "a timestamp"
        case str():
            return "a string"
        case _:
            return "exists"


# --- text ---------------------------------------------------------------------------------------------


def _stand_in(
    topic: str, answer: tuple[str, str], times: Sequence[Any], triggers: Sequence[Any], default: str
) -> Iterator[str]:
    """What could play the service while it is not there."""
    body = _as_text(times[0])
    for path, value in list(leaves(times[0])):
        source = _source([at(each, path) for each in times], triggers)
        if source is not None and isinstance(value, str | int | float):
            body = put(body, path, f"{{{{ trigger.{source} }}}}")
    yield "    # where the service is not there yet, this plays it:"
    yield f'    # Given a service that answers "{topic}" with "{answer[1]}"{_on(answer[0], default)}:'
    yield from (f"    # {line[4:]}" for line in _doc_string(body))


def _source(values: Sequence[Any], triggers: Sequence[Any]) -> str | None:
    """The field of the trigger that has the same value each time."""
    paths = (path for path, _ in leaves(triggers[0]) if _follows(values, triggers, path))
    return next((field for path in paths if (field := label(path)) is not None), None)


def _doc_string(value: Any) -> Iterator[str]:
    yield '      """json' if not _is_marked(value) else '      """'
    yield from (f"      {line}" for line in _json(value, indent=2).split("\n"))
    yield '      """'


def _json(value: Any, *, indent: int | None = None) -> str:
    """JSON whose texts stay on their lines, whatever a parser of features takes for the end of one."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    if text.isascii():
        return text
    return "".join(char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in text)


def _is_marked(value: Any) -> bool:
    return "{{" in json.dumps(value, ensure_ascii=False)


def _table(rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    width = max(len(name) for name, _ in rows)
    values = [value.replace("|", "\\|") for _, value in rows]
    longest = max(map(len, values))
    for (name, _), value in zip(rows, values, strict=True):
        yield f"      | {name:<{width}} | {value:<{longest}} |"


def _without(payload: Any, path: Path) -> Any:
    """A payload without the id that the library puts there itself."""
    if not path or not isinstance(payload, Mapping) or path[0] not in payload:
        return payload
    if len(path) == 1:
        return {name: value for name, value in payload.items() if name != path[0]}
    return {**payload, path[0]: _without(payload[str(path[0])], path[1:])}


def _key(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
