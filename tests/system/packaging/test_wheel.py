"""What is shipped: the wheel is built, installed where the checkout cannot be seen, and used from elsewhere."""

from __future__ import annotations

import email
import json
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from choreo_bdd.brokers import Broker
from tests.support.processes import FOREIGN

ROOT = Path(__file__).parents[3]
PACKAGES = {
    "choreo_bdd": ROOT / "choreo_bdd",
    "choreo_bdd_project": ROOT / "project" / "choreo_bdd_project",
    "choreo_bdd_steps": ROOT / "steps" / "choreo_bdd_steps",
    "choreo_bdd_reporter": ROOT / "reporter" / "choreo_bdd_reporter",
    "choreo_bdd_schemas": ROOT / "schemas" / "choreo_bdd_schemas",
    "choreo_bdd_chronicle": ROOT / "chronicle" / "choreo_bdd_chronicle",
}
DEMO = "choreo_bdd_steps/starting/order_pipeline/"
"""Not in any package's folder: copied into the wheel from features/ and examples/."""
MADE = {"choreo_bdd_reporter/page/made/app.js", "choreo_bdd_reporter/page/made/style.css"}
"""The page's script and style, which the build makes."""
FEATURE = """\
Feature: Away from home
  Scenario: A stand-in answers
    Given a service that answers "ping" with "pong"
    When I publish "ping"
    Then I expect "pong"
"""
SERVICE = """\
import asyncio, json, os, nats

async def main():
    bus = await nats.connect(os.environ["NATS_URL"])

    async def placed(message):
        order = json.loads(message.data)
        taken = {"correlation_id": order["correlation_id"], "order": order["order"]}
        taken |= {"amount": order["order"]["total"], "currency": "EUR"}
        await bus.publish("payments.taken", json.dumps(taken).encode())

    await bus.subscribe("orders.placed", cb=placed)
    await bus.flush()
    print("listening", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""
SERVICES = """
services:
  payments:
    command: python payments.py
    env: {NATS_URL: "${NATS_URL}"}
    ready: {log: listening}
    profiles: [local]
"""
STAND_IN = """\
    And a service that answers "orders.placed" with "payments.taken":
      | field    | value                     |
      | order.id | {{ trigger.order.id }}    |
      | amount   | {{ trigger.order.total }} |
      | currency | EUR                       |
"""

pytestmark = pytest.mark.build


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"]
    subprocess.run([*command, "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)], cwd=folder, check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution of this checkout."""
    folder = tmp_path_factory.mktemp("sdist")
    build = "import sys; from hatchling.build import build_sdist; build_sdist(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(folder)], cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.tar.gz")
    return built


@pytest.fixture(scope="session")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with the wheel installed, and this environment's other packages.

    A ``.pth`` file lends them; the ``.pth`` files among them, an editable install's for one, are not followed.
    """
    home = tmp_path_factory.mktemp("installed")
    venv.create(home, with_pip=False)
    program = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(program), "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--no-index", str(wheel)], check=True)
    found = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(subprocess.run([program, "-c", found], capture_output=True, text=True, check=True).stdout.strip())
    (packages / "zz_dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    return program


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A tiny project somewhere else."""
    (tmp_path / "features" / "steps").mkdir(parents=True)
    (tmp_path / "features" / "away.feature").write_text(FEATURE, "utf-8")
    loader = "from choreo_bdd_steps.adapters.behave import use_choreo\n\nuse_choreo()\n"
    (tmp_path / "features" / "steps" / "choreo.py").write_text(loader, "utf-8")
    return tmp_path


def run(python: Path, *arguments: str, cwd: Path, expected: int = 0, **own: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | own
    done = subprocess.run(
        [str(python), *arguments], cwd=cwd, env=environment, text=True, encoding="utf-8", check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == expected, done.stdout
    return done.stdout


def test_its_names_and_its_description_are_what_an_index_takes(wheel: Path, sdist: Path) -> None:
    for check in (("twine", "check", "--strict", str(wheel), str(sdist)), ("check_wheel_contents", str(wheel))):
        done = subprocess.run([sys.executable, "-m", *check], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_its_metadata_say_what_it_is_for_and_whose(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        (name,) = (each for each in packed.namelist() if each.endswith(".dist-info/METADATA"))
        told = email.message_from_bytes(packed.read(name))
    assert (told["Name"], told["License-Expression"], told["Requires-Python"]) == ("choreo-bdd", "Apache-2.0", ">=3.11")
    assert told["Author"]
    assert {"Typing :: Typed", "Framework :: Pytest"} <= set(told.get_all("Classifier", []))
    description = str(told.get_payload())
    assert description.startswith("# choreo-bdd")
    # an index has the description only, and no file beside it
    assert re.findall(r"\]\((?!https://|#)[^)]*\)", description) == []


@pytest.mark.timeout(300)  # it builds the distribution, and runs tests of it
def test_the_source_distribution_holds_what_its_tests_need(sdist: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as packed:
        packed.extractall(tmp_path, filter="data")
    (root,) = tmp_path.iterdir()
    rooms = [root, *(root / path.relative_to(ROOT).parent for path in PACKAGES.values())]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, rooms))}
    rooms_of_ours = (path.relative_to(ROOT) for path in PACKAGES.values())
    parts = (*map(Path, ("tests", "bench", "docs", "docker", "examples", "features")), *rooms_of_ours)
    for part in parts:
        here = {path.relative_to(ROOT) for path in (ROOT / part).rglob("*") if path.is_file()}
        needed = {path for path in here if "__pycache__" not in path.parts and "node_modules" not in path.parts}
        assert needed <= {path.relative_to(root) for path in (root / part).rglob("*")}
    chosen = ("tests/steps/language", "tests/engine/test_printable.py")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen],
        cwd=root, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]


def test_it_holds_the_rooms_and_nothing_else(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_it_holds_every_file_of_a_package(wheel: Path, package: str) -> None:
    folder = PACKAGES[package]
    here = {path.relative_to(folder.parent).as_posix() for path in folder.rglob("*") if path.is_file()}
    names = zipfile.ZipFile(wheel).namelist()
    shipped = {name for name in names if name.startswith(f"{package}/") and not name.startswith(DEMO)}
    assert shipped - MADE == {name for name in here if "__pycache__" not in name}
    assert f"{package}/py.typed" in shipped


def test_the_packages_come_from_the_wheel_and_not_from_this_checkout(python: Path, tmp_path: Path) -> None:
    code = "import importlib, sys; print([importlib.import_module(name).__file__ for name in sys.argv[1:]])"
    printed = run(python, "-c", code, *PACKAGES, cwd=tmp_path)
    assert str(ROOT) not in printed
    assert printed.count("site-packages") == len(PACKAGES)


def test_behave_runs_a_project_and_writes_its_report(python: Path, project: Path) -> None:
    formatter = "choreo_bdd_reporter.behave_formatter:ChoreoFormatter"
    printed = run(python, "-m", "behave", "-f", formatter, "-o", "report", "-f", "plain", cwd=project)
    assert "1 scenario passed, 0 failed" in printed
    results = json.loads((project / "report" / "results.json").read_text("utf-8"))
    assert [test["outcome"] for test in results["tests"]] == ["passed"]
    page = (project / "report" / "index.html").read_text("utf-8")
    assert "<style" in page
    assert "harness-results" in page


def test_the_page_was_made_with_the_wheel_and_is_not_joined_again(wheel: Path, python: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        made = sorted(archive.read(name).decode() for name in MADE)
    code = "import json; from choreo_bdd_reporter.page import assets; assets.joined = None; made = assets.assets()"
    printed = run(python, "-c", f"{code}; print(json.dumps([made.script, made.style]))", cwd=tmp_path)
    assert sorted(json.loads(printed)) == made
    assert sum(len(text.encode()) for text in made) < 150_000


def test_a_run_that_reports_joins_nothing(python: Path, project: Path) -> None:
    (project / "conftest.py").write_text(
        "from choreo_bdd_reporter.page import assets\n\nassets.joined = None\n", "utf-8"
    )
    run(python, "-m", "pytest", "features/away.feature", "--harness-report=report", cwd=project)
    assert "<script type=" in (project / "report" / "index.html").read_text("utf-8")


def test_pytest_finds_steps_and_report_without_an_import(python: Path, project: Path) -> None:
    printed = run(python, "-m", "pytest", "features/away.feature", "--harness-report=report", cwd=project)
    assert "1 passed" in printed
    assert (project / "report" / "index.html").is_file()


def test_the_command_finds_every_room(python: Path, project: Path) -> None:
    code = "from choreo_bdd.cli import main; main()"
    assert "away.feature:2  A stand-in answers" in run(
        python, "-c", code, "explain", "features/away.feature", cwd=project
    )
    assert "report" in run(python, "-c", code, "--help", cwd=project)


def test_the_demonstration_is_the_checkouts_own_suite_and_runs_in_an_empty_folder(
    wheel: Path, python: Path, tmp_path: Path
) -> None:
    shipped = {name.removeprefix(DEMO) for name in zipfile.ZipFile(wheel).namelist() if name.startswith(DEMO)}
    suite = [path for part in ("features", "examples/orders") for path in (ROOT / part).rglob("*") if path.is_file()]
    here = {path.relative_to(ROOT).as_posix() for path in suite if "__pycache__" not in path.parts}
    assert shipped == here | {"choreo.yaml"}
    printed = run(python, "-c", "from choreo_bdd.cli import main; main()", "demo", cwd=tmp_path)
    assert " 0 failed" in printed
    assert (tmp_path / "choreo-demo" / "test-report" / "index.html").is_file()


def test_pytest_started_as_a_module_in_the_checkout_runs_beside_the_wheel(python: Path) -> None:
    printed = run(python, "-m", "pytest", "-p", "no:cacheprovider", "features/orders/variables.feature", cwd=ROOT)
    assert "3 passed" in printed


@pytest.mark.timeout(300)  # nine commands in a row
def test_a_strangers_path_from_an_empty_folder_to_a_service_of_ones_own(
    python: Path, tmp_path: Path, nats_broker: Broker
) -> None:
    feature, choreo = tmp_path / "features" / "first.feature", str(python.with_name("choreo-bdd"))
    behave, pytest_ = (str(python), "-m", "behave"), (str(python), "-m", "pytest", *FOREIGN)

    def does(*command: str, expected: int = 0) -> str:
        return run(Path(command[0]), *command[1:], cwd=tmp_path, expected=expected, NATS_URL=nats_broker.url)

    assert "features/first.feature" in does(choreo, "init")
    written = feature.read_text("utf-8")
    assert "1 scenario passed, 0 failed" in does(*behave)

    feature.write_text(written.replace("| currency | EUR                       |", "| currency | USD |"), "utf-8")
    assert "(1 scenario: 1 failed)" in does(*behave, "-f", "choreo", "-o", "test-report", expected=1)
    (told,) = json.loads((tmp_path / "test-report" / "results.json").read_text("utf-8"))["tests"]
    assert told["outcome"] == "failed"
    assert 'currency: expected "EUR", got "USD"' in does(*pytest_, "features", expected=1)

    feature.write_text(written, "utf-8")
    (tmp_path / "config" / "allowlist.yaml").write_text(f"nats_servers: [{nats_broker.url!r}]\n", "utf-8")
    assert "bus (nats): ok" in does(choreo, "doctor", "--profile", "local")
    assert "1 scenario passed, 0 failed" in does(*behave, "-D", "choreo.profile=local")

    (tmp_path / "payments.py").write_text(SERVICE, "utf-8")
    with (tmp_path / "choreo.yaml").open("a", encoding="utf-8") as settings:
        settings.write(SERVICES)
    feature.write_text(written.replace(STAND_IN, ""), "utf-8")
    assert "nothing arrived" in does(*pytest_, "features", expected=1)  # in memory nobody plays the service now
    assert "1 passed" in does(*pytest_, "features", "--choreo-profile", "local")

    workflow = str(tmp_path / ".github" / "workflows" / "features.yml")
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", workflow],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
