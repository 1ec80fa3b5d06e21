"""Names of our own matchers and functions, which nobody else may give to theirs."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

MATCHERS = frozenset(
    {
        "absent",
        "after",
        "all_of",
        "any",
        "any_of",
        "approx",
        "before",
        "between",
        "contains",
        "ends_with",
        "every",
        "exactly",
        "exists",
        "ge",
        "gt",
        "iso8601",
        "le",
        "length",
        "lt",
        "matches",
        "ne",
        "not",
        "not_null",
        "null",
        "one_of",
        "python",
        "schema",
        "some",
        "starts_with",
        "type",
        "unordered",
        "uuid",
    }
)
UNUSABLE = frozenset(
    {"self", "true", "false", "none", "True", "False", "None", "not", "and", "or", "is", "in", "if", "else"}
)
"""Names that a template reads as something else than a variable."""
FUNCTIONS = frozenset({"uuid", "now", "now_ms", "random_int", "seq", "env"})
CORRELATION_ID = "correlation_id"
"""The variable that every scenario has: its id."""
_GIVEN = {"index": "the number of a burst's message", "trigger": "the message that a stand-in answers"}


def hides_function(name: str) -> str:
    """What is wrong with a variable that is called like a function, where the function is called."""
    return f"the variable {name!r} hides the function {name}(): give the variable another name"


def hides_given(name: str) -> str:
    """What is wrong with a variable that is called like what a body is given."""
    return (
        f"the variable {name!r} cannot be seen here, where {{{{ {name} }}}} is {_GIVEN.get(name, 'given')}: "
        f"give the variable another name"
    )


def meant_by(name: str, known: Iterable[str]) -> str | None:
    """What somebody who wrote a name that nobody has set most likely meant, as a hint."""
    if name in _GIVEN:
        return f"{name!r} is {_GIVEN[name]}, and is known in its body only"
    return nearly(name, known)


def nearly(name: str, known: Iterable[str]) -> str | None:
    """The one of the names that there are which is written nearly like this one, as a hint."""
    close = get_close_matches(name, [*known], n=1, cutoff=0.75)
    return f"did you mean {close[0]!r}?" if close else None
