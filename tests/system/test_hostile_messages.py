"""What a message says leaks nothing and steers nothing, under both frameworks and in every output."""

from __future__ import annotations

import base64
import json
import os
import re
from pathlib import Path
from textwrap import dedent
from urllib.parse import quote

import pytest

from tests.support.project import Finished, Project
from tests.support.written import PRINTED, outputs, sent_to_chronicle, written

CANARY = "c4n4ry-9f3b-Zq7"
DECLARED = "d3cl4red-9f3b-Zq7"
IN_ENV = "3nv-9f3b-Zq7"
OF_A_LOGIN = "l0gin-9f3b-Zq7"
OF_A_PATTERN = "PAT-739311"
SECRETS = (CANARY, DECLARED, IN_ENV, OF_A_LOGIN, OF_A_PATTERN)
HIDDEN, WRITTEN = "h1dd3n/9f3b+Zq7", "PAT-840422"
"""Known by an environment variable and by a pattern before anything runs, and written by the project itself."""
EVIL = (
    "\x1b]0;a\x07\x1b[2J\x9b31m\u202e\u2066\u200b\u2028\x85\r\n::error file=x,line=1::e\n  ::stop-commands::tok\n"
    "::add-mask::e ##[add-mask]e ##vso[task.x]e"
)
STEERS = re.compile(
    "[\x1b\x9b\u202e\u2066\u200b\u2028\x85\x07\r]"
    r"|^\s*::[\w-]+|::(?:error|add-mask|stop-commands)|##\[|##vso\[",
    re.MULTILINE,
)

SERVICE = """
    import json
    SAID = json.loads({said!r})

    def serve(bus):
        def answer(topic, payload):
            asked = json.loads(payload)
            for topic, said in SAID[asked["kind"]]:
                said = {{"correlation_id": asked["correlation_id"], **said}}
                bus.publish(topic, json.dumps(said).encode())
        bus.subscribe("t.q", answer)
"""
ENVIRONMENT = """
    from choreo_bdd_steps.adapters.behave import start_choreo
    from service import serve

    def before_all(context):
        session = start_choreo(context)
        bus = session.transport("bus")
        async def begin(): serve(bus)
        session.run(begin())
"""
CONFTEST = """
    import pytest
    from service import serve

    @pytest.fixture(scope="session", autouse=True)
    def shop(choreo_session):
        bus = choreo_session.transport("bus")
        async def begin(): serve(bus)
        choreo_session.run(begin())
"""
CONFIG = f"""
    timeout: 150ms
    env: [SHOWN_VALUE]
    secrets:
      names: [patient_no]
      patterns: ['PAT-\\d{{6}}']
      env: [HIDDEN_VALUE]
    profiles:
      memory:
        bus: {{type: memory, correlation: {{field: correlation_id}}}}
      real:
        bus: {{type: nats, servers: ['nats://127.0.0.1:1'], auth: {{user: ann, password: {OF_A_LOGIN}}}}}
    default_profile: memory
"""


def project(folder: Path, said: dict[str, list[tuple[str, dict[str, object]]]], checks: dict[str, str]) -> Project:
    """A service that answers with what a message of each kind asks for, and a check of each."""
    paths = str(folder) + ":" + os.environ.get("PYTHONPATH", "")
    made = Project(folder, {"PYTHONPATH": paths, "SHOWN_VALUE": IN_ENV, "HIDDEN_VALUE": HIDDEN})
    made.file("choreo.yaml", CONFIG).file("service.py", SERVICE.format(said=json.dumps(said)))
    made.file("features/environment.py", ENVIRONMENT).file("conftest.py", CONFTEST)
    made.file("behave.ini", "[behave.formatters]\nchoreo = choreo_bdd_reporter.behave_formatter:ChoreoFormatter\n")
    scenarios = [
        f'  Scenario: {kind}\n    When I publish "t.q":\n      | field | value |\n      | kind | {kind} |\n    {check}'
        for kind, check in checks.items()
    ]
    (folder / "features").mkdir(exist_ok=True)
    (folder / "features" / "a.feature").write_text(
        "Feature: what messages say\n" + "\n".join(scenarios) + "\n", "utf-8"
    )
    return made


def ran(made: Project, framework: str) -> Finished:
    """With a report in ``rep`` and JUnit in ``junit``."""
    if framework == "behave":
        return made.behave("-f", "choreo", "-o", "rep", "-f", "plain", "--junit", "--junit-directory", "junit")
    return made.pytest("features", "--harness-report=rep", "--junitxml=junit/a.xml", "-rA", bare=False)


LEAKS: dict[str, list[tuple[str, dict[str, object]]]] = {
    "nested": [("t.r", {"auth": {"value": CANARY}, "v": 2})],
    "list": [("t.r", {"passwords": [CANARY], "v": 2})],
    "later": [("t.other", {"token": CANARY}), ("t.r", {"note": f"got {CANARY}", "v": 2})],
    "key": [("t.r", {"token": CANARY, CANARY: 1, "v": 2})],
    "inside": [("t.r", {"body": json.dumps({"credentials": {"x": CANARY}}), "v": 2})],
    "base64": [("t.r", {"token": CANARY, "note": base64.b64encode(f"u:{CANARY}".encode()).decode(), "v": 2})],
    "topic": [("t.r", {"token": CANARY, "v": 2}), (f"t.r.{CANARY}", {"v": 1})],
    "named": [("t.r", {"patientNo": DECLARED, "note": f"for {DECLARED}", "v": 2})],
    "pattern": [("t.r", {"note": f"for {OF_A_PATTERN}", "v": 2})],
    "env": [("t.r", {"note": f"for {IN_ENV}", "v": 2})],
}
CHECKS = dict.fromkeys(LEAKS, 'Then I expect "t.r" where v is 1 and note is "x" and auth.value is "x"')
CHECKS["later"] = 'Then I expect "t.other" where token is "x"\n    And I expect "t.r" where note is "x"'


# what is known before anything runs stands in every place that a project has for words of its own
IN_THE_FEATURE = f"""
  @ticket-{WRITTEN}
  Scenario Outline: about <who> and {WRITTEN}
    A note on {HIDDEN}.
    Given note is "{HIDDEN}"
    When I publish "t.q" as an envelope:
      \"\"\"
      key: "key of {HIDDEN}"
      headers: {{x-note: "in a header {HIDDEN}"}}
      payload: {{kind: nested, note: "in a body <who>, {HIDDEN}"}}
      \"\"\"
    Then I expect "t.r" where v is 1 and note is "<who> {WRITTEN}"
    Examples: of {WRITTEN}
      | who      |
      | {HIDDEN} |
"""
HIDDEN_FORMS = (HIDDEN, base64.b64encode(HIDDEN.encode()).decode(), quote(HIDDEN, safe=""), json.dumps(HIDDEN)[1:-1])
TOLD = json.dumps({"note": f"{HIDDEN} {WRITTEN}", HIDDEN: [WRITTEN], "token": WRITTEN})
TELLING = f"""
    import base64, logging, sys
    from urllib.parse import quote
    TOLD, HIDDEN = {TOLD!r}, {HIDDEN!r}

    def tell(attach):
        print("seen on stdout", HIDDEN, {WRITTEN!r})
        sys.stderr.write("seen on stderr " + quote(HIDDEN, safe="") + "\\n")
        logging.getLogger("shop").warning("seen in log %s", base64.b64encode(HIDDEN.encode()).decode())
        attach(TOLD, "application/json")
        attach("seen attached " + HIDDEN, "text/plain")
        attach(("seen in bytes " + HIDDEN).encode(), "application/octet-stream")
"""
TELLING_HOOK = """
    from telling import tell
    def after_scenario(context, scenario): tell(lambda data, kind: context.attach(kind, data.encode() if isinstance(data, str) else data))
"""  # noqa: E501
TELLING_FIXTURE = """
    from telling import tell
    @pytest.fixture(autouse=True)
    def _tells(choreo_attach):
        yield
        tell(choreo_attach)
"""
FILES = {"results.json", "index.html", "messages.ndjson", "history.jsonl", "recordings.jsonl"}
"""Everything that a run leaves in its report."""


@pytest.mark.thorough
@pytest.mark.parametrize("framework", ["behave", "pytest"])
def test_a_secret_is_in_no_output(framework: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = project(tmp_path, LEAKS, CHECKS)
    feature = tmp_path / "features" / "a.feature"
    feature.write_text(feature.read_text("utf-8") + IN_THE_FEATURE, "utf-8")
    made.file("telling.py", TELLING)
    made.file("features/environment.py", dedent(ENVIRONMENT) + dedent(TELLING_HOOK))
    made.file("conftest.py", dedent(CONFTEST) + dedent(TELLING_FIXTURE))
    done = ran(made, framework)
    assert done.code == 1, done.text
    assert done.count("wrong shape") >= len(LEAKS), done.text  # the attacks have taken place
    found = {framework: done.text, **outputs(made), **sent_to_chronicle(made, monkeypatch.setenv)}
    assert {*FILES, *(f"{command} {form}" for command, form in PRINTED)} <= set(found)
    told = found["messages.ndjson"] + found["results.json"]
    for place in ("about ", "ticket-", "Examples: of ", "seen attached ", "seen in bytes ", "seen on stdout "):
        assert f"{place}<redacted>" in told, place
    for place in ("key of ", "in a header ", "in a body "):
        assert f"{place}<redacted>" in found["recordings.jsonl"] + told, place
    leaks = {(name, secret) for name, text in found.items() for secret in SECRETS if secret in text}
    own = {name: text for name, text in found.items() if name != framework and not name.startswith("junit/")}
    # what tests print and features say, the framework itself prints as well
    leaks |= {(name, secret) for name, text in own.items() for secret in (WRITTEN, *HIDDEN_FORMS) if secret in text}
    encoded = {name for name, text in found.items() if base64.b64encode(f"u:{CANARY}".encode()).decode()[4:20] in text}
    assert (leaks, encoded) == (set(), set())


ADDRESS = {"nats": "servers: ['{}']", "kafka": "servers: ['{}']", "rabbitmq": "url: '{}'", "redis": "url: '{}'"}
THROUGH_A_BROKER = """
    Feature: what comes back from a broker
      Scenario: a body out of a file
        When I publish "t.r" from file "bodies/secret.json"
        Then I expect "t.r" where v is 1 and note is "x"
"""


@pytest.mark.broker
@pytest.mark.parametrize("kind", ADDRESS)
def test_a_secret_that_came_back_from_a_broker_is_in_no_file(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    broker = request.getfixturevalue(f"{kind}_broker")
    made = Project(tmp_path)
    made.file(
        "choreo.yaml",
        f"""
        timeout: 2s
        default_profile: real
        profiles:
          real:
            bus: {{type: {kind}, {ADDRESS[kind].format(broker.url)}, correlation: {{field: correlation_id}}}}
        """,
    )
    made.file("features/a.feature", THROUGH_A_BROKER)
    made.file("features/steps/s.py", "from choreo_bdd_steps.adapters.behave import use_choreo\nuse_choreo()\n")
    made.file("behave.ini", "[behave.formatters]\nchoreo = choreo_bdd_reporter.behave_formatter:ChoreoFormatter\n")
    body = {"v": 2, "auth": {"value": CANARY}, "note": f"got {CANARY}", CANARY: [CANARY]}
    made.file("features/bodies/secret.json", json.dumps(body))
    done = ran(made, "behave")
    assert done.count("wrong shape") >= 1, done.text  # the message has gone through the broker and come back
    found = {"behave": done.text, **written(made)}
    assert "<redacted>" in found["results.json"]
    assert {name for name, text in found.items() if CANARY in text} == set()


@pytest.mark.thorough
def test_what_pytest_prints_by_itself_steers_nothing_either(tmp_path: Path) -> None:
    made = Project(tmp_path).file("choreo.yaml", "timeout: 1s\n")
    made.file(
        "test_a.py",
        f"""
        import warnings

        def test_a():
            said = {{"v": {EVIL!r}}}
            print(said["v"])
            warnings.warn(said["v"])
            assert said == {{"v": 1}}, said["v"]
        """,
    )
    for colour in ("no", "yes"):
        done = made.pytest("-rA", "--showlocals", f"--color={colour}", bare=False)
        text = re.sub(r"\x1b\[[0-9;]*m", "", done.text)
        assert "1 failed" in text
        assert not STEERS.search(text), STEERS.search(text)


HOSTILE: dict[str, list[tuple[str, dict[str, object]]]] = {
    "id": [("t.r", {"correlation_id": EVIL, "v": 1})],
    "name": [("t.r", {"v": {EVIL: 1}})],
    "value": [("t.r", {"v": EVIL})],
    "topic": [(f"t.r{EVIL}", {"v": 1})],
}


@pytest.mark.thorough
@pytest.mark.parametrize("framework", ["behave", "pytest"])
def test_no_message_steers_a_terminal_or_a_log(framework: str, tmp_path: Path) -> None:
    checks = dict.fromkeys(HOSTILE, 'Then I expect "t.r" where v is 1 and v.x is 2')
    checks["id"] = 'Then I expect "t.r" where v is 1'
    made = project(tmp_path, HOSTILE, checks)
    done = ran(made, framework)
    assert done.code == 1
    found = {framework: done.text, **outputs(made)}
    printed = [name for name in found if name == framework or name.startswith(("junit", "summary", "export", "diff"))]
    assert len(printed) == 2 + len(PRINTED)
    github = {name: found[name] for name in printed if "github" in name}
    for name in printed:
        text = found[name]
        if name in github:  # its own commands begin lines; what they quote must not
            text = re.sub(r"^::(error|notice) [^\n]*?::", "", text, flags=re.MULTILINE)
        assert not STEERS.search(text), (name, STEERS.search(text), text)


BEHAVE_SAYS = ("pretty", "progress", "progress3", "json", "plain", "rerun", "steps.usage")
PYTEST_SAYS = (("-v", "--tb=native"), ("-v", "--tb=short", "-n", "1"), ("-q", "--tb=line"), ("-vv", "--tb=long", "-l"))


@pytest.mark.process
@pytest.mark.parametrize("framework", ["behave", "pytest"])
def test_no_message_steers_anything_however_a_run_is_shown(framework: str, tmp_path: Path) -> None:
    checks = dict.fromkeys(HOSTILE, 'Then I expect "t.r" where v is 1 and v.x is 2')
    made = project(tmp_path, HOSTILE, checks)
    if framework == "behave":
        shown = [part for each in BEHAVE_SAYS for part in ("-f", each, "-o", f"said/{each}")]
        runs = [made.behave(*shown)]
        found = {path.name: path.read_bytes().decode() for path in (tmp_path / "said").iterdir()}
        assert set(found) == set(BEHAVE_SAYS)
    else:
        runs = [made.pytest("features", *each, bare=False) for each in PYTEST_SAYS]
        found = {" ".join(each): done.text for each, done in zip(PYTEST_SAYS, runs, strict=True)}
    assert [done.code for done in runs] == [1] * len(runs), runs[0].text
    assert {name: STEERS.search(text) for name, text in found.items()} == dict.fromkeys(found)
