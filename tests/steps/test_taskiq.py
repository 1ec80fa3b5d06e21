"""Tasks of Taskiq over Redis and RabbitMQ, asked for and watched, with its real worker (docs/frameworks.md)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from choreo_bdd.brokers import Broker
from choreo_bdd_project.config import load_config
from choreo_bdd_schemas import config_schema
from choreo_bdd_steps.run.scenario_run import ScenarioRun
from choreo_bdd_steps.run.session import Session
from tests.support.services import running_service
from tests.support.services.taskiq_shop import brokers_of
from tests.support.step_bench import Bench

pytestmark = pytest.mark.broker
TOPICS = {"list": "shop:list", "stream": "shop:stream", "rabbit": "taskiq"}
TASK = (
    '{{task_id: "{{{{ uuid() }}}}", task_name: shop.charge, labels: {{}}, args: [1999], kwargs: {{order_id: {order}}}}}'
)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, redis_broker: Broker, rabbitmq_broker: Broker) -> Iterator[Bench]:
    path: Path = tmp_path_factory.mktemp("taskiq") / "choreo.yaml"
    path.write_text(
        f"""timeout: 3s
default_transport: redis
profiles:
  p:
    redis:
      type: redis
      url: {redis_broker.url}
      correlation: none
      topics:
        shop:list: {{list: true}}
        shop:stream: {{stream: true, payload_field: data}}
    rabbit:
      type: rabbitmq
      url: {rabbitmq_broker.url}
      correlation: none
      topics:
        taskiq: {{exchange: {{name: taskiq, passive: true}}}}
""",
        "utf-8",
    )
    with running_service("taskiq_shop", redis_broker.url, rabbitmq_broker.url):
        session = Session(load_config(path, schema=config_schema()))
        yield Bench(session)
        session.close()


def bus(over: str) -> str:
    return "rabbit" if over == "rabbit" else "redis"


@pytest.mark.parametrize("over", TOPICS)
def test_a_worker_of_taskiq_does_what_a_scenario_asks_for(bench: Bench, over: str) -> None:
    bench.play(
        f'When I publish "{TOPICS[over]}" on {bus(over)}:\n"""\n{TASK.format(order=f"o-{over}")}\n"""',
        f'Then I expect "charged" where over is {over} and order_id is o-{over} and cents is 1999',
    ).passed()


@pytest.mark.parametrize("over", TOPICS)
def test_a_task_that_somebody_kicks_is_watched_and_the_worker_has_it_all_the_same(
    bench: Bench, redis_broker: Broker, rabbitmq_broker: Broker, over: str
) -> None:
    async def kick() -> None:
        broker = brokers_of(redis_broker.url, rabbitmq_broker.url)[over]
        await broker.startup()
        await broker.register_task(lambda **_: None, task_name="shop.charge").kiq(cents=5, order_id=f"k-{over}")
        await broker.shutdown()

    def deed(_run: ScenarioRun) -> None:
        asyncio.run(kick())

    bench.play(
        "When the shop charges",
        f'Then I expect "{TOPICS[over]}" on {bus(over)} where task_name is shop.charge and kwargs.order_id is k-{over}',
        f'And I expect "charged" where order_id is k-{over} and cents is 5',
        acts={"the shop charges": deed},
    ).passed()
