"""``choreo-bdd brokers``, as typed: each command is a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from choreo_bdd.brokers import Broker
from tests.support.running_processes import alive

pytestmark = pytest.mark.broker

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def brokers(tmp_path: Path) -> Iterator[Run]:
    """Runs ``choreo-bdd brokers …`` with a state folder of this test; whatever is left running is stopped."""
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path)}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        script = "from choreo_bdd.brokers.commands import commands; commands(prog_name='choreo-bdd brokers')"
        return subprocess.run(
            [sys.executable, "-c", script, *arguments], capture_output=True, text=True, env=environment, check=False
        )

    yield run
    run("down")


def test_brokers_stay_up_until_they_are_taken_down(brokers: Run) -> None:
    up = brokers("up", "nats", "redis")
    assert up.returncode == 0, up.stderr
    profile = yaml.safe_load(up.stdout)["profiles"]["local"]

    status = json.loads(brokers("status", "nats", "redis", "--json").stdout)
    assert [each["healthy"] for each in status] == [True, True]
    assert [status[0]["url"]] == profile["nats"]["servers"]
    assert status[1]["url"] == profile["redis"]["url"]
    pids = {each["pid"] for each in status}
    assert pids <= alive()

    assert json.loads(brokers("down", "--json").stdout) == ["nats", "redis"]
    assert not pids & alive()
    assert not Path(status[0]["log"]).parent.exists()


def test_up_keeps_what_is_healthy_and_replaces_what_died(brokers: Run) -> None:
    first = json.loads(brokers("up", "nats", "--json").stdout)[0]
    assert json.loads(brokers("up", "nats", "--json").stdout)[0]["pid"] == first["pid"]

    os.kill(first["pid"], 9)
    status = brokers("status", "nats")
    assert status.returncode == 1
    assert f"does not answer, see {first['log']}" in status.stdout

    assert json.loads(brokers("up", "nats", "--json").stdout)[0]["pid"] != first["pid"]
    assert brokers("status", "nats").returncode == 0


def test_down_leaves_alone_what_up_did_not_start(brokers: Run, nats_broker: Broker) -> None:
    assert "nothing to stop" in brokers("down").stdout
    assert nats_broker.is_running


def test_status_shows_what_would_be_started(brokers: Run) -> None:
    shown = brokers("status", "redis")
    assert shown.returncode == 0
    assert shown.stdout.startswith("redis    not running; would be ")


def test_a_process_that_took_over_the_number_of_a_dead_broker_is_not_ended(brokers: Run, tmp_path: Path) -> None:
    brokers("up", "nats")
    record_path = tmp_path / "choreo-bdd" / "brokers" / "nats.json"
    record = json.loads(record_path.read_text())
    os.kill(record["pid"], 9)
    # This test's own process stands for the one that got the number.
    record_path.write_text(json.dumps(record | {"pid": os.getpid(), "births": {os.getpid(): "earlier"}}))
    assert "nats: stopped" in brokers("down").stderr
    assert os.getpid() in alive()


def test_a_kind_that_does_not_exist_is_refused_with_the_ones_that_do(brokers: Run) -> None:
    refused = brokers("up", "pulsar")
    assert refused.returncode == 2
    assert "nats" in refused.stderr
