"""A feature recorded from live traffic: green at once, and red when the service is broken."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from choreo_bdd.brokers import Broker
from choreo_bdd_steps.drafting import recorded
from choreo_bdd_steps.drafting.conversations import Conversation, grouped
from choreo_bdd_steps.drafting.recorded_feature import feature
from choreo_bdd_steps.drafting.traffic import Seen, without
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


_QUOTES = """\
import asyncio, json, os, sys, uuid
import aio_pika

async def main():
    price, requests = int(sys.argv[1]), int(sys.argv[2])
    connection = await aio_pika.connect(os.environ["AMQP_URL"])
    channel = await connection.channel()
    exchange = await channel.declare_exchange("quotes", aio_pika.ExchangeType.TOPIC, durable=True)
    queue = await channel.declare_queue(exclusive=True)
    await queue.bind(exchange, "quote.asked")
    await channel.declare_queue("quote.answers", auto_delete=True)

    async def answer(message):
        asked = json.loads(message.body)
        told = json.dumps({"sku": asked["sku"], "price": price}).encode()
        await channel.default_exchange.publish(aio_pika.Message(told), message.reply_to)

    await queue.consume(answer, no_ack=True)
    print("ready", flush=True)
    for _ in range(requests):
        asked = json.dumps({"correlation_id": uuid.uuid4().hex, "sku": "tea"}).encode()
        await exchange.publish(aio_pika.Message(asked, reply_to="quote.answers"), "quote.asked")
        await asyncio.sleep(0.1)
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.broker
@pytest.mark.process
def test_a_reply_into_a_queue_of_rabbitmq_is_heard_where_its_queue_is_named(
    rabbitmq_broker: Broker, tmp_path: Path
) -> None:
    project = Project(tmp_path, {"AMQP_URL": rabbitmq_broker.url})
    bus = "type: rabbitmq, url: '${AMQP_URL}', exchange: quotes, correlation: {field: correlation_id}"
    queue = "topics: {quote.answers: {exchange: ''}}"
    project.file("choreo.yaml", f"timeout: 2s\nprofiles: {{rabbitmq: {{bus: {{{bus}, {queue}}}}}}}\n")
    project.file("service.py", _QUOTES).file("features/steps/choreo.py", LOADER)
    with project.running("service.py", "5", "1000"):
        topics = ("--topics", "quote.asked", "--topics", "quote.answers")
        told = project._run("choreo_bdd", "record", *topics, "--for", "3s")
        assert told.code == 0, told.text
        assert "| price | 5" in (tmp_path / "features" / "recorded.feature").read_text("utf-8").replace("  ", "")
        assert project.behave("features").code == 0
    with project.running("service.py", "6", "0"):
        assert "price: expected 5, got 6" in project.behave("features")


def _seen(conversation: str | None, topic: str, payload: object) -> Seen:
    return Seen(time.monotonic(), "bus", topic, payload, conversation)


def _payloads(conversation: Conversation, begin: int = 0) -> list[tuple[object, ...]]:
    return [tuple(each["payload"] for each in time[begin:]) for time in conversation.times]


def test_what_changes_from_time_to_time_is_no_literal() -> None:
    seen = [
        each
        for number in (1, 2, 3)
        for each in (
            _seen(f"c{number}", "a", {"id": f"x{number}", "fixed": 1}),
            _seen(f"c{number}", "b", {"id": f"x{number}", "fixed": 1, "counter": number, "same": True}),
        )
    ]
    text = feature(grouped(seen), "test", "bus")
    assert "Given id is a unique id" in text
    assert "| counter | a number |" in text
    assert "| same    | true     |" in text


def test_what_the_library_puts_into_messages_itself_is_no_part_of_them() -> None:
    assert without({"a": 1, "correlation": {"id": "c"}}, ("correlation", "id")) == {"a": 1}
    assert without({"correlation": {"id": "c", "b": 2}}, ("correlation", "id")) == {"correlation": {"b": 2}}
    assert without({"a": 1}, ("correlation", "id")) == {"a": 1}


def test_conversations_of_another_kind_are_scenarios_of_their_own() -> None:
    seen = [_seen("1", "a", {}), _seen("2", "a", {}), _seen("2", "b", {}), _seen("3", "c", {"n": 1})]
    text = feature(grouped(seen), "test", "bus")
    assert text.count("Scenario:") == 3


def test_what_carries_no_id_is_in_no_conversation_of_those_that_do() -> None:
    seen = [_seen("1", "a", {}), _seen("1", "b", {"n": 1}), _seen(None, "c", {}), _seen(None, "c", {})]
    text = feature(grouped(seen), "test", "bus")
    assert text.count("Scenario:") == 1
    assert "# Left out: 2 message(s) without a correlation id, which others have, on c." in text
    of_none = grouped(seen[2:])
    assert (len(of_none.conversations), of_none.without_id) == (1, [])


def test_what_follows_in_another_order_is_no_other_conversation() -> None:
    seen = [_seen("1", "a", {}), _seen("1", "b", {"n": 1}), _seen("1", "c", {}), _seen("1", "b", {"n": 1})]
    seen += [_seen("2", "a", {}), _seen("2", "c", {}), _seen("2", "b", {"n": 1}), _seen("2", "b", {"n": 2})]
    [conversation] = grouped(seen).conversations
    assert [topic for _, topic in conversation.topics] == ["a", "b", "b", "c"]
    assert _payloads(conversation, 1) == [({"n": 1}, {"n": 1}, {}), ({"n": 1}, {"n": 2}, {})]


def test_what_most_begin_with_is_the_trigger_of_all() -> None:
    """A Kafka consumer is given the answer before the question now and then."""
    seen = [_seen("1", "b", {"n": 1}), _seen("1", "a", {})]
    seen += [each for number in "23" for each in (_seen(number, "a", {}), _seen(number, "b", {"n": 2}))]
    [conversation] = grouped(seen).conversations
    assert [topic for _, topic in conversation.topics] == ["a", "b"]
    assert _payloads(conversation) == [({}, {"n": 1}), ({}, {"n": 2}), ({}, {"n": 2})]


def _whole(number: int) -> list[Seen]:
    return [_seen(f"w{number}", topic, {}) for topic in "abb"]


def test_a_conversation_that_had_begun_before_anybody_listened_is_left_out_and_told() -> None:
    """It would be a scenario that sends what the service sends, and is red at once."""
    seen = [_seen("torn", "b", {}), *_whole(1)[:2], _seen("torn too", "b", {}), _whole(1)[2], *_whole(2), *_whole(3)]
    text = feature(grouped(seen), "test", "bus")
    assert text.count("Scenario:") == 1
    assert "# Left out: 2 conversation(s) that had begun before anybody listened." in text


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param([*_whole(1), *_whole(2), _seen("late", "b", {})], id="it comes later"),
        pytest.param([_seen("other", "c", {}), *_whole(1), *_whole(2)], id="of other topics"),
        pytest.param([*(_seen(n, "b", {}) for n in "123"), *_whole(1), *_whole(2)], id="more often"),
        pytest.param([_seen("cut", "a", {}), *_whole(1), *_whole(2)], id="with the trigger"),
    ],
)
def test_what_only_looks_like_a_rest_is_kept(seen: list[Seen]) -> None:
    found = grouped(seen)
    assert (len(found.conversations), found.begun_before) == (2, 0)


def test_nothing_more_is_expected_than_came() -> None:
    once, nothing_else = _whole(1), "And I expect nothing else for 200ms"
    assert nothing_else in feature(grouped([*once, *_whole(2)]), "test", "bus")
    assert nothing_else in feature(grouped([*once, _seen("2", "a", {}), _seen("2", "c", {})]), "test", "bus")
    more = feature(grouped([*once, *_whole(2), _seen("w2", "b", {})]), "test", "bus")
    assert more.count(nothing_else) == 1  # what comes three times may come twice, but not four times
    assert nothing_else not in feature(grouped([_seen(None, topic, {}) for topic in "abb"]), "test", "bus")
    assert nothing_else not in feature(grouped([_seen("1", "a", {})]), "test", "bus")


def _job(number: int, *states: str) -> list[Seen]:
    told = [_seen(f"j{number}", "job", {"id": f"x{number}", "state": each}) for each in states]
    return [_seen(f"j{number}", "new", {"id": f"x{number}"}), *told]


def test_states_that_always_came_in_one_order_are_expected_in_it() -> None:
    steady = [each for number in (1, 2, 3) for each in _job(number, "queued", "running", "done")]
    text = feature(grouped(steady), "test", "bus")
    order = """\
    And I expect in order:
      | topic | state     |
      | job   | "queued"  |
      | job   | "running" |
      | job   | "done"    |
"""
    assert order in text
    other = steady + _job(4, "running", "queued", "done")
    for seen in (steady[:8], other, _job(1, "a", "a") + _job(2, "a", "a") + _job(3, "a", "a")):
        assert "in order" not in feature(grouped(seen), "test", "bus")


def test_what_varies_is_no_literal_where_it_came_but_once() -> None:
    """Such as in a conversation that the recording's end has cut short."""
    seen = [
        each
        for n in (1, 2)
        for each in (_seen(str(n), "a", {}), _seen(str(n), "b", {"took": n}), _seen(str(n), "c", {}))
    ]
    seen += [_seen("3", "a", {}), _seen("3", "b", {"took": 3})]
    text = feature(grouped(seen), "test", "bus")
    assert text.count("Scenario:") == 2
    assert text.count("| took  | a number |") == 2


def test_a_message_that_looks_like_a_template_or_ends_a_line_is_drafted_as_text(project: Project) -> None:
    body = {"a": "{{ env('SAID') }} {% raw %} {# x", "b": "x\u2028Given y\x85z\u202e", "n": 1}
    text = feature(grouped([_seen("1", "a", body)]), "test", "bus")
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
    text = feature(grouped(seen), "test", "bus")
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


def _shop(number: int) -> list[Seen]:
    """One time of a conversation in which each field changes, or stays, for a reason of its own."""
    cid, ref = f"c{number}", f"R{number}x"
    owner, state = "00000000-0000-0000-0000-000000000007", "big" if number % 2 else "small"
    asked = {"ref": ref, "no": 40 + number, "owner": owner, "size": number % 2, "born": "1990-01-01T00:00:00Z"}
    told = {
        "label-no": f"L-{ref}-x",
        "no": 40 + number,
        "owner": owner,
        "state": state,
        "note": None if number % 3 else "x",
        "made": f"{number:032x}",
        "flags": [],
        "rows": [[1], [2]],
    }
    headers = {"tenant": "acme", "message-id": f"{number:08x}-0000-4000-8000-000000000000"}
    answer = Seen(0.0, "bus", "told", told, cid, ref, headers)
    return [Seen(0.0, "bus", "asked", asked, cid, ref, {"tenant": "acme"}), answer, answer]


def test_what_is_essential_is_expected_as_it_was() -> None:
    text = feature(grouped([each for number in range(9) for each in _shop(number)]), "test", "bus")
    rows = dict(re.findall(r"\| (\S+) +\| (.*?) +\|", text))
    assert rows == {
        "field": "value",
        "'label-no'": '"L-{{ ref }}-x"',
        "no": "40",
        "owner": '"00000000-0000-0000-0000-000000000007"',
        "state": '"small"',
        "note": "exists",
        "made": "a string",
        "flags": "[]",
        "rows[0][0]": "1",
        "rows[1][0]": "2",
        "rows[0][1]": "absent",
        "rows[1][1]": "absent",
        "rows[2]": "absent",
        "@key": "{{ ref }}",
        "@headers.tenant": '"acme"',
        "@headers.message-id": "a uuid",
    }
    sent = text.partition("Then")[0]
    assert 'I publish "asked" as an envelope:' in sent
    assert '"key": "{{ ref }}"' in sent
    assert '"tenant": "acme"' in sent
    assert '"born": "1990-01-01T00:00:00Z"' in sent
    assert 'Then I expect "told":' in text
    assert 'And I expect another "told":' in text


def test_what_goes_to_the_address_of_a_request_is_its_reply() -> None:
    seen = [
        each
        for cid in "12"
        for each in (
            Seen(0.0, "bus", "asked", {"sku": "tea"}, cid, reply_to=f"inbox.{cid}"),
            Seen(0.0, "bus", "inner", {}, cid, reply_to=f"inner.{cid}"),
            Seen(0.0, "bus", f"inner.{cid}", {"x": 1}, None),
            Seen(0.0, "bus", f"inbox.{cid}", {"price": 3}, None),
        )
    ]
    text = feature(grouped(seen), "test", "bus")
    assert text.count("Scenario:") == 1
    assert 'When I request "asked":' in text
    assert 'Then I expect "inner"' in text
    assert text.count("I expect a reply:") == 1
    assert "| price | 3     |" in text
    unheard = feature(grouped([each for each in seen if "i" not in each.topic]), "test", "bus")
    assert "# nobody could hear what was answered, so any reply passes: say what it has to hold, as in\n" in unheard
    assert "    # Then I expect a reply where price is 5\n    Then I expect a reply\n" in unheard


def test_a_payload_that_is_no_object_is_expected_as_a_whole(project: Project) -> None:
    seen = [each for cid in "12" for each in (_seen(cid, "a", {}), _seen(cid, "b", "OK"), _seen(cid, "c", f"n{cid}"))]
    text = feature(grouped(seen), "test", "bus")
    assert '"b":\n      """\n      "OK"\n      """' in text
    assert '"c":\n      """\n      !type string\n      """' in text
