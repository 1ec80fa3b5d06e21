"""One clear error for what is wrong, with its place and what to do; the rest of the run goes on."""

from __future__ import annotations

import socket
import time

import pytest

from choreo_bdd_project.config import ConfigError
from choreo_bdd_steps.plan.settings import configuration
from tests.support.project import Project
from tests.support.step_bench import Bench

GOOD = """
  Scenario: a good one
    When I publish "a"
    Then I expect "a"
"""
# what happened, where, and what to do
BROKEN_STEPS = {
    "broken yaml in a publish": (
        '    When I publish "a":\n      """\n      n: 1\n      id: [1\n      """\n',
        ("6", "cannot be read as YAML", "check indentation and quotes"),
    ),
    "broken yaml in a check": (
        '    When I publish "a"\n    Then I expect "a":\n      """\n      id: [1\n      """\n',
        ("6", "cannot be read as YAML", "check indentation and quotes"),
    ),
    "unknown matcher": (
        '    When I publish "a"\n    Then I expect "a":\n      """\n      n: 1\n      id: !nosuch 3\n      """\n',
        ("7", "no matcher tag !nosuch", "!one_of"),
    ),
    "matcher in a publish": (
        '    When I publish "a":\n      """\n      id: !gt 3\n      """\n',
        ("5", "matchers cannot be published", "write the value itself"),
    ),
    "incomplete condition": (
        '    When I publish "a"\n    Then I expect "a" where id\n',
        ("4", "the condition 'id' is not complete", "<path> is <value>"),
    ),
    "unknown transport": (
        '    When I publish "a" on kafka\n',
        ("3", "there is no transport 'kafka' in profile 'memory'", "it has bus"),
    ),
    "undefined variable": (
        '    When I publish "a":\n      | field | value |\n      | n | 1 |\n      | id | {{ nobody }} |\n',
        ("6", "'nobody' is undefined", "set the variable in an earlier step"),
    ),
    "undefined variable in a topic": (
        '    When I publish "a.{{ nobody }}"\n',
        ("3", "'nobody' is undefined", "set the variable in an earlier step"),
    ),
    "missing file": (
        '    When I publish "a" from file "nosuch.json"\n',
        ("3", "nosuch.json"),
    ),
}


@pytest.fixture(params=["behave", "pytest"])
def framework(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def test_a_broken_step_is_one_clear_error_and_the_rest_of_the_run_goes_on(project: Project, framework: str) -> None:
    for name, (steps, _) in BROKEN_STEPS.items():
        file = name.replace(" ", "-")
        project.feature(f"Feature: {name}\n  Scenario: a bad one: {name}\n{steps}{GOOD}", file)
    ran = project.run(framework)
    for name, (_, (place, *parts)) in BROKEN_STEPS.items():
        error = [line for line in ran.text.splitlines() if f"{name.replace(' ', '-')}.feature:{place}: " in line]
        # pytest repeats the beginning of each message in its summary, and nothing else does
        assert len(error) == (1 if framework == "behave" else 2), (name, ran.text)
        for part in parts:
            assert part in error[0], (name, error[0])
    assert "Traceback" not in ran
    assert ran.code == 1
    count = len(BROKEN_STEPS)
    assert (
        f"{count} scenarios passed, {count} failed" if framework == "behave" else f"{count} failed, {count} passed"
    ) in ran


CONFIG = """
default_profile: memory
profiles:
  memory:
    bus: {type: memory}
  remote:
    bus: {type: nats, servers: ["nats://broker.example.com:4222"], correlation: {field: id}}
  listed:
    bus: {type: nats, servers: ["nats://127.0.0.1:4333"], correlation: {field: id}}
  down:
    bus: {type: nats, servers: ["nats://app:hunter2@127.0.0.1:DOWN"], correlation: {field: id}}
  secret:
    bus: {type: nats, servers: ["nats://app:${NOT_SET}@127.0.0.1:4222"]}
"""


def run_with(project: Project, framework: str, profile: str | None, config: str = CONFIG) -> str:
    project.file("choreo.yaml", config).feature(
        'Feature: f\n  Scenario: one\n    When I publish "a"\n    Then I expect "a"\n'
        '  Scenario: two\n    When I publish "a"\n    Then I expect "a"\n'
    )
    option = {"behave": f"-Dchoreo.profile={profile}", "pytest": f"--choreo-profile={profile}"}[framework]
    ran = project.run(framework, *([option] if profile else []))
    assert ran.code == 1, ran.text
    assert "Traceback" not in ran, ran.text
    reached = "0 scenarios passed, 2 failed" if framework == "behave" else "2 failed"
    assert reached in ran, ran.text
    return ran.text


@pytest.mark.parametrize(
    ("define", "told"),
    [
        ("choreo.profil=down", "-D choreo.profil: there is no such setting; did you mean choreo.profile?"),
        ("choreo_profile=down", "did you mean choreo.profile?"),
        ("Choreo.Profile=down", "did you mean choreo.profile?"),
        ("choreo.timeout=5s", "there are choreo.profile, choreo.slow, choreo.chronicle"),
    ],
)
def test_a_define_that_nobody_reads_is_refused(project: Project, define: str, told: str) -> None:
    project.feature('Feature: f\n  Scenario: one\n    Given a service that drops "a"\n    When I publish "a"\n')
    ran = project.run("behave", f"-D{define}")
    assert ran.code == 1
    assert told in ran
    assert project.run("behave", "-Dprofile=down", "-Dchoreo_env=x").code == 0


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_an_address_that_is_not_on_this_machine_is_refused_unless_an_allowlist_has_it(
    project: Project, framework: str
) -> None:
    text = run_with(project, framework, "remote")
    assert "features/a.feature:3: " in text
    assert "choreo.yaml:6: profiles.remote.bus" in text
    assert "'nats://broker.example.com:4222' is not on this machine" in text
    assert "name that file as `allowlist:`" in text


def test_an_address_outside_the_allowlist_is_refused(project: Project, framework: str) -> None:
    project.file("allow.yaml", "nats_servers: ['nats://127.0.0.1:4222']\n")
    text = run_with(project, framework, "listed", CONFIG + "allowlist: allow.yaml\n")
    assert "features/a.feature:3: " in text
    assert "'nats://127.0.0.1:4333' is not allowed" in text
    assert "allow.yaml permits nats://127.0.0.1:4222" in text
    assert "Add it there" in text


def test_a_broker_that_is_not_there_is_told_at_once(project: Project, framework: str) -> None:
    port = closed_port()
    begun = time.monotonic()
    text = run_with(project, framework, "down", CONFIG.replace("DOWN", str(port)))
    took_s = time.monotonic() - begun
    assert "features/a.feature:3: " in text
    assert "could not connect to nats://" in text
    assert f"127.0.0.1:{port}" in text
    assert "hunter2" not in text
    assert "ConnectionRefusedError. Is a NATS server running there?" in text
    assert "credentials" not in text
    # two connection attempts of a client that waited for its time-out would take 10 s
    assert took_s < 10, took_s


def test_an_environment_variable_that_is_not_set_is_named_with_its_place(project: Project, framework: str) -> None:
    text = run_with(project, framework, "secret")
    assert "choreo.yaml:12: profiles.secret.bus.servers.0: the environment variable NOT_SET is not set" in text
    assert "${NOT_SET:-default}" in text


def test_an_unknown_profile_is_told_with_those_there_are(project: Project, framework: str) -> None:
    text = run_with(project, framework, "nosuch")
    assert "choreo.yaml: there is no profile 'nosuch'; the file has 'memory', 'remote'" in text


def test_a_profile_without_a_configuration_is_told(project: Project, framework: str) -> None:
    project.feature('Feature: f\n  Scenario: one\n    When I publish "a"\n')
    project.file(
        "pytest.ini", "[pytest]\nchoreo_features = features\n"
    )  # pytest reads features where that is asked for
    project.environment["CHOREO_PROFILE"] = "local"
    ran = project.run(framework)
    assert "profile 'local' was asked for, but there is no choreo.yaml" in ran
    assert ran.code == 1


@pytest.mark.parametrize(
    ("config", "place", "complaint"),
    [
        ("timeout: 2s\nprofile: {}\n", "choreo.yaml:2: profile: ", "did you mean profiles?"),
        (
            "profiles:\n  memory:\n    bus: {type: memory}\ntimeout: soon\n",
            "choreo.yaml:4: timeout: ",
            "expected a duration with its unit: 50ms",
        ),
        (
            "profiles:\n  memory:\n    bus: {type: carrier-pigeon}\n",
            "choreo.yaml:3: profiles.memory.bus",
            "expected one of 'memory', 'kafka'",
        ),
        ("profiles: [\n", "choreo.yaml:2: ", "cannot be read as YAML"),
        (
            "default_transport: kafka\n",
            "choreo.yaml:1: default_transport: ",
            "expected a transport of profile 'memory', which has 'bus'",
        ),
        ("allowlist: nosuch.yaml\n", "choreo.yaml:1: allowlist: ", "does not exist"),
    ],
)
def test_an_error_in_the_configuration_names_file_line_and_key(
    project: Project, config: str, place: str, complaint: str
) -> None:
    project.file("choreo.yaml", config)
    with pytest.raises(ConfigError) as raised:
        configuration(project.folder)
    assert place in str(raised.value)
    assert complaint in str(raised.value)


def test_a_broken_configuration_fails_each_scenario_with_its_place(project: Project, framework: str) -> None:
    text = run_with(project, framework, None, "timeout: soon\n")
    assert "choreo.yaml:1: timeout: expected a duration" in text


def test_a_broken_configuration_that_environment_py_needs_ends_behave_with_one_message(project: Project) -> None:
    project.file("choreo.yaml", "timeout: soon\n").feature("Feature: f\n  Scenario: one\n    When I wait 1ms\n")
    project.file(
        "features/environment.py",
        "from choreo_bdd_steps.adapters.behave import start_choreo\n\n"
        "def before_all(context):\n    start_choreo(context)\n",
    )
    ran = project.behave()
    assert "choreo.yaml:1: timeout: expected a duration" in ran
    assert ran.code == 1


def test_a_check_that_fails_tells_step_place_cause_and_closest_message(project: Project, framework: str) -> None:
    project.feature(
        """
        @timeout(100ms)
        Feature: f
          Scenario: one
            When I publish "a":
              | field | value |
              | n     | 1     |
              | m     | 1     |
            Then I expect "a":
              | field | value |
              | n     | 1     |
              | m     | 2     |
        """
    )
    ran = project.run(framework)
    for part in (
        '[FAIL] I expect "a":  (features/a.feature:8)',
        "wrong shape: 1 near-miss on 'a' within 100 ms",
        "closest near-miss (1 of 2 fields right):",
        "m: expected 2, got 1",
    ):
        assert part in ran, ran.text
    assert ran.code == 1


TYPOS = ["payment.taken.eu", "payments.takn.eu", "payments.taken.EU"]


def mistaken(topic: str) -> tuple[str, str]:
    return f'When I publish "ask":\n  answer_on: {topic}', 'Then I expect "payments.taken.eu" where answer_on exists'


@pytest.mark.parametrize("topic", TYPOS)
def test_an_answer_on_a_misspelt_topic_is_named_whichever_segment_it_is(bench: Bench, topic: str) -> None:
    bench.echo("ask", topic)
    assert "wrong topic?: no matching message arrived on 'payments.taken.eu'" in bench.play(*mistaken(topic)).message
    assert f"one did on '{topic}'" in bench.play(*mistaken(topic)).message


@pytest.mark.broker
@pytest.mark.parametrize("topic", TYPOS)
def test_on_a_broker_too(nats_bench: Bench, topic: str) -> None:
    played = nats_bench.play(*mistaken(topic), tags=["timeout(300ms)"])
    assert f"one did on '{topic}'" in played.message


def test_a_request_that_nobody_answers_is_told_by_what_was_asked(bench: Bench) -> None:
    played = bench.play('When I request "stock.asked"', "Then I expect a reply waiting up to 50ms")
    assert played.outcomes == ["timeout"]
    assert "no matching answer to 'stock.asked' arrived on the inbox of the request within" in played.message


def test_a_misspelt_variable_of_secrets_is_told_by_either_framework(project: Project, framework: str) -> None:
    project.file("choreo.yaml", CONFIG + "secrets:\n  env: [UPSTREAM_LICENSE]\n")
    project.feature('Feature: f\n  Scenario: one\n    When I publish "a"\n    Then I expect "a"\n')
    project.file("pytest.ini", "[pytest]\nchoreo_features = features\n")
    project.environment["UPSTREAM_LICENCE"] = "x-1234567"
    ran = project.run(framework)
    assert ran.code == 0
    assert ran.text.count("did you mean UPSTREAM_LICENCE?") == 1


@pytest.mark.parametrize(
    "rows",
    [
        "      | field | value |\n      | id | 77\n",
        "      | field | value\n      | id | 77\n",
        "      | field | value |\n      | id | 77 | # seven\n",
    ],
)
def test_a_row_that_has_no_end_is_refused_and_never_sent_without_its_last_letter(
    project: Project, framework: str, rows: str
) -> None:
    project.feature(
        f'Feature: f\n  Scenario: one\n    When I publish "a":\n{rows}    Then I expect "a" where id is 77\n'
    )
    ran = project.run(framework)
    if "#" in rows and framework == "pytest":  # Gherkin leaves the comment out
        assert ran.code == 0
        return
    assert ran.code != 0
    assert "features/a.feature:" in ran
    assert "end every cell" in ran
    assert "Traceback" not in ran


def test_a_doc_string_left_of_its_quotes_is_refused_and_never_read_without_its_indentation(
    project: Project, framework: str
) -> None:
    """``p`` would stand beside ``o``, and an absence of ``o: {p: 1}`` would look for another message."""
    sent = '    When I publish "a":\n      """\n      o: {p: 1}\n      """\n'
    asked = '    Then I expect no "a" for 30ms:\n      """\n    o:\n      p: 1\n      """\n'
    project.feature(f"Feature: f\n  Scenario: one\n{sent}{asked}")
    ran = project.run(framework)
    assert ran.code != 0
    assert "features/a.feature:9: " in ran
    assert "this line stands left of the quotes of its doc string" in ran
    assert "Traceback" not in ran


def test_json_left_of_its_quotes_says_what_it_says_in_any_place(project: Project) -> None:
    body = '      """\n    {\n      "o": {"p": 1}\n    }\n      """\n'
    project.feature(f'Feature: f\n  Scenario: one\n    When I publish "a":\n{body}    Then I expect "a":\n{body}')
    assert project.run("pytest").code == 0


def test_line_ends_of_other_kinds_move_no_line_of_a_doc_string(project: Project) -> None:
    body = '      """\n      s: "a\u2028b"\n      n: 1\n      """\n'
    project.feature(f'Feature: f\n  Scenario: one\n    When I publish "a":\n{body}    Then I expect "a" where n is 1\n')
    assert project.run("pytest").code == 0


def test_a_pipe_within_a_text_ends_no_row(project: Project, framework: str) -> None:
    rows = "      | field | value |\n      | id | \\| a |\n      | text | x | \n"
    body = '      """\n      text: |-\n        | id: 7\n      """\n'
    first = f'    When I publish "a":\n{rows}    Then I expect "a":\n{rows}'
    second = f'    When I publish "b":\n{body}    Then I expect "b":\n{body}'
    project.feature(f"Feature: f\n  Scenario: one\n{first}{second}")
    ran = project.run(framework)
    assert "end every cell" not in ran
    assert ran.code == 0, ran.text
