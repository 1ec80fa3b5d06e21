"""The rules: each looks at one planned scenario and names what is wrong with it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from choreo_bdd.topic_patterns import malformed
from choreo_bdd_project.carried import carried
from choreo_bdd_project.config import Config
from choreo_bdd_project.gherkin.bus_tags import buses
from choreo_bdd_project.gherkin.scenario import Scenario
from choreo_bdd_project.own_steps import OwnSteps
from choreo_bdd_steps.errors import StepError
from choreo_bdd_steps.language.durations import INSTANT
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.expectation_body import SWITCHED_OFF
from choreo_bdd_steps.language.reserved_names import CORRELATION_ID, meant_by
from choreo_bdd_steps.language.templates.functions import FUNCTION_AS_VALUE, Variables, function_names
from choreo_bdd_steps.language.templates.rendering import referenced_names
from choreo_bdd_steps.lint.finding import Finding, Severity
from choreo_bdd_steps.lint.suggesting import did_you_mean
from choreo_bdd_steps.plan.plan import Plan, PlannedStep
from choreo_bdd_steps.plan.settings import Settings, misspelt_tag, tag_problem
from choreo_bdd_steps.plan.vacuity import cannot_fail, unchecked
from choreo_bdd_steps.vocabulary.acts import (
    Call,
    CheckTaken,
    Expect,
    Payload,
    PlayService,
    Publish,
    Request,
    SetLiteral,
    SetSeveral,
    SetText,
    Wait,
)
from choreo_bdd_steps.vocabulary.assignments import misnamed
from choreo_bdd_steps.vocabulary.expectation_spec import ExpectationSpec
from choreo_bdd_steps.vocabulary.phrase import StepCall

_OWN = "define it in Python, or use a phrase of `choreo-bdd steps`"
_OUTLINE = re.compile(r"<([^<>\s][^<>]*)>")
_VALUE_OF_A_CONDITION = re.compile(r'\bis "(<[^"<>]+>)"')
_VALUE_OF_A_TEXT = re.compile(r'^[ \t-]*[^\s<>:]+:[ \t]+"?(<[^<>]+>)"?[ \t]*$', re.MULTILINE)
_TEMPLATE = re.compile(r"\{\{.*?\}\}")


class Subject(Struct, frozen=True):
    """One scenario as lint sees it."""

    scenario: Scenario
    file: str
    plan: Plan
    settings: Settings
    config: Config
    own_steps: OwnSteps

    def at(self, call: StepCall, rule: str, message: str, severity: Severity = Severity.ERROR) -> Finding:
        """A finding at a step."""
        return Finding(call.file, call.line, rule, message, severity)


Rule = Callable[[Subject], Iterator[Finding]]


def undefined_steps(subject: Subject) -> Iterator[Finding]:
    """Sentences nobody defines; close ones get "did you mean"."""
    for step in subject.plan.steps:
        text = step.call.text.strip()
        if step.act is None and not subject.own_steps.define(text):
            yield subject.at(
                step.call, "undefined-step", f"no step is defined as {text!r}; {did_you_mean(text) or _OWN}"
            )


def outline_placeholders(subject: Subject) -> Iterator[Finding]:
    """``<x>`` that is nearly the name of a column, or that of two; any other is text, such as an element of XML."""
    columns = subject.scenario.columns
    for name in sorted({each for each in columns if columns.count(each) > 1}):
        message = f"the examples have several columns {name!r}, and frameworks differ in which counts; keep one"
        yield from (subject.at(step.call, "unfilled-placeholder", message) for step in subject.plan.steps[:1])
    for step in subject.plan.steps if columns else ():
        cells = [cell for row in step.call.table or () for cell in row]
        for text in (step.call.text, step.call.docstring or "", *cells):
            for found in _OUTLINE.finditer(text):
                close = difflib.get_close_matches(found[1].lower(), [each.lower() for each in columns], n=1)
                if close and not found[1].startswith("/"):
                    yield subject.at(step.call, "unfilled-placeholder", unfilled(found[1], columns))


def unfilled_values(subject: Subject) -> Iterator[Finding]:
    """A value that is ``<x>`` and nothing else, where no column is called so: taken as it stands.

    In a doc string or a condition it is told of an absence only, which passes by it; elsewhere it is seen when it runs.
    """
    columns = [each.lower() for each in subject.scenario.columns]
    for step in subject.plan.steps:
        values = [cell for row in step.call.table or () for cell in row]
        if any(part.is_absence for part in step.parts):
            values += _VALUE_OF_A_TEXT.findall(step.call.docstring or "")
            values += _VALUE_OF_A_CONDITION.findall(step.call.text.partition(" where ")[2])
        for whole in filter(None, map(_OUTLINE.fullmatch, values)):
            if not difflib.get_close_matches(whole[1].lower(), columns, n=1):
                message = f"{unfilled(whole[1], subject.scenario.columns)}, and so taken as it stands"
                yield subject.at(step.call, "unfilled-placeholder", message, Severity.WARNING)


def unfilled(name: str, columns: Sequence[str]) -> str:
    """What is told of a placeholder that no column fills."""
    there = f"which are {', '.join(columns)}" if columns else "of which this scenario has none"
    return f"<{name}> is in no column of the examples, {there}"


def tags(subject: Subject) -> Iterator[Finding]:
    """Tags of ours that cannot be read."""
    for tag in subject.scenario.tags:
        if problem := tag_problem(tag) or _bus_problem(subject, tag):
            yield Finding(subject.file, subject.scenario.begins_at, "bad-tag", f"@{tag}: {problem}")
            continue
        if message := misspelt_tag(tag):
            yield Finding(subject.file, subject.scenario.begins_at, "bad-tag", message, Severity.WARNING)


def _bus_problem(subject: Subject, tag: str) -> str | None:
    missing = [name for name in buses([tag]) if name not in subject.config.transports]
    if not missing:
        return None
    known = ", ".join(sorted(subject.config.transports))
    return f"there is no transport {missing[0]!r} in profile {subject.config.profile!r}; it has {known}"


def transports(subject: Subject) -> Iterator[Finding]:
    """Transports the profile does not have."""
    known = sorted(subject.config.transports)
    for step in subject.plan.steps:
        named = [step.named_transport]
        if isinstance(step.act, PlayService) and step.act.answer is not None:
            named.append(step.act.answer.transport)
        named += [each.transport for each in step.parts]
        for name in dict.fromkeys(each for each in named if each is not None and each not in known):
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else f"; it has {', '.join(known)}"
            message = f"there is no transport {name!r} in profile {subject.config.profile!r}{hint}"
            yield subject.at(step.call, "unknown-transport", message)


def bodies(subject: Subject) -> Iterator[Finding]:
    """Bodies, conditions and files that cannot be read."""
    for step in subject.plan.steps:
        try:
            if step.misplaced is not None:
                yield subject.at(step.call, "misplaced-body", step.misplaced.message)
                continue
            if isinstance(step.unread, StepError):
                yield subject.at(step.call, _missing(step), step.unread.message)
            elif step.unread is not None:
                raise step.unread
            referenced_names(_templates(step))
            _read_body(step)
            _build_expected(subject, step)
        except BodyError as error:
            hidden = subject.plan.assigned_between(-1, step.index) & function_names()
            if hidden and FUNCTION_AS_VALUE in error.message:  # a variable of that name, which lint has no value for
                continue
            place = step.call.line + (0 if error.line is None else error.line + (step.call.docstring is not None))
            yield Finding(step.call.file, place, "unreadable-body", error.message)
        except (ValueError, TypeError) as error:
            yield subject.at(step.call, "unreadable-body", str(error))


def _missing(step: PlannedStep) -> str:
    """The rule that a check breaks which takes its place from another step, and finds none."""
    asked = step.act.spec if isinstance(step.act, Expect) else None
    if isinstance(asked, ExpectationSpec) and asked.is_reply:
        return "reply-without-request"
    is_response = isinstance(asked, ExpectationSpec) and asked.is_response
    return "response-without-call" if is_response else "listens-to-nothing"


def carried_parts(subject: Subject) -> Iterator[Finding]:
    """Keys and headers that a bus does not carry."""
    for step in subject.plan.steps:
        for transport, topic, names in _parts_around(step):
            known = subject.config.transports.get(transport)
            problem = None if known is None else carried(known, topic).refuses(sorted(names))
            if problem is not None:
                yield subject.at(step.call, "not-carried", problem)


def _parts_around(step: PlannedStep) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Transport and topic of each body of a step, with what it names around the payload."""
    try:
        match step.act:
            case Publish(topic=topic, body=body, key=key) as publish:
                named = {"key"} if key is not None and not publish.is_tombstone else set()
                yield step.transport, topic, body.read().around | named
            case Request(topic=topic, body=body) | Call(topic=topic, body=body):
                yield step.transport, topic, body.read().around
            case CheckTaken(of_response=True):
                return
            case CheckTaken() as check:
                yield step.transport, check.topic or "", check.read().around
            case PlayService(topic=topic, answer=answer) as service:
                condition = service.read_condition()
                yield step.transport, topic, frozenset() if condition is None else condition.around
                if answer is not None and answer.body is not None:
                    yield answer.transport or step.transport, answer.topic, answer.body.read().around
    except (BodyError, ValueError, TypeError):
        return  # told by the rule on bodies
    for each in step.parts:
        if not (each.is_response and each.transport == step.default_transport):  # nobody knows who is called
            yield each.transport or step.default_transport, each.topic, each.body.around


def _build_expected(subject: Subject, step: PlannedStep) -> None:
    """Build what a check expects where all of it is known already: what cannot be built now never can."""
    for each in step.parts:
        if problem := malformed(_OUTLINE.sub("x", _TEMPLATE.sub("x", each.topic))):
            raise BodyError(problem)
        if each.body.calls_python and not subject.config.python_matchers:
            raise BodyError(SWITCHED_OFF)
        if not each.body.needs and not each.body.calls_python and "env(" not in (step.call.docstring or ""):
            each.body.build(Variables())


def _read_body(step: PlannedStep) -> frozenset[str]:
    """The variables a step's body needs; raises what is wrong with it."""
    if wrong := misnamed(step.act):
        raise wrong
    match step.act:
        case Publish(body=body, problem=problem) | Call(body=body, problem=problem):
            if problem is not None:
                raise problem
            return _payload(body)
        case Request(body=body):
            return _payload(body)
        case PlayService(answer=answer, problem=problem) as service:
            if problem is not None:
                raise problem
            condition = service.read_condition()
            needs = frozenset() if condition is None else condition.needs
            return needs if answer is None or answer.body is None else needs | _payload(answer.body)
        case CheckTaken() as check:
            return check.read().needs
        case SetLiteral() | SetSeveral() as setting:
            setting.read()
            return frozenset()
        case _:
            return frozenset() if step.spec is None else step.spec.needs


def _payload(payload: Payload) -> frozenset[str]:
    body = payload.read()
    if not body.needs and "env(" not in (payload.call.docstring or ""):
        body.build(Variables())  # all is known: what cannot be built now never can
    return body.needs


def variables(subject: Subject) -> Iterator[Finding]:
    """Names that no earlier step has set."""
    known: set[str] = {CORRELATION_ID}
    if any(step.act is None for step in subject.plan.steps):
        return  # a step of the user's own may set anything
    for step in subject.plan.steps:
        for name in sorted(_needed(step) - known - _given(step)):
            given = known | _given(step)
            hint = meant_by(name, given)
            told = f"known here: {_listed(given)}" if hint is None else hint
            message = f"the variable {name!r} is not set by any earlier step; {told}"
            yield subject.at(step.call, "undefined-variable", message)
        known |= step.assigns


def _needed(step: PlannedStep) -> frozenset[str]:
    try:
        return _read_body(step) | referenced_names(_templates(step))
    except (BodyError, ValueError, TypeError):
        return frozenset()  # told by the rule on bodies


def _templates(step: PlannedStep) -> list[str]:
    """The texts of a step's sentence that may name variables."""
    texts: list[str | None] = [step.topic, *(each.topic for each in step.parts)]
    match step.act:
        case Publish(key=text) | Expect(anchor=text) | SetText(text=text):
            texts.append(text)
        case PlayService(answer=answer) if answer is not None:
            texts.append(answer.topic)
    return [text for text in texts if text]


def _given(step: PlannedStep) -> frozenset[str]:
    if isinstance(step.act, PlayService):
        return frozenset({"trigger"})
    return frozenset({"index"}) if step.publishes else frozenset()


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def topics_known_in_time(subject: Subject) -> Iterator[Finding]:
    """A topic that names a variable set only after its phase has begun."""
    for step in subject.plan.steps:
        if step.spec is None:
            continue
        begin = _begin(subject.plan, step)
        try:
            needed = referenced_names([each.topic for each in step.parts])
        except BodyError:
            continue  # told by the rule on bodies
        for name in sorted(needed & subject.plan.assigned_between(begin, step.index)):
            message = f"the topic needs {name!r}, which is set after its phase has begun: nobody could listen in time"
            yield subject.at(step.call, "topic-too-late", message)


def _begin(plan: Plan, step: PlannedStep) -> int:
    return next((each.index for each in plan.steps if each.phase == step.phase and each.triggers), -1)


def vacuous_steps(subject: Subject) -> Iterator[Finding]:
    """Publishes that nothing checks, and checks that cannot fail."""
    for step in subject.plan.steps:
        for rule, reason in (("unchecked-publish", unchecked), ("cannot-fail", cannot_fail)):
            message = reason(subject.plan, step)
            if message is not None:
                yield subject.at(step.call, rule, message)


def budgets(subject: Subject) -> Iterator[Finding]:
    """Durations of nothing, and budgets that count from what never is."""
    for step in subject.plan.steps:
        if step.spec is None:
            continue
        if step.spec.is_instant:
            yield subject.at(step.call, "zero-duration", INSTANT)
        anchor = step.act.anchor if isinstance(step.act, Expect) else None
        if anchor is not None and not _publishes(subject.plan, anchor, step):
            message = f"the time counts from the publish of {anchor!r}, which no step before this one publishes"
            yield subject.at(step.call, "unknown-anchor", message)


def _publishes(plan: Plan, topic: str, step: PlannedStep) -> bool:
    """Whether an earlier step does; one of the user's own may do anything."""
    return any(each.act is None or (each.sends and each.topic == topic) for each in plan.steps[: step.index])


def checks_above_their_publish(subject: Subject) -> Iterator[Finding]:
    """Checks that wait before anything has happened."""
    for step in subject.plan.steps:
        if step.spec is None or not step.spec.occurs.minimum:
            continue
        if (trigger := subject.plan.trigger_below(step)) is not None:
            message = (
                f"this check stands above the {trigger.deed} in line {trigger.call.line}, so it waits before anything "
                f"has happened: put it below; what it expects is listened for before the {trigger.deed} anyway"
            )
            yield subject.at(step.call, "check-above-publish", message)


def smells(subject: Subject) -> Iterator[Finding]:
    """Waiting, and scenarios in which nothing can happen."""
    for step in subject.plan.steps:
        if isinstance(step.act, Wait):
            message = "a check waits by itself; waiting in between only makes the suite slow"
            yield subject.at(step.call, "waiting", message, Severity.WARNING)
    steps = subject.plan.steps
    if not steps:
        yield Finding(subject.file, subject.scenario.begins_at, "empty-scenario", "the scenario has no steps")
    elif not any(step.sends or step.act is None for step in steps) and any(
        isinstance(step.act, Expect) for step in steps
    ):
        first = next(step for step in steps if isinstance(step.act, Expect))
        yield subject.at(
            first.call, "nothing-happens", "the scenario expects messages, but no step makes anything happen"
        )


RULES: tuple[Rule, ...] = (
    undefined_steps,
    outline_placeholders,
    unfilled_values,
    tags,
    transports,
    bodies,
    carried_parts,
    variables,
    topics_known_in_time,
    vacuous_steps,
    budgets,
    checks_above_their_publish,
    smells,
)
