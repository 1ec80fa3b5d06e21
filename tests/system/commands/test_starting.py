"""The first commands a newcomer types: init, demo, doctor."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from pathlib import Path

import aiormq
import pytest
import redis
import yaml

from choreo_bdd.brokers import Broker
from choreo_bdd_schemas import config_schema, validate_report
from choreo_bdd_steps.starting.scaffold import PROJECT
from tests.system.commands.conftest import Run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def configure(folder: Path, **transports: object) -> None:
    (folder / "choreo.yaml").write_text(yaml.safe_dump({"profiles": {"p": transports}}), "utf-8")


def nobody_listens() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# --- init -------------------------------------------------------------------------------------------------------------


def test_init_writes_a_project_and_says_what_and_how_to_run_it(run: Run, folder: Path) -> None:
    done = run("init", "shop")
    assert done.exit_code == 0
    assert all((folder / "shop" / path).is_file() and f"shop/{path}" in done.stdout for path in PROJECT)
    assert "cd shop && behave" in done.stdout


def test_its_features_have_no_findings(run: Run, folder: Path) -> None:
    run("init")
    assert run("lint", "features").stderr.strip() == "1 file(s): 0 error(s), 0 warning(s)"


def test_lint_explain_and_prove_take_the_folder_features_where_nothing_is_named(run: Run, folder: Path) -> None:
    refused = run("lint")
    assert (refused.exit_code, refused.stderr.strip()) == (
        2,
        "choreo-bdd lint: features: there is no such file or folder",
    )
    run("init")
    for command in ("lint", "explain", "prove"):
        alone, named = run(command), run(command, "features")
        assert (alone.exit_code, alone.output) == (0, named.output)


def test_lint_refuses_a_folder_without_features(run: Run, folder: Path) -> None:
    (folder / "feature").mkdir()
    refused = run("lint", "feature")
    assert refused.exit_code == 2
    assert refused.stderr.strip() == "choreo-bdd lint: feature: there is no feature file in this folder"


@pytest.mark.process
def test_its_pytest_finds_modules_beside_the_features_as_behave_does(run: Run, folder: Path) -> None:
    run("init")
    (folder / "shop.py").write_text("", "utf-8")
    (folder / "features" / "conftest.py").write_text("import shop\n", "utf-8")
    done = subprocess.run(
        [Path(sys.executable).with_name("pytest")], check=False, cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_its_settings_follow_the_schema_and_name_nothing_but_this_machine(run: Run, folder: Path) -> None:
    run("init")
    settings = yaml.safe_load((folder / "choreo.yaml").read_text("utf-8"))
    assert set(settings) <= set(config_schema()["properties"])
    allowed = yaml.safe_load((folder / "config" / "allowlist.yaml").read_text("utf-8"))
    hosts = [host for listed in allowed.values() for host in listed]
    assert [host for host in hosts if "127.0.0.1" not in host and "localhost" not in host] == []


def test_init_overwrites_nothing_and_names_what_is_there(run: Run, folder: Path) -> None:
    (folder / "README.md").write_text("mine", "utf-8")
    done = run("init")
    assert done.exit_code == 2
    assert "README.md already, and nothing was written" in done.stderr
    assert [path.name for path in folder.iterdir()] == ["README.md"]


def test_init_adds_to_an_existing_project_what_it_lacks(run: Run, folder: Path) -> None:
    (folder / "README.md").write_text("mine", "utf-8")
    assert run("init", "--keep-existing").exit_code == 0
    assert (folder / "README.md").read_text("utf-8") == "mine"
    assert (folder / "choreo.yaml").is_file()


@pytest.mark.parametrize(
    ("name", "text", "left_out"),
    [
        ("pyproject.toml", "[tool.pytest.ini_options]\naddopts = '-ra'\n", ["pytest.ini"]),
        ("pyproject.toml", "[tool.behave]\npaths = ['feats']\n\n[tool.pytest]\n", ["behave.ini", "pytest.ini"]),
        ("pyproject.toml", "[project]\nname = 'tool.pytest'\n", []),
        ("setup.cfg", "[tool:pytest]\n[behave]\n", ["behave.ini", "pytest.ini"]),
        ("tox.ini", "[tox]\n[pytest]\n", ["pytest.ini"]),
        (".behaverc", "[behave]\n", ["behave.ini"]),
        (".pytest.ini", "", ["pytest.ini"]),
    ],
)
def test_init_hides_nothing_that_another_file_says_to_a_framework(
    run: Run, folder: Path, name: str, text: str, left_out: list[str]
) -> None:
    (folder / name).write_text(text, "utf-8")
    done = run("init")
    assert done.exit_code == 0
    assert [path for path in ("behave.ini", "pytest.ini") if not (folder / path).exists()] == left_out
    assert [
        path for path in left_out if f"{path} is left out, since it would hide what {name} says" in done.stdout
    ] == (left_out)
    assert ("choreo_features = features" in done.stdout) == ("pytest.ini" in left_out)


def test_init_quotes_a_folder_that_a_shell_would_split(run: Run, folder: Path) -> None:
    assert "cd 'our shop' && behave" in run("init", "our shop").stdout


@pytest.mark.process
def test_tests_that_were_there_run_after_init_as_before(run: Run, folder: Path) -> None:
    (folder / "tests").mkdir()
    (folder / "tests" / "test_ours.py").write_text("def test_ours(): pass\n", "utf-8")
    run("init")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert "2 passed" in ran.stdout


def test_init_says_where_it_cannot_write(run: Run, folder: Path) -> None:
    (folder / "features").write_text("a file where a folder has to be", "utf-8")
    done = run("init")
    assert done.exit_code == 2
    assert "features cannot be written" in done.stderr


# --- demo -------------------------------------------------------------------------------------------------------------


@pytest.mark.process
def test_demo_runs_the_suite_and_says_where_the_report_is(run: Run, folder: Path) -> None:
    done = run("demo")
    page = folder / "choreo-demo" / "test-report" / "index.html"
    assert done.exit_code == 0
    assert page.as_uri() in done.stdout
    results = json.loads(page.with_name("results.json").read_text("utf-8"))
    assert validate_report(results) == []
    assert {test["outcome"] for test in results["tests"]} <= {"passed", "slow", "skipped"}


@pytest.mark.process
def test_demo_keeps_what_was_changed_and_can_show_failures(run: Run, folder: Path) -> None:
    feature = folder / "choreo-demo" / "features" / "orders" / "deliberate.feature"
    feature.parent.mkdir(parents=True)
    feature.write_text(
        '@deliberate\nFeature: Mine\n  Scenario: mine\n    Then I expect "nobody" within 10ms\n', "utf-8"
    )
    done = run("demo", "--failures")
    assert done.exit_code == 1
    results = json.loads((folder / "choreo-demo" / "test-report" / "results.json").read_text("utf-8"))
    ran = {test["name"]: test["outcome"] for test in results["tests"] if test["outcome"] != "skipped"}
    assert ran["mine"] == "failed"
    assert set(ran.values()) == {"failed"}
    assert "Settled in the wrong currency" not in ran  # of the file that was changed, nothing came back


# --- doctor -----------------------------------------------------------------------------------------------------------


def test_doctor_needs_no_configuration(run: Run, folder: Path) -> None:
    done = run("doctor")
    assert done.exit_code == 0
    assert "bus (memory): ok, connected in" in done.stdout


@pytest.mark.thorough
def test_doctor_tells_a_newcomer_whose_features_behave_would_call_undefined(run: Run, folder: Path) -> None:
    told = "behave would call every sentence in features undefined"
    assert run("init").exit_code == 0
    assert told not in run("doctor").stdout
    (folder / "features" / "steps" / "choreo.py").unlink()
    done = run("doctor")
    assert done.exit_code == 0, "pytest runs them"
    assert told in done.stdout
    shown = done.stdout.partition(told)[2].splitlines()[1:]
    (folder / "features" / "steps" / "choreo.py").write_text("\n".join(map(str.strip, shown)), "utf-8")
    behave = subprocess.run([sys.executable, "-m", "behave"], cwd=folder, capture_output=True, text=True, check=False)
    assert behave.returncode == 0, behave.stdout
    assert told not in run("doctor").stdout


def test_doctor_sends_a_message_there_and_back_on_each_broker(
    run: Run, folder: Path, nats_broker: Broker, redis_broker: Broker
) -> None:
    configure(folder, fast=nats_broker.profile(), cache=redis_broker.profile())
    document = json.loads(run("doctor", "--json").stdout)
    assert document["profile"] == "p"
    assert {each["transport"]: each["ok"] for each in document["transports"]} == {"fast": True, "cache": True}
    assert all(each["round_trip_ms"] > 0 for each in document["transports"])


def test_doctor_tells_a_broker_that_does_not_run_from_one_that_does(
    run: Run, folder: Path, nats_broker: Broker
) -> None:
    url = f"nats://127.0.0.1:{nobody_listens()}"
    configure(folder, here=nats_broker.profile(), gone={"type": "nats", "servers": [url]})
    done = run("doctor", "--timeout", "2")
    assert done.exit_code == 1
    assert "here (nats): ok" in done.stdout
    assert "gone (nats): FAILED at connect" in done.stdout
    assert url in done.stdout
    assert "what to do: start the broker (choreo-bdd brokers up starts one on this machine)" in done.stdout


@pytest.mark.thorough
def test_doctor_calls_no_service_well_that_ends_once_it_was_ready(run: Run, folder: Path) -> None:
    """One of which nothing says when it is ready is so at once, however ill."""
    services = {
        "shop": {"command": ["sh", "-c", "echo postgresql://shop:hunter2@db/; echo no database; exit 3"]},
        "well": {"command": ["sleep", "60"]},
    }
    settings = {"profiles": {"p": {"bus": {"type": "memory"}}}, "services": services}
    (folder / "choreo.yaml").write_text(yaml.safe_dump(settings), "utf-8")
    done = run("doctor")
    assert done.exit_code == 1
    assert "(sh), but it is DEAD: it ended with code 3; the last it wrote: no database" in done.stdout
    assert "(sleep)\n" in done.stdout
    document = json.loads(run("doctor", "--json").stdout)
    told = [(each["service"], each["ok"], each["problem"]) for each in document["services"]]
    assert told == [("shop", False, "ended with code 3; the last it wrote: no database"), ("well", True, None)]


def test_doctor_never_connects_where_tests_may_not(run: Run, folder: Path) -> None:
    configure(folder, prod={"type": "nats", "servers": ["nats://user:hunter2@nats.example:4222"]})
    done = run("doctor")
    assert done.exit_code == 1
    assert "prod (nats): FAILED at configuration and allowlist" in done.stdout
    assert "loopback" in done.stdout
    assert "hunter2" not in done.stdout


def test_doctor_takes_an_address_that_is_not_listed_for_no_broker_that_does_not_run(
    run: Run, folder: Path, nats_broker: Broker
) -> None:
    (folder / "allowlist.yaml").write_text("nats_servers: [nats://elsewhere:4222]\n", "utf-8")
    settings = {"allowlist": "allowlist.yaml", "profiles": {"p": {"bus": nats_broker.profile()}}}
    (folder / "choreo.yaml").write_text(yaml.safe_dump(settings), "utf-8")
    done = run("doctor")
    assert "bus (nats): FAILED at configuration and allowlist" in done.stdout
    assert "start the broker" not in done.stdout


def test_doctor_names_an_exchange_that_is_not_there_and_makes_none(
    run: Run, folder: Path, rabbitmq_broker: Broker
) -> None:
    configure(folder, bus={"type": "rabbitmq", "url": rabbitmq_broker.url, "exchange": "shop.evnts"})
    for _ in range(2):
        done = run("doctor")
        assert done.exit_code == 1
        assert "there is no exchange 'shop.evnts'" in done.stdout
        assert "{name: shop.evnts, kind: topic}" in done.stdout


def test_doctor_leaves_nothing_in_a_dead_letter_queue(run: Run, folder: Path, rabbitmq_broker: Broker) -> None:
    async def dead_letters() -> int:
        connection = await aiormq.connect(rabbitmq_broker.url)
        channel = await connection.channel()
        await channel.exchange_declare("payments.dlx", exchange_type="fanout", durable=True)
        await channel.queue_declare("payments.dead", durable=True)
        await channel.queue_bind("payments.dead", "payments.dlx")
        done = await asyncio.to_thread(run, "doctor")
        assert "dead (rabbitmq): ok" in done.stdout
        found = await channel.queue_declare("payments.dead", passive=True)
        await connection.close()
        return int(found.message_count or 0)

    configure(folder, dead={"type": "rabbitmq", "url": rabbitmq_broker.url, "exchange": "payments.dlx"})
    assert asyncio.run(dead_letters()) == 0


def test_doctor_leaves_no_stream(run: Run, folder: Path, redis_broker: Broker) -> None:
    configure(folder, cache={**redis_broker.profile(), "streams": True})
    client = redis.Redis.from_url(redis_broker.url)
    before = set(client.keys())
    done = run("doctor")
    assert "cache (redis): ok" in done.stdout
    assert set(client.keys()) == before
    client.close()


def test_doctor_notes_a_broker_without_correlation(run: Run, folder: Path, nats_broker: Broker) -> None:
    configure(folder, bus={"type": "nats", "servers": [nats_broker.url]})
    assert "note: no correlation is configured" in run("doctor").stdout


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"asyncapi": "2.6.0", ', "cannot be read as JSON"),
        ('{"openapi": "3.0.0", "paths": {}}', "asyncapi"),
        (None, "does not exist"),
    ],
)
def test_doctor_reads_the_asyncapi_document_that_a_run_would_refuse(
    run: Run, folder: Path, text: str | None, reason: str
) -> None:
    (folder / "choreo.yaml").write_text("asyncapi: shop.json\n", "utf-8")
    if text is not None:
        (folder / "shop.json").write_text(text, "utf-8")
    done = run("doctor")
    assert (done.exit_code, "shop.json" in done.stderr, reason in done.stderr) == (2, True, True), done.output


def test_doctor_says_which_profile_does_not_exist(run: Run, folder: Path) -> None:
    configure(folder, bus={"type": "memory"})
    done = run("doctor", "--profile", "prod")
    assert done.exit_code == 2
    assert "there is no profile 'prod'" in done.stderr
