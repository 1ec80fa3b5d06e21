"""The user's own step definitions, read from source without running it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import parse

_DECORATORS = frozenset({"given", "when", "then", "step", "Given", "When", "Then", "Step"})
_IGNORED_FOLDERS = frozenset({".venv", "venv", "node_modules", "build", "dist", ".git", ".tox", "site-packages"})


class OwnSteps:
    """Sentences that Python code near the features defines, for behave or for pytest-bdd."""

    def __init__(self, patterns: frozenset[str]) -> None:
        self._parsed = [compiled for pattern in patterns if (compiled := _parse(pattern)) is not None]
        self._regexes = [compiled for pattern in patterns if (compiled := _regex(pattern)) is not None]

    def define(self, text: str) -> bool:
        """Whether one of them is this sentence."""
        return any(each.parse(text) is not None for each in self._parsed) or any(
            each.fullmatch(text) is not None for each in self._regexes
        )


def read_own_steps(folder: Path) -> OwnSteps:
    """The step definitions in the Python files under a folder; a file that cannot be read defines none."""
    patterns: set[str] = set()
    for path in folder.rglob("*.py"):
        if _IGNORED_FOLDERS.isdisjoint(path.relative_to(folder).parts):
            try:
                patterns.update(_patterns(ast.parse(path.read_text(encoding="utf-8"))))
            except (SyntaxError, UnicodeDecodeError, OSError):
                continue
    return OwnSteps(frozenset(patterns))


def _patterns(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and _name(decorator.func) in _DECORATORS and decorator.args:
                    yield from _text(decorator.args[0])


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
