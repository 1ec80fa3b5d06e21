"""The order pipeline on each broker, recorded as it runs: green at once, and red when one of its services errs."""

from __future__ import annotations

from pathlib import Path

import pytest

from choreo_bdd.brokers import Broker
from tests.support.project import LOADER, Project
from tests.support.runs import ROOT

_PIPELINE = f"""\
import asyncio, os, sys, uuid
sys.path.insert(0, {str(ROOT)!r})
from bench.truth.services import BUSES
from orders import pipeline, settlement
from orders.bus import Inbox

async def main(names, orders, fee):
    settlement.FIXED_FEE = int(fee)
    async with BUSES[os.environ["KIND"]](os.environ["URL"], Inbox()) as bus:
        await pipeline.start(bus, names.split(","))
        print("ready", flush=True)
        for _ in range(int(orders)):
            await asyncio.sleep(0.15)
            items = [{{"sku": "tea", "quantity": 2, "price": 450}}, {{"sku": "pot", "quantity": 1, "price": 2900}}]
            order = {{"id": str(uuid.uuid4()), "customer": "c-7", "currency": "EUR", "items": items}}
            await bus.publish("orders.placed", {{"order": order, "correlation_id": uuid.uuid4().hex}})
        await asyncio.sleep(120)

asyncio.run(main(*sys.argv[1:]))
"""
_BUSES = {
    "nats": 'servers: ["${URL}"]',
    "kafka": 'servers: ["${URL}"]',
    "rabbitmq": 'url: "${URL}", exchange: laboratory',
    "redis": 'url: "${URL}"',
}
_ALL = "intake,fraud,settlement,notification"
_FEE = "25"


@pytest.mark.broker
@pytest.mark.process
@pytest.mark.parametrize("kind", sorted(_BUSES))
def test_the_recorded_order_pipeline_is_green_and_red_once_a_service_errs(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    broker: Broker = request.getfixturevalue(f"{kind}_broker")
    bus = f"{{type: {kind}, {_BUSES[kind]}, correlation: {{field: correlation_id}}}}"
    project = Project(tmp_path, {"KIND": kind, "URL": broker.url})
    project.file("choreo.yaml", f"timeout: 2s\nprofiles: {{live: {{bus: {bus}}}}}\n")
    project.file("pipeline.py", _PIPELINE).file("features/steps/choreo.py", LOADER)
    topics = ("orders.>", "fraud.>", "notifications.>")
    listened = [argument for topic in topics for argument in ("--topics", topic)]
    with project.running("pipeline.py", _ALL, "1000", _FEE):
        told = project._run("choreo_bdd", "record", *listened, "--for", "3s")
        assert told.code == 0, told.text
        text = (tmp_path / "features" / "recorded.feature").read_text("utf-8")
        green = project.behave("features")
        assert green.code == 0, text + green.text
    for topic in ("orders.accepted", "fraud.checked", "orders.settled", "notifications.sent"):
        assert f'I expect "{topic}"' in text, text
    with project.running("pipeline.py", _ALL, "0", "30"):
        wrong = project.behave("features")
        assert wrong.code == 1
        assert "settlement.fee: expected 82, got 87" in wrong
    with project.running("pipeline.py", "intake,fraud,notification", "0", _FEE):
        missing = project.behave("features")
        assert missing.code == 1
        assert "orders.settled" in missing
