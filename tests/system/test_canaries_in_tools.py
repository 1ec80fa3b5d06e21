"""Secrets of a project, its environment and its documents: nothing that helps to write features tells one."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.project import Project
from tests.support.started import python_m

SAID, LOGIN, IN_URL, UNLISTED, SERVER = (
    f"{name}-9f3b-Zq7" for name in ("s41d", "l0gin", "1nurl", "unl1sted", "s3rver")
)
CONFIG = f"""\
env: [SAID_VALUE]
secrets: {{env: [TOLD_VALUE], names: [nickname]}}
default_profile: real
profiles:
  real:
    bus: {{type: memory, correlation: {{field: correlation_id}}}}
  other:
    bus: {{type: rabbitmq, url: 'amqp://ann:{IN_URL}@127.0.0.1:1'}}
    side: {{type: nats, servers: ['nats://127.0.0.1:1'], auth: {{user: ann, password: {LOGIN}}}}}
"""
BROKEN = CONFIG.replace("default_profile: real", f"default_profile: {LOGIN}: [").replace("type: nats", "typ: nats")
FEATURE = """\
Feature: F

  Scenario: S
    Given said is "{{ env('SAID_VALUE') }}"
    And other is "{{ env('UNLISTED_VALUE') }}"
    When I publish "t.{{ said }}":
      | field | value                      |
      | note  | {{ env('SAID_VALUE') }}    |
      | odd   | {{ env('UNLISTED_VALUE') } |
    And I publish "t.r" over "sid" from file "bodies/none.json"
    Then I expect "t.r" where note is "{{ said }}" within 5
    And I expect
"""
DOCUMENT = {
    "asyncapi": "2.6.0",
    "info": {"title": "Shop", "version": "1"},
    "servers": {
        "a": {
            "url": f"amqp://ann:{SERVER}@h:1",
            "protocol": "amqp",
            "variables": {"p": {"default": SERVER}},
            "description": f"password={SERVER}",
        }
    },
    "channels": {
        "orders.placed": {
            "publish": {
                "message": {
                    "payload": {
                        "type": "object",
                        "required": ["id", "password"],
                        "properties": {"id": {"type": "integer"}, "password": {"type": "string"}},
                    }
                }
            }
        }
    },
}
TOLD_OF = ("completion", "hover", "definition", "references", "prepareRename")
CONTEXT = {"references": {"context": {"includeDeclaration": True}}}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    names = {"SAID_VALUE": SAID, "TOLD_VALUE": SAID, "UNLISTED_VALUE": UNLISTED}
    made = Project(tmp_path, names).file("choreo.yaml", CONFIG).file("features/a.feature", FEATURE)
    return made.file("asyncapi.json", json.dumps(DOCUMENT))


def told(project: Project, *arguments: str, sent: bytes = b"") -> str:
    """All that a command says."""
    done = subprocess.run(
        python_m("choreo_bdd", *arguments), cwd=project.folder, input=sent, capture_output=True,
        env={**os.environ, **project.environment}, check=False, timeout=100,
    )  # fmt: skip
    return (done.stdout + done.stderr).decode()


def leaks(text: str) -> list[str]:
    return [each for each in (SAID, LOGIN, IN_URL, UNLISTED, SERVER) if each in text]


def frame(content: dict[str, Any]) -> bytes:
    text = json.dumps({"jsonrpc": "2.0", **content}).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(text), text)


def session(file: Path) -> Iterator[bytes]:
    """An editor that opens a file and asks everything at every third place of it."""
    uri = file.as_uri()
    yield frame({"id": 1, "method": "initialize", "params": {"capabilities": {}, "rootUri": file.parents[1].as_uri()}})
    yield frame({"method": "initialized", "params": {}})
    opened = {"uri": uri, "languageId": "gherkin", "version": 1, "text": FEATURE}
    yield frame({"method": "textDocument/didOpen", "params": {"textDocument": opened}})
    number = 1
    for line, text in enumerate(FEATURE.splitlines()):
        for character in range(0, len(text) + 1, 3):
            for asked in TOLD_OF:
                number += 1
                where = {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}}
                yield frame({"id": number, "method": f"textDocument/{asked}", "params": where | CONTEXT.get(asked, {})})
    yield frame({"id": number + 1, "method": "shutdown"})
    yield frame({"method": "exit"})


@pytest.mark.thorough
@pytest.mark.parametrize("configuration", [CONFIG, BROKEN], ids=["sound", "broken"])
def test_the_language_server_tells_no_secret(project: Project, configuration: str) -> None:
    project.file("choreo.yaml", configuration)
    file = project.folder / "features" / "a.feature"
    said = told(project, "lsp", sent=b"".join(session(file)))
    assert "publishDiagnostics" in said
    assert "JsonRpc" not in said
    assert ("bodies/none.json" if configuration == CONFIG else "choreo.yaml") in said
    assert leaks(said) == []


@pytest.mark.thorough
def test_drafting_tells_nothing_of_a_document_but_its_messages(project: Project) -> None:
    said = told(project, "draft", "asyncapi.json", "-o", "drafted")
    written = "".join(each.read_text("utf-8") for each in (project.folder / "drafted").rglob("*") if each.is_file())
    assert "orders.placed" in written
    assert leaks(said + written) == []
    project.file("asyncapi.json", json.dumps(DOCUMENT)[:-30])
    assert leaks(told(project, "draft", "asyncapi.json")) == []
    project.file("asyncapi.yaml", f"asyncapi: 2.6.0\nservers: {{a: {{password: {SERVER}: [}}}}\n")
    assert leaks(told(project, "draft", "asyncapi.yaml")) == []


@pytest.mark.thorough
@pytest.mark.parametrize("form", ["table", "markdown", "json", "glue"])
def test_the_step_book_tells_nothing_of_a_project(project: Project, form: str) -> None:
    said = told(project, "steps", "--format", form)
    assert "publish" in said
    assert leaks(said) == []
