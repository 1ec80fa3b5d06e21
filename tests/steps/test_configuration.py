"""What choreo.yaml and tags say holds, at every level where they may say it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from choreo_bdd.transports import TransportError
from choreo_bdd_project.config import load_config
from choreo_bdd_project.harnesses import build_harness
from choreo_bdd_schemas import config_schema
from tests.support.project import Project

SILENT = 'When I publish "a"\n    Then I expect "b"'
WAITED = "nothing arrived: no matching message arrived on 'b' within 200 ms"

TAGGED = {
    "feature": f"@timeout(200ms)\nFeature: f\n  Scenario: s\n    {SILENT}\n",
    "rule": f"@timeout(9s)\nFeature: f\n  @timeout(200ms)\n  Rule: r\n    Scenario: s\n    {SILENT}\n",
    "scenario": f"@timeout(9s)\nFeature: f\n  @timeout(200ms)\n  Scenario: s\n    {SILENT}\n",
    "outline": (
        f"Feature: f\n  @timeout(200ms)\n  Scenario Outline: s\n    {SILENT}\n    Examples:\n      | x |\n      | 1 |\n"
    ),
    "examples": (
        f"Feature: f\n  @timeout(9s)\n  Scenario Outline: s\n    {SILENT}\n    @timeout(200ms)\n    Examples:\n"
        f"      | x |\n      | 1 |\n"
    ),
}
CONFIGURED = {
    "choreo.yaml": ("choreo.yaml", "timeout: 200ms\n"),
    "choreo.yaml, in words": ("choreo.yaml", "timeout: 200 milliseconds\n"),
    "choreo.yaml, in seconds": ("choreo.yaml", "timeout: 0.2 s\n"),
    "pyproject.toml": ("pyproject.toml", '[tool.choreo]\ntimeout = "200ms"\n'),
}


@pytest.mark.parametrize("framework", ["behave", "pytest"])
@pytest.mark.parametrize("level", TAGGED)
def test_200_ms_are_200_ms_in_the_tag_of_a(project: Project, framework: str, level: str) -> None:
    project.file("pytest.ini", "[pytest]\naddopts = --strict-markers\n").file("features/a.feature", TAGGED[level])
    assert WAITED in project.run(framework)


@pytest.mark.parametrize("framework", ["behave", "pytest"])
@pytest.mark.parametrize("level", CONFIGURED)
def test_200_ms_are_200_ms_in(project: Project, framework: str, level: str) -> None:
    path, text = CONFIGURED[level]
    project.file(path, text).file("features/a.feature", f"Feature: f\n  Scenario: s\n    {SILENT}\n")
    assert WAITED in project.run(framework)


@pytest.mark.parametrize("framework", ["behave", "pytest"])
@pytest.mark.parametrize(("allowed", "told"), [("true", "expected"), ("false", "!python is switched off")])
def test_python_runs_in_a_body_only_if_it_is_allowed(project: Project, framework: str, allowed: str, told: str) -> None:
    project.file("choreo.yaml", f"python_matchers: {allowed}\ntimeout: 100ms\n")
    project.file("checks.py", "def is_even(value): return value % 2 == 0\n")
    project.environment["PYTHONPATH"] = str(project.folder)
    project.feature("""
        Feature: f
          Scenario: even
            When I publish "a":
              | field | value |
              | n     | 2     |
            Then I expect "a" where n is !python "checks:is_even"
          Scenario: odd
            When I publish "a":
              | field | value |
              | n     | 3     |
            Then I expect "a":
              \"\"\"
              n: !python "checks:is_even"
              \"\"\"
    """)
    ran = project.run(framework)
    assert told in ran, ran.text
    assert ("1 passed" in ran or "1 scenario passed, 1 failed" in ran) == (allowed == "true")


@pytest.fixture
async def silent_port() -> AsyncIterator[int]:
    """A server that accepts connections and says nothing."""
    held: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: held.append(writer), "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    for writer in held:
        writer.close()
    server.close()


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("nats", "servers: ['nats://127.0.0.1:{port}']"),
        ("kafka", "servers: ['127.0.0.1:{port}']"),
        ("rabbitmq", "url: 'amqp://guest:guest@127.0.0.1:{port}/'"),
        ("redis", "url: 'redis://127.0.0.1:{port}/0'"),
    ],
)
async def test_how_long_connecting_may_take_is_told_to_every_transport(
    silent_port: int, kind: str, address: str, tmp_path: Path
) -> None:
    path = tmp_path / "choreo.yaml"
    settings = f"type: {kind}, connect_timeout: 300ms, {address.format(port=silent_port)}"
    path.write_text(f"profiles:\n  p:\n    bus: {{{settings}}}\n", encoding="utf-8")
    config = load_config(path, schema=config_schema())
    with pytest.raises(TransportError, match=r"no answer within 0\.3 s"):
        await build_harness(config, config.transports["bus"]).connect()
