"""Names of our own matchers and functions, which nobody else may give to theirs."""

from __future__ import annotations

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
