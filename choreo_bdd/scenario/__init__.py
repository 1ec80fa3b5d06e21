"""Scenarios: one engine over named links, and the Python API of a single harness on top of it."""

from __future__ import annotations

from choreo_bdd.exceptions import ReplyAlreadyBoundError
from choreo_bdd.scenario.facade import ReplyChain, Scenario
from choreo_bdd.scenario.judging.diagnosis import Cause, Diagnosis
from choreo_bdd.scenario.judging.handle import _FAILURES_MAX, Handle, Outcome
from choreo_bdd.scenario.judging.occurs import Occurs
from choreo_bdd.scenario.options import ScopeOptions
from choreo_bdd.scenario.result import ScenarioResult
from choreo_bdd.scenario.scope import Scope
from choreo_bdd.scenario.sending.outbox import TransportFailure
from choreo_bdd.scenario.sending.replies import ReplyPlan, ReplyReport, ReplyReportState
from choreo_bdd.scenario.sending.standing_replies import StandIn
from choreo_bdd.scenario.timeline import (
    _TIMELINE_DETAIL_MAX_CHARS,
    _TIMELINE_MAX_ENTRIES,
    TimelineAction,
    TimelineEntry,
    _Timeline,
)

__all__ = [
    "_FAILURES_MAX",
    "_TIMELINE_DETAIL_MAX_CHARS",
    "_TIMELINE_MAX_ENTRIES",
    "Cause",
    "Diagnosis",
    "Handle",
    "Occurs",
    "Outcome",
    "ReplyAlreadyBoundError",
    "ReplyChain",
    "ReplyPlan",
    "ReplyReport",
    "ReplyReportState",
    "Scenario",
    "ScenarioResult",
    "Scope",
    "ScopeOptions",
    "StandIn",
    "TimelineAction",
    "TimelineEntry",
    "TransportFailure",
    "_Timeline",
]
