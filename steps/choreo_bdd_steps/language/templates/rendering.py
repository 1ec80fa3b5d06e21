"""Templates: text with ``{{ … }}`` or ``{% … %}`` in it, found at any depth; ``template_engine`` renders it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from choreo_bdd_steps.language.syntax import is_template
from choreo_bdd_steps.language.templates.functions import Variables, function_names

_NAME = re.compile(r"\s*\{\{\s*([A-Za-z_]\w*)\s*\}\}\s*", re.ASCII)
_WORDS_OF_JINJA = frozenset(
    {"true", "True", "false", "False", "none", "None", "not", "self"}
    | {"range", "dict", "lipsum", "cycler", "joiner", "namespace"}
)
"""Words that mean something of their own to Jinja2."""
_DATA = frozenset({str, int, float, bool, type(None), dict, list})


def render(value: object, variables: Variables) -> object:
    """``value`` with every template in it rendered, at any depth.

    Text that is exactly one ``{{ … }}`` takes the value's type, all other text stays text. Raises BodyError.
    """
    if isinstance(value, str):
        return render_text(value, variables) if is_template(value) else value
    if isinstance(value, Mapping):
        return {str(render(key, variables)): render(item, variables) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [render(item, variables) for item in value]
    return value


def render_text(source: str, variables: Variables, line: int | None = None) -> object:
    """One template rendered. Raises BodyError, which names the variable that is not set."""
    name = _sole_name(source)
    if name is not None and name in variables.values and type(value := variables.values[name]) in _DATA:
        return value
    from choreo_bdd_steps.language.templates.engine import rendered  # noqa: PLC0415 - brings in Jinja2

    return rendered(source, variables, line)


def referenced_names(value: object) -> frozenset[str]:
    """The variables that the templates in ``value`` need, without functions.

    Raises BodyError for a template that cannot be read.
    """
    templates = [text for text in _texts(value) if is_template(text)]
    return frozenset().union(*map(_names_in, templates)) - function_names()


def _names_in(template: str) -> frozenset[str]:
    name = _sole_name(template)
    if name is not None:
        return frozenset({name})
    from choreo_bdd_steps.language.templates.engine import names_in  # noqa: PLC0415 - brings in Jinja2

    return names_in(template)


@lru_cache(maxsize=4096)
def _sole_name(template: str) -> str | None:
    """The name that is all of a template: what it means needs no Jinja2, where the variable is plain data."""
    found = _NAME.fullmatch(template)
    return None if found is None or found[1] in _WORDS_OF_JINJA else found[1]


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(key)
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
