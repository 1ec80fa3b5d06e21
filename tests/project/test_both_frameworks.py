"""One reading of feature files: what runs, and where it stands, is the same under behave and under pytest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from choreo_bdd_steps.lint import lint
from tests.support.project import LOADER, Finished, Project

FRAMEWORKS = ("behave", "pytest")
FORMATTER = """
[tool.behave.formatters]
choreo = "choreo_bdd_reporter.behave_formatter:ChoreoFormatter"

[tool.pytest.ini_options]
"""
ROUND_TRIP = """
Feature: f
  Scenario: s
    When I publish "a"
    Then I expect "a"
"""


@pytest.fixture
def reported(project: Project) -> Project:
    return project.file("pyproject.toml", FORMATTER).file("features/steps/choreo.py", LOADER)


def report(project: Project, framework: str, features: str = "features", folder: str = "report") -> Finished:
    if framework == "behave":
        return project.behave("-f", "choreo", "-o", folder, features)
    return project.pytest(features, f"--harness-report={folder}")


def messages(project: Project, folder: str = "report") -> list[dict[str, Any]]:
    lines = (project.folder / folder / "messages.ndjson").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_from_a_folder_below_the_root_a_step_keeps_its_expectation(reported: Project, framework: str) -> None:
    reported.feature(ROUND_TRIP).file("choreo.yaml", "{}")
    below = Project(reported.folder / "sub").file("pyproject.toml", FORMATTER if framework == "behave" else "")
    below.file("steps/.keep", "")  # behave loads the steps beside the features all the same
    ran = report(below, framework, "../features", str(reported.folder / "report"))
    assert ran.code == 0, ran.text
    found = messages(reported)
    attached = [each["attachment"].get("fileName") for each in found if "attachment" in each]
    assert attached.count("choreo-bdd-verdict.json") == 1
    assert [each["source"]["uri"] for each in found if "source" in each] == ["../features/a.feature"]


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_doc_string_is_read_by_its_media_type(project: Project, framework: str) -> None:
    project.file(
        "choreo.yaml",
        "profiles: {memory: {bus: {type: memory}, raw: {type: memory, codec: raw}}}\ndefault_transport: bus\n",
    )
    ran = project.feature('''
        Feature: f
          Scenario: text
            When I publish "a":
              """text
              42
              """
            Then I expect "a":
              """text
              42
              """
          Scenario: text is no number
            When I publish "a":
              """text
              42
              """
            Then I expect no "a" for 50ms:
              """json
              42
              """
          Scenario: bytes
            When I publish "a" on raw:
              """hex
              00ff
              """
            Then I expect "a" on raw:
              """base64
              AP8=
              """
          Scenario: xml
            When I publish "a":
              """xml
              <a>b: c</a>
              """
            Then I expect "a":
              """text
              <a>b: c</a>
              """
          Scenario: json
            When I publish "a":
              """application/json
              {"a": "no"}
              """
            Then I expect "a":
              """yaml
              a: "no"
              """
    ''').run(framework)
    assert "5 passed" in ran or "5 scenarios passed" in ran, ran.text
    assert ran.code == 0


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_media_type_nobody_knows_is_an_error_with_the_list(project: Project, framework: str) -> None:
    ran = project.feature('''
        Feature: f
          Scenario: s
            When I publish "a":
              """jsn
              {}
              """
            Then I expect "a"
    ''').run(framework)
    assert ran.code == 1
    assert "features/a.feature:3: the media type 'jsn' is unknown; use json, yaml, text, xml, hex or base64" in ran


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_escapes_in_cells_are_read_the_same(project: Project, framework: str) -> None:
    ran = project.feature(r'''
        Feature: f
          Scenario: s
            When I publish "a":
              | field | value       |
              | x     | one\ntwo    |
              | y     | a\|b        |
              | z     | back\\slash |
            Then I expect "a":
              """json
              {"x": "one\ntwo", "y": "a|b", "z": "back\\slash"}
              """
    ''').run(framework)
    assert ran.code == 0, ran.text


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_hook_that_changes_a_body_is_obeyed(project: Project, framework: str) -> None:
    if framework == "behave":
        hook = """
            def before_scenario(context, scenario):
                scenario.steps[0].text = type(scenario.steps[0].text)("b: 2")
        """
        project.file("features/environment.py", hook)
    else:
        hook = """
            import pytest

            @pytest.hookimpl(tryfirst=True)
            def pytest_bdd_before_scenario(scenario):
                scenario.steps[0].docstring = "b: 2"
        """
        project.file("conftest.py", hook)
    ran = project.feature('''
        Feature: f
          Scenario: s
            When I publish "a":
              """
              b: 1
              """
            Then I expect "a" where b is 2
    ''').run(framework)
    assert ran.code == 0, ran.text


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_placeholders_in_tags_are_filled(project: Project, framework: str) -> None:
    memory = "profiles: {memory: {nats: {type: memory}, kafka: {type: memory}}}\ndefault_transport: nats\n"
    project.file("choreo.yaml", memory).file(
        "features/environment.py", "from choreo_bdd_steps.adapters.behave import expand_buses as before_all\n"
    )
    ran = project.feature("""
        Feature: f
          @bus(<bus>) @timeout(<t>)
          Scenario Outline: on <bus>
            When I publish "a"
            Then I expect "a" on <bus>

            Examples:
              | bus   | t     |
              | nats  | 5s    |
              | kafka | 300ms |
    """).run(framework)
    assert ran.code == 0, ran.text
    assert "2 passed" in ran or "2 scenarios passed" in ran


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_placeholder_that_no_column_fills_is_told_where_the_tag_is_a_setting(
    project: Project, framework: str
) -> None:
    project.file("features/environment.py", "from choreo_bdd_steps.adapters.behave import expand_buses as before_all\n")
    outlines = "".join(
        f"""
          {above}
          Scenario Outline: {number} <n>
            When I publish "a"
            Then I expect "a" where n is absent

            {examples}
            Examples:
              | n |
              | 1 |
        """
        for number, (above, examples) in enumerate(
            [("@timeout(<t>)", ""), ("", "@slow(<t>)"), ("@bus(<t>)", ""), ("@of-<t>", "")]
        )
    )
    ran = project.feature(f"Feature: f\n{outlines}").run(framework)
    assert "1 passed" in ran or "1 scenario passed, 3 failed" in ran, ran.text
    for told in ("@timeout(<t>): '<t>' is not a duration", "@slow(<t>): the slow policy", "no transport '<t>'"):
        assert told in ran, ran.text
    found = lint([project.folder / "features/a.feature"])
    assert sorted(each.message.split(":")[0] for each in found if each.rule == "bad-tag") == [
        "@bus(<t>)",
        "@slow(<t>)",
        "@timeout(<t>)",
    ]


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_tag_that_is_nearly_one_of_ours_is_told_instead_of_disobeyed(project: Project, framework: str) -> None:
    tags = ("@bus()", "@timeout=5s", "@timeout(0s)", "@timeout(5s", "@slow-test")
    scenarios = "".join(
        f"""
          {tag}
          Scenario: {number}
            When I publish "a"
            Then I expect no "b" for 1ms
        """
        for number, tag in enumerate(tags)
    )
    ran = project.feature(f"Feature: f\n{scenarios}").run(framework)
    assert "4 failed, 1 passed" in ran or "1 scenario passed, 4 failed" in ran, ran.text
    assert all(f"the tag {tag}: " in ran for tag in tags[:-1]), ran.text


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_blank_in_a_column_is_one_in_a_tag_too(project: Project, framework: str) -> None:
    ran = project.feature("""
        Feature: f
          @timeout(<t>)
          Scenario Outline: s
            When I publish "a"
            Then I expect "a" where n is absent

            Examples:
              | t         |
              | 2 seconds |
    """).run(framework)
    assert ran.code == 0, ran.text


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_less_than_sign_before_a_placeholder_is_no_placeholder(reported: Project, framework: str) -> None:
    reported.feature('''
        Feature: f
          Scenario Outline: <n> < <most> of <topic>
            When I publish "<topic>":
              """
              {n: <n>, text: "1 < 2 <topic>"}
              """
            Then I expect "<topic>" where n < 5 and text contains <topic> within <budget>
            And I expect "<topic>":
              | field | value             |
              | text  | matches /1 < 2 <topic>/ |
              | n     | < <most>          |

            Examples:
              | topic | n | most | budget |
              | a     | 1 | 2    | 1s     |
              | b     | 3 | 4    | 2s     |
        ''').file("choreo.yaml", "{}")
    ran = report(reported, framework)
    assert ran.code == 0, ran.text
    results = json.loads((reported.folder / "report" / "results.json").read_text("utf-8"))
    assert [each["name"] for each in results["tests"]] == ["1 < 2 of a -- @1.1", "3 < 4 of b -- @1.2"]
    assert 'I expect "b" where n < 5 and text contains b within 2s' in json.dumps(messages(reported)).replace("\\", "")


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("examples", ["", "Examples:\n      | n |"], ids=["no examples", "no rows"])
def test_an_outline_without_rows_runs_nothing(project: Project, framework: str, examples: str) -> None:
    rows = """
  Scenario Outline: rows
    When I publish "b"
    Then I expect "b" where n is <n>

    """
    ran = project.feature(ROUND_TRIP + rows + examples).run(framework)
    assert ran.code == 0, ran.text
    assert "1 passed" in ran or "1 scenario passed" in ran


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_an_empty_feature_file_does_not_keep_the_others_from_running(project: Project, framework: str) -> None:
    ran = project.feature(ROUND_TRIP).feature("# nothing here yet", name="empty").run(framework)
    assert ran.code == 0, ran.text
    assert "1 passed" in ran or "1 scenario passed" in ran
    if framework == "pytest":
        assert "features/empty.feature:1: holds no feature" in ran


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_scenarios_without_a_name_run_whatever_multiplies_them(project: Project, framework: str) -> None:
    project.file("features/environment.py", "from choreo_bdd_steps.adapters.behave import expand_buses as before_all\n")
    project.file("conftest.py", "import pytest\n\n@pytest.fixture(params='ab', autouse=True)\ndef browser(): ...\n")
    steps = 'When I publish "a"\n    Then I expect "b" within 20ms\n    '
    project.feature(f"Feature: f\n  Scenario:\n    {steps}", name="single")
    ran = project.feature(f"""
Feature: f
  @bus(bus)
  Scenario Outline:
    {steps}
    Examples:
      | n |
      | 1 |
      | 2 |
    """).run(framework)
    assert "6 failed" in ran or "0 scenarios passed, 3 failed" in ran, ran.text
