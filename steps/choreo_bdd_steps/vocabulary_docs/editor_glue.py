"""The vocabulary for editors: a Python file that the Cucumber extensions' language server reads, and nobody runs.

That server takes a pattern with brackets for a regular expression, which it checks steps against, and any other for a
Cucumber expression, which it also completes. It reads the source as it stands, so nothing here needs a backslash.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from choreo_bdd_steps.vocabulary.phrase import Phrase, pieces

_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "topic": '"[^"]+"',
        "key": '"[^"]*"',
        "path": '"[^"]+"',
        "text": '"[^"]*"',
        "transport": "[A-Za-z][A-Za-z0-9_-]*",
        "name": "[A-Za-z_][A-Za-z0-9_]*",
        "duration": "[0-9]+(?:[.][0-9]+)? *(?:milliseconds?|seconds?|minutes?|ms|s|m)",
        "count": "[0-9]+",
        "number": "[0-9]+(?:[.][0-9]+)?",
        "condition": "[^ ].*",
        "literal": "-?[0-9]+(?:[.][0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null|[{[].*",
        "times": "once|twice|[0-9]+ times?",
        "method": "[A-Z]+",
        "status": "[1-5][0-9][0-9]",
        "ordinal": "first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|last|[1-9][0-9]*(?:st|nd|rd|th)",
    }
)
"""What each kind of parameter looks like, as Python and JavaScript read it alike."""

_SLOT = re.compile(r"\{(?P<name>\w+)(?::(?P<kind>\w+))?\}")
_HEAD = """# The choreo vocabulary for editors, written by `choreo-bdd steps --format glue`. The language server of the
# Cucumber extensions reads it; nobody runs it. Write it anew when choreo-bdd is upgraded.
"""


def as_glue(phrases: Sequence[Phrase]) -> str:
    """The file; what the server completes comes with each optional part alone, what it accepts is every form."""
    kinds = "".join(f"define_parameter_type(name='{name}', regexp='{regexp}')\n" for name, regexp in _KINDS.items())
    return "\n\n".join([_HEAD + "\n" + kinds, *map(_definition, phrases)])


def _definition(phrase: Phrase) -> str:
    patterns = [*dict.fromkeys(_expressions(phrase.text)), _regexp(phrase.text)]
    decorators = "".join(f"@step('{pattern}')\n" for pattern in patterns)
    return f"{decorators}def step(): ...  # {phrase.doc.partition('. ')[0].rstrip('.')}\n"


def _expressions(phrase: str) -> Iterator[str]:
    """A phrase without its optional parts, then with each of them alone."""
    parts = pieces(phrase)
    for chosen in (None, *(part for part in parts if part.startswith("["))):
        kept = "".join(part[1:-1] if part is chosen else "" if part.startswith("[") else part for part in parts)
        outer = "".join(part for part in pieces(kept) if not part.startswith("["))
        yield _SLOT.sub(lambda slot: f"{{{slot['kind'] or slot['name']}}}", outer)


def _regexp(phrase: str) -> str:
    optional = (
        phrase.replace("[", "(?:").replace("]", ")?").replace("messages", "message").replace("message", "messages?")
    )
    return _SLOT.sub(lambda slot: f"(?:{_KINDS[slot['kind'] or slot['name']]})", f"^(?:{optional}):?$")
