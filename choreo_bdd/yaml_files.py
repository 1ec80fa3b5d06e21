"""YAML files of a project: read with the safe loader, within bounds, and without ever quoting what stands in them."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import yaml

_MAX_SIZE = 1_000_000
"""Values and pieces of text, counted as often as aliases repeat them."""
_CHARS_A_PIECE = 64
_QUOTE = re.compile(r"['\"]")
_IN_WORDS = {
    "expected <block end>": "this line is indented otherwise than those before it, or no part of what they began",
    "expected ',' or ']'": "a list that begins with [ has no end, or its values no commas between them",
    "expected ',' or '}'": "a mapping that begins with { has no end, or its entries no commas between them",
    "expected the node content": "a value is missing here, or the text ends before it",
    "mapping values are not allowed": "a colon that makes a key stands where there can be no key",
    "found character '\\t'": "found a tab, and YAML is indented with blanks",
    "found character": "found a character that begins no value",
    "found unexpected end of stream": "a text in quotes has no end",
    "expected '<document start>'": "a second value stands behind the first, or a line begins with %",
    "expected chomping": "behind | or > stands more than how the text below is meant",
    "expected a comment or a line break": "behind | or > stands more than how the text below is meant",
    "could not find expected ':'": "a line is no `name: value`, with a blank behind the colon",
}
"""What the loader says begins so."""
_FORMS_1_2 = {
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?(?:0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    "float": (
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+.0123456789",
    ),
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "merge": (r"<<", "<"),
}
"""What YAML 1.2 takes for more than text, with the characters that each begins with; merge keys are 1.1's."""


class YamlProblem(ValueError):
    """A text is no YAML, or too much of it; says what was expected and never what was found.

    ``line`` is where, counted from 1; ``None`` where that is not known.
    """

    def __init__(self, problem: str, line: int | None = None) -> None:
        self.problem = f"cannot be read as YAML: {problem}"
        super().__init__(self.problem)
        self.line = line

    def at(self, path: object) -> str:
        """The problem behind the place where it is."""
        return f"{path}: {self.problem}" if self.line is None else f"{path}:{self.line}: {self.problem}"


def read_yaml(text: str, *, is_1_2: bool = False) -> tuple[yaml.Node | None, Any]:
    """A text's nodes, for their places, and the value they mean. Raises ``YamlProblem``.

    In YAML 1.2 ``on``, ``yes``, ``12:30`` and dates are text; in 1.1 they are not.
    """
    import yaml  # noqa: PLC0415 - a tenth of the engine's import time, and most runs read none

    kind = _loader_of_1_2() if is_1_2 else yaml.SafeLoader
    loader = kind("")
    try:
        node = yaml.compose(text, Loader=kind)
        if node is None:
            return None, None
        require_bounded(node)
        return node, loader.construct_document(node)
    except YamlProblem:
        raise
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlProblem(_told(error.problem), mark.line + 1 if mark else None) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise YamlProblem("a control character stands there", line) from None
    except RecursionError:
        raise YamlProblem("it is nested too deeply") from None
    except (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError):
        raise YamlProblem("a value is not what its form says") from None


@cache
def _loader_of_1_2() -> type[yaml.SafeLoader]:
    import yaml  # noqa: PLC0415 - see read_yaml

    class Loader(yaml.SafeLoader):
        yaml_implicit_resolvers = {}  # noqa: RUF012 - PyYAML's way to have none of the parent's

    for name, (form, begins) in _FORMS_1_2.items():
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{name}", re.compile(rf"(?:{form})\Z"), begins)
    return Loader


def in_words(problem: str | None) -> str | None:
    """What the loader complains of, where that speaks of its parser and not of YAML."""
    return next((ours for theirs, ours in _IN_WORDS.items() if (problem or "").startswith(theirs)), None)


def _told(problem: str | None) -> str:
    """In words of YAML what the loader says in those of its parser; else its own up to the first that it quotes."""
    said = problem or "something is wrong with its form"
    words = in_words(said) or _QUOTE.split(said)[0].rstrip(" ,(")
    return (
        f"{words}; look at indentation and quotes. Text that begins with one of "
        f"* & ! % @ ` or has a colon in it stands in quotes"
    )


def require_bounded(root: yaml.Node, most: int = _MAX_SIZE) -> None:
    """Aliases multiply a small text: count what they repeat, once for each place, without following it there.

    Raises ``YamlProblem`` for more than ``most`` values and pieces of text.
    """
    sizes: dict[int, int] = {}
    waiting: list[tuple[yaml.Node, bool]] = [(root, False)]
    opened: set[int] = set()
    while waiting:
        node, is_left = waiting.pop()
        if id(node) in sizes:
            continue
        inside = _inside(node)
        if is_left:
            opened.discard(id(node))
            sizes[id(node)] = 1 + _length(node) + sum(sizes[id(each)] for each in inside)
            if sizes[id(node)] > most:
                problem = f"it is more than {most} values, or its aliases repeat too much; write out what is meant"
                raise YamlProblem(problem, node.start_mark.line + 1)
            continue
        if id(node) in opened:
            raise YamlProblem("an alias stands inside what it repeats", node.start_mark.line + 1)
        opened.add(id(node))
        waiting.append((node, True))
        waiting += [(each, False) for each in inside]


def _inside(node: yaml.Node) -> list[yaml.Node]:
    children: list[Any] = node.value if isinstance(node.value, list) else []
    return [each for child in children for each in (child if isinstance(child, tuple) else (child,))]


def _length(node: yaml.Node) -> int:
    return len(node.value) // _CHARS_A_PIECE if isinstance(node.value, str) else 0
