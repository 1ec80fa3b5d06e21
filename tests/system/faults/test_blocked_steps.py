"""What a user's own code keeps from going on, under both frameworks: the latencies of messages stay what they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from choreo_bdd.brokers import Broker
from tests.support.project import LOADER, Project

FRAMEWORKS = ["behave", "pytest-bdd"]
CODE = """
    import socket
    import threading
    import time

    from choreo_bdd_steps.language import matcher


    @matcher("lazy")
    def is_lazy(value):
        time.sleep(0.8)
        return True


    def send(topic):
        with socket.create_connection(("127.0.0.1", PORT)) as server:
            server.recv(4096)
            server.sendall(f'CONNECT {{"verbose": false}}\\r\\nPUB {topic} 8\\r\\n{{"n": 1}}\\r\\nPING\\r\\n'.encode())
            server.recv(4096)


    def send_both():
        send("slow")
        threading.Timer(0.1, send, ["quick"]).start()
"""
STEPS = """
    from helpers import send_both, time
    from FRAMEWORK import when
    from choreo_bdd_steps import act


    @when("the test sleeps")
    def _(CONTEXT):
        time.sleep(0.8)


    @when("somebody sends both")
    @act
    def _(CONTEXT):
        send_both()
"""


@pytest.fixture
def project(tmp_path: Path, nats_broker: Broker) -> Project:
    project = Project(tmp_path, {"PYTHONPATH": str(tmp_path)})
    settings = f"{{bus: {{type: nats, servers: ['{nats_broker.url}'], correlation: none}}}}"
    project.file("choreo.yaml", f"default_profile: real\ntimeout: 4s\nprofiles: {{real: {settings}}}\n")
    project.file("helpers.py", CODE.replace("PORT", str(nats_broker.port)))
    behave = STEPS.replace("FRAMEWORK", "behave").replace("CONTEXT", "context")
    project.file("features/steps/choreo.py", LOADER).file("features/steps/own.py", behave)
    return project.file("conftest.py", STEPS.replace("FRAMEWORK", "pytest_bdd").replace("CONTEXT", ""))


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_step_that_sleeps_delays_no_stamp(project: Project, framework: str) -> None:
    project.feature("""
        Feature: A step that sleeps
          Scenario: It sleeps before the check
            When I publish "sent"
            And the test sleeps
            Then I expect "sent" within 400ms
    """)
    ran = project.run(framework)
    assert ran.code == 0, ran.text


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_matcher_that_sleeps_delays_no_stamp(project: Project, framework: str) -> None:
    project.feature("""
        Feature: A matcher that sleeps
          Scenario: It sleeps while another message comes
            When somebody sends both
            Then I expect "slow":
              | field | value  |
              | n     | a lazy |
            And I expect "quick" within 400ms
    """)
    ran = project.run(framework)
    # what else the server sends meanwhile, such as a PING, hides when the message came: then nobody can tell
    assert ran.code == 0 or "latency unknown: the message on 'quick' took between" in ran, ran.text


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_latency_that_nobody_can_tell_is_called_unknown(project: Project, framework: str) -> None:
    project.file(
        "helpers.py",
        (project.folder / "helpers.py").read_text("utf-8")
        + (
            "\n\ndef send_both():\n"
            "    send('slow')\n"
            "    threading.Timer(0.1, send, ['quick']).start()\n"
            "    threading.Timer(0.6, send, ['quick']).start()\n"
        ),
    )
    project.feature("""
        Feature: A matcher that sleeps
          Scenario: It sleeps while two messages come, of which one would have been in time
            When somebody sends both
            Then I expect "slow":
              | field | value  |
              | n     | a lazy |
            And I expect "quick" within 400ms
    """)
    ran = project.run(framework)
    assert ran.code != 0
    assert "latency unknown: the message on 'quick' took between" in ran, ran.text
    assert "the event loop was blocked for" in ran
