"""The rules of the house that no single room can check (design §2, style.md 4.6)."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = {
    "choreo_bdd": ROOT / "choreo_bdd",
    "choreo_bdd_project": ROOT / "project/choreo_bdd_project",
    "choreo_bdd_steps": ROOT / "steps/choreo_bdd_steps",
    "choreo_bdd_reporter": ROOT / "reporter/choreo_bdd_reporter",
    "choreo_bdd_schemas": ROOT / "schemas/choreo_bdd_schemas",
    "choreo_bdd_chronicle": ROOT / "chronicle/choreo_bdd_chronicle",
}
TREES = ROOMS | {name: ROOT / name for name in ("bench", "examples", "tests")}
FOREIGN = (
    "behave",
    "pytest",
    "pytest_bdd",
    "nats",
    "aiokafka",
    "aio_pika",
    "redis",
    "jinja2",
    "nkeys",
    "starlette",
    "sqlalchemy",
)
MAX_LINES = 400
LONG_MODULES: dict[str, str] = {}
"""Modules that may be longer, each with the reason."""
MAX_FILES = 15
DATA_CLASSES = {"Survivor"}
"""Frozen records of steps and project that could be structs, and are written as part of a tree of data classes."""
_CODE = frozenset({".py", ".js", ".css"})


def test_imports_follow_the_arrows() -> None:
    # in a process of its own: the linter configures logging, and with it disables every logger there is
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_importing_the_engine_loads_no_framework_no_client_and_no_other_room() -> None:
    unwanted = (*FOREIGN, *(room for room in ROOMS if room != "choreo_bdd"))
    code = f"import sys, choreo_bdd; print(*sorted(set({unwanted!r}) & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""


def modules_after(code: str) -> set[str]:
    run = [sys.executable, "-c", f"import sys; {code}; print(*sys.modules)"]
    return set(subprocess.run(run, capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("module", "not_needed"),
    [
        ("choreo_bdd", {"asyncio", "choreo_bdd.harness", "choreo_bdd.redaction"}),
        (
            "choreo_bdd.harness",
            {
                *("choreo_bdd.stage", "choreo_bdd.matchers.leaves", "difflib", "yaml", "jsonschema"),
                *("html", "pathlib", "urllib"),
            },
        ),
        (
            "choreo_bdd_steps.adapters.behave",
            {
                *("jinja2", "yaml", "jsonschema", "gherkin.parser", "tomllib", "importlib.resources", "tempfile"),
                *("choreo_bdd.stage", "choreo_bdd.asyncapi", "choreo_bdd.brokers", "choreo_bdd.transports.nats"),
                *("choreo_bdd.matchers.leaves", "choreo_bdd_steps.language.body_parts", "choreo_bdd_steps.plan"),
                "choreo_bdd_steps.run",
            },
        ),
    ],
)
def test_what_takes_long_to_load_is_loaded_when_it_is_used(module: str, not_needed: set[str]) -> None:
    own = "behave" if module.endswith("behave") else "asyncio"
    loaded = modules_after(f"import {module}") - modules_after(f"import {own}")
    assert module in loaded
    assert not loaded & not_needed


@pytest.mark.thorough
def test_pytest_starts_with_our_plug_ins_and_without_the_engine() -> None:
    loaded = modules_after("import choreo_bdd_steps.adapters.pytest_bdd, choreo_bdd_reporter.pytest_plugin")
    assert not loaded & {"choreo_bdd.harness", "choreo_bdd.scenario", "choreo_bdd_steps.vocabulary"}


@pytest.mark.thorough
def test_a_template_a_body_and_a_second_transport_load_what_they_need() -> None:
    used = (
        "from choreo_bdd_steps.language import Variables, parse_payload, render; "
        "render('{{ 1 + 1 }}', Variables()); parse_payload('a: 1', None, base_dir=None); from choreo_bdd import Stage"
    )
    assert {"jinja2", "yaml", "choreo_bdd.stage"} <= modules_after(used)


@pytest.mark.thorough
def test_naming_a_transport_loads_no_client() -> None:
    code = (
        "import sys; from choreo_bdd import transports\n"
        "for name in transports.__all__: getattr(transports, name)\n"
        f"print(*sorted(set({FOREIGN!r}) & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""


@pytest.mark.thorough
def test_lint_and_explain_need_no_framework_no_run_and_no_thread() -> None:
    unwanted = ("behave", "pytest", "pytest_bdd", "choreo_bdd_steps.run", "choreo_bdd_steps.adapters")
    code = (
        "import sys, threading, choreo_bdd_steps.lint, choreo_bdd_steps.plan.explain\n"
        f"print(*sorted(set({unwanted!r}) & set(sys.modules)), threading.active_count())"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "1"


@pytest.mark.thorough
def test_no_files_stand_in_a_circle() -> None:
    assert [sorted(circle) for circle in _circles(_imports())] == []


def test_every_circle_is_found_once_with_all_that_stand_in_it() -> None:
    apart = {"a": {"b"}, "b": {"c", "d"}, "c": {"a"}, "d": {"e", "f"}, "e": {"d"}, "f": set[str](), "g": {"g", "a"}}
    assert sorted(sorted(circle) for circle in _circles(apart)) == [["a", "b", "c"], ["d", "e"], ["g"]]


def _circles(imports: Mapping[str, set[str]]) -> list[set[str]]:
    """Modules that all reach one another: what both is reached from one of them and reaches it."""
    imported_by: dict[str, set[str]] = {name: set() for name in imports}
    for name, targets in imports.items():
        for target in targets:
            imported_by[target].add(name)
    left, found = set(imports), list[set[str]]()
    while ends := {name for name in left if not imports[name] & left or not imported_by[name] & left}:
        left -= ends  # in no circle
    while left:
        start = min(left)
        circle = _reached(start, imports, left) & _reached(start, imported_by, left)
        left -= circle | {start}
        found += [circle] if circle else []
    return found


def _imports() -> dict[str, set[str]]:
    """What every module of every tree imports from them."""
    files = _files()
    return {name: set(_imported(path, name, files)) for name, path in files.items()}


def _files() -> dict[str, Path]:
    """Every module of every tree by its dotted name."""
    found = {}
    for room, folder in TREES.items():
        for path in folder.rglob("*.py"):
            parts = path.relative_to(folder).with_suffix("").parts
            found[".".join((room, *(part for part in parts if part != "__init__")))] = path
    return found


def _imported(path: Path, name: str, files: Mapping[str, Path]) -> Iterator[str]:
    """Modules a file imports by name, for typing and inside functions, too."""
    for node in _statements(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in files)
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            modules = [f"{node.module}.{alias.name}" for alias in node.names]
            targets = [each if each in files else node.module for each in modules]
            yield from (each for each in targets if each in files and each != name)


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """All statements below one; expressions, most of a tree, hold none."""
    for name in ("body", "orelse", "handlers", "finalbody", "cases"):
        for each in getattr(node, name, ()):
            yield each
            yield from _statements(each)


def _reached(start: str, ways: Mapping[str, set[str]], among: set[str]) -> set[str]:
    """All that one leads to, itself or through others."""
    found, ahead = set[str](), ways[start] & among
    while ahead:
        found |= ahead
        ahead = {each for name in ahead for each in ways[name]} & among - found
    return found


@pytest.mark.parametrize("room", [*ROOMS, "choreo_bdd.scenario", "choreo_bdd.matchers", "choreo_bdd.transports"])
def test_exported_members_are_sorted_and_importable(room: str) -> None:
    module = importlib.import_module(room)
    exported = getattr(module, "__all__", [])
    assert [*exported] == sorted(exported, key=_as_ruff_sorts)
    assert [name for name in exported if not hasattr(module, name)] == []


def _as_ruff_sorts(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest."""
    return (0 if name.isupper() else 1 if name.lstrip("_")[:1].isupper() else 2), name


def modules() -> dict[str, int]:
    """Every module of every room with its number of lines."""
    return {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for room in ROOMS.values()
        for path in sorted(room.rglob("*.py"))
    }


def test_no_module_grows_too_long_without_a_reason() -> None:
    long = {name: lines for name, lines in modules().items() if lines > MAX_LINES}
    assert set(long) <= set(LONG_MODULES), long


def test_reasons_for_length_are_still_needed() -> None:
    assert {name for name in LONG_MODULES if modules().get(name, 0) <= MAX_LINES} == set()


@pytest.mark.parametrize("room", ROOMS)
def test_no_folder_holds_more_files_than_a_reader_takes_in(room: str) -> None:
    folders = [ROOMS[room], *(path for path in ROOMS[room].rglob("*") if path.is_dir())]
    counts = {folder: sum(path.suffix in _CODE for path in folder.iterdir()) for folder in folders}
    assert not {str(folder): count for folder, count in counts.items() if count > MAX_FILES}


def test_internal_records_are_structs() -> None:
    """0014: a data class where a field is left out of its repr, comparison or hash, or where others need one."""
    found = {
        each.name
        for room in ("choreo_bdd_project", "choreo_bdd_steps")
        for path in ROOMS[room].rglob("*.py")
        if "@dataclass" in (text := path.read_text(encoding="utf-8"))
        for each in ast.walk(ast.parse(text))
        if isinstance(each, ast.ClassDef) and _needs_no_data_class(each)
    }
    assert found == DATA_CLASSES


def _needs_no_data_class(node: ast.ClassDef) -> bool:
    decorators = [ast.unparse(each) for each in node.decorator_list]
    is_frozen = any(each.startswith("dataclass(") and "frozen=True" in each for each in decorators)
    return is_frozen and not re.search(r"\b(repr|compare|hash|init)=", ast.unparse(node))


def test_every_file_and_folder_that_the_architecture_page_names_is_there() -> None:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    named = {name for name in re.findall(r"`([a-z_]+/[a-z_./]+)`", page) if "/" in name.rstrip("/")}
    assert len(named) > 20
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
