"""What renders templates: a sandboxed Jinja2 environment in which an unknown name is an error.

Imported when the first template is met that is more than a name, because Jinja2 takes longer to load than all of the
language.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, TemplateError, Undefined, UndefinedError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.reserved_names import hides_function, meant_by, nearly
from choreo_bdd_steps.language.templates.functions import (
    FUNCTION_AS_VALUE,
    Variables,
    as_base64,
    as_hex,
    as_json,
    as_text,
    function_names,
)

_UNSET = re.compile(r"'(.+)' is undefined")
_NO_OBJECT = re.compile(r"'(\w+)(?: object)?' has no attribute ('.+')")
_KINDS = {"None": "null", "list": "a list", "str": "text", "int": "a number", "Decimal": "a number", "bool": "boolean"}
"""What Jinja2 calls a value by, in words of messages."""
_NAMES = 8
"""That are listed of the fields there are."""
_SOLE = re.compile(r"\{\{[-+]?(.*?)[-+]?\}\}", re.DOTALL)
_MAX_DEPTH = 40
"""Of brackets, accesses and operators in each other: compiling doubles its time every few levels beyond a hundred."""
_MAX_LENGTH = 1_000_000
"""Of what * repeats, in characters or items."""
_MAX_BITS = 100_000
"""Of what ** makes."""


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja2 with payloads in mind: a dot on an object reads its key, never a Python method; work is bounded."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """``'x' * 9999999999`` and ``9 ** 999999999`` would take all memory, or no end."""
        match operator, left, right:
            case "*", str() | bytes() | list() | tuple(), int() if len(left) * right > _MAX_LENGTH:
                raise BodyError(f"a repetition longer than {_MAX_LENGTH} is not permitted")
            case "*", int(), str() | bytes() | list() | tuple() if len(right) * left > _MAX_LENGTH:
                raise BodyError(f"a repetition longer than {_MAX_LENGTH} is not permitted")
            case "**", int(), int() if left.bit_length() * right > _MAX_BITS:
                raise BodyError(f"a power of more than {_MAX_BITS} bits is not permitted")
        return super().call_binop(context, operator, left, right)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """``order.items`` is the field, not dict.items."""
        if isinstance(obj, Mapping):
            return self._field(obj, attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """``order['items']`` is the field, and nothing else where there is none."""
        if isinstance(obj, Mapping) and isinstance(argument, str):
            return self._field(obj, argument)
        return super().getitem(obj, argument)

    def _field(self, data: Mapping[Any, Any], name: str) -> Any:
        return data[name] if name in data else self.undefined(_no_field(name, data), data, name)


_ENVIRONMENT = _Environment(undefined=StrictUndefined, finalize=as_text, keep_trailing_newline=True)
_ENVIRONMENT.filters.update(tojson=as_json, b64=as_base64, hex=as_hex)


def rendered(source: str, variables: Variables, line: int | None = None) -> object:
    """One template rendered. Raises BodyError, which names the variable that is not set."""
    try:
        return _plain(_compiled(source)(variables.namespace()))
    except UndefinedError as error:
        raise BodyError(_unknown(source, error, variables), line) from error
    except BodyError as error:
        raise BodyError(f"{error.message} in {source!r}", line) from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a user's function may raise anything, pytest.fail() and sys.exit() included
        if hidden := sorted(names_in(source) & function_names() & variables.values.keys()):
            raise BodyError(f"the template {source!r} failed: {hides_function(hidden[0])}", line) from error
        told = error if isinstance(error, Exception) else f"{type(error).__name__}: {error}"
        raise BodyError(f"the template {source!r} failed: {told}", line) from error


@lru_cache(maxsize=4096)
def names_in(source: str) -> frozenset[str]:
    """The names that a template needs, functions among them. Raises BodyError for one that cannot be read."""
    return frozenset(meta.find_undeclared_variables(_parsed(source)))


@lru_cache(maxsize=4096)
def _compiled(source: str) -> Callable[[dict[str, object]], object]:
    parsed = _parsed(source.strip())
    sole = _SOLE.fullmatch(source.strip())
    if sole and _is_one_expression(parsed):
        return _ENVIRONMENT.compile_expression(sole[1], undefined_to_none=False)
    template = _ENVIRONMENT.from_string(source)
    return template.render


def _parsed(source: str) -> nodes.Template:
    try:
        parsed = _ENVIRONMENT.parse(source)
    except RecursionError as error:
        raise _nested(source) from error
    except TemplateError as error:
        raise BodyError(f"the template {source!r} cannot be read: {error}; write {{{{ name }}}}") from error
    level: list[nodes.Node] = [parsed]
    for _ in range(_MAX_DEPTH):
        level = [child for node in level for child in node.iter_child_nodes()]
    if level:
        raise _nested(source)
    return parsed


def _nested(source: str) -> BodyError:
    return BodyError(
        f"the template that begins {source[:40]!r} is nested more than {_MAX_DEPTH} levels deep; "
        f"set a part of it as a variable in an earlier step"
    )


def _is_one_expression(parsed: nodes.Template) -> bool:
    match parsed.body:
        case [nodes.Output(nodes=[node])]:
            return not isinstance(node, nodes.TemplateData)
    return False


def _plain(value: object) -> object:
    if isinstance(value, Undefined):
        str(value)  # raises the error that names it
    if callable(value):
        raise BodyError(FUNCTION_AS_VALUE)
    if isinstance(value, (tuple, Iterator)):
        return list(value)
    return value


def _unknown(source: str, error: UndefinedError, variables: Variables) -> str:
    said = str(error.message)
    if none := _NO_OBJECT.match(said):
        kind = _KINDS.get(none[1], "a value")
        said = f"there is no field {none[2]} (what should have it is {kind}, and no object)"
    problem = f"{said} in the template {source!r}"
    unset = _UNSET.fullmatch(said)
    if unset is None:
        return f"{problem}; check the name against the data"
    known = ", ".join(sorted(variables.values)) or "none"
    hint = meant_by(unset[1], variables.values) or 'set the variable in an earlier step (Given <name> is "…")'
    return f"{problem}; {hint}; known variables: {known}"


def _no_field(name: str, data: Mapping[Any, Any]) -> str:
    """That a part of the data has no such field, with what it has: the names, never the values."""
    names = [key for key in data if isinstance(key, str)]
    hint = nearly(name, names)
    has = f"it has {', '.join(names[:_NAMES])}{', …' if len(names) > _NAMES else ''}" if names else "it has none"
    return f"there is no field {name!r} ({has if hint is None else hint})"
