"""Which of the real services of a chain is slow: a run over NATS, its report read in the browser."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from choreo_bdd.brokers import Broker
from tests.support.project import Project

CHAIN = ("checkout.started", "stock.reserved", "payment.captured", "shipment.booked", "mail.sent")
SLOW = "payment.captured"
_SERVICES = f"""\
import asyncio, os, nats

async def main():
    bus = await nats.connect(os.environ["NATS_URL"])

    def service(heard, told):
        async def answer(message):
            await asyncio.sleep(0.6 if told == "{SLOW}" else 0.01)
            await bus.publish(told, message.data)
        return bus.subscribe(heard, cb=answer)

    chain = {CHAIN!r}
    for heard, told in zip(chain, chain[1:]):
        await service(heard, told)
    await bus.flush()
    print("ready", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""
_CONFIGURATION = "profiles: {nats: {bus: {type: nats, servers: ['${NATS_URL}'], correlation: {field: id}}}}\n"


@pytest.mark.browser
@pytest.mark.broker
@pytest.mark.process
def test_the_page_points_at_the_slow_one_of_real_services(
    nats_broker: Broker, browser: Browser, tmp_path: Path
) -> None:
    project = Project(tmp_path, {"NATS_URL": nats_broker.url})
    project.file("choreo.yaml", _CONFIGURATION).file("services.py", _SERVICES)
    expected = "".join(f'    And I expect "{topic}" within 20 s\n' for topic in CHAIN[1:])
    project.feature(f'Feature: Shop\n  Scenario: An order\n    When I publish "{CHAIN[0]}"\n{expected}')
    with project.running("services.py"):
        ran = project.pytest("features", "--harness-report=report")
    assert ran.code == 0, ran.text
    page = browser.new_context().new_page()
    page.goto((tmp_path / "report" / "index.html").as_uri())
    for before, topic in pairwise(CHAIN):
        row = page.locator(f'.hr-waterfall-row[data-topic="{topic}"][data-after]')
        assert f"after {before}" in row.inner_text()
    page.get_by_role("button", name="Hops and budgets").click()
    page.get_by_role("button", name="Added max").click()
    hops = page.locator(".hr-data tbody th").all_inner_texts()
    assert hops[0].split()[0] == SLOW
    page.context.close()
