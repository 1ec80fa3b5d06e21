"""What met no expectation, over real brokers: kept with its body, and named for what it was."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from choreo_bdd.brokers import Broker
from choreo_bdd.observers.observed import ObservedResult
from choreo_bdd.redaction import Redactor
from choreo_bdd_project.config import load_config
from choreo_bdd_reporter.record.serialise import serialise
from choreo_bdd_schemas import config_schema
from choreo_bdd_steps.run.scenario_run import ScenarioRun
from choreo_bdd_steps.run.session import Session
from tests.support.step_bench import Bench

pytestmark = pytest.mark.broker
ADDRESS = {"nats": "servers: ['{}']", "kafka": "servers: ['{}']", "rabbitmq": "url: {}", "redis": "url: {}"}
OWN = "And the services err"


@pytest.fixture(params=ADDRESS)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    kind: str = request.param
    broker: Broker = request.getfixturevalue(f"{kind}_broker")
    path = tmp_path / "choreo.yaml"
    path.write_text(
        f"""vacuity: ignore
profiles:
  p:
    bus:
      type: {kind}
      {ADDRESS[kind].format(broker.url)}
      correlation: {{field: id}}
""",
        "utf-8",
    )
    session = Session(load_config(path, schema=config_schema()))
    yield Bench(session)
    session.close()


TOPICS = ("late", "foreign", "noid", "topic", "bytes")


def err(bench: Bench) -> Callable[[ScenarioRun], None]:
    """Five services that each do one thing wrong; one of them is late."""
    transport = bench.session.transport("bus")

    def go(run: ScenarioRun) -> None:
        async def publish() -> None:
            say({"id": "elsewhere", "n": 1}, "err.foreign")
            say({"n": 1}, "err.noid")
            say({"id": run.correlation_id, "n": 1}, "err.topik")
            transport.publish("err.bytes", b"\xff\xfe no json")
            asyncio.get_running_loop().call_later(0.35, say, {"id": run.correlation_id, "n": 1}, "err.late")

        bench.session.run(publish())

    def say(payload: Mapping[str, Any], topic: str) -> None:
        transport.publish(topic, json.dumps(payload).encode())

    return go


def test_each_is_kept_with_its_body_and_named(bench: Bench) -> None:
    played = bench.play(
        'When I publish "err.begin"',
        OWN,
        *(f'Then I expect "err.{topic}" where n is 1 waiting up to 250ms' for topic in TOPICS),
        own={OWN.partition(" ")[2]: err(bench)},
    )
    assert played.outcomes[0] == "timeout"
    recorded = serialise(cast("ObservedResult", played.result), completed_normally=True, redactor=Redactor())
    details = recorded.details
    messages = [{**each, "payload": json.loads(details["payloads"][each["payload"]])} for each in details["messages"]]
    strays = {
        stray["why"]: (
            messages[stray["message"]]["topic"],
            TOPICS[stray["handle"]],
            messages[stray["message"]]["payload"]["n"],
        )
        for stray in details["strays"]
        if stray["why"] != "returned"
    }
    assert strays == {
        "late": ("err.late", "late", 1),
        "foreign": ("err.foreign", "foreign", 1),
        "no id": ("err.noid", "noid", 1),
        "other topic": ("err.topik", "topic", 1),
    }
    unread = [
        place
        for place, event in zip(details["timeline"], recorded.document["timeline"], strict=True)
        if event["detail"].startswith("undecodable")
    ]
    assert [messages[place]["topic"] for place in unread] == ["err.bytes"]
    assert messages[unread[0]]["payload"]["_repr"] == repr(b"\xff\xfe no json")
    returned = [messages[stray["message"]]["topic"] for stray in details["strays"] if stray["why"] == "returned"]
    assert returned == (["err.begin"] if bench.session.config.transports["bus"].type == "redis" else [])
