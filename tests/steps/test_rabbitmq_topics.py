"""`topics:` of RabbitMQ, against a service in another process that FastStream has written (spec/steps.md 10)."""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import aiormq
import pytest

from choreo_bdd.brokers import Broker
from choreo_bdd.observers.observed import ObservedResult
from choreo_bdd.redaction import Redactor
from choreo_bdd.scenario.judging.diagnosis import Cause
from choreo_bdd_project.config import Config, ConfigError, load_config
from choreo_bdd_reporter.record.serialise import serialise
from choreo_bdd_schemas import config_schema
from choreo_bdd_steps.run.scenario_run import ScenarioRun
from choreo_bdd_steps.run.session import Session
from choreo_bdd_steps.starting.doctor import examine
from tests.support.broker_clients import rabbitmqctl
from tests.support.services import running_service
from tests.support.step_bench import Bench
from tests.support.subscribers import PATIENCE_S

pytestmark = pytest.mark.broker
CELERY = """
        tasks:
          queue: shop.tasks
          headers: {amqp.content_type: application/json, amqp.content_encoding: utf-8}
        charged: {exchange: amq.topic, correlation: {property: correlation_id}}
"""
WAIT = "And the service speaks"
TOPICS = """
        orders.place: {exchange: "", mandatory: true}
        payments.charge: {exchange: ""}
        charges.dead: {queue: charges.dead, consume: true}
        news:
          exchange: {name: shop.news, kind: fanout, passive: true}
          routing_key: ">"
          codec: text
          correlation: none
        "payments.*": {exchange: shop.events}
"""


def config_of(folder: Path, url: str, topics: str, *, exchange: str = "shop.events") -> Config:
    path = folder / "choreo.yaml"
    path.write_text(
        f"""timeout: 3s
vacuity: ignore
profiles:
  p:
    bus:
      type: rabbitmq
      url: {url}
      exchange: {exchange}
      correlation: {{property: correlation_id}}
      topics:{topics}""",
        "utf-8",
    )
    return load_config(path, schema=config_schema())


@pytest.fixture(scope="module")
def shop(rabbitmq_broker: Broker) -> Iterator[str]:
    with running_service("rabbit_shop", rabbitmq_broker.url):
        yield rabbitmq_broker.url


@pytest.fixture
def bench_with(tmp_path: Path, rabbitmq_broker: Broker) -> Iterator[Callable[..., Bench]]:
    made: list[Session] = []

    def make(topics: str, **how: Any) -> Bench:
        made.append(Session(config_of(tmp_path, rabbitmq_broker.url, topics, **how)))
        return Bench(made[-1])

    yield make
    for session in made:
        session.close()


@pytest.fixture
def bench(shop: str, bench_with: Callable[..., Bench]) -> Bench:
    assert shop
    return bench_with(TOPICS)


def asked(url: str, work: Callable[[aiormq.Channel], Awaitable[Any]]) -> Any:
    """What a client of its own finds or does."""

    async def ask() -> Any:
        connection = await aiormq.connect(url)
        try:
            channel: Any = await connection.channel()
            return await work(channel)
        finally:
            await connection.close()

    return asyncio.run(ask())


# --- scenarios against the service ------------------------------------------------------------------------------------


def test_work_queues_are_fed_and_watched_and_the_service_has_all_of_it(bench: Bench) -> None:
    bench.play(
        'When I publish "orders.place":\n| order_id | amount |\n| o-1 | 40 |',
        'Then I expect "payments.charge" where amount is 40',
        'And I expect "payments.done" where charged is 40 and @headers.amqp.priority is 3',
        'And I expect "news" where @topic is news',
    ).passed()


def test_the_property_ties_messages_of_two_scenarios_apart(bench: Bench) -> None:
    first = bench.play(
        'When I publish "payments.charge":\n| order_id | amount |\n| o-1 | 1 |', 'Then I expect "payments.done"'
    )
    played = bench.play(
        'When I publish "payments.charge":\n| order_id | amount |\n| o-2 | 2 |',
        'Then I expect exactly 1 "payments.done" message where order_id is o-2 within 2s',
        'And I expect no "payments.done" where order_id is o-1 for 100ms',
    ).passed()
    assert first.passed().handles[0].correlation_id != played.handles[0].correlation_id


def test_a_dead_letter_is_taken_from_its_queue_and_tells_why_it_died(bench: Bench, shop: str) -> None:
    played = bench.play(
        'When I publish "payments.charge":\n| order_id | amount |\n| o-3 | -1 |',
        'Then I expect "charges.dead" where order_id is o-3 and @headers.x-death[0].reason is rejected '
        "and @headers.x-death[0].count is 1 and @headers.x-death[0].queue is payments.charge",
        'And I keep "@headers.x-death[0].reason" of "charges.dead" as reason',
        'And I expect no "payments.done" for 100ms',
    ).passed()
    left = asked(shop, lambda channel: channel.queue_declare("charges.dead", passive=True))
    assert left.message_count == 0
    recorded = serialise(cast("ObservedResult", played.result), completed_normally=True, redactor=Redactor())
    letter = next(each for each in recorded.details["messages"] if each["topic"] == "charges.dead")
    how = "rejected by queue payments.charge"
    assert letter["moved"] == {"origins": ["payments.charge"], "how": how}


def test_a_dead_letter_that_nobody_has_used_stays(bench: Bench, shop: str) -> None:
    asked(shop, lambda channel: channel.basic_publish(b'{"order_id": "left"}', routing_key="charges.dead"))
    played = bench.play(
        'When I publish "payments.charge":\n| order_id | amount |\n| o-4 | 1 |',
        'Then I expect no "charges.dead" where order_id is o-4 for 100ms',
        'And I expect "payments.done"',
    )
    played.passed()

    async def taken(channel: aiormq.Channel) -> int:
        """How many are there once the broker has put back what a closed channel had."""
        while not (purged := await channel.queue_purge("charges.dead")).message_count:  # noqa: ASYNC110 - as it tells nobody
            await asyncio.sleep(0.02)
        return int(purged.message_count)

    assert asked(shop, taken) == 1


def test_a_watched_queue_shows_an_absence(bench: Bench) -> None:
    played = bench.play(
        'When I publish "orders.place":\n| order_id | amount |\n| o-5 | 5 |',
        'Then I expect no "payments.charge" for 200ms',
        'And I expect "payments.done"',
    )
    assert played.outcomes[0] == "fail"


# --- what is not there ------------------------------------------------------------------------------------------------


def test_a_mandatory_message_without_a_queue_is_a_failed_publish(bench_with: Callable[..., Bench]) -> None:
    topics = "\n        lost: {exchange: amq.topic, mandatory: true}\n        gone: {exchange: ''}"
    bench = bench_with(topics, exchange="amq.topic")
    heard = ('When I publish "heard"', 'Then I expect "heard"')  # by then what is beside it is watched, and not "lost"
    to_nobody = bench.play(*heard, 'When I publish "lost"', 'Then I expect "heard"')
    to_no_queue = bench.play('When I publish "gone"', 'Then I expect "heard"')
    assert "play.feature:5" in to_nobody.message
    assert "nobody listens on 'lost'" in to_nobody.message
    assert "mandatory" in to_nobody.message
    assert "there is no such queue" in to_no_queue.message


@pytest.mark.parametrize(
    ("topics", "told"),
    [
        ("t: {queue: no.such.queue, consume: true}", "there is no queue 'no.such.queue'"),
        ("no.work: {exchange: ''}", "there is no queue 'no.work'"),
        ("t: {exchange: no.such.exchange}", "there is no exchange 'no.such.exchange'"),
        ("t: {exchange: {name: shop.none, kind: fanout, passive: true}}", "there is no exchange 'shop.none'"),
    ],
)
def test_doctor_names_what_does_not_exist_and_makes_none_of_it(
    tmp_path: Path, rabbitmq_broker: Broker, topics: str, told: str
) -> None:
    config = config_of(tmp_path, rabbitmq_broker.url, f"\n        {topics}", exchange="amq.topic")
    for _ in range(2):  # had the first look made it, the second one would find it
        (finding,) = asyncio.run(examine(config, patience_s=5))
        assert told in str(finding.problem)


def test_doctor_leaves_nothing_in_a_dead_letter_queue(tmp_path: Path, shop: str) -> None:
    (finding,) = asyncio.run(examine(config_of(tmp_path, shop, TOPICS), patience_s=5))
    assert finding.is_well, finding.problem
    left = asked(shop, lambda channel: channel.queue_declare("charges.dead", passive=True))
    assert left.message_count == 0


# --- other ways -------------------------------------------------------------------------------------------------------


def test_properties_that_are_numbers_are_sent_as_such(
    bench_with: Callable[..., Bench], rabbitmq_broker: Broker
) -> None:
    queue = f"urgent-{secrets.token_hex(4)}"
    asked(rabbitmq_broker.url, lambda channel: channel.queue_declare(queue, durable=True))
    bench = bench_with(
        f"\n        urgent: {{queue: {queue}, headers: {{amqp.priority: '9', amqp.delivery_mode: '2'}}}}",
        exchange="amq.topic",
    )
    bench.play('When I publish "urgent"', 'Then I expect "urgent" where @headers.amqp.priority > 8').passed()
    got = asked(rabbitmq_broker.url, lambda channel: channel.basic_get(queue, no_ack=True))
    asked(rabbitmq_broker.url, lambda channel: channel.queue_delete(queue))
    assert (got.header.properties.priority, got.header.properties.delivery_mode) == (9, 2)
    wrong = bench_with("\n        t: {headers: {amqp.priority: high}}", exchange="amq.topic")
    assert "amqp.priority is a number from 0 to 255" in wrong.play('When I publish "t"', 'Then I expect "t"').message


def test_two_exchanges_with_one_routing_key_are_told_apart(
    bench_with: Callable[..., Bench], rabbitmq_broker: Broker
) -> None:
    url = rabbitmq_broker.url
    topics = "\n        mine.x: {correlation: none}\n        yours.x: {exchange: amq.direct, correlation: none}"
    bench = bench_with(topics, exchange="amq.topic")

    async def send(channel: Any) -> None:
        for key in ("mine.x", "yours.x"):
            await channel.basic_publish(b"{}", exchange="amq.direct", routing_key=key)

    bench.play(
        'When I publish "go"',
        WAIT,
        'Then I expect "yours.x"',
        'And I expect no "mine.x" for 100ms',
        own={WAIT.partition(" ")[2]: lambda _: asked(url, send)},
    ).passed()


@pytest.mark.parametrize("spoken", ["payment.charged", "payments.chargd", "Payments.charged"])
def test_a_misspelt_routing_key_is_the_cause_wherever_the_mistake_is(
    bench_with: Callable[..., Bench], rabbitmq_broker: Broker, spoken: str
) -> None:
    topics = '\n        go: {mandatory: false}\n        "*.*": {correlation: none}'
    bench = bench_with(topics, exchange="amq.topic")
    played = bench.play(
        'When I publish "go"',
        WAIT,
        'Then I expect "payments.charged" waiting up to 500ms',
        own={
            WAIT.partition(" ")[2]: lambda _: asked(
                rabbitmq_broker.url,
                lambda channel: channel.basic_publish(b"{}", exchange="amq.topic", routing_key=spoken),
            )
        },
    )
    assert f"one did on {spoken!r}" in played.message


@pytest.mark.parametrize("setting", ["queue: audit", "routing_key: audit"])
def test_a_queue_is_one_topic_and_no_pattern(tmp_path: Path, setting: str) -> None:
    with pytest.raises(ConfigError, match=r"choreo\.yaml:11: .*a pattern stands for many topics"):
        config_of(tmp_path, "amqp://127.0.0.1", f"\n        'q.*': {{{setting}}}")


# --- Celery -----------------------------------------------------------------------------------------------------------


def test_a_worker_of_celery_does_what_a_scenario_asks_for(
    bench_with: Callable[..., Bench], rabbitmq_broker: Broker
) -> None:
    bench = bench_with(CELERY, exchange="amq.topic")
    with running_service("celery_shop", rabbitmq_broker.url):
        bench.play(
            'When I publish "tasks" as an envelope:\n"""\n'
            'headers: {id: "{{ correlation_id }}", task: shop.charge}\npayload: [[1999], {}, {}]\n"""',
            'Then I expect "charged" where cents is 1999',
            'And I expect exactly 1 "tasks" message where @headers.task is shop.charge within 2s',
        ).passed()


def test_a_queue_that_nothing_traces_cannot_be_watched_and_that_is_said(
    bench_with: Callable[..., Bench], rabbitmq_broker: Broker
) -> None:
    queue = f"work-{secrets.token_hex(4)}"
    asked(rabbitmq_broker.url, lambda channel: channel.queue_declare(queue, exclusive=False, auto_delete=True))
    bench = bench_with(f"\n        work: {{queue: {queue}}}", exchange="amq.topic")
    try:
        rabbitmqctl(rabbitmq_broker, "trace_off")
        refused = bench.play('When I publish "work"', 'Then I expect "work"')
    finally:
        rabbitmqctl(rabbitmq_broker, "trace_on")
    assert f"what is published into the queue '{queue}' goes by the default exchange" in refused.message
    assert "rabbitmqctl trace_on" in refused.message
    assert "consume: true" in refused.message
    bench.play('When I publish "work"', 'Then I expect "work"').passed()


# --- nobody listens ---------------------------------------------------------------------------------------------------


@pytest.fixture
def unbound(tmp_path: Path, rabbitmq_broker: Broker) -> Iterator[Bench]:
    """Scenarios on an exchange that nobody has bound anything to."""
    path = tmp_path / "choreo.yaml"
    path.write_text(
        f"timeout: {PATIENCE_S}s\nvacuity: ignore\nprofiles: {{p: {{bus: {{type: rabbitmq, url: "
        f"'{rabbitmq_broker.url}', exchange: amq.topic, topics: {{unasked: {{mandatory: false}}}}}}}}}}\n"
    )
    session = Session(load_config(path, schema=config_schema()))
    yield Bench(session)
    session.close()


def test_a_publish_to_nobody_is_told_at_once_and_so_are_the_checks_behind(unbound: Bench) -> None:
    began = time.monotonic()
    played = unbound.play(
        f'When I publish "question.{secrets.token_hex(3)}"',
        'Then I expect "answer.a" within 100ms',
        'And I expect at least 2 "answer.b" messages',
    )
    assert time.monotonic() - began < PATIENCE_S / 2
    assert "nobody listens: no matching message arrived on 'answer.a'" in played.message
    assert [handle.diagnosis.cause for handle in played.handles if handle.diagnosis] == [Cause.NOBODY_LISTENS] * 2


def test_where_the_watch_for_misspelt_topics_hides_that_nobody_listens_this_is_said(unbound: Bench) -> None:
    family = secrets.token_hex(3)
    played = unbound.play(f'When I publish "{family}.placed"', f'Then I expect "{family}.settled" waiting up to 300ms')
    assert f"nothing arrived: no matching message arrived on '{family}.settled'" in played.message
    assert f"whether anybody listens on '{family}.placed' is not known" in played.message
    assert "`mandatory: true` of that topic has it asked" in played.message
    heard = unbound.play(
        f'When I publish "{family}.placed"',
        f'Then I expect "{family}.placed"',
        f'And I expect "{family}.settled" waiting up to 300ms',
    )
    assert "whether anybody listens" not in heard.message


def test_an_absence_after_a_publish_to_nobody_is_watched_to_its_end(unbound: Bench) -> None:
    began = time.monotonic()
    unbound.play('When I publish "question.asked"', 'Then I expect no "answer.given" for 300ms').passed()
    assert time.monotonic() - began > 0.3


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param(
            ['When I publish "ask.one"', 'And I publish "heard"', 'Then I expect "answer"'], id="another was heard"
        ),
        pytest.param(
            [
                'When I publish "heard"',
                'Then I expect no "ask.two" for 10ms',
                'When I publish "ask.one"',
                'Then I expect "answer"',
            ],
            id="an earlier phase is answered now",
        ),
        pytest.param(
            ['When I publish "ask.one"', "And somebody speaks", 'Then I expect "answer"'], id="a step of the user's own"
        ),
    ],
)
def test_what_may_still_come_is_waited_for_although_a_publish_reached_nobody(unbound: Bench, steps: list[str]) -> None:
    def speak(run: ScenarioRun) -> None:
        message = {"correlation_id": run.correlation_id}
        threading.Timer(0.4, lambda: unbound.say("answer", message)).start()

    stand_in = 'Given a service that answers "heard" with "answer" after 400ms'
    unbound.play(stand_in, *steps, own={"somebody speaks": speak}).passed()


def test_what_comes_by_itself_is_waited_for_where_nobody_has_to_listen(unbound: Bench) -> None:
    is_over = threading.Event()

    def speak() -> None:
        while not is_over.wait(0.5):  # again and again: on a slow machine nothing listens yet at the first
            unbound.say("tick", {})

    speaking = threading.Thread(target=speak)
    speaking.start()
    try:
        unbound.play('When I publish "unasked"', 'Then I expect "tick"').passed()
    finally:
        is_over.set()
        speaking.join()


@pytest.fixture
def two_exchanges(tmp_path: Path, rabbitmq_broker: Broker) -> Iterator[Bench]:
    topics = """
        "mix.own.*": {exchange: {name: mix.other, kind: topic}}
        mix.single: {exchange: {name: mix.third, kind: topic}}"""
    session = Session(config_of(tmp_path, rabbitmq_broker.url, topics, exchange="{name: mix.usual, kind: topic}"))
    yield Bench(session)
    session.close()


@pytest.mark.parametrize(
    ("topic", "pattern"),
    [
        *((topic, pattern) for topic in ("mix.usual", "mix.own.one", "mix.single") for pattern in ("mix.>", ">")),
        ("mix.own.one.two", "mix.own.>"),  # no topic of the setting for mix.own.*
    ],
)
def test_a_pattern_hears_topics_at_exchanges_of_their_own(two_exchanges: Bench, topic: str, pattern: str) -> None:
    publish = f'When I publish "{topic}"'
    two_exchanges.play(publish, f'Then I expect exactly 1 "{pattern}" messages within 300ms').passed()
    told = two_exchanges.play(publish, f'Then I expect no "{pattern}" for 200ms').message
    assert "unexpected: 1 matching" in told
    two_exchanges.play(publish, 'Then I expect no "mix.*.more" for 10ms').passed()


def test_a_pattern_that_cannot_listen_at_an_exchange_says_so(tmp_path: Path, rabbitmq_broker: Broker) -> None:
    topics = "\n        mix.gone: {exchange: {name: mix.nowhere, passive: true}}"
    with closing(
        Session(config_of(tmp_path, rabbitmq_broker.url, topics, exchange="{name: mix.usual, kind: topic}"))
    ) as session:
        told = Bench(session).play('When I publish "mix.usual"', 'Then I expect no "mix.*" for 100ms').message
    assert "could not prove the subscription to 'mix.*' live: there is no exchange 'mix.nowhere'" in told


# --- patterns and what goes another way -------------------------------------------------------------------------------

ELSEWHERE = """
        part.work: {exchange: "", correlation: {property: correlation_id}}
        part.renamed: {queue: part.the-queue}
        part.keyed: {routing_key: other.key}
        part.news: {exchange: {name: part.fanout, kind: fanout}, routing_key: ">"}
        part.within: {routing_key: part.inner}
        "part.jobs.*": {exchange: ""}"""


@pytest.fixture
def queues(rabbitmq_broker: Broker) -> Iterator[None]:
    names = ("part.work", "part.the-queue", "part.jobs.one", "part.dead")

    async def make(channel: Any) -> None:
        for name in names:
            await channel.queue_declare(name, durable=True)

    async def remove(channel: Any) -> None:
        for name in names:
            await channel.queue_delete(name)

    asked(rabbitmq_broker.url, make)
    yield
    asked(rabbitmq_broker.url, remove)


@pytest.mark.usefixtures("queues")
@pytest.mark.parametrize("pattern", ["part.>", ">"])
@pytest.mark.parametrize(
    "topic", ["part.plain", "part.work", "part.renamed", "part.keyed", "part.news", "part.within", "part.jobs.one"]
)
def test_a_pattern_hears_topics_that_go_another_way_once(
    bench_with: Callable[..., Bench], topic: str, pattern: str
) -> None:
    bench = bench_with(ELSEWHERE, exchange="{name: part.usual, kind: topic}")
    publish = f'When I publish "{topic}"'
    bench.play(publish, f'Then I expect exactly 1 "{pattern}" messages within 300ms').passed()
    told = bench.play(publish, f'Then I expect no "{pattern}" for 200ms').message
    assert "unexpected: 1 matching" in told
    bench.play(publish, 'Then I expect no "part.*.none" for 10ms').passed()


@pytest.mark.usefixtures("queues")
def test_a_pattern_of_queues_hears_them(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(ELSEWHERE, exchange="{name: part.usual, kind: topic}")
    publish = 'When I publish "part.jobs.one"'
    bench.play(publish, 'Then I expect "part.jobs.*" where @topic is "part.jobs.one"').passed()
    assert "unexpected" in bench.play(publish, 'Then I expect no "part.jobs.*" for 200ms').message


CONSUMED = "\n        part.dead: {queue: part.dead, consume: true}"


@pytest.mark.usefixtures("queues")
@pytest.mark.parametrize("check", ['no "part.>" for 100ms', 'exactly 0 "part.>" messages within 100ms'])
def test_an_absence_under_which_a_queue_is_consumed_cannot_be_told(
    bench_with: Callable[..., Bench], check: str
) -> None:
    bench = bench_with(CONSUMED, exchange="{name: part.usual, kind: topic}")
    played = bench.play('When I publish "other"', f"Then I expect {check}")
    assert "not all that is under 'part.>' is heard: 'part.dead' is taken out of the queue" in played.message
    bench.play('When I publish "other"', 'Then I expect no "part.*.more" for 100ms').passed()
    bench.play('When I publish "other"', 'Then I expect no "part.dead" for 100ms').passed()


@pytest.mark.usefixtures("queues")
def test_what_is_expected_of_such_a_pattern_is_judged_as_ever(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(CONSUMED, exchange="{name: part.usual, kind: topic}")
    bench.play('When I publish "part.plain"', 'Then I expect "part.>"', 'And I expect no "other" for 50ms').passed()
    played = bench.play('When I publish "part.plain"', 'Then I expect "part.>" where x is 1 waiting up to 300ms')
    assert "wrong shape: 1 near-miss on 'part.>'" in played.message
    assert "note: not all that is under 'part.>' is heard" in played.message


@pytest.mark.usefixtures("queues")
def test_an_absence_over_a_queue_that_nothing_traces_cannot_be_told(
    bench_with: Callable[..., Bench], rabbitmq_broker: Broker
) -> None:
    bench = bench_with("\n        part.work: {exchange: ''}", exchange="{name: part.usual, kind: topic}")
    steps = ('When I publish "part.plain"', 'Then I expect "part.>"', 'And I expect no "part.*" where x is 1 for 100ms')
    try:
        rabbitmqctl(rabbitmq_broker, "trace_off")
        played = bench.play(*steps)
    finally:
        rabbitmqctl(rabbitmq_broker, "trace_on")
    assert played.outcomes == ["pass", "fail"]
    assert "not all that is under 'part.*' is heard" in played.message
    assert "rabbitmqctl trace_on" in played.message
    bench.play(*steps).passed()
