"""What can be read over HTTP: one row an endpoint, from which routes and OpenAPI are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from choreo_bdd_chronicle.answer import query
from choreo_bdd_chronicle.answer.models import (
    AnomalyItem,
    BudgetItem,
    Compared,
    FailureItem,
    FlakyPage,
    KnownIssue,
    Page,
    RunDetail,
    RunItem,
    Series,
    TenantItem,
    TimelineItem,
    TopicItem,
    TopicRun,
)
from choreo_bdd_chronicle.answer.query import Parameter, Query
from choreo_bdd_chronicle.answer.views import anomalies, budgets, comparing, lifecycle, reliability, runs, topics
from choreo_bdd_chronicle.check.names import BRANCH_MAX, TOPIC_MAX
from choreo_bdd_chronicle.tokens import Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One request to read: who asks for what."""

    caller: Caller
    asked: Query
    path: Mapping[str, str]


Answer = Callable[[Connection, Question], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Something to read: where, what it is, what may be asked, and the read model it answers with.

    ``is_summed`` tells that it reads the summaries, which have to be complete then.
    """

    path: str
    summary: str
    model: Any
    answer: Answer
    parameters: tuple[Parameter, ...] = ()
    is_summed: bool = False


_SEVERITY = query.choice("severity", ("warning", "critical"), "how bad")
_RESOLVED = query.flag("resolved", "only what is over, or only what is not")
_TOPIC = query.text("topic", TOPIC_MAX, "only this topic")
_TARGET = query.percentage("target", 99.0, "the share of messages that must be within budget, in percent")
_FEED = (query.TENANT, _SEVERITY, _RESOLVED, query.ENVIRONMENT, query.BRANCH, query.TRANSPORT, *query.page())
_CONDITION = query.choice("condition", ("flaky", "broken", "fixed", "stable"), "how reliable; flaky unless given")

ENDPOINTS = (
    Endpoint(
        path="/runs",
        summary="The runs of a tenant, the latest first",
        model=Page[RunItem],
        answer=lambda connection, question: runs.list_runs(connection, question.asked),
        parameters=(query.TENANT, *query.FILTERS, *query.page()),
    ),
    Endpoint(
        path="/runs/{run_id}",
        summary="A run with its scenarios",
        model=RunDetail,
        answer=lambda connection, question: runs.one_run(connection, question.caller, question.path["run_id"]),
    ),
    Endpoint(
        path="/runs/{run_id}/timeline",
        summary="The events of a run by their offset",
        model=Page[TimelineItem],
        answer=lambda connection, question: runs.timeline(
            connection, question.caller, question.path["run_id"], question.asked
        ),
        parameters=(
            query.TRANSPORT,
            query.text("action", 64, "only events of this kind"),
            query.text("source", 16, "only events from here"),
            query.whole_number("limit", 1, 1000, 100),
            query.whole_number("offset", 0, 50_000, 0),
        ),
    ),
    Endpoint(
        path="/tenants",
        summary="The tenants, the newest first",
        model=Page[TenantItem],
        answer=lambda connection, question: runs.list_tenants(connection, question.caller, question.asked),
        parameters=(query.whole_number("limit", 1, 500, 50), query.whole_number("offset", 0, 2**31, 0)),
    ),
    Endpoint(
        path="/topics",
        summary="The topics of a tenant, the latest seen first",
        model=Page[TopicItem],
        answer=lambda connection, question: topics.list_topics(connection, question.asked),
        parameters=(query.TENANT, *query.FILTERS, *query.page()),
        is_summed=True,
    ),
    Endpoint(
        path="/topics/{topic:path}/latency",
        summary="A topic's latencies over time",
        model=Series,
        answer=lambda connection, question: topics.series(connection, question.path["topic"], question.asked),
        parameters=(
            query.TENANT,
            *query.FILTERS,
            query.choice("resolution", query.RESOLUTIONS, "how long a bucket is"),
        ),
        is_summed=True,
    ),
    Endpoint(
        path="/topics/{topic:path}/runs",
        summary="The runs that touched a topic, the latest first",
        model=Page[TopicRun],
        answer=lambda connection, question: topics.runs_of_topic(connection, question.path["topic"], question.asked),
        parameters=(query.TENANT, *query.FILTERS, *query.page(20)),
    ),
    Endpoint(
        path="/anomalies",
        summary="What changed, the newest first",
        model=Page[AnomalyItem],
        answer=lambda connection, question: anomalies.list_anomalies(connection, question.asked),
        parameters=(*_FEED, _TOPIC),
    ),
    Endpoint(
        path="/anomalies/topics/{topic:path}",
        summary="What changed on a topic, the newest first",
        model=Page[AnomalyItem],
        answer=lambda connection, question: anomalies.list_anomalies(
            connection, question.asked, question.path["topic"]
        ),
        parameters=_FEED,
    ),
    Endpoint(
        path="/flaky",
        summary="The scenarios that cannot be trusted, the worst first",
        model=FlakyPage,
        answer=lambda connection, question: reliability.list_flaky(connection, question.asked),
        parameters=(query.TENANT, *query.FILTERS, _CONDITION, *query.page()),
    ),
    Endpoint(
        path="/failures",
        summary="Failures by their cause, the latest seen first",
        model=Page[FailureItem],
        answer=lambda connection, question: reliability.list_failures(connection, question.asked),
        parameters=(query.TENANT, *query.FILTERS, *query.page()),
    ),
    Endpoint(
        path="/budgets",
        summary="How budgets are kept in a period, by default this month, the most used up first",
        model=Page[BudgetItem],
        answer=lambda connection, question: budgets.list_budgets(connection, question.asked),
        parameters=(query.TENANT, *query.FILTERS, _TOPIC, _TARGET, *query.page()),
    ),
    Endpoint(
        path="/compare",
        summary="A run beside another, or beside the last runs of a branch",
        model=Compared,
        answer=lambda connection, question: comparing.compared(connection, question.caller, question.asked),
        parameters=(
            query.TENANT,
            query.run("run", "a run's id, or the SHA-256 of its report", is_required=True),
            query.run("base_run", "another run to compare it with"),
            query.text("base", BRANCH_MAX, "a branch to compare it with"),
            query.whole_number("threshold", 0, 10_000, 20),
        ),
    ),
    Endpoint(
        path="/known-issues",
        summary="What is muted now; the gate lets it pass",
        model=Page[KnownIssue],
        answer=lambda connection, question: lifecycle.known_issues(connection, question.asked),
        parameters=(query.TENANT, *query.page(500)),
    ),
)
