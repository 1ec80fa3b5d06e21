"""What the user's own Python adds to the language, read from source without running it."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import parse
from msgspec import Struct, structs

from choreo_bdd_project.gherkin.places import files_below
from choreo_bdd_project.gherkin.step import Step

_STEPS = frozenset({"given", "when", "then", "step", "Given", "When", "Then", "Step"})
_COPIES = frozenset({"build", "dist"})
_MANY_FILES = 10_000


class OwnSteps:
    """Sentences that Python code near the features defines, for behave or for pytest-bdd.

    ``matchers`` and ``functions`` are the names of its extensions, ``acts`` the sentences that it declares to be acts.
    """

    def __init__(
        self,
        patterns: frozenset[str],
        matchers: frozenset[str],
        functions: frozenset[str],
        acts: frozenset[str],
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
        return tuple(structs.replace(step, is_act=self._acts.contain(step.text.strip())) for step in steps)


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
    functions = [each for source in _sources(folder) for each in source.functions]

    def under(names: frozenset[str]) -> frozenset[str]:
        return frozenset(text for each in functions for name, text in each.decorators if name in names)

    acts = frozenset(text for each in functions if each.is_act for text in each.sentences)
    return OwnSteps(under(_STEPS), under(frozenset({"matcher"})), under(frozenset({"function"})), acts)


def defining(folder: Path, text: str) -> list[tuple[Path, int]]:
    """File and line (from 1) of the functions under a folder that define a sentence."""
    return [
        (source.path, each.line)
        for source in _sources(folder)
        for each in source.functions
        if _Sentences(each.sentences).contain(text.strip())
    ]


class _Function(Struct, frozen=True):
    """A decorated function: each decorator's name with the text it is given, or else with the function's name."""

    line: int
    decorators: tuple[tuple[str, str], ...]

    @property
    def sentences(self) -> frozenset[str]:
        return frozenset(text for name, text in self.decorators if name in _STEPS)

    @property
    def is_act(self) -> bool:
        return any(name == "act" for name, _ in self.decorators)


class _Source(Struct, frozen=True):
    """What a Python file defines, and the modules that it may import."""

    path: Path
    functions: tuple[_Function, ...] = ()
    imports: frozenset[str] = frozenset()


def _sources(folder: Path) -> Iterator[_Source]:
    paths = [each for each in files_below(folder, ".py") if _COPIES.isdisjoint(each.relative_to(folder).parts)]
    roots = _import_roots(folder)
    read = set(paths)
    while paths:
        source = _source(paths.pop())
        yield source
        imported = {path for name in source.imports for root in roots for path in _module(root, name)} - read
        read |= imported
        paths.extend(imported)


def _source(path: Path) -> _Source:
    try:
        state = path.stat()
        return _read(path, state.st_mtime_ns, state.st_size)
    except (SyntaxError, ValueError, OSError):
        return _Source(path)


@lru_cache(maxsize=_MANY_FILES)  # an editor asks again with every file that is saved
def _read(path: Path, _changed_ns: int, _size: int) -> _Source:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a backslash in a pattern is its author's own affair
        tree = ast.parse(path.read_text(encoding="utf-8"))
    functions, imports = list[_Function](), set[str]()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() if node.decorator_list:
                functions.append(_Function(node.lineno, tuple(_decorators(node))))
            case ast.Import():
                imports |= {alias.name for alias in node.names}
            case ast.ImportFrom(module=str(module), level=0):
                imports |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return _Source(path, tuple(functions), frozenset(imports))


def _import_roots(folder: Path) -> tuple[Path, ...]:
    """Where the modules of a project lie that its step files import: the folders above, up to the working directory."""
    here = Path.cwd()
    above = folder.resolve().parents
    return tuple(each for each in above if each == here or here in each.parents)


def _module(root: Path, name: str) -> Iterator[Path]:
    """The file of a module below a folder, if it is one: a file, or a package."""
    path = root.joinpath(*name.split("."))
    yield from (each for each in (path.with_suffix(".py"), path / "__init__.py") if each.is_file())


def _decorators(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[str, str]]:
    for decorator in node.decorator_list:
        if not isinstance(decorator, ast.Call):
            yield _name(decorator), node.name
        elif decorator.args:
            yield from ((_name(decorator.func), text) for text in _text(decorator.args[0]))


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
