"""docs/ promises nothing that does not work: each guide is carried out block by block, in a folder of its own."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from choreo_bdd.brokers import Broker
from choreo_bdd_schemas import config_schema
from choreo_bdd_schemas.reference import config_reference
from choreo_bdd_steps.starting.scaffold import template
from choreo_bdd_steps.vocabulary import PHRASES
from choreo_bdd_steps.vocabulary_docs.step_book import as_markdown
from tests.support.started import python_m
from tests.support.walkthrough import blocks, carry_out

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
ON_A_BROKER = {"real-brokers", "authentication", "several-buses"}
ON_THREE_BROKERS = {"frameworks"}
NOT_A_GUIDE = {"index", "settings", "steps"}
GUIDES = sorted({page.stem for page in DOCS.glob("*.md")} - NOT_A_GUIDE)


@pytest.mark.parametrize("guide", [guide for guide in GUIDES if guide not in ON_A_BROKER | ON_THREE_BROKERS])
@pytest.mark.process
@pytest.mark.timeout(180)  # a guide starts a framework several times
def test_the_guide_works_as_written(guide: str, tmp_path: Path) -> None:
    carry_out(blocks(DOCS / f"{guide}.md"), tmp_path, {})


@pytest.mark.process
@pytest.mark.parametrize("guide", sorted(ON_A_BROKER))
def test_the_guide_works_as_written_on_a_broker(
    guide: str, tmp_path: Path, nats_broker: Broker, redis_broker: Broker
) -> None:
    carry_out(blocks(DOCS / f"{guide}.md"), tmp_path, {"NATS_URL": nats_broker.url, "REDIS_URL": redis_broker.url})


@pytest.mark.process
@pytest.mark.parametrize("guide", sorted(ON_THREE_BROKERS))
def test_the_guide_works_as_written_on_three_brokers(
    guide: str, tmp_path: Path, nats_broker: Broker, redis_broker: Broker, rabbitmq_broker: Broker
) -> None:
    urls = {"NATS_URL": nats_broker.url, "REDIS_URL": redis_broker.url, "AMQP_URL": rabbitmq_broker.url}
    carry_out(blocks(DOCS / f"{guide}.md"), tmp_path, urls)


@pytest.mark.parametrize("guide", GUIDES)
def test_every_block_is_carried_out(guide: str) -> None:
    assert [block.text for block in blocks(DOCS / f"{guide}.md") if not block.is_carried_out] == []


@pytest.mark.parametrize("guide", GUIDES)
def test_the_index_leads_to_the_guide(guide: str) -> None:
    assert f"({guide}.md)" in (DOCS / "index.md").read_text("utf-8")


def test_the_step_book_is_up_to_date() -> None:
    expected = as_markdown(PHRASES) + "\n"
    assert (DOCS / "steps.md").read_text("utf-8") == expected, "choreo-bdd steps --format markdown > docs/steps.md"


def test_the_reference_of_settings_is_up_to_date_and_tells_every_key() -> None:
    written = (DOCS / "settings.md").read_text("utf-8")
    assert written == config_reference(), "python -m choreo_bdd_schemas.reference > docs/settings.md"
    keys = re.findall(r"^\| `([^`]+)` \|", written, re.MULTILINE)
    named = {part for key in keys for part in re.split(r"[.\[\]]+", key)}
    assert _keys(config_schema()) <= named


def _keys(schema: Any) -> set[str]:
    """Every key that a schema tells of, wherever it stands."""
    if isinstance(schema, list):
        return set().union(*map(_keys, schema))
    if not isinstance(schema, dict):
        return set()
    own = {name for name, told in schema.get("properties", {}).items() if isinstance(told, dict)}
    return own.union(*map(_keys, schema.values()))


def test_the_ci_recipes_are_those_that_init_writes() -> None:
    written = {block.options["file"]: block.text for block in blocks(DOCS / "ci.md") if "file" in block.options}
    assert written[".github/workflows/features.yml"] == template("github.yml")
    assert written[".gitlab-ci.yml"] == template("gitlab.yml")


def test_the_github_recipe_is_a_workflow_whose_steps_run_or_use_something() -> None:
    workflow = yaml.load(template("github.yml"), Loader=yaml.BaseLoader)  # else `on` is read as true
    assert set(workflow) == {"name", "on", "permissions", "jobs"}
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    assert all(("run" in step) != ("uses" in step) for step in steps)


def test_the_github_recipe_may_read_and_keeps_no_credentials_beside_what_it_uploads() -> None:
    workflow = yaml.safe_load(template("github.yml"))
    assert workflow["permissions"] == {}
    jobs = workflow["jobs"]
    assert [job["permissions"] for job in jobs.values()] == [{"contents": "read"}] * 2
    used = [step for job in jobs.values() for step in job["steps"] if "uses" in step]
    checkouts = [step["with"] for step in used if "checkout" in step["uses"]]
    assert checkouts == [{"persist-credentials": False}] * 2
    assert [step["uses"] for step in used if not re.fullmatch(r"actions/[\w/-]+@v\d+", step["uses"])] == []


@pytest.mark.parametrize("recipe", ["github.yml", "gitlab.yml"])
def test_a_recipe_starts_the_brokers_that_the_project_has_a_profile_for(recipe: str) -> None:
    profiles = yaml.safe_load(template("choreo.yaml"))["profiles"].values()
    wanted = {each["type"] for profile in profiles for each in profile.values()} - {"memory"}
    services = yaml.safe_load(template(recipe)).get("jobs", yaml.safe_load(template(recipe)))["features"]["services"]
    images = [each if isinstance(each, str) else each["image"] for each in _lines(services) if "nats" in str(each)]
    assert {image.partition(":")[0] for image in images} == wanted


@pytest.mark.thorough
def test_zizmor_finds_nothing_in_the_github_recipe(tmp_path: Path) -> None:
    workflow = tmp_path / ".github" / "workflows" / "features.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text(template("github.yml"), "utf-8")
    # actions of GitHub's own are named by their major version, which it keeps up to date; not by a commit
    (tmp_path / "zizmor.yml").write_text(
        'rules: {unpinned-uses: {config: {policies: {"actions/*": ref-pin}}}}', "utf-8"
    )
    command = [str(Path(sys.executable).with_name("zizmor")), "--offline", "--no-progress", "--config=zizmor.yml"]
    done = subprocess.run([*command, str(workflow)], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    workflow.write_text(template("github.yml").replace("actions/checkout@v4", "someone/checkout@v4"), "utf-8")
    assert subprocess.run([*command, str(workflow)], cwd=tmp_path, capture_output=True, check=False).returncode != 0


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("recipe", "options"),
    [
        ("github.yml", ["--builtin-schema", "vendor.github-workflows"]),
        ("gitlab.yml", ["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"]),
    ],
)
def test_a_recipe_is_what_its_hosts_schema_allows(recipe: str, options: list[str], tmp_path: Path) -> None:
    (tmp_path / recipe).write_text(template(recipe), "utf-8")
    command = [str(Path(sys.executable).with_name("check-jsonschema")), *options, recipe]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("recipe", ["github.yml", "gitlab.yml"])
def test_a_recipe_keeps_the_history_from_run_to_run(recipe: str) -> None:
    kept = [line for line in _lines(yaml.safe_load(template(recipe))) if line == "test-report/history.jsonl"]
    assert len(kept) == (2 if recipe == "github.yml" else 1)  # GitHub restores and saves in two steps


def test_the_gitlab_recipe_has_jobs_with_scripts_and_a_junit_report() -> None:
    recipe = yaml.safe_load(template("gitlab.yml"))
    jobs = {name: recipe[name] for name in recipe["stages"]}
    assert all(isinstance(line, str) for job in jobs.values() for line in job["script"])
    assert jobs["report"]["artifacts"]["reports"] == {"junit": "junit.xml", "codequality": "code-quality.json"}


def _recipes() -> dict[str, str]:
    """By the files that systems of continuous integration look for."""
    return {block.options["file"]: block.text for block in blocks(DOCS / "ci.md") if "file" in block.options}


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("file", "schema", "options"),
    [
        (".github/workflows/features.yml", "github-workflows", []),
        (".gitlab-ci.yml", "gitlab-ci", ["--data-transform=gitlab-ci"]),
        ("azure-pipelines.yml", "azure-pipelines", ["--data-transform=azure-pipelines", "--regex-variant=nonunicode"]),
    ],
    ids=["github", "gitlab", "azure"],
)
def test_a_recipe_follows_the_published_schema_of_its_system(
    file: str, schema: str, options: list[str], tmp_path: Path
) -> None:
    recipe = tmp_path / Path(file).name
    recipe.write_text(_recipes()[file], "utf-8")
    command = [str(Path(sys.executable).with_name("check-jsonschema")), f"--builtin-schema=vendor.{schema}", *options]
    done = subprocess.run([*command, str(recipe)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    recipe.write_text(f"{recipe.read_text('utf-8')}\nsteps: 12\n", "utf-8")
    assert subprocess.run([*command, str(recipe)], capture_output=True, check=False, timeout=60).returncode != 0


@pytest.mark.process
def test_azure_and_jenkins_run_the_same_commands_and_these_run_in_a_new_project(tmp_path: Path) -> None:
    recipes = _recipes()
    in_azure = _commands(yaml.safe_load(recipes["azure-pipelines.yml"]))
    in_jenkins = re.findall(r"^ *sh '\.venv/bin/((?:behave|choreo-bdd) [^']*)'$", recipes["Jenkinsfile"], re.MULTILINE)
    assert in_azure == in_jenkins
    assert len(in_azure) == 3
    for line in ("choreo-bdd init", *in_azure):
        _carry_out(line, tmp_path)
    assert (tmp_path / "test-report" / "index.html").is_file()


def test_the_jenkinsfile_is_a_declarative_pipeline_whose_blocks_are_closed() -> None:
    lines = [line.strip() for line in _recipes()["Jenkinsfile"].strip().splitlines()]
    blocks_opened = [line.removesuffix(" {") for line in lines if line.endswith("{")]
    assert blocks_opened == ["pipeline", "stages", "stage('features')", "steps", "post", "always"]
    assert lines.count("}") == len(blocks_opened)
    plain = [line for line in lines if not line.endswith(("{", "}"))]
    assert {line.split()[0] for line in plain} == {"agent", "sh", "junit", "archiveArtifacts"}


@pytest.mark.parametrize("recipe", ["github.yml", "gitlab.yml"])
@pytest.mark.process
@pytest.mark.timeout(180)  # six commands in a row
def test_the_commands_of_a_recipe_run_in_a_new_project(recipe: str, tmp_path: Path, nats_broker: Broker) -> None:
    _carry_out("choreo-bdd init", tmp_path)
    (tmp_path / "config" / "allowlist.yaml").write_text(f"nats_servers: [{nats_broker.url!r}]\n", "utf-8")
    (tmp_path / "test-report").mkdir()
    (tmp_path / "test-report" / "history.jsonl").touch()
    (tmp_path / "features" / "more").mkdir()
    first = (tmp_path / "features" / "first.feature").read_text("utf-8")
    (tmp_path / "features" / "more" / "second.feature").write_text(first, "utf-8")
    jobs = yaml.safe_load(template(recipe))
    features = jobs["features"] if recipe == "gitlab.yml" else jobs["jobs"]["features"]
    [part] = (
        features["parallel"]["matrix"][0]["PART"] if "parallel" in features else features["strategy"]["matrix"]["part"]
    )
    for line in _commands(jobs):
        told = line.replace("$PART", part).replace("$CI_JOB_ID", "1")
        if "merge" in told and (tmp_path / "part").is_dir():
            (tmp_path / "parts").mkdir()
            (tmp_path / "part").rename(tmp_path / "parts" / "part-0")
        told = told.replace("parts/*", "parts/1" if recipe == "gitlab.yml" else "parts/part-0")
        _carry_out(told, tmp_path, NATS_URL=nats_broker.url)
    results = json.loads((tmp_path / "test-report" / "results.json").read_text("utf-8"))
    assert len(results["tests"]) == 2, "a feature that is added runs"
    assert len((tmp_path / "test-report" / "history.jsonl").read_text("utf-8").splitlines()) == 1
    assert (tmp_path / "test-report" / "index.html").is_file()


def _carry_out(line: str, folder: Path, **environment: str) -> None:
    """What a recipe's line does, without the file that its output goes to."""
    program, *arguments = shlex.split(line.split(" > ", maxsplit=1)[0])
    done = subprocess.run(
        python_m(program.replace("-", "_"), *arguments),
        cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"


def _commands(recipe: dict[str, object]) -> list[str]:
    """Lines that call this project's commands."""
    return [line for line in _lines(recipe) if line.startswith(("behave", "choreo-bdd"))]


def _lines(node: object) -> list[str]:
    if isinstance(node, dict):
        return [line for value in node.values() for line in _lines(value)]
    if isinstance(node, list):
        return [line for value in node for line in _lines(value)]
    return [node] if isinstance(node, str) else []
