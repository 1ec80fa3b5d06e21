"""Expecting: presence, count, absence, order, replies, and how long one hop takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypedDict

from msgspec import structs

from choreo_bdd.scenario.judging.occurs import NONE, ONCE, Occurs
from choreo_bdd_steps import language
from choreo_bdd_steps.language.durations import parse_duration
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.vocabulary.acts import Expect
from choreo_bdd_steps.vocabulary.expectation_spec import ExpectationSpec, Hop
from choreo_bdd_steps.vocabulary.phrase import Match, Phrase

if TYPE_CHECKING:
    from choreo_bdd_steps.language import ExpectationBody

_QUANTITY = {
    "exactly": lambda count: Occurs(count, count),
    "at least": lambda count: Occurs(count, None),
    "at most": lambda count: Occurs(0, count),
}
_NARROWED = "[ on {transport}][ where {condition}]"
_WITHIN = "[ within {within:duration}[ of {anchor:topic}]]"
_NOT_BEFORE = "[ not before {earliest:duration}]"
_PATIENCE = "[ waiting up to {patience:duration}]"
_HOP = (
    "from {topic}[ on {transport}][ where {condition}] "
    "to {end:topic}[ on {end_transport:transport}][ where {end_condition:condition}]"
)
_SCHEMA = "[ matching schema {schema:path}]"


def _expecting(spec: Callable[[Match], ExpectationSpec]) -> Callable[[Match], Expect]:
    """Reads a step as an expectation, whatever is wrong with it."""

    def read(match: Match) -> Expect:
        args = match.args
        return Expect(args.get("topic"), args.get("transport"), _spec(match), anchor=args.get("anchor"))

    def _spec(match: Match) -> ExpectationSpec | Exception:
        try:
            return spec(match)
        except Exception as error:  # noqa: BLE001 - told by the check's own step, so that the others still run
            return error

    return read


def _body(match: Match, *, quiet: bool = False) -> ExpectationBody:
    call = match.call
    return language.parse_expectation(
        call.docstring,
        call.table,
        match.args.get("condition"),
        media_type=call.media_type,
        schema=match.args.get("schema"),
        base_dir=call.folder,
        quiet=quiet,
    )


def _seconds(match: Match, name: str) -> float | None:
    duration = match.args.get(name)
    return None if duration is None else parse_duration(duration)


class _Times(TypedDict):
    budget_s: float | None
    budget_topic: str | None
    earliest_s: float | None
    patience_s: float | None


def _times(match: Match) -> _Times:
    """The times a sentence names."""
    budget_s, earliest_s, patience_s = (_seconds(match, name) for name in ("within", "earliest", "patience"))
    if budget_s is not None and earliest_s is not None and budget_s <= earliest_s:
        raise BodyError(
            f"no message can come within {match.arg('within')} and not before {match.arg('earliest')}: "
            f"the first time must be the longer one"
        )
    if patience_s is not None and earliest_s is not None and patience_s <= earliest_s:
        raise BodyError(
            f"who waits up to {match.arg('patience')} sees no message that comes not before {match.arg('earliest')}: "
            f"wait longer"
        )
    anchor = match.args.get("anchor")
    return _Times(budget_s=budget_s, budget_topic=anchor, earliest_s=earliest_s, patience_s=patience_s)


def _one(match: Match) -> ExpectationSpec:
    return _so_many(match, ONCE)


def _so_many(match: Match, occurs: Occurs) -> ExpectationSpec:
    body = _body(match, quiet=occurs.minimum == 0)
    topic, transport = match.arg("topic"), match.args["transport"]
    return ExpectationSpec(topic, transport, body, occurs, is_narrowed=_is_narrowed(match), **_times(match))


def _is_narrowed(match: Match) -> bool:
    call, args = match.call, match.args
    return bool(call.docstring or call.table or args.get("condition") or args.get("schema"))


def _another(match: Match) -> ExpectationSpec:
    return structs.replace(_one(match), untaken=True)


def _none(match: Match) -> ExpectationSpec:
    window_s = parse_duration(match.arg("window"))
    body = _body(match, quiet=True)
    topic, transport = match.arg("topic"), match.args["transport"]
    return ExpectationSpec(topic, transport, body, NONE, window_s=window_s, is_absence=True)


def _no_other(match: Match) -> ExpectationSpec:
    return structs.replace(_none(match), untaken=True)


def _nothing_else(match: Match) -> ExpectationSpec:
    nothing = ExpectationSpec(
        "(everything)",
        match.args["transport"],
        _body(match),
        NONE,
        window_s=parse_duration(match.arg("window")),
        is_absence=True,
    )
    return structs.replace(nothing, untaken=True, is_everything=True)


def _reply(match: Match) -> ExpectationSpec:
    return ExpectationSpec("(the reply)", None, _body(match), ONCE, is_reply=True, **_times(match))


def _count(match: Match, occurs: Occurs, said: str) -> ExpectationSpec:
    asked = _so_many(match, occurs)
    if asked.body.count > 1:
        raise BodyError(
            f"`{said}` and a table of {asked.body.count} rows, a message each: which of the two is meant? For one "
            f'message a row write: I expect "{match.arg("topic")}": with this table; to count messages of one kind '
            f"begin the table with | field | value |",
            1,
        )
    if not occurs.waits_the_window_out:
        return asked
    return structs.replace(
        asked, budget_s=None, budget_topic=None, window_s=asked.budget_s, window_topic=asked.budget_topic
    )


def _between(match: Match) -> ExpectationSpec:
    low, high = int(match.arg("low")), int(match.arg("high"))
    if low > high:
        raise BodyError(
            f"no number lies between {low} and {high}; the smaller one comes first: between {high} and {low}"
        )
    return _count(match, Occurs(low, high), f"between {low} and {high}")


def _counted(quantity: str) -> Phrase:
    def spec(match: Match) -> ExpectationSpec:
        count = int(match.arg("count"))
        return _count(match, _QUANTITY[quantity](count), f"{quantity} {count}")

    patience = _PATIENCE if quantity == "at least" else ""
    return Phrase(
        f"I expect {quantity} {{count}} {{topic}} messages{_NARROWED}{_WITHIN}{patience}{_SCHEMA}",
        Expect,
        f"Expect {quantity} so many matching messages"
        + ("." if quantity == "at least" else "; the window (`within`, or the timeout) is waited out."),
        f'Then I expect {quantity} 2 "orders.settled" messages within 500ms',
        _expecting(spec),
        "a doc string or a table",
    )


def _in_order(match: Match) -> ExpectationSpec:
    rows = [_row(match, row, line) for line, row in enumerate(_ordered_rows(match), start=2)]
    last = structs.replace(rows[-1], **_times(match))
    return last if len(rows) == 1 else structs.replace(rows[0], then=(*rows[1:-1], last))


def _ordered_rows(match: Match) -> list[list[tuple[str, str]]]:
    """Of each row its cells, with the names of their columns."""
    table = match.call.table
    heading = [cell.strip() for cell in table[0]] if table else []
    if not table or "topic" not in heading or len(table) < 2:
        raise BodyError(
            "this step needs a table with a column `topic` and a row for each message; further columns are "
            "`transport` and fields of the payload"
        )
    for name in ("topic", "transport"):
        if heading.count(name) > 1:
            raise BodyError(f"the table has several columns {name!r}; keep one", 1)
    if {"field", "value"} <= set(heading):
        raise BodyError(
            "each row of this table is a message: write a field's name above its values, in place of field", 1
        )
    return [list(zip(heading, row, strict=True)) for row in table[1:]]


def _row(match: Match, row: Sequence[tuple[str, str]], line: int) -> ExpectationSpec:
    names = dict(row)
    topic, transport = names["topic"].strip().strip('"'), names.get("transport", "").strip()
    if not topic:
        raise BodyError("the row names no topic", line)
    fields = [[name, cell] for name, cell in row if name not in ("topic", "transport") and cell.strip()]
    table = [["field", "value"], *fields] if fields else None
    body = language.parse_expectation(None, table, None, base_dir=match.call.folder)
    return ExpectationSpec(topic, transport or match.args["transport"], body, ONCE, is_narrowed=bool(fields))


def _hop(match: Match) -> ExpectationSpec:
    base_dir, condition, end_condition = match.call.folder, match.args["condition"], match.args["end_condition"]
    begin = Hop(
        match.arg("topic"),
        match.args["transport"],
        None if condition is None else language.parse_expectation(None, None, condition, base_dir=base_dir),
    )
    end = ExpectationSpec(
        match.arg("end"),
        match.args["end_transport"],
        language.parse_expectation(None, None, end_condition, base_dir=base_dir),
        ONCE,
        hop_from=begin,
        is_narrowed=end_condition is not None,
    )
    return structs.replace(end, **_times(match) | {"budget_topic": begin.topic})


PHRASES = (
    Phrase(
        f"I expect {{topic}}{_NARROWED}{_WITHIN}{_NOT_BEFORE}{_PATIENCE}{_SCHEMA}",
        Expect,
        "Expect at least one matching message. `within` is the latency budget, from the last publish of the phase "
        "or from the publish of the topic named; one that comes sooner than `not before` says fails as too early; "
        "`waiting up to` is this check's own timeout; `matching schema` holds the payload against a JSON Schema file. "
        "A condition is `<path> is <value>` or another of the operators that tables have, joined by `and` or by `or`; "
        "the pattern of `matches /re/` must fit the whole text.",
        'Then I expect "orders.settled" where order.id is 7 within 50ms',
        _expecting(_one),
        "a doc string or a table",
    ),
    Phrase(
        f"I expect another {{topic}}{_NARROWED}{_WITHIN}{_NOT_BEFORE}{_PATIENCE}{_SCHEMA}",
        Expect,
        "Expect a matching message that no earlier check of the scenario has taken.",
        'Then I expect another "orders.settled"',
        _expecting(_another),
        "a doc string or a table",
    ),
    Phrase(
        "I expect no {topic}[ on {transport}][ where {condition}] for {window:duration}",
        Expect,
        "Expect that no matching message comes for so long after the last publish of the phase.",
        'Then I expect no "orders.rejected" for 200ms',
        _expecting(_none),
        "a doc string or a table",
    ),
    Phrase(
        "I expect no other {topic}[ on {transport}][ where {condition}] for {window:duration}",
        Expect,
        "Expect that no matching message comes but those that earlier checks of the scenario have taken.",
        'Then I expect no other "orders.accepted" for 200ms',
        _expecting(_no_other),
        "a doc string or a table",
    ),
    Phrase(
        "I expect nothing else[ on {transport}] for {window:duration}",
        Expect,
        "Expect that on all topics the scenario's checks listen to, those of later phases included, no message comes "
        "but those that earlier checks have taken; write it below them.",
        "Then I expect nothing else for 200ms",
        _expecting(_nothing_else),
    ),
    *(_counted(quantity) for quantity in _QUANTITY),
    Phrase(
        f"I expect between {{low:count}} and {{high:count}} {{topic}} messages{_NARROWED}{_WITHIN}{_SCHEMA}",
        Expect,
        "Expect so many matching messages, both numbers included; the window (`within`, or the timeout) is waited out.",
        'Then I expect between 1 and 3 "orders.settled" messages within 500ms',
        _expecting(_between),
        "a doc string or a table",
    ),
    Phrase(
        f"I expect in order[ on {{transport}}]{_WITHIN}{_PATIENCE}",
        Expect,
        "Expect messages one after another: a table with the column `topic`, optionally `transport`, then fields. "
        "`within` is the budget of the last one.",
        "Then I expect in order:\n  | topic           | order.id |\n  | orders.accepted | 7        |\n"
        "  | orders.settled  | 7        |",
        _expecting(_in_order),
        "a table",
    ),
    Phrase(
        f"I expect a reply[ where {{condition}}]{_WITHIN}{_PATIENCE}{_SCHEMA}",
        Expect,
        "Expect a reply to the phase's request.",
        "Then I expect a reply where level > 0 within 100ms",
        _expecting(_reply),
        "a doc string or a table",
    ),
    Phrase(
        f"{_HOP} takes at most {{within:duration}}",
        Expect,
        "Expect that a message comes on the second topic so soon after the one on the first: its publish, where a "
        "step above publishes it and no `where` tells it apart, else its receipt.",
        'Then from "orders.accepted" to "orders.settled" where order.id is 7 takes at most 100ms',
        _expecting(_hop),
    ),
    Phrase(
        f"{_HOP} takes at least {{earliest:duration}}",
        Expect,
        "Expect that a message comes on the second topic, and not sooner than that after the one on the first.",
        'Then from "orders.placed" to "orders.paid" takes at least 20ms',
        _expecting(_hop),
    ),
)
