"""Services of choreo.yaml through whole runs: started by it, told of in its verdicts and report, gone after it."""

from __future__ import annotations

import pytest

from choreo_bdd_reporter.read.report import read_report
from tests.support.project import Project
from tests.support.running_processes import alive

pytestmark = [pytest.mark.broker, pytest.mark.process]

CONFIG = """
    services:
      bus: {broker: nats}
      orders:
        command: python orders.py
        env: {NATS_URL: "${services.bus.url}"}
        ready: {log: listening}
    profiles:
      local:
        nats: {type: nats, servers: ["${services.bus.url}"], correlation: {field: correlation_id}}
    timeout: 700ms
"""

SERVICE = """
    import asyncio, json, os, pathlib
    import nats

    async def main():
        client = await nats.connect(os.environ["NATS_URL"])

        async def placed(message):
            order = json.loads(message.data)
            print("order", order["id"], "with", json.dumps({"password": "hunter22"}))
            if order["id"] == "poison":
                os._exit(9)
            if order["id"] != "ignored":
                await client.publish("orders.accepted", message.data)

        await client.subscribe("orders.placed", cb=placed)
        await client.flush()
        with pathlib.Path("pids").open("a") as file:
            file.write(f"{os.getpid()}\\n")
        print("listening")
        await asyncio.Event().wait()

    asyncio.run(main())
"""

GOOD = """
    Feature: orders
      Scenario: accepted
        When I publish "orders.placed"
          | field | value |
          | id    | o-1   |
        Then I expect "orders.accepted" where id is "o-1"
"""

BAD = """
    Feature: orders
      Scenario: accepted
        When I publish "orders.placed"
          | field | value |
          | id    | o-1   |
        Then I expect "orders.accepted" where id is "o-1"

      Scenario: ignored
        When I publish "orders.placed"
          | field | value   |
          | id    | ignored |
        Then I expect "orders.accepted" where id is "ignored"

      Scenario: poisoned
        When I publish "orders.placed"
          | field | value  |
          | id    | poison |
        Then I expect "orders.accepted" where id is "poison"

      Scenario: after the death
        When I publish "orders.placed"
          | field | value |
          | id    | o-2   |
        Then I expect no "orders.accepted" for 100ms
"""

FRAMEWORKS = pytest.mark.parametrize("framework", ["behave", "pytest"])


@pytest.fixture
def shop(project: Project) -> Project:
    return project.file("choreo.yaml", CONFIG).file("orders.py", SERVICE)


def pids(project: Project) -> set[int]:
    """The services that were started so far."""
    path = project.folder / "pids"
    return {int(each) for each in path.read_text().split()} if path.exists() else set()


@FRAMEWORKS
def test_choreo_yaml_alone_brings_up_the_system_and_failures_tell_of_it(shop: Project, framework: str) -> None:
    shop.feature(BAD).file(
        "pyproject.toml",
        '[tool.behave.formatters]\nchoreo = "choreo_bdd_reporter.behave_formatter:ChoreoFormatter"\n',
    )
    if framework == "behave":
        ran = shop.behave("-f", "choreo", "-o", "report", "-f", "plain")
    else:
        ran = shop.pytest("features", "--harness-report=report")
    assert ran.code == 1
    assert "orders | order ignored with" in ran
    assert "the service 'orders' is dead: it ended with code 9 while this scenario ran" in ran
    assert "this scenario has passed, but the service 'orders' is dead: it ended with code 9 before" in ran
    assert ran.text.count("nothing has restarted it; the last it wrote: order poison with") >= 2
    assert "hunter22" not in ran
    attached = read_report(shop.folder / "report").gherkin["attachments"]
    of_failed = sorted("".join(each["text"] for each in texts) for texts in attached.values())
    assert len(of_failed) == 2, "those that pass need no log"
    assert "orders | order ignored with" in of_failed[0]
    assert "orders | order poison with" in of_failed[1]
    assert "hunter22" not in "".join(of_failed)
    assert len(pids(shop)) == 1, "nothing was started again"
    assert not pids(shop) & alive()


def test_one_that_does_not_get_ready_is_tried_once_and_told_by_each_scenario(shop: Project) -> None:
    shop.file("orders.py", "open('pids', 'a').write('1\\n'); raise SystemExit('no such database')")
    ran = shop.feature(BAD).behave("-f", "plain")
    assert ran.code == 1
    assert ran.count("services.orders: ended with code 1 before it was ready") == 4
    assert "| no such database" in ran
    assert (shop.folder / "pids").read_text() == "1\n"


def test_each_worker_of_xdist_has_its_own(shop: Project) -> None:
    shop.feature(GOOD).feature(GOOD, "b")
    ran = shop.pytest("features", "-n", "2")
    assert ran.code == 0, ran.text
    assert len(pids(shop)) == 2
    assert not pids(shop) & alive()


def test_what_only_reads_starts_nothing(shop: Project) -> None:
    shop.feature(GOOD)
    for command in ("lint", "explain"):
        ran = shop._run("choreo_bdd", command, "features/a.feature")
        assert ran.code == 0, ran.text
    assert shop.behave("--dry-run").code == 0
    assert not pids(shop)


def test_the_doctor_starts_them_and_reaches_what_they_are(shop: Project) -> None:
    ran = shop._run("choreo_bdd", "doctor")
    assert ran.code == 0, ran.text
    assert "service orders: ready after" in ran
    assert "nats (nats): ok" in ran
    assert not pids(shop) & alive()


def test_a_profile_that_does_not_name_it_does_without(shop: Project) -> None:
    shop.file(
        "choreo.yaml",
        """
        default_profile: memory
        services:
          orders: {command: python orders.py, profiles: [local]}
        profiles:
          memory: {bus: {type: memory, correlation: none}}
          local: {bus: {type: memory, correlation: none}}
        """,
    )
    ran = shop.feature('Feature: f\n  Scenario: s\n    When I publish "a"\n    Then I expect "a"\n').pytest("features")
    assert ran.code == 0, ran.text
    assert not pids(shop)
