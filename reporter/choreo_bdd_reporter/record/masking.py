"""Masked and capped text and Gherkin, for the adapters: nothing enters the run model before it passed here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import chain, count

from choreo_bdd.redaction import Redactor
from choreo_bdd_reporter.model.limits import STREAM_MAX_BYTES, cap_stream, count_bytes
from choreo_bdd_reporter.model.tests import Feature, GherkinScenario, Step
from choreo_bdd_reporter.record.feature_sources import hidden_lines
from choreo_bdd_reporter.record.tables import masked_table

_KEY_BLOCK_CHARS = 16_384


@dataclass(frozen=True, slots=True)
class End:
    """How much is kept of a text that is too long: its last ``chars``.

    ``margin`` characters before them are masked with them, and the first ``unsure`` of these are not shown: the cut may
    have parted a secret from its name. With ``lines``, only whole lines are shown.
    """

    chars: int
    margin: int
    unsure: int
    lines: bool = False


WHOLE = End(STREAM_MAX_BYTES, 24_576, 16_384)
"""What a report has room for."""
LAST_LINES = End(512, 256, 128, lines=True)
"""What is left of it when a run has said too much."""


def masked(redactor: Redactor, text: str) -> str:
    """Text of any length without credentials, its end kept when it is too long.

    Only what is kept is masked, with a margin before it, so that what a chatty service says costs no time.
    """
    return masked_end(redactor.text, text, WHOLE)


def masked_end(mask: Callable[[str], str], text: str, kept: End) -> str:
    """The same with any way to mask a text, and any end of it."""
    start = len(text) - kept.chars - kept.margin
    if start <= 0:
        return cap_stream(mask(text))
    block = text.rfind("-----BEGIN ", max(0, start - _KEY_BLOCK_CHARS), start)
    if block >= 0:  # a private key, without its beginning, is like any other text
        start = block
    end = mask(text[start:])
    shown = max(kept.unsure, len(end) - kept.chars)
    if kept.lines:
        shown = end.find("\n", shown) + 1 or len(end)
    return cap_stream(end[shown:], left_out=count_bytes(text[:start]) + count_bytes(end[:shown]))


def masked_or_none(redactor: Redactor, text: str | None) -> str | None:
    """The same for text that may be missing."""
    return None if text is None else masked(redactor, text)


def masked_feature(redactor: Redactor, feature: Feature) -> Feature:
    """A feature whose text is masked. Ask last: what a test's other text shows to be secret is hidden here, too."""
    return replace(
        feature,
        name=masked(redactor, feature.name),
        description=masked(redactor, feature.description),
        tags=tuple(masked(redactor, tag) for tag in feature.tags),
        hidden=hidden_lines(redactor, feature.uri),
    )


def masked_gherkin(redactor: Redactor, scenario: GherkinScenario) -> GherkinScenario:
    """A scenario all of whose text, tables and doc strings included, is masked."""
    return replace(
        scenario,
        name=masked(redactor, scenario.name),
        description=masked(redactor, scenario.description),
        rule=masked_or_none(redactor, scenario.rule),
        tags=tuple(masked(redactor, tag) for tag in scenario.tags),
        inherited=tuple(masked(redactor, tag) for tag in scenario.inherited),
        steps=tuple(_masked_step(redactor, step) for step in scenario.steps),
    )


def _masked_step(redactor: Redactor, step: Step) -> Step:
    return replace(
        step,
        text=masked(redactor, step.text),
        docstring=masked_or_none(redactor, step.docstring),
        table=None if step.table is None else masked_table(redactor, step.table),
        message=masked_or_none(redactor, step.message),
    )


class NodeIds:
    """Node ids as they are shown: without secrets, and still one for each test."""

    def __init__(self) -> None:
        self._shown: dict[str, str] = {}

    def show(self, nodeid: str, clean: str) -> str:
        """The id to show for a test whose own id reads ``clean`` without its secrets."""
        if clean == nodeid:
            return nodeid
        taken = {shown for own, shown in self._shown.items() if own != nodeid}
        numbered = (f"{clean}#{number}" for number in count(2))
        self._shown[nodeid] = next(shown for shown in chain([clean], numbered) if shown not in taken)
        return self._shown[nodeid]

    def find(self, nodeid: str) -> str:
        """The id under which a test was shown."""
        return self._shown.get(nodeid, nodeid)
