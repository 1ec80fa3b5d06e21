"""The gate: whether a run may go on, judged against a base branch. Nothing of the server is imported."""

from __future__ import annotations

import hashlib
import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from choreo_bdd_chronicle.client.sending import RefusedError, Target, UnreachableError
from choreo_bdd_reporter.outputs.terminal import harmless

TIMEOUT = 20.0
_FAILING = ("failed", "errored")
_EVERY_TOPIC = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the gate says. ``exit_code``: 0 may go on, 1 may not, 2 could not be judged in full."""

    failures: tuple[str, ...] = ()
    quarantined: tuple[str, ...] = ()
    slower: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    is_judged: bool = True

    @property
    def exit_code(self) -> int:
        """0 may go on, 1 may not, 2 could not be judged in full."""
        return 1 if self.failures or self.slower else 0 if self.is_judged else 2


Ask = Callable[[str, Mapping[str, str]], Any]


def judge(body: bytes, ask: Ask, *, baseline: str, max_regression: float) -> Verdict:
    """Judge a report that the server has. ``max_regression`` is in percent.

    While the server is away nothing is quarantined and no latency judged: failures fail, and else the code is 2.
    """
    failed = _failed(body)
    try:
        found = ask("/compare", {"run": hashlib.sha256(body).hexdigest(), "base": baseline})
        known = {each["test_nodeid"] for each in ask("/known-issues", {})["items"] if each["test_nodeid"]}
    except (UnreachableError, RefusedError) as problem:
        note = f"The server could not be asked ({problem}): nothing is quarantined, and no latency is judged."
        return Verdict(failures=failed, notes=(note,), is_judged=False)
    new = set(found["new_failures"])
    slower, unclear = _slower(found["topics"], max_regression)
    return Verdict(
        failures=tuple(each for each in failed if each in new and each not in known),
        quarantined=tuple(each for each in failed if each in known),
        slower=tuple(slower),
        notes=tuple(_notes(found, baseline, unclear)),
    )


def asker(target: Target) -> Ask:
    """Questions to a server. Raises ``UnreachableError``, and ``RefusedError`` for an answer other than 200."""

    def ask(path: str, query: Mapping[str, str]) -> Any:
        address = f"{target.url.rstrip('/')}/api/v1{path}?{urllib.parse.urlencode({'tenant': target.tenant, **query})}"
        headers = {"Authorization": f"Bearer {target.token}"} if target.token else {}
        try:
            with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=TIMEOUT) as response:
                return json.load(response)
        except urllib.error.HTTPError as answer:
            raise RefusedError(f"{path}: {answer.code} {answer.reason}; was the report pushed?") from answer
        except (OSError, http.client.HTTPException, ValueError) as problem:
            raise UnreachableError(str(getattr(problem, "reason", None) or problem)) from problem

    return ask


def as_markdown(verdict: Verdict) -> str:
    """For a job summary or a pull request."""
    word = {0: "passed", 1: "failed", 2: "could not judge everything"}[verdict.exit_code]
    lines = [f"### Chronicle gate: {word}"]
    parts = (("New failures", verdict.failures), ("Slower", verdict.slower), ("Quarantined", verdict.quarantined))
    for title, texts in parts:
        if texts:
            lines += ["", f"**{title}**", "", *(f"- {_code(text)}" for text in texts)]
    return "\n".join([*lines, *(f"\n{note}" for note in verdict.notes)])


def as_annotations(verdict: Verdict) -> str:
    """GitHub's workflow commands: errors for what fails the gate, warnings for the rest."""
    lines = [f"::error title=New failure::{_data(text)}" for text in verdict.failures]
    lines += [f"::error title=Slower::{_data(text)}" for text in verdict.slower]
    lines += [f"::warning title=Quarantined::{_data(text)}" for text in verdict.quarantined]
    return "\n".join([*lines, *(f"::warning title=Chronicle gate::{_data(text)}" for text in verdict.notes)])


def _failed(body: bytes) -> tuple[str, ...]:
    """The tests that failed, each once. Raises ``ValueError`` when it is no report."""
    try:
        tests = json.loads(body)["tests"]
        return tuple(dict.fromkeys(test["nodeid"] for test in tests if test["outcome"] in _FAILING))
    except (KeyError, TypeError, RecursionError) as problem:
        raise ValueError("no report: it has no tests") from problem


def _slower(topics: Sequence[Mapping[str, Any]], most: float) -> tuple[list[str], int]:
    """What is clearly slower than allowed, and how much only seems so."""
    beyond = [each for each in topics if each["change_pct"] > most]
    clear = [each for each in beyond if each["is_clear"]]
    return [_told(each, most) for each in clear], len(beyond) - len(clear)


def _told(each: Mapping[str, Any], most: float) -> str:
    change = f"{each['change_pct']:+.4g} % (at most {most:g} %)"
    if each["topic"] == _EVERY_TOPIC:
        return f"all topics together: {change}, over {each['base_runs']} runs"
    place = each["topic"] if each["transport"] is None else f"{each['topic']} on {each['transport']}"
    return f"{place}: {each['base_ms']:.1f} ms -> {each['run_ms']:.1f} ms, {change}, over {each['base_runs']} runs"


def _notes(found: Mapping[str, Any], baseline: str, unclear: int) -> Iterator[str]:
    if not found["base_run_ids"]:
        yield f"There is no run of {baseline} in this environment yet: every failure counts as new."
    if not found["topics"]:
        yield f"No latency is judged: too few runs of {baseline} measured the same topics (3 are needed)."
    if unclear:
        topics = "1 topic seems" if unclear == 1 else f"{unclear} topics seem"
        yield f"{topics} slower, but no more than runs of {baseline} differ by themselves."


def _code(text: str) -> str:
    return "`" + " ".join(harmless(text).split()).replace("`", "'") + "`"


def _data(text: str) -> str:
    return harmless(text).replace("%", "%25")
