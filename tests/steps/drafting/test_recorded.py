"""A feature recorded from live traffic: green at once, and red when the service is broken."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from choreo_bdd.brokers import Broker
from choreo_bdd_steps.drafting import recorded
from choreo_bdd_steps.drafting.conversations import conversations, feature
from choreo_bdd_steps.drafting.traffic import Seen
from tests.support.project import LOADER, Project

_SERVICE = """\
import asyncio, json, os, sys
import nats

async def main():
    client = await nats.connect(os.environ["NATS_URL"])

    async def settle(message):
        order = json.loads(message.data)
        told = {"order_id": order["order_id"], "total": order["total"], "state": sys.argv[1],
                "settled_at": "2026-01-31T12:00:00Z", "correlation_id": order["correlation_id"],
                "api_key": "canary-4711"}
        await client.publish("orders.settled", json.dumps(told).encode())

    await client.subscribe("orders.placed", cb=settle)
    await client.flush()
    print("ready", flush=True)
    for number in range(int(sys.argv[2])):
        await asyncio.sleep(0.2)
        order = {"order_id": f"o-{number}", "total": 12, "customer": {"name": "Ada"}, "correlation_id": f"c-{number}",
                 "back": "https://shop/?token=canary-4712"}
        await client.publish("orders.placed", json.dumps(order).encode())
        await client.flush()
    await asyncio.sleep(60)

asyncio.run(main())
"""
_CONFIGURATION = """\
timeout: 1s
profiles: {nats: {bus: {type: nats, servers: ["${NATS_URL}"], correlation: {field: correlation_id}}}}
"""


@pytest.mark.broker
@pytest.mark.process
def test_a_recorded_feature_runs_green_and_fails_when_the_service_is_broken(
    nats_broker: Broker, tmp_path: Path
) -> None:
    project = Project(tmp_path, {"NATS_URL": nats_broker.url})
    project.file("choreo.yaml", _CONFIGURATION).file("service.py", _SERVICE).file("features/steps/choreo.py", LOADER)
    with project.running("service.py", "PAID", "1000"):
        told = project._run("choreo_bdd", "record", "--topics", "orders.>", "--for", "3s")
        assert told.code == 0, told.text
        text = (tmp_path / "features" / "recorded.feature").read_text("utf-8")
        assert "1 kind(s) of conversation" in told, text
        assert 'I publish "orders.placed"' in text
        assert "| order_id   | {{ order_id }} |" in text
        assert '| state      | "PAID"         |' in text
        assert "canary" not in text
        assert '"back": "https://shop/?token=<redacted>"\n' in text
        assert "| api_key    | a string       |" in text
        assert "| settled_at | a timestamp    |" in text
        assert "correlation_id" not in text
        assert '# Given a service that answers "orders.placed" with "orders.settled":' in text
        assert project.behave("features").code == 0
    with project.running("service.py", "BROKEN", "0"):
        ran = project.behave("features")
        assert ran.code == 1
        assert 'expected "PAID", got "BROKEN"' in ran
    assert project._run("choreo_bdd", "record", "--topics", "orders.>", "--for", "1s").code == 2, "the file is there"


def _seen(conversation: str | None, topic: str, payload: object) -> Seen:
    return Seen(time.monotonic(), "bus", topic, payload, conversation)


def test_what_changes_from_time_to_time_is_no_literal() -> None:
    seen = [
        each
        for number in (1, 2, 3)
        for each in (
            _seen(f"c{number}", "a", {"id": f"x{number}", "fixed": 1, "correlation": {"id": "c"}}),
            _seen(f"c{number}", "b", {"id": f"x{number}", "fixed": 1, "counter": number, "same": True}),
        )
    ]
    [conversation] = conversations(seen, ("correlation", "id"))
    text = feature([conversation], "test", "bus")
    assert "Given id is a unique id" in text
    assert "| counter | a number |" in text
    assert "| same    | true     |" in text
    assert "correlation" not in text.partition("When")[2].partition("Then")[0].replace('"correlation": {}', "")


def test_conversations_of_another_kind_are_scenarios_of_their_own() -> None:
    seen = [_seen("1", "a", {}), _seen("2", "a", {}), _seen("2", "b", {}), _seen(None, "c", {"n": 1})]
    text = feature(conversations(seen, ()), "test", "bus")
    assert text.count("Scenario:") == 3


def test_what_follows_in_another_order_is_no_other_conversation() -> None:
    seen = [_seen("1", "a", {}), _seen("1", "b", {"n": 1}), _seen("1", "c", {}), _seen("1", "b", {"n": 1})]
    seen += [_seen("2", "a", {}), _seen("2", "c", {}), _seen("2", "b", {"n": 1}), _seen("2", "b", {"n": 2})]
    [conversation] = conversations(seen, ())
    assert [topic for _, topic in conversation.topics] == ["a", "b", "b", "c"]
    assert [each[1:] for each in conversation.times] == [({"n": 1}, {"n": 1}, {}), ({"n": 1}, {"n": 2}, {})]


def test_what_most_begin_with_is_the_trigger_of_all() -> None:
    """A Kafka consumer is given the answer before the question now and then."""
    seen = [_seen("1", "b", {"n": 1}), _seen("1", "a", {})]
    seen += [each for number in "23" for each in (_seen(number, "a", {}), _seen(number, "b", {"n": 2}))]
    [conversation] = conversations(seen, ())
    assert [topic for _, topic in conversation.topics] == ["a", "b"]
    assert conversation.times == (({}, {"n": 1}), ({}, {"n": 2}), ({}, {"n": 2}))


def test_what_varies_is_no_literal_where_it_came_but_once() -> None:
    """Such as in a conversation that the recording's end has cut short."""
    seen = [
        each
        for n in (1, 2)
        for each in (_seen(str(n), "a", {}), _seen(str(n), "b", {"took": n}), _seen(str(n), "c", {}))
    ]
    seen += [_seen("3", "a", {}), _seen("3", "b", {"took": 3})]
    text = feature(conversations(seen, ()), "test", "bus")
    assert text.count("Scenario:") == 2
    assert text.count("| took  | a number |") == 2


def test_a_message_that_looks_like_a_template_or_ends_a_line_is_drafted_as_text(project: Project) -> None:
    body = {"a": "{{ env('SAID') }} {% raw %} {# x", "b": "x\u2028Given y\x85z\u202e", "n": 1}
    text = feature(conversations([_seen("1", "a", body)], ()), "test", "bus")
    assert not [char for char in text if not char.isprintable() and char != "\n"]
    asked = (
        "    Then I expect \"a\" where a matches /^.. env.'SAID'. .. .% raw %. .# x$/ and b matches /^x.Given y.z.$/\n"
    )
    project.file("features/drafted.feature", text + asked)
    project.file("choreo.yaml", "env: [SAID]\nprofiles: {memory: {bus: {type: memory}}}\n")
    ran = project.pytest("features", bare=False)
    assert ran.code == 0, ran.text


def test_a_topic_that_would_be_steps_of_its_own_is_left_out_and_told() -> None:
    evil = 'evil"\n    When I publish "other'
    seen = [
        _seen("1", evil, {}),
        _seen("2", "{{ env('X') }}", {}),
        _seen("3", "a", {"{{ x }}": 1}),
        _seen("4", "b", {}),
    ]
    text = feature(conversations(seen, ()), "test", "bus")
    assert text.count("I publish") == text.count("Scenario:") == 1
    assert "# Left out: 3 kind(s) of conversation" in text


def test_what_is_secret_in_the_traffic_is_in_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = {
        "auth": {"token": "canary-9f3b-Zq7"},
        "note": "got canary-9f3b-Zq7",
        "inside": '{"password": "pw-canary-77"}',
    }
    seen = [_seen("1", "a", told), _seen("1", "b", told)]
    monkeypatch.setattr(recorded, "listen", lambda *_: (seen, 0))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "choreo.yaml").write_text("profiles: {memory: {bus: {type: memory}}}\n", "utf-8")
    recorded.record_feature(["a", "b"], "1s", None, [], tmp_path / "drafted.feature")
    text = (tmp_path / "drafted.feature").read_text("utf-8")
    assert "<redacted>" in text
    assert "canary" not in text
