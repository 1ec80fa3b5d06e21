"""Why an expectation came out as it did: the cause in one word, one sentence, and the evidence."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from choreo_bdd.codecs.decimals import encode_exactly
from choreo_bdd.matchers import Closeness, MatchFailure
from choreo_bdd.matchers.result import path_as_written
from choreo_bdd.matchers.words import in_words
from choreo_bdd.redaction import Redactor
from choreo_bdd.redaction.printable import on_one_line
from choreo_bdd.shared.counted import counted
from choreo_bdd.topic_patterns import is_inbox

_SHOWN_DIFFERENCES = 12
_SHOWN_VALUE_CHARS = 160


class Cause(StrEnum):
    """The one word, or three, that says where to look."""

    MATCHED = "matched"
    OVER_BUDGET = "over budget"
    LATENCY_UNKNOWN = "latency unknown"
    NOTHING_ARRIVED = "nothing arrived"
    WRONG_SHAPE = "wrong shape"
    CONTRACT_BROKEN = "contract broken"
    WRONG_CORRELATION = "wrong correlation"
    NO_CORRELATION_ID = "no correlation id"
    WRONG_TOPIC = "wrong topic?"
    TOO_LATE = "too late"
    TOO_EARLY = "too early"
    UNDECODABLE = "undecodable"
    NOBODY_LISTENS = "nobody listens"
    TRANSPORT_FAILED = "transport failed"
    UNEXPECTED = "unexpected"
    OUT_OF_ORDER = "out of order"
    TOO_FEW = "too few"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Cause, one sentence for a list, and the long text for whoever has to mend it. Payload values are redacted.

    ``differences`` has every field in which the closest near-miss differs, as it is.
    """

    cause: Cause
    sentence: str
    text: str
    differences: tuple[MatchFailure, ...] = field(default=(), repr=False)


class Facts(NamedTuple):
    """What is known about an expectation that was not met."""

    topic: str
    transport: str | None
    correlation_id: str | None
    waited_ms: float
    wanted: str
    arrived: int
    near_misses: int
    reason: str
    closest: Closeness | None = None
    early: str | None = None
    after: str | None = None
    contract_problem: str | None = None
    late_ms: float | None = None
    transport_failure: str | None = None
    unreadable: tuple[int, str] | None = None
    foreign_ids: tuple[str | None, ...] = ()
    foreign_matched: tuple[str | None, ...] = ()
    """The ids of those that match."""
    former_ids: frozenset[str] = frozenset()
    """Those of ``foreign_ids`` that scenarios before this one had."""
    ids_elsewhere: frozenset[str] = frozenset()
    """Those of ``foreign_ids`` that scenarios elsewhere have: in processes beside this one, or in runs before it."""
    foreign_closest: Closeness | None = None
    similar_topics: tuple[str, ...] = ()
    unlike_topics: tuple[str, ...] = ()
    """Where a message of this very scenario came that would have matched, of topics that no check listens to."""
    other_transports: tuple[str, ...] = ()
    """Where a message of this very scenario came on the same topic that would have matched."""
    leftovers: int = 0
    remarks: tuple[str, ...] = ()
    remarks_on_sent: tuple[str, ...] = ()
    """Told where nothing came: what came has shown that somebody listens to what was sent."""
    nobody_listens: str | None = None
    """What the broker says, where nothing that the expectation depends on has reached anybody."""
    asked: str | None = None
    """The topic of the request whose answer was expected: an inbox says nothing to whoever reads."""

    @property
    def foreign_meant(self) -> tuple[str | None, ...]:
        """The ids of those that match and might be this scenario's: another process has none of them."""
        return tuple(each for each in self.foreign_matched if each not in self.ids_elsewhere)

    @property
    def place(self) -> str:
        """Topic, and transport where there are several."""
        topic = in_quotes(self.topic)
        return topic if self.transport is None else f"{topic} on {self.transport}"

    @property
    def wanted_message(self) -> str:
        """What was expected there, in words."""
        return "matching message" if self.asked is None else f"matching answer to '{self.asked}'"


def in_quotes(topic: str) -> str:
    """A topic as sentences name it; an inbox has a name that tells nobody anything."""
    return "the inbox of the request" if is_inbox(topic) else f"'{topic}'"


def explain(facts: Facts) -> Diagnosis:
    """Name the cause of an unmet expectation, strongest evidence first."""
    cause, sentence = _cause(facts)
    closest = facts.closest or facts.foreign_closest
    differences = () if closest is None else closest.differences
    told = on_one_line(sentence)
    return Diagnosis(cause, told, "\n".join([f"{cause.value}: {told}", *_evidence(facts, cause)]), differences)


def _cause(facts: Facts) -> tuple[Cause, str]:  # noqa: PLR0911 - a ladder: one rung a cause, strongest first
    waited = f"{facts.waited_ms:.0f} ms"
    if facts.transport_failure is not None:
        return Cause.TRANSPORT_FAILED, f"{facts.place} could not be served: {facts.transport_failure}"
    arrived = f"{facts.arrived} matching on {facts.place} within {waited}, wanted {facts.wanted}"
    if facts.late_ms is not None:
        late = f"came {facts.late_ms:.1f} ms after the wait"
        told = f"{arrived}; the next {late}" if facts.arrived else f"the message on {facts.place} {late} of {waited}"
        return Cause.TOO_LATE, f"{told} had ended"
    if facts.arrived:
        return Cause.TOO_FEW, arrived if facts.early is None else f"{arrived}; {facts.early}"
    if facts.early is not None:
        return Cause.OUT_OF_ORDER, f"on {facts.place} {facts.early}"
    if facts.contract_problem is not None:
        return Cause.CONTRACT_BROKEN, f"a message on {facts.place} breaks its contract: {facts.contract_problem}"
    taken = None if facts.closest is None else facts.closest.taken
    if facts.near_misses and taken is None:
        return (
            Cause.WRONG_SHAPE,
            f"{_near_misses(facts)} on {facts.place} within {waited}, {_differing(facts.closest, facts.reason)}",
        )
    if facts.unreadable is not None:
        count, error = facts.unreadable
        return (
            Cause.UNDECODABLE,
            f"{counted(count, 'message')} on {facts.place} could not be read ({error})",
        )
    if meant := facts.foreign_meant:
        cause = Cause.WRONG_CORRELATION if any(meant) else Cause.NO_CORRELATION_ID
        return cause, f"a matching message came on {facts.place}, but {_foreign(facts, meant)}"
    if facts.similar_topics:
        others = _named(facts.similar_topics)
        return (
            Cause.WRONG_TOPIC,
            f"no {facts.wanted_message} arrived on {facts.place} within {waited}, but one did on {others}",
        )
    if facts.near_misses:  # all of them another's: no evidence of what became of this one
        messages = counted(facts.near_misses, "message")
        return Cause.TOO_FEW, f"{messages} on {facts.place} within {waited}, {taken}; one more was wanted"
    if _is_nobodys(facts) and facts.foreign_closest is not None and facts.foreign_closest.matched:
        differing = _differing(facts.foreign_closest, facts.reason)
        nobodys = (
            f"{_foreign_count(facts.foreign_ids)} came on {facts.place}, look at `correlation:` first; {differing}"
        )
        return Cause.NO_CORRELATION_ID, nobodys
    if facts.nobody_listens is not None:
        return (
            Cause.NOBODY_LISTENS,
            f"no {facts.wanted_message} arrived on {facts.place} within {waited}: {facts.nobody_listens}",
        )
    after = "" if facts.after is None else f" after the expected one on '{facts.after}'"
    told = f"no {facts.wanted_message} arrived on {facts.place}{after} within {waited}"
    return Cause.NOTHING_ARRIVED, "; one of this scenario that fits came on ".join([told, *_elsewhere(facts)])


def _elsewhere(facts: Facts) -> Iterator[str]:
    """Where a message came that would have matched."""
    if facts.unlike_topics:
        yield f"{_named(facts.unlike_topics)}, which no check listens to"
    if facts.other_transports:
        yield f"that topic on {', '.join(facts.other_transports)}"


def _named(topics: Iterable[str]) -> str:
    return ", ".join(f"'{topic}'" for topic in topics)


def _is_nobodys(facts: Facts) -> bool:
    """Whether messages came that carry no id, and none of somebody else."""
    return bool(facts.foreign_ids) and not any(facts.foreign_ids)


def _foreign_count(ids: Sequence[str | None], what: str = "message") -> str:
    """How many messages of others, or of nobody, came; each kind by itself."""
    nobodys = sum(each is None for each in ids)
    others = len(ids) - nobodys
    told = [f"{counted(nobodys, what)} without a correlation id"] if nobodys else []
    told += [f"{counted(others, what)} of another correlation id"] if others else []
    return " and ".join(told)


def _near_misses(facts: Facts) -> str:
    return counted(facts.near_misses, "near-miss", "near-misses")


def _differing(closest: Closeness | None, reason: str) -> str:
    if closest is None or not closest.differences:
        return reason
    paths = ", ".join(dict.fromkeys(path_as_written(failure.path) for failure in closest.differences[:4]))
    more = len(closest.differences) - 4
    return f"the closest differs in {paths}" + (f" and {more} more" if more > 0 else "")


def _foreign(facts: Facts, meant: Iterable[str | None]) -> str:
    seen = next((value for value in meant if value is not None), None)
    wanted = f"not this scenario's '{facts.correlation_id}'"
    if seen is None:
        return f"without a correlation id, {wanted}"
    former = " of a scenario before" if seen in facts.former_ids else ""
    return f"with correlation id '{seen}'{former}, {wanted}"


def _evidence(facts: Facts, cause: Cause) -> list[str]:
    lines: list[str] = []
    if facts.closest is not None:
        lines += closest_lines(facts.closest)
    if elsewhere := [each for each in facts.foreign_matched if each in facts.ids_elsewhere]:
        matching = counted(len(elsewhere), "matching message")
        lines.append(
            f"  also on {facts.place}: {matching} of a scenario elsewhere, with correlation id '{elsewhere[0]}': "
            f"of a process beside this one, or kept by a service since a run before"
        )
    if facts.foreign_meant and cause not in (Cause.WRONG_CORRELATION, Cause.NO_CORRELATION_ID):
        lines.append(f"  also on {facts.place}: {_foreign_count(facts.foreign_meant, 'matching message')}")
    elif facts.foreign_ids and not facts.foreign_matched:
        lines.append(f"  also on {facts.place}: {_foreign_count(facts.foreign_ids)}")
        if facts.foreign_closest is not None and facts.closest is None:
            lines += closest_lines(facts.foreign_closest, "the closest of them")
    if facts.unreadable is not None and facts.near_misses:
        lines.append(f"  also on {facts.place}: {facts.unreadable[0]} unreadable ({facts.unreadable[1]})")
    if facts.leftovers:
        matching = counted(facts.leftovers, "matching message")
        lines.append(f"  also on {facts.place}: {matching} from before this scenario, left in the queue")
    on_sent = facts.remarks_on_sent if cause is Cause.NOTHING_ARRIVED else ()
    lines += [f"  note: {remark}" for remark in dict.fromkeys((*facts.remarks, *on_sent))]
    return list(map(on_one_line, lines))


def closest_lines(closest: Closeness, what: str = "closest near-miss") -> list[str]:
    """Each field in which a message differs from what was expected, values redacted."""
    lines = [f"  {what} ({closest.matched} of {closest.total} fields right):"]
    lines += [f"    {_difference(each)}" for each in closest.differences[:_SHOWN_DIFFERENCES]]
    hidden = len(closest.differences) - _SHOWN_DIFFERENCES
    lines += [f"    … and {hidden} more"] if hidden > 0 else []
    return list(map(on_one_line, lines))


def differing_in(closest: Closeness) -> str:
    """The first fields in which a message differs, values redacted, as part of a sentence."""
    return ", ".join(map(_difference, closest.differences[:4]))


def _difference(failure: MatchFailure) -> str:
    return f"{path_as_written(failure.path)}: expected {_expected(failure)}, got {_actual(failure)}"


def _expected(failure: MatchFailure) -> str:
    shown = Redactor().at_path(failure.path, failure.expected)
    return _cut(_text(shown) if failure.kind == "mismatch" else in_words(shown, _text))


def _actual(failure: MatchFailure) -> str:
    if failure.kind != "missing":
        return show(failure.actual, path=failure.path)
    there = "".join(f"; there is {beside.actual}" for beside in failure.children)
    return f"nothing (missing{there})"


def show(value: Any, *, path: str = "") -> str:
    """A value as one short line, secrets masked (every part of ``path`` counts as its key)."""
    return _cut(_text(Redactor().at_path(path, value)))


def _text(value: object) -> str:
    try:
        return encode_exactly(value, json.dumps, ensure_ascii=False, otherwise=repr)
    except (ValueError, RecursionError):
        return f"<{type(value).__name__}>"


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_VALUE_CHARS else text[: _SHOWN_VALUE_CHARS - 1] + "…"


def closest_of(near_misses: Iterable[Closeness]) -> Closeness | None:
    """The near-miss with most fields right, then fewest wrong; the latest where that ties.

    One that another check has taken was never to be had, so it comes behind all others.
    """

    def rank(miss: Closeness) -> tuple[bool, float, int]:
        return miss.taken is None, miss.score, -len(miss.differences)

    return max(reversed(list(near_misses)), key=rank, default=None)
