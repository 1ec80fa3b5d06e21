"""Patterns that fit no text at all, as an anchor stands where it cannot be."""

from __future__ import annotations

import re
import re._constants as codes  # type: ignore[import-not-found]  # private, and the only parser of this language
import re._parser as parser  # type: ignore[import-not-found]
from functools import lru_cache
from typing import Any

_OPPOSITES = (
    {codes.CATEGORY_SPACE, codes.CATEGORY_NOT_SPACE},
    {codes.CATEGORY_DIGIT, codes.CATEGORY_NOT_DIGIT},
    {codes.CATEGORY_WORD, codes.CATEGORY_NOT_WORD},
)


@lru_cache(maxsize=256)
def fits_nothing(pattern: str) -> bool:
    """Whether a character precedes the beginning, or one follows the end, or is none: ``a^``, ``$a``, ``[^\\s\\S]``.

    Raises ``re.error``.

    Nothing that fits a text is taken for such a pattern; of those that fit none, some are not seen.
    """
    items = parser.parse(pattern)
    return any(
        (code is codes.AT and _is_out_of_place(value, items[:index], items[index + 1 :]))
        or (code is codes.IN and _holds_no_character(value))
        for index, (code, value) in enumerate(items)
    )


def _holds_no_character(members: Any) -> bool:
    """Whether a class leaves out a kind of characters and all others."""
    kinds = {value for code, value in members if code is codes.CATEGORY}
    return members[0][0] is codes.NEGATE and any(pair <= kinds for pair in _OPPOSITES)


def _is_out_of_place(anchor: Any, before: Any, after: Any) -> bool:
    by_line = before.state.flags & re.MULTILINE
    if anchor is codes.AT_BEGINNING_STRING or (anchor is codes.AT_BEGINNING and not by_line):
        return bool(before.getwidth()[0])
    if anchor is codes.AT_END_STRING:
        return bool(after.getwidth()[0])
    return anchor is codes.AT_END and not by_line and not _may_close(after)


def _may_close(after: Any) -> bool:
    """Whether this may be what can follow ``$``: nothing, or the end of the last line."""
    shortest = after.getwidth()[0]
    code, value = after[0] if len(after) == 1 else (None, None)
    return bool(shortest == 0 or (shortest == 1 and (code is not codes.LITERAL or value == ord("\n"))))
