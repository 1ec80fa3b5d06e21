"""Secrets in every place of a project and of its messages, over each broker: no output shows one."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
from importlib.metadata import entry_points
from pathlib import Path
from urllib.parse import quote

import pytest

from choreo_bdd.cli import GROUP, build_app
from tests.support.command_line import CliRunner
from tests.support.project import LOADER, Project
from tests.support.started import python_m
from tests.support.written import PRINTED, outputs, sent_to_chronicle, written

TOLD, SAID = 't0ld/9f3b+Zq7"<q&', "s41d-9f3b-Zq7"
"""Variables that are listed: the hooks tell of one, the features and their messages have the other."""
NAMED, GIVEN, LOGIN = "n4med-9f3b-Zq7", "g1ven-9f3b-Zq7", "l0gin-9f3b-Zq7"
"""Under a secret name in a message, in what a service is given, and in a login of another profile."""

FEATURE = """
  Feature: canaries
    Background:
      Given said is "{{ env('SAID_VALUE') }}"

    Scenario: envelope
      When I publish "t.r" as an envelope:
        '''
        headers: {x-note: "a header {{ said }}", authorization: "Bearer {{ said }}"}
        payload: {v: 2, password: "{{ said }}", "{{ said }}": ["{{ said }}"], note: "a body {{ said }}"}
        '''
      Then I expect "t.r" where v is 1 and note is "{{ said }}"

    Scenario: table
      When I publish "t.r" with key "{{ said }}":
        | field | value             |
        | v     | 2                 |
        | note  | a cell {{ said }} |
      Then I expect "t.r":
        | field | value       |
        | v     | 3           |
        | note  | {{ said }}x |

    Scenario: topic
      When I publish "t.{{ said }}":
        | field | value |
        | v     | 2     |
      Then I expect "t.{{ said }}" where v is 1

    Scenario: id
      Given correlation_id is "{{ said }}"
      When I publish "t.r":
        | field          | value      |
        | correlation_id | {{ said }} |
        | v              | 2          |
      Then I expect "t.r" where v is 1 and correlation_id is "{{ said }}y"

    Scenario: file
      When I publish "t.r" from file "bodies/secret.json"
      Then I expect "t.r" where v is 1 and auth.value is "x"

    Scenario: answer
      Given a service that answers "t.ask" with "t.answer":
        '''
        token: "{{ said }}"
        note: "for {{ trigger.auth.value }}"
        '''
      When I publish "t.ask" from file "bodies/secret.json"
      Then I expect "t.answer" where v is 1

    Scenario: silence
      When I publish "t.r" from file "bodies/secret.json"
      Then I expect no "t.r" where v is 2 for 100ms

    Scenario: missing
      When I publish "t.r" from file "bodies/{{ said }}.json"
      Then I expect "t.r"

    Scenario: bytes
      When I publish "t.r" as raw bytes:
        '''
        no JSON, {{ said }}
        '''
      Then I expect "t.r" where v is 1
"""
PASSING = """
  Feature: canaries that pass
    Scenario: passes
        Given said is "{{ env('SAID_VALUE') }}"
      When I publish "t.r" from file "bodies/secret.json"
      Then I expect "t.r" where v is 2
"""
BODY = {
    "v": 2,
    "auth": {"value": NAMED},
    "note": f"got {NAMED}",
    NAMED: [NAMED],
    "inside": json.dumps({"token": NAMED}),
    "encoded": base64.b64encode(f"u:{NAMED}".encode()).decode(),
}
SERVICE = """
    import os, time

    print("listening", flush=True)
    while True:
        print("the service has", os.environ["API_TOKEN"], os.environ["SAID_VALUE"], flush=True)
        time.sleep(0.02)
"""
TELLING = """
    import base64, logging, os, sys
    from urllib.parse import quote
    TOLD = os.environ["TOLD_VALUE"]

    def tell(attach, name):
        if "passes" in name:
            return
        print("seen on stdout", TOLD, repr(TOLD))
        sys.stderr.write("seen on stderr " + quote(TOLD, safe="") + "\\n")
        logging.getLogger("shop").warning("seen in log %s %r", base64.b64encode(TOLD.encode()).decode(), {"k": TOLD})
        attach("seen attached " + TOLD, "text/plain")
        raise OSError("seen raised " + TOLD)
"""
ENVIRONMENT = """
    from telling import tell

    def after_scenario(context, scenario):
        tell(lambda text, kind: context.attach(kind, text.encode()), scenario.name)
"""
CONFTEST = """
    import pytest
    from telling import tell

    @pytest.fixture(autouse=True)
    def _tells(choreo_attach, request):
        yield
        tell(choreo_attach, request.node.name)
"""
CONFIG = """
    timeout: 300ms
    env: [SAID_VALUE]
    secrets: {{env: [TOLD_VALUE]}}
    services:
      shop:
        command: python shop.py
        env: {{API_TOKEN: "${{GIVEN_VALUE}}"}}
        ready: {{log: listening}}
    default_profile: real
    profiles:
      real:
        bus: {{type: {kind}, {address}, correlation: {{field: correlation_id}}}}
      other:
        bus: {{type: nats, servers: ['nats://127.0.0.1:1'], auth: {{user: ann, password: {login}}}}}
"""
ADDRESS = {"nats": "servers: ['{}']", "kafka": "servers: ['{}']", "rabbitmq": "url: '{}'", "redis": "url: '{}'"}
ALONE = {
    "doctor": ("doctor",),
    "doctor, nobody there": ("doctor", "--profile", "other", "--json"),
    "replay": ("replay", "rep/recordings.jsonl"),
    "prove": ("prove", "features/b.feature", "--json", "proofs.json", "--with"),
}
"""Commands that carry something out, each in a process of its own."""
READING = {
    **{f"lint {form}": ("lint", "features", "--format", form) for form in ("text", "json", "github", "code-quality")},
    "explain": ("explain", "features/a.feature"),
    "push": ("chronicle", "push", "rep", "--url", "http://127.0.0.1:9"),
    "merge": ("report", "merge", "rep", "rep", "-o", "merged"),
}


def forms(secret: str) -> set[str]:
    """Ways to write a secret."""
    escaped = {json.dumps(secret)[1:-1], repr(secret)[1:-1], json.dumps(json.dumps(secret))[1:-1].strip('\\"')}
    marked = secret.replace("&", "&amp;").replace("<", "&lt;")
    encoded = [base64.b64encode(b"x" * before + secret.encode()).decode()[4:-4] for before in range(3)]
    return {secret, quote(secret), quote(secret, safe=""), marked, marked.replace('"', "&quot;"), *escaped, *encoded}


def run_of(kind: str, url: str, framework: str, folder: Path) -> Project:
    made = Project(
        folder,
        {
            "TOLD_VALUE": TOLD,
            "SAID_VALUE": SAID,
            "GIVEN_VALUE": GIVEN,
            "PYTHONPATH": f"{folder}:{os.environ.get('PYTHONPATH', '')}",
            "XDG_DATA_HOME": str(folder / "data"),
        },
    )
    made.file("choreo.yaml", CONFIG.format(kind=kind, address=ADDRESS[kind].format(url), login=LOGIN))
    feature = FEATURE.replace("'''", '"""')
    if kind != "kafka":
        feature = feature.replace(' with key "{{ said }}"', "")
    if kind == "redis":
        feature = re.sub("headers: .*", "", feature)
    made.file("features/a.feature", feature).file("features/b.feature", PASSING)
    made.file("features/bodies/secret.json", json.dumps(BODY))
    made.file("shop.py", SERVICE).file("telling.py", TELLING)
    made.file("features/environment.py", ENVIRONMENT).file("conftest.py", CONFTEST)
    made.file("features/steps/choreo.py", LOADER)
    return made.file(
        "behave.ini", "[behave.formatters]\nchoreo = choreo_bdd_reporter.behave_formatter:ChoreoFormatter\n"
    )


def told_by_commands(made: Project, framework: str) -> dict[str, str]:
    """What every command says that reads features, recordings or reports."""
    found = {}
    for name, arguments in ALONE.items():
        last = (framework,) if name == "prove" else ()
        done = subprocess.run(
            python_m("choreo_bdd", *arguments, *last), cwd=made.folder, capture_output=True, text=True,
            env={**os.environ, **made.environment, "COLUMNS": "400"}, check=False, timeout=100,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        found[name] = done.stdout + done.stderr
    app, runner = build_app(entry_points(group=GROUP)), CliRunner()
    for name, arguments in READING.items():
        told = runner.invoke(app, arguments)
        assert told.exception is None or isinstance(told.exception, SystemExit), told.exception
        found[name] = told.output
    found |= {path.name: path.read_text("utf-8") for path in (made.folder / "merged").iterdir()}
    return {**found, "proofs.json": (made.folder / "proofs.json").read_text("utf-8")}


@pytest.mark.broker
@pytest.mark.parametrize("framework", ["behave", "pytest"])
@pytest.mark.parametrize("kind", ADDRESS)
def test_no_output_shows_a_secret(
    kind: str, framework: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = run_of(kind, request.getfixturevalue(f"{kind}_broker").url, framework, tmp_path)
    if framework == "behave":
        done = made.behave("-f", "choreo", "-o", "rep", "-f", "plain", "--junit", "--junit-directory", "junit")
    else:
        done = made.pytest("features", "--harness-report=rep", "--junitxml=junit/a.xml", "-rA", bare=False)
    assert done.code == 1, done.text
    assert done.count("wrong shape") >= 5, done.text  # the messages have gone through the broker and come back
    monkeypatch.chdir(tmp_path)
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    own = {**written(made), **told_by_commands(made, framework)}
    own |= {**outputs(made), **sent_to_chronicle(made, monkeypatch.setenv)}
    assert {f"{command} {form}" for command, form in PRINTED} <= set(own)
    everything = {framework: done.text, **own}
    told = own["results.json"] + own["messages.ndjson"] + own["recordings.jsonl"]
    places = ["a body ", "a cell ", "no JSON, ", "the service has ", "got ", "t."]
    for place in places if kind == "redis" else ["a header ", *places]:
        assert f"{place}<redacted>" in told, place
    for place in ("on stdout", "attached", "raised"):
        assert f"seen {place} <redacted>" in told, place
    leaks = {
        (name, secret)
        for secret in (SAID, NAMED, GIVEN, LOGIN)
        for name, text in everything.items()
        if any(form in text for form in forms(secret))
    }
    # what hooks and fixtures print and raise, the framework itself prints as well
    ours = {name: text for name, text in own.items() if not name.startswith("junit/")}
    leaks |= {(name, TOLD) for name, text in ours.items() if any(form in text for form in forms(TOLD))}
    assert leaks == set()
    assert "scenario(s) judged anew" in own["replay"]
    assert json.loads(own["proofs.json"])[0]["tried"] > 0, own["prove"]
