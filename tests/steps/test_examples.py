"""The step book's examples are true: each one runs as it stands, in a scenario around it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from choreo_bdd_project.config import TransportConfig
from choreo_bdd_steps.vocabulary import PHRASES
from choreo_bdd_steps.vocabulary.phrase import Phrase
from tests.steps.conftest import MakeBench
from tests.steps.test_further_checks import answer_requests
from tests.support.http_service import http_service
from tests.support.step_bench import Bench

ORDER = 'When I publish "orders.placed":\n  order: {id: 7, customer: Ada}'
ASK = 'When I publish "fraud.check":\n  order_id: 7'
PLACED = 'Then I expect at least 1 "orders.placed" message'
STAND_IN = 'Given a service that answers "fraud.check" with "fraud.checked" after 20ms once'

ASK_STOCK, REPLIED = 'When I request "stock.level"', "Then I expect a reply"

ANSWER = urlencode({"status": 201, "says": json.dumps({"state": "accepted", "order": {"id": 7}})})
CALLED = f'When I call POST "/orders?{ANSWER}"'
ACCEPTED = "Then the response has status 200"

BEFORE = {
    "Then the response": [CALLED],
    'Then I keep "order.id" of the response': [CALLED],
    'Then I expect "orders.settled"': [ORDER],
    'Then I expect another "orders.settled"': [ORDER, 'Then I expect "orders.settled"'],
    "Then I expect no": [ORDER],
    "Then I expect exactly": [ORDER],
    "Then I expect between": [ORDER],
    "Then I expect no other": [ORDER, 'Then I expect "orders.accepted"'],
    "Then I expect nothing else": [ORDER, 'Then I expect "orders.accepted"'],
    "Then I expect at": [ORDER],
    "Then I expect in order": [ORDER],
    "Then I expect a reply": ['When I request "stock.level"'],
    "Then from": [ORDER],
    'Then the "orders.settled" message has': [ORDER, 'Then I expect "orders.settled"'],
    "Then the reply has": [ASK_STOCK, REPLIED],
    'Then I keep "level" of the reply': [ASK_STOCK, REPLIED],
    'Then the service answered "fraud.check"': [STAND_IN, ASK],
    'Then the service never answered "fraud.check"': [STAND_IN, 'When I publish "else"'],
    'Then I keep "order.id"': [ORDER, 'Then I expect "orders.accepted"'],
}
AFTER = {
    "When I call": [ACCEPTED],
    'When I publish "orders.placed" as raw bytes': [],
    'When I publish "orders.placed" with key "7" and no payload': [],
    "When I publish": [PLACED],
    "When I request": ["Then I expect a reply where level is 3"],
    'Given a service that answers "fraud.check" with "fraud.checked":': [ASK, 'Then I expect "fraud.checked"'],
    'Given a service that answers "fraud.check" with "fraud.checked" and fails': [
        ASK,
        'Then I expect no "fraud.checked" for 50ms',
    ],
    'Given a service that drops "fraud.check"': [ASK, 'Then the service never answered "fraud.check"'],
}


def around(example: str, steps: dict[str, list[str]]) -> list[str]:
    fitting = [key for key in steps if example.startswith(key)]
    return steps[max(fitting, key=len)] if fitting else []


@pytest.fixture(scope="module")
def door() -> Iterator[str]:
    with http_service() as url:
        yield url


@pytest.fixture
def shop(make_bench: MakeBench, door: str) -> Bench:
    """Services that accept an order, then settle it twice; a stock that answers; a front door."""
    bus = TransportConfig("bus", "memory", "the test", correlation_field="correlation_id")
    api = TransportConfig("api", "http", "the test", options={"url": door})
    bench = make_bench(in_real_time=True, timeout_s=3.0, transports={"bus": bus, "api": api})
    bench.service("orders.placed", lambda order: [("orders.accepted", order), *[("orders.settled", order)] * 2])
    bench.echo("orders.placed", "orders.paid", after_s=0.05)
    answer_requests(bench, "stock.level", level=3)
    return bench


@pytest.mark.thorough
@pytest.mark.parametrize("phrase", PHRASES, ids=lambda phrase: phrase.text)
def test_the_example_of_a_phrase_runs(phrase: Phrase, shop: Bench, tmp_path: Path) -> None:
    (tmp_path / "order.json").write_text('{"order": {"id": 7}}')
    example = phrase.example
    steps = [*around(example, BEFORE), example, *around(example, AFTER)]
    shop.play(*steps, file=str(tmp_path / "a.feature")).passed()
