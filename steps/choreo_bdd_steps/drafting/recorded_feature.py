"""Conversations as a feature: a scenario each, and what could play the service."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from choreo_bdd.redaction import REDACTED
from choreo_bdd_steps.drafting.conversations import HEADERS, KEY, PAYLOAD, REPLY, Conversation, Grouped
from choreo_bdd_steps.drafting.volatile import Expected, Trigger, Varying, as_json, varying_fields
from choreo_bdd_steps.language.syntax import is_template
from choreo_bdd_steps.language.trees import at, label, leaves, put

_COLUMNS = ("topic", "transport")
"""Of an order's table: a field of such a name has no column there."""
_STEADY = 3
"""What came in one order so often comes in it."""
_QUIET = "200ms"
"""So long nothing more may come than came then: what is sent twice mostly follows at once."""
_TEMPLATE = re.compile(r"\{\{|\{%|\{#")


def feature(grouped: Grouped, source: str, default: str) -> str:
    """A feature with a scenario a conversation, the most frequent first; steps name any transport but the default."""
    found, without_id = grouped.conversations, grouped.without_id
    is_masked = any(_is_masked(each) for conversation in found for time in conversation.times for each in time)
    ordered = sorted(filter(_can_be_written, found), key=lambda each: -len(each.times))
    left_out = len(found) - len(ordered)
    lines = [
        f"# Drafted from {source}. What changed from time to time is a matcher or a variable: look whether it is",
        "# what you mean, and name each scenario after what it shows.",
    ]
    if left_out:
        lines.append(f"# Left out: {left_out} kind(s) of conversation whose topics or keys no step can name.")
    if without_id:
        topics = ", ".join(dict.fromkeys(topic if topic.isprintable() else ascii(topic) for topic in without_id))
        lines.append(
            f"# Left out: {len(without_id)} message(s) without a correlation id, which others have, on {topics}."
        )
    if grouped.begun_before:
        lines.append(f"# Left out: {grouped.begun_before} conversation(s) that had begun before anybody listened.")
    if is_masked:
        lines.append(
            f"# What is secret stands here as {REDACTED}: where the system needs it, take it from {{{{ env(…) }}}}."
        )
    lines.append("Feature: Recorded")
    varying = frozenset(field for conversation in found for field in varying_fields(conversation))
    for number, conversation in enumerate(ordered, start=1):
        lines += ["", *_scenario(conversation, number, default, varying, found)]
    return "\n".join(lines) + "\n"


def _is_masked(message: Any) -> bool:
    return any(isinstance(value, str) and REDACTED in value for _, value in leaves(message))


def _can_be_written(conversation: Conversation) -> bool:
    """Whether topics and keys stay on their lines, and call for nothing when the feature runs."""
    topics = [topic for _, topic in conversation.topics]
    paths = (path for each in conversation.times[0] for path, _ in leaves(each))
    names = (part for path in paths for part in path if isinstance(part, str))
    return (
        topics[0] != REPLY
        and all(each.isprintable() and '"' not in each for each in topics)
        and not any(map(is_template, (*topics, *names)))
    )


def _scenario(
    conversation: Conversation, number: int, default: str, varying: Varying, found: Sequence[Conversation]
) -> Iterator[str]:
    (transport, topic), *answers = conversation.topics
    trigger = Trigger([each[0] for each in conversation.times])
    yield f"  Scenario: {number}. What comes of {topic} (seen {len(trigger.times)} time(s))"
    for name in trigger.variables:
        yield f"    Given {name} is a unique id"
    yield from _act(topic, _on(transport, default), _sent(trigger), is_request=conversation.is_request)
    if conversation.is_request and (transport, REPLY) not in answers:
        answers.append((transport, REPLY))
    on_topic: dict[tuple[str, str], list[Expected]] = {}
    for index, (there, answer) in enumerate(answers, start=1):
        times = [each[index] for each in conversation.times if index < len(each)]
        known = frozenset(path for of, path in varying if of == (there, answer))
        expected = Expected(times, trigger, known) if times else None
        if expected is not None and answer != REPLY:
            on_topic.setdefault((there, answer), []).append(expected)
        word = "Then" if index == 1 else "And"
        yield from _check(word, answer, _on(there, default), expected, is_again=(there, answer) in answers[: index - 1])
    if len(trigger.times) >= _STEADY:
        for (there, answer), messages in on_topic.items():
            yield from _order(answer, _on(there, default), messages)
    if answers and conversation.has_id and not any(_is_longer(each, conversation) for each in found):
        for there in dict.fromkeys(there for there, _ in answers):
            yield f"    And I expect nothing else{_on(there, default)} for {_QUIET}"
    last = len(conversation.topics) - 1
    if last and conversation.topics[last][1] != REPLY:
        yield from _stand_in(
            topic, conversation.topics[last], [each[last] for each in conversation.times], trigger, default
        )


def _is_longer(other: Conversation, one: Conversation) -> bool:
    """Whether the same trigger has brought about more on a topic of this one at another time."""
    return other.topics[0] == one.topics[0] and any(
        other.topics.count(each) > one.topics.count(each) for each in one.topics
    )


def _on(transport: str, default: str) -> str:
    return "" if transport == default else f" on {transport}"


# --- steps --------------------------------------------------------------------------------------------


def _sent(trigger: Trigger) -> Any:
    """The trigger's first message, its ids and moments anew each time."""
    sent = _as_text(trigger.first)
    for path, value in list(leaves(trigger.first)):
        if path in trigger.named:
            sent = put(sent, path, f"{{{{ {trigger.named[path]} }}}}")
        elif trigger.is_now(path, value):
            sent = put(sent, path, "{{ now() }}")
    return sent


def _as_text(body: Any) -> Any:
    """What looks like a template in a message is text, and stays text when the feature runs."""
    for path, value in list(leaves(body)):
        if isinstance(value, str) and is_template(value):
            body = put(body, path, _TEMPLATE.sub(lambda found: f"{{{{ '{found.group()}' }}}}", value))
    return body


def _act(topic: str, on: str, sent: Any, *, is_request: bool) -> Iterator[str]:
    if is_request:
        for name in (KEY, HEADERS):
            if name in sent:
                yield f"    # it had {name[1:]}, which a request cannot be given here: {as_json(sent[name])}"
        yield f'    When I request "{topic}"{on}:'
        yield from _doc_string(sent[PAYLOAD])
        return
    if KEY not in sent and HEADERS not in sent:
        yield f'    When I publish "{topic}"{on}:'
        yield from _doc_string(sent[PAYLOAD])
        return
    yield f'    When I publish "{topic}"{on} as an envelope:'
    yield from _doc_string({name.removeprefix("@"): value for name, value in sent.items()})


def _check(word: str, topic: str, on: str, expected: Expected | None, *, is_again: bool) -> Iterator[str]:
    what = "a reply" if topic == REPLY else f'{"another " if is_again else ""}"{topic}"{on}'
    if expected is None:
        yield "    # nobody could hear what was answered, so any reply passes: say what it has to hold, as in"
        yield f"    # {word} I expect {what} where price is 5"
        yield f"    {word} I expect {what}"
        return
    if expected.left_out:
        yield f"    # of {expected.left_out} more field(s) nothing is expected"
    if expected.whole is not None:
        told = " and ".join(f"{field} is {value}" for field, value in expected.rows if value.startswith('"'))
        yield f"    {word} I expect {what}{f' where {told}' if told else ''}:"
        yield from ('      """', f"      {expected.whole}", '      """')
        return
    yield f"    {word} I expect {what}{':' if expected.rows else ''}"
    if expected.rows:
        yield from _table([("field", "value"), *expected.rows])


def _order(topic: str, on: str, messages: Sequence[Expected]) -> Iterator[str]:
    """That messages of one topic come in the order of a field that was another one in each of them."""
    told = [
        {name: value for name, value in each.rows if name not in _COLUMNS and _is_literal(value)} for each in messages
    ]
    steady = (name for name in told[0] if len({each.get(name) for each in told} - {None}) == len(told))
    field = next(steady, None)
    if len(messages) > 1 and field is not None:
        yield f"    And I expect in order{on}:"
        yield from _table([("topic", field), *((topic, each[field]) for each in told)])


def _is_literal(value: str) -> bool:
    """Whether a cell says one value: a text without a variable, or a number."""
    return "{{" not in value and (value.startswith('"') or value.lstrip("-").replace(".", "", 1).isdecimal())


def _stand_in(
    topic: str, answer: tuple[str, str], times: Sequence[Any], trigger: Trigger, default: str
) -> Iterator[str]:
    """What could play the service while it is not there."""
    body = _as_text(times[0][PAYLOAD])
    for path, value in list(leaves(times[0][PAYLOAD])):
        source = _source([at(each[PAYLOAD], path) for each in times], trigger)
        if source is not None and isinstance(value, str | int | float):
            body = put(body, path, f"{{{{ trigger{'' if source[0] == '[' else '.'}{source} }}}}")
    yield "    # where the service is not there yet, this plays it:"
    yield f'    # Given a service that answers "{topic}" with "{answer[1]}"{_on(answer[0], default)}:'
    yield from (f"    # {line[4:]}" for line in _doc_string(body))


def _source(values: Sequence[Any], trigger: Trigger) -> str | None:
    """The field of the trigger that has the same value each time."""
    paths = (path for path, _ in leaves(trigger.first) if path[0] == PAYLOAD and trigger.follows(values, path))
    return next((field for path in paths if (field := label(path[1:])) is not None), None)


def _doc_string(value: Any) -> Iterator[str]:
    text = as_json(value, indent=2)
    yield '      """json' if "{{" not in text else '      """'
    yield from (f"      {line}" for line in text.split("\n"))
    yield '      """'


def _table(rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    cells = [[_in_a_cell(text) for text in row] for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in (0, 1)]
    for name, value in cells:
        yield f"      | {name:<{widths[0]}} | {value:<{widths[1]}} |"


def _in_a_cell(text: str) -> str:
    return text.replace("|", "\\|")
