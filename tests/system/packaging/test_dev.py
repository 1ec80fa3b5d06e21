"""The command surface, as far as it can be shown without a network."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import IO, Any

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def dev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """dev.py over a project of its own, which notes what it would have run."""
    spec = importlib.util.spec_from_file_location("dev", ROOT / "dev.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text("", "utf-8")
    folder = tmp_path / ".venv"
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "VENV", folder)
    monkeypatch.setattr(module, "STAMP", folder / "stamp")
    monkeypatch.setattr(module, "PYTHON", folder / "python")
    monkeypatch.setattr(module, "LAST_FAILED", tmp_path / "lastfailed")
    return module


@pytest.fixture
def ran(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was run, by one telling word each."""
    commands: list[str] = []

    def make_venv(*_: Any) -> int:
        commands.append("venv")
        dev.VENV.mkdir(exist_ok=True)
        dev.PYTHON.write_text("", "utf-8")
        (dev.VENV / "pyvenv.cfg").write_text(f"version = {dev.VERSION}.1\n", "utf-8")
        return 0

    def run(_: str, module: str, *__: str, output: IO[bytes] | None = None) -> int:
        commands.append(module)
        return {"mypy": 1, "pytest": 0}.get(module, 0)

    monkeypatch.setattr(dev, "_make_venv", make_venv)
    monkeypatch.setattr(dev, "run", run)
    monkeypatch.setattr(dev, "check_page", lambda: 0)
    return commands


@contextmanager
def checks(started: list[str], *command: str, code: int = 0) -> Iterator[SimpleNamespace]:
    """What runs beside the tests, as it ended."""
    started.append(command[-1])
    yield SimpleNamespace(communicate=lambda: (f"dev.py: mypy: {code}\n", None), returncode=code)


def test_it_installs_once_and_again_when_a_version_changes(dev: ModuleType, ran: list[str]) -> None:
    assert [dev.set_up(), dev.set_up()] == [0, 0]
    assert ran == ["venv", "pip"]
    (dev.ROOT / "constraints.txt").write_text("attrs==26.1.0\n", "utf-8")
    dev.set_up()
    assert ran == ["venv", "pip", "pip"]


def test_an_environment_of_another_python_is_made_anew(dev: ModuleType, ran: list[str]) -> None:
    dev.set_up()
    (dev.VENV / "pyvenv.cfg").write_text("version = 3.1.4\n", "utf-8")
    dev.set_up()
    assert ran == ["venv", "pip", "venv", "pip"]


def test_a_check_that_fails_stops_no_other(dev: ModuleType, ran: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert dev.main(["check"]) == 1
    assert ran[-3:] == ["ruff", "ruff", "mypy"]
    assert "mypy: FAILED" in capsys.readouterr().out


def test_checks_run_beside_the_tests_that_measure_no_time_and_decide_the_exit_code(
    dev: ModuleType, ran: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dev, "_beside", partial(checks, ran, code=1))
    assert dev.main(["test"]) == 1
    assert ran[-3:] == ["pytest", "check", "pytest"]
    assert dev.main(["fast"]) == 1
    assert ran[-1 - len(dev.FAST) :] == ["check", *["pytest"] * len(dev.FAST)]
    printed = capsys.readouterr()
    assert printed.out.count("mypy: 1") == 2
    assert printed.err.count("the tests pass, a check above does not") == 2


def test_what_runs_beside_is_heard_to_its_end_and_does_not_outlive_what_it_ran_beside(dev: ModuleType) -> None:
    with dev._beside(sys.executable, "-c", "print('ruff'); print('x' * 10**6); exit(3)") as process:
        assert process.communicate()[0].startswith("ruff\nxx")
    assert process.returncode == 3
    with pytest.raises(KeyboardInterrupt), dev._beside(sys.executable, "-c", "import time; time.sleep(50)") as process:
        raise KeyboardInterrupt
    assert process.returncode == -signal.SIGTERM


@pytest.mark.parametrize(
    ("codes", "code"), [((0, 5), 0), ((5, 0), 0), ((5, 5), 5), ((5, 1), 1), ((1, 0), 1), ((0, 130), 130)]
)
def test_quick_tests_run_in_shares_of_which_each_is_heard_and_counts(
    dev: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    codes: tuple[int, int],
    code: int,
) -> None:
    began = threading.Barrier(2, timeout=10)

    def run(*command: str, output: IO[bytes] | None = None) -> int:
        began.wait()
        share = dev.FAST.index(command[2:-1])
        os.write(1 if output is None else output.fileno(), f"share {share} {command[-1]}\n".encode())
        return codes[share]

    monkeypatch.setattr(dev, "CORES", 2)
    monkeypatch.setattr(dev, "FAST", (("--share=1/2",), ("--share=2/2",)))
    monkeypatch.setattr(dev, "run", run)
    monkeypatch.setattr(dev, "_beside", partial(checks, []))
    assert dev.fast(["-x"]) == code
    assert capfd.readouterr().out.splitlines() == ["share 0 -x", "share 1 -x", "dev.py: mypy: 0"]


@pytest.mark.parametrize(("is_ci", "code"), [(True, 1), (False, 0)], ids=["in CI", "on a desk"])
def test_without_node_only_ci_insists_on_the_checks_of_the_page(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], is_ci: bool, code: int
) -> None:
    monkeypatch.setenv("CI", "true" if is_ci else "")
    monkeypatch.setattr(dev.shutil, "which", lambda _: None)
    assert dev.check_page() == code
    printed = capsys.readouterr()
    assert "node and npm are not installed" in (printed.err if is_ci else printed.out)


def test_the_tools_of_the_page_are_installed_once_and_again_when_a_version_changes(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []

    def call(program: str, what: str, *_: str) -> int:
        called.append(what if program == "npm" else Path(what).stem)
        (dev.ROOT / dev.PAGE_TOOLS / "node_modules").mkdir(exist_ok=True)
        return 1 if what.endswith("tsc") else 0

    monkeypatch.setattr(dev.shutil, "which", lambda name: name)
    monkeypatch.setattr(dev, "_call", call)
    lock = dev.ROOT / dev.PAGE_TOOLS / "package-lock.json"
    lock.parent.mkdir(parents=True)
    for text in ("{}", "{}", '{"lockfileVersion": 3}'):
        lock.write_text(text, "utf-8")
        assert dev.check_page() == 1
    assert called == ["ci", "eslint", "tsc", "eslint", "tsc", "ci", "eslint", "tsc"]


@pytest.mark.parametrize(("again", "code"), [(0, 0), (1, 1)])
def test_what_failed_beside_others_gets_one_try_by_itself(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, again: int, code: int
) -> None:
    tried: list[tuple[str, ...]] = []

    def run(*command: str) -> int:
        tried.append(command)
        return again if "--last-failed" in command else 1

    monkeypatch.setattr(dev, "run", run)
    monkeypatch.setattr(dev, "_beside", partial(checks, []))
    assert dev.test([]) == code
    assert ["--last-failed" in command for command in tried] == [False, False, True]


def test_what_passed_on_the_second_try_only_is_listed_as_flaky(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*command: str) -> int:
        failing = ["tests/b.py::broken"] if "--last-failed" in command else ["tests/b.py::broken", "tests/a.py::shaky"]
        dev.LAST_FAILED.write_text(json.dumps(dict.fromkeys(failing, True)), "utf-8")
        return 1

    monkeypatch.setattr(dev, "run", run)
    monkeypatch.setattr(dev, "_beside", partial(checks, []))
    assert dev.test([]) == 1
    told = [line for line in capsys.readouterr().out.splitlines() if "flaky" in line]
    assert told == ["dev.py: flaky, passed on the second try only: tests/a.py::shaky"]


def test_the_site_is_built_strictly_and_its_links_to_others_are_asked_on_demand(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commands: list[tuple[str, ...]] = []

    def run(*command: str) -> int:
        commands.append(command)
        return 0

    monkeypatch.setattr(dev, "run", run)
    monkeypatch.setattr(dev, "set_up", lambda: 0)
    assert [dev.main(["docs"]), dev.main(["docs", "linkcheck"]), dev.main(["docs", "pdf"])] == [0, 0, 1]
    assert ["html" in commands[0], "linkcheck" in commands[1], len(commands)] == [True, True, 2]
    assert all("--fail-on-warning" in command for command in commands)
    printed = capsys.readouterr()
    assert "build/docs/html/index.html" in printed.out
    assert "given pdf" in printed.err


@pytest.fixture
def packaging(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, tuple[str, ...], str]]:
    """Where each command of ``package`` runs, what it is, and where it would find packages; nothing is really built."""
    told: list[tuple[Path, tuple[str, ...], str]] = []

    def build(command: tuple[str, ...]) -> None:
        folder = Path(command[command.index("--outdir") + 1])
        if "--wheel" in command:
            (folder / "p-1.0-py3-none-any.whl").touch()
            return
        (dev.ROOT / "p-1.0").mkdir()
        (dev.ROOT / "p-1.0" / "pyproject.toml").touch()
        with tarfile.open(folder / "p-1.0.tar.gz", "w:gz") as packed:
            packed.add(dev.ROOT / "p-1.0", "p-1.0")

    def run(
        command: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None, check: bool
    ) -> subprocess.CompletedProcess[bytes]:
        assert not check
        told.append((cwd, tuple(command), (env or {}).get("PYTHONPATH", "")))
        if "build" in command:
            build(tuple(command))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(dev.subprocess, "run", run)
    return told


def test_a_package_is_made_of_the_sdist_and_tested_by_it(
    dev: ModuleType, packaging: list[tuple[Path, tuple[str, ...], str]]
) -> None:
    assert dev.package(["-x"]) == 0
    sdist, wheel, described, contents, venv, installed, (root, tests, path) = packaging
    assert sdist[1][-1] == str(dev.ROOT)
    assert wheel[1][-1] == str(root)
    assert root.name == "p-1.0"
    assert described[1][-2:] == (contents[1][-1], str(root.parent / "p-1.0.tar.gz"))
    assert installed[1][0] == tests[0]
    assert tests[0].startswith(venv[1][-1])
    assert installed[1][-1] == f"{contents[1][-1]}[all,test]"
    assert tests[-1] == "-x"
    assert "-P" in tests  # else what stands in the folder came before what is installed
    before, after = path.split(os.pathsep)
    assert before.startswith(venv[1][-1])
    assert after == str(root)


def test_a_package_whose_wheel_is_refused_is_not_installed(
    dev: ModuleType, packaging: list[tuple[Path, tuple[str, ...], str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dev, "run", lambda *command: int("check_wheel_contents" in command) or dev._call(*command))
    assert dev.package([]) == 1
    assert [command[1] for _, command, _ in packaging] == ["build", "build", "twine"]


def test_a_python_that_cannot_make_environments_says_what_to_install(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert dev.main(["demo"]) == 1
    assert f"apt-get install python{dev.VERSION}-venv" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["tset"]])
def test_without_a_command_it_knows_it_prints_its_usage(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "dev.py"), *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "python3 dev.py test" in done.stdout
