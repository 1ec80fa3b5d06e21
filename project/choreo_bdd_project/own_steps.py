"""What the user's own Python adds to the language, read from source without running it."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import parse

from choreo_bdd_project.gherkin.step import Step

_STEPS = frozenset({"given", "when", "then", "step", "Given", "When", "Then", "Step"})
_IGNORED_FOLDERS = frozenset({".venv", "venv", "node_modules", "build", "dist", ".git", ".tox", "site-packages"})


class OwnSteps:
    """Sentences that Python code near the features defines, for behave or for pytest-bdd.

    ``matchers`` and ``functions`` are the names of its extensions, ``acts`` the sentences that it declares to be acts.
    """

    def __init__(
        self,
        patterns: frozenset[str],
        matchers: frozenset[str] = frozenset(),
        functions: frozenset[str] = frozenset(),
        acts: frozenset[str] = frozenset(),
    ) -> None:
        self.matchers = matchers
        self.functions = functions
        self._acts = _Sentences(acts)
        self._sentences = _Sentences(patterns)

    def define(self, text: str) -> bool:
        """Whether one of them is this sentence."""
        return self._sentences.contain(text)

    def marked(self, steps: Sequence[Step]) -> tuple[Step, ...]:
        """Steps as the frameworks will run them: those that are declared acts say so."""
        return tuple(replace(step, is_act=self._acts.contain(step.text.strip())) for step in steps)


class _Sentences:
    """Sentences that patterns stand for."""

    def __init__(self, patterns: frozenset[str]) -> None:
        self._parsed = [compiled for pattern in patterns if (compiled := _parse(pattern)) is not None]
        self._regexes = [compiled for pattern in patterns if (compiled := _regex(pattern)) is not None]

    def contain(self, text: str) -> bool:
        """Whether one of them is this sentence."""
        return any(each.parse(text) is not None for each in self._parsed) or any(
            each.fullmatch(text) is not None for each in self._regexes
        )


def read_own_steps(folder: Path) -> OwnSteps:
    """The step definitions in the Python files under a folder, and in modules beside or above it that these import.

    A file that cannot be read defines none.
    """
    trees = [tree for _, tree in _sources(folder)]
    decorated = [each for tree in trees for each in _decorated(tree)]

    def under(names: frozenset[str]) -> frozenset[str]:
        return frozenset(text for name, text in decorated if name in names)

    return OwnSteps(under(_STEPS), under(frozenset({"matcher"})), under(frozenset({"function"})), _acts(trees))


def defining(folder: Path, text: str) -> list[tuple[Path, int]]:
    """File and line (from 1) of the functions under a folder that define a sentence."""
    return [
        (path, node.lineno)
        for path, tree in _sources(folder)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and _Sentences(frozenset(each for name, each in _decorators(node) if name in _STEPS)).contain(text.strip())
    ]


def project_of(file: Path) -> Path:
    """Where step definitions may lie: the folder of the features, or one above it that looks like a project."""
    folder = file.resolve().parent
    for each in (folder, *folder.parents):
        if (each / "steps").is_dir() or (each / "choreo.yaml").is_file() or (each / "conftest.py").is_file():
            return each
    return folder


def _sources(folder: Path) -> Iterator[tuple[Path, ast.AST]]:
    paths = list(_python_files(folder))
    roots = _import_roots(folder)
    read = set(paths)
    while paths:
        path = paths.pop()
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError, OSError):
            continue
        yield path, tree
        imported = {path for name in _imports(tree) for root in roots for path in _module(root, name)} - read
        read |= imported
        paths.extend(imported)


def _python_files(folder: Path) -> Iterator[Path]:
    for where, below, names in os.walk(folder):  # which passes over a folder that is gone meanwhile
        below[:] = [name for name in below if name not in _IGNORED_FOLDERS]
        yield from (Path(where, name) for name in names if name.endswith(".py"))


def _import_roots(folder: Path) -> tuple[Path, ...]:
    """Where the modules of a project lie that its step files import: the folders above, up to the working directory."""
    here = Path.cwd()
    above = folder.resolve().parents
    return tuple(each for each in above if each == here or here in each.parents)


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _module(root: Path, name: str) -> Iterator[Path]:
    """The file of a module below a folder, if it is one: a file, or a package."""
    path = root.joinpath(*name.split("."))
    yield from (each for each in (path.with_suffix(".py"), path / "__init__.py") if each.is_file())


def _decorated(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Each decorator's name with the text it is given, or else with the name of the function below it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _decorators(node)


def _decorators(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[str, str]]:
    for decorator in node.decorator_list:
        if not isinstance(decorator, ast.Call):
            yield _name(decorator), node.name
        elif decorator.args:
            yield from ((_name(decorator.func), text) for text in _text(decorator.args[0]))


def _acts(trees: Iterable[ast.AST]) -> frozenset[str]:
    """The patterns of functions that have the decorator ``@act`` too."""
    functions = [
        list(_decorators(node))
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return frozenset(
        text
        for decorators in functions
        if "act" in [name for name, _ in decorators]
        for name, text in decorators
        if name in _STEPS
    )


def _text(argument: ast.expr) -> Iterator[str]:
    """The pattern itself, or the one inside ``parsers.parse(…)`` and its kind."""
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        yield argument.value
    elif isinstance(argument, ast.Call) and argument.args:
        yield from _text(argument.args[0])


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _parse(pattern: str) -> parse.Parser | None:
    """As behave's and pytest-bdd's parse matchers read it; types of the user's own match any text."""
    try:
        return parse.compile(re.sub(r"\{(\w*):[^}]*\}", r"{\1}", pattern))
    except (ValueError, re.error, NotImplementedError):
        return None


def _regex(pattern: str) -> re.Pattern[str] | None:
    try:
        return re.compile(pattern)
    except re.error:
        return None
