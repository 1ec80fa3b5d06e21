"""Expecting: presence, count, absence."""

from __future__ import annotations

from choreo_bdd.scenario import Occurs
from choreo_bdd_steps.language.body import parse_expectation
from choreo_bdd_steps.language.durations import parse_duration
from choreo_bdd_steps.phrase import Intent, Match, Phrase
from choreo_bdd_steps.plan import ExpectationSpec
from choreo_bdd_steps.running import ScenarioRun

_QUANTITY = {
    "exactly": lambda count: Occurs(count, count),
    "at least": lambda count: Occurs(count, None),
    "at most": lambda count: Occurs(0, count),
}


def _check(run: ScenarioRun, match: Match) -> None:
    run.check(match)


def _spec(match: Match, occurs: Occurs, *, window_s: float | None = None) -> ExpectationSpec:
    call = match.call
    within = match.args.get("within")
    budget_s = None if within is None else parse_duration(within)
    counted = occurs.waits_the_window_out
    return ExpectationSpec(
        topic=match.arg("topic"),
        transport=match.args["transport"],
        body=parse_expectation(
            call.docstring, call.table, match.args["condition"], media_type=call.media_type, base_dir=call.folder
        ),
        occurs=occurs,
        budget_s=None if counted else budget_s,
        budget_topic=match.args.get("anchor"),
        window_s=budget_s if counted and window_s is None else window_s,
    )


def _one(match: Match) -> ExpectationSpec:
    return _spec(match, Occurs())


def _none(match: Match) -> ExpectationSpec:
    return _spec(match, Occurs(0, 0), window_s=parse_duration(match.arg("window")))


def _counted(quantity: str) -> Phrase:
    def spec(match: Match) -> ExpectationSpec:
        return _spec(match, _QUANTITY[quantity](int(match.arg("count"))))

    return Phrase(
        f"I expect {quantity} {{count}} {{topic}} messages[ on {{transport}}][ where {{condition}}]"
        "[ within {within:duration}]",
        Intent.EXPECT,
        f"Expect {quantity} so many matching messages"
        + ("." if quantity == "at least" else "; the window (`within`, or the timeout) is waited out."),
        f'Then I expect {quantity} 2 "orders.settled" messages within 500ms',
        _check,
        spec=spec,
    )


PHRASES = (
    Phrase(
        "I expect {topic}[ on {transport}][ where {condition}][ within {within:duration}[ of {anchor:topic}]]",
        Intent.EXPECT,
        "Expect at least one matching message. `within` is the latency budget, from the last publish of the phase "
        "or from the publish of the topic named.",
        'Then I expect "orders.settled" where order.id is 7 within 50ms',
        _check,
        spec=_one,
    ),
    Phrase(
        "I expect no {topic}[ on {transport}][ where {condition}] for {window:duration}",
        Intent.EXPECT,
        "Expect that no matching message comes for so long after the last publish of the phase.",
        'Then I expect no "orders.rejected" for 200ms',
        _check,
        spec=_none,
    ),
    *(_counted(quantity) for quantity in _QUANTITY),
)
