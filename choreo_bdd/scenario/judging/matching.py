"""What a matcher says of a message, whatever it raises (spec/harness.md 9)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from msgspec import structs

from choreo_bdd.contracts import Problem
from choreo_bdd.inbound.listening import Delivery
from choreo_bdd.matchers import Closeness, Matcher, MatchFailure, MatchResult, closeness
from choreo_bdd.matchers.closeness import MessageGradable
from choreo_bdd.matchers.protocols import OfMessages
from choreo_bdd.shared.fitting import fits

_RAISED = "matcher_raised"
_HEADER = "@headers."


def match_delivery(matcher: Matcher, delivery: Delivery) -> MatchResult:
    """Let a matcher judge the payload, or the whole message if it asks for that (``match_message``)."""
    if fits(matcher, OfMessages):
        return matcher.match_message(delivery.value, delivery.message)
    return matcher.match(delivery.value)


def judge(matcher: Matcher, delivery: Delivery, *, any_counts: bool = False) -> MatchResult:
    """What the matcher says; a matcher that raises has made a near-miss of its own kind.

    A message that breaks its contract matches nothing, except where ``any_counts``: where none may come it still does.
    """
    if delivery.problems and not any_counts:
        first = delivery.problems[0]
        return MatchResult(False, f"breaks its contract: {first}", _failure(first))
    try:
        result = match_delivery(matcher, delivery)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever a matcher raises, pytest.fail() too, is a finding about it
        return MatchResult(False, f"the matcher raised {type(error).__name__}", _raised(error))
    if not isinstance(result, MatchResult):
        name = type(result).__name__
        failure = MatchFailure("type_mismatch", "<root>", {"type": "MatchResult"}, name)
        return MatchResult(False, f"the matcher returned {name}, not a MatchResult", failure)
    return result


def was_judged(result: MatchResult) -> bool:
    """Whether the matcher has said anything, or has raised."""
    asked = None if result.failure is None else result.failure.expected
    return not (isinstance(asked, dict) and _RAISED in asked)


def accepts(matcher: Matcher | None, delivery: Delivery) -> bool:
    """Whether a matcher, if there is one, would take a message; one that raises would not."""
    if matcher is None:
        return False
    try:
        return match_delivery(matcher, delivery).matched
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - only a hint is lost; what a matcher raises is reported where it judges
        return False


def in_other_case(
    result: MatchResult, headers: Mapping[str, str], judged_with: Callable[[Mapping[str, str]], MatchResult]
) -> str | None:
    """What hides a message behind nothing but the case of a header's name, in words; ``None`` where more differs.

    ``result`` is what was said of it, and ``judged_with`` says it anew of the same message with other headers.
    """
    told: list[str] = []
    while not result.matched:
        missing = [name for name in _missing_headers(result.failure) if name not in headers]
        slips = ((asked, there) for name in missing for there in headers if (asked := _in_case_of(there, name)))
        slip = next((each for each in slips if each[0] not in headers), None)
        if slip is None:
            return None
        asked, there = slip
        told.append(f"the header {there!r}, where {asked!r} is asked for")
        headers = {**headers, asked: headers[there]}
        result = judged_with(headers)
    return " and ".join(told) or None


def _in_case_of(header: str, asked: str) -> str | None:
    """A header as it is asked for, be it for a place within it (``x-death[0].reason``); ``None`` if it is another."""
    name, place = asked[: len(header)], asked[len(header) :]
    return name if name.casefold() == header.casefold() and place[:1] in ("", "[", ".") else None


def hidden_by_case(matcher: Matcher, delivery: Delivery, result: MatchResult) -> str | None:
    """``in_other_case`` of a message that has just been judged so."""

    def judged_with(headers: Mapping[str, str]) -> MatchResult:
        message = structs.replace(delivery.message, headers=headers)
        return judge(matcher, delivery._replace(message=message), any_counts=True)

    return in_other_case(result, delivery.message.headers, judged_with)


def _missing_headers(failure: MatchFailure | None) -> Iterator[str]:
    if failure is None:
        return
    if failure.kind == "missing" and failure.path.startswith(_HEADER):
        yield failure.path.removeprefix(_HEADER)
    for each in failure.children:
        yield from _missing_headers(each)


def closeness_of(matcher: Matcher, delivery: Delivery) -> Closeness:
    """How near a message came, for the diagnosis; a matcher that raises has nothing right."""
    try:
        near = _closeness(matcher, delivery)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - as in judge()
        return Closeness(0, 1, (_raised(error),))
    near = near._replace(differences=tuple(_beside(each, delivery.value) for each in near.differences))
    broken = tuple(map(_failure, delivery.problems))
    if not broken:
        return near
    return near._replace(total=near.total + len(broken), differences=(*near.differences, *broken))


def _closeness(matcher: Matcher, delivery: Delivery) -> Closeness:
    if fits(matcher, MessageGradable):
        return matcher.message_closeness(delivery.value, delivery.message)
    return closeness(matcher, delivery.value)


def _beside(failure: MatchFailure, payload: object) -> MatchFailure:
    """A field that is missing because the payload has none at all is told with what the payload is."""
    is_field = not failure.path.startswith("@") and not failure.path[:1].isdigit()
    if failure.kind != "missing" or failure.children or not is_field or isinstance(payload, Mapping):
        return failure
    there = MatchFailure("type_mismatch", failure.path, {"type": "dict"}, f"{_kind_of(payload)} and no object")
    return replace(failure, children=(there,))


def _kind_of(payload: object) -> str:
    match payload:
        case str():
            return "a text"
        case list():
            return f"a list of {len(payload)}"
        case bytes():
            return "raw bytes"
        case None:
            return "null"
        case _:
            return "a single value"


def _raised(error: BaseException) -> MatchFailure:
    return MatchFailure("type_mismatch", "<root>", {_RAISED: type(error).__name__}, None)


def _failure(problem: Problem) -> MatchFailure:
    return MatchFailure("predicate", problem.path, problem.expected, problem.actual)
