"""Names of secrets in running text with the values behind them: ``password=x``, ``"token": "x"``, ``api key 'x'``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache, lru_cache, partial

from choreo_bdd.redaction.known_secrets import REDACTED, looks_like_token
from choreo_bdd.redaction.secret_names import (
    NAME_HINTS,
    declared_names,
    is_declared_name,
    is_secret_key,
    is_single_name,
)

_NAMED = cache(
    partial(
        re.compile,
        r"(?<![\w.-])(?P<key>(?:(?:access|account|api|private|secret|shared|signing)[ \t](?!is\b))?[\w.-]{1,100}+)"
        r"(?P<quote>\\{0,3}+[\"'])?(?:\](?=\s*+=\s*+[\"']))?(?P<sep>\s*+(?:=>|={1,2}|:=?|->|\||%3D)\s*+|\t(?=\S*\d)"
        r"|\s++(?:(?:for|of)\s++[^\s=]{1,100}+\s++(?:=\s*+|is\s++(?=\S*\d|[\"']))|is\s++(?=\S*\d)|(?:is\s++)?(?=[\"']))"
        r"|\s++(?:(?:provided|given|was)[:,]?\s++)?(?-i:(?=\S*\d)(?=\S*[a-z])(?=\S*[A-Z]))(?=[\w~+/=-]{10,200}+(?![.:(])))",
        re.IGNORECASE,
    )
)
"""A name and what stands between it and its value; whether the name is a secret's is asked then."""
_NAME_MAX_CHARS = 100
_LETTERS_OF_NAME = re.compile(r"[\w.-]+")
_WORD_BEFORE = cache(
    partial(re.compile, r"(?<![\w.-])(?:access|account|api|private|secret|shared|signing)[ \t]\Z", re.IGNORECASE)
)
_ENDS_OF_WORDS_BEFORE = frozenset("stiedgSTIEDG\u017f\u0131\u0130")
"""The last letters of these, with those that count as the same in another case."""
_BEFORE_NAMES = frozenset(" \"'\n\t?&,;{(")
"""What stands before nearly every name."""
_PARTS = b"0123456789._-"
"""What may part the words of a name, as far as it is ASCII."""
_VALUE = cache(
    partial(
        re.compile,
        r"(?:(?P<tags>(?:(?:!<[^\s>]{1,100}+>|![\w!:/.-]{0,100}+|&[\w.-]{1,100}+)(?:[ \t]*+\n)?[ \t]++){1,4}+)(?=\S))?"
        r"(?:\\{1,3}+\"(?P<nested_double>[^\\]*+(?:\\(?!\\{0,2}\")[^\\]*+)*+)"  # JSON inside JSON: \"key\": \"value\"
        r"|\\{1,3}+'(?P<nested_single>[^\\]*+(?:\\(?!\\{0,2}')[^\\]*+)*+)"
        r"|\"{3}(?P<triple>[^\"]*+)\"{3}|b?\"(?P<double>[^\"\\]*+(?:\\.[^\"\\]*+)*+)|b?'(?P<single>[^'\\]*+(?:\\.[^'\\]*+)*+)"
        r"|(?P<block>[|>][\d+-]{0,2}+[ \t]*+(?:#[^\n]*+)?(?:\n[ \t]*+(?:(?=\n)|(?<=[ \t])[^\n]++))++)"  # of YAML
        r"|(?P<items>-[ \t]++[^\s:]++[ \t]*+(?:\n[ \t]*+-[ \t]++[^\s:]++[ \t]*+)*+)(?=\n|\Z)"
        r"|(?P<bare>\([^)]{0,256}\)|\[[^\]]{0,256}\]|\{[^{}]{0,256}\}|[^\s,;&\"'<\\][^\s,;&]*+))",
        re.DOTALL,
    )
)
_ESCAPED_LINE_ENDS = ("\\n", "\\r")
_OF_PASSWORDS = re.compile(r"pass(?!key)|pwd|secret", re.IGNORECASE)
_OF_PROSE = re.compile(
    r"\s|\A(?:[a-z]+e[dn]|(?:in|un)[a-z]+|blank|correct|empty|false|long|missing|no|none|null|short|string|strong|text|true"
    r"|valid|weak|wrong|yes)\Z",
    re.IGNORECASE,
)
"""What is said of a password in quotes: ``the password is 'required'``."""
_OF_NOTHING = re.compile(r"(?:null|none|nil|undefined|\$\{\w{1,99}\}|\{\{)[\]})]*\Z", re.IGNORECASE)
"""What stands without quotes where a secret is missing, or would be put in."""
_CERTAIN_WITH_COLON = re.compile(r"pass|pwd|key|cookie|jwt|session|seed", re.IGNORECASE)


def mask_pairs(text: str, found: set[str] | None) -> tuple[str, int]:
    """Mask the value behind each name of a secret: ``password=x``, ``"token": "x"``, ``api key 'x'``."""
    next_name, value_of = _secret_names(text), _VALUE()
    pieces: list[str] = []
    kept_to = at = 0
    while (name := next_name(at)) is not None:
        at = name.end()
        value = value_of.match(text, at)
        if value is None or not _is_secret_value(name, value):
            continue
        kind = str(value.lastgroup)
        if value.start(kind) < kept_to:  # within what is masked by now; it may reach further
            kept_to = max(kept_to, value.end(kind))
            at = value.end()
            continue
        told = value[kind]
        # after a quoted key, the brackets behind a bare value belong to the JSON around it
        closing = told[len(told.rstrip("]})")) :] if kind == "bare" and name["quote"] else ""
        if found is not None and kind != "bare" and looks_like_token(told):
            found.add(told)
        if value["tags"]:  # what has the form of a YAML tag may be how the secret begins
            pieces += [text[kept_to : value.start()], REDACTED, " "]
            kept_to = value.end("tags")
        pieces += [text[kept_to : value.start(kind)], REDACTED, closing]
        kept_to = value.end()
        at = kept_to if kind != "bare" else _last_line_of(value)
    return ("".join([*pieces, text[kept_to:]]), len(pieces) // 3) if pieces else (text, 0)


def _last_line_of(value: re.Match[str]) -> int:
    """Where to look for the next name: what is bare ends with its line, and lines that are escaped nothing tells apart.

    All before the last of them is masked; that one may be a name, whose value is beyond.
    """
    line_end = max(map(value["bare"].rfind, _ESCAPED_LINE_ENDS))
    return value.end() if line_end < 0 else value.start("bare") + line_end + 1


def _secret_names(text: str) -> Callable[[int], re.Match[str] | None]:
    """What finds the next name of a secret in a text, each time behind the place it is given."""
    lower = text.lower()
    if declared_names() or len(lower) != len(text):  # a dotted capital I becomes two characters
        return partial(_secret_name_from, _NAMED().search, text)
    named = _NAMED().match
    hints = _hints_in(lower)  # of which there are far fewer than names

    def next_name(at: int) -> re.Match[str] | None:
        for hint in hints:
            if hint.start() < at:
                continue
            name = named(text, _start_of_name(text, at, hint.start()))
            if name is not None and is_secret_key(name["key"]):
                return name
        return None

    return next_name


def _hints_in(lower: str) -> Iterator[re.Match[str]]:
    """What is in every name of a secret; few texts have more than one or two of them, which are found sooner alone."""
    if not lower.isascii():
        return _any_of(NAME_HINTS, in_parts=True).finditer(lower)
    joined = lower.encode("ascii").translate(None, _PARTS).decode("ascii")
    hints = tuple(hint for hint in NAME_HINTS if hint in joined)
    if not hints:
        return iter(())
    in_parts = any(joined.count(hint) != lower.count(hint) for hint in hints)
    return _any_of(hints, in_parts=in_parts).finditer(lower)


@lru_cache(maxsize=256)
def _any_of(hints: tuple[str, ...], *, in_parts: bool) -> re.Pattern[str]:
    """One of these in lower case, if need be with what may part the words of a name."""
    return re.compile("|".join(r"[\d._-]*".join(hint) if in_parts else hint for hint in hints))


def _start_of_name(text: str, behind: int, place: int) -> int:
    """Where the name begins that a place is in; that of one which is too long is not found."""
    start = place
    if place > behind and text[place - 1] not in _BEFORE_NAMES and _LETTERS_OF_NAME.match(text, place - 1, place):
        backwards = text[max(behind, place - _NAME_MAX_CHARS) : place][::-1]
        letters = _LETTERS_OF_NAME.match(backwards)
        start = place - (letters.end() if letters else 0)
    if text[start - 1 : start] in (" ", "\t") and text[start - 2 : start - 1] in _ENDS_OF_WORDS_BEFORE:
        word = _WORD_BEFORE().search(text, max(behind, start - len("account ")), start)
        return word.start() if word else start
    return start


def _secret_name_from(search: Callable[[str, int], re.Match[str] | None], text: str, at: int) -> re.Match[str] | None:
    while (name := search(text, at)) is not None and not is_secret_key(name["key"]):
        at = name.end()
    return name


def _is_secret_value(name: re.Match[str], value: re.Match[str]) -> bool:
    """Whether what stands behind the name of a secret is one, or prose."""
    key, separator, told = name["key"], name["sep"], value[str(value.lastgroup)]
    is_quoted = value.lastgroup != "bare"
    is_missing = told in ("", REDACTED) or (not is_quoted and _OF_NOTHING.match(told) is not None)
    if is_missing or key.lower().endswith("authorization"):  # which has had a pass of its own
        return False
    sign = separator.lower().split()[-1:]
    if is_single_name(key) and (told.rstrip("]})").isdigit() or not looks_like_token(told)):
        return key.lower() == "pass" and is_quoted and bool(name["quote"])
    if is_single_name(key) and not sign and not is_quoted:
        return False
    if sign == ["is"] and is_quoted and _OF_PASSWORDS.search(key):
        return not _OF_PROSE.search(told)
    if sign in (["|"], ["->"], ["is"]) or (not sign and _is_word_of_parsers(key)):
        return looks_like_token(told) and not told.isdigit()
    is_prose = not is_quoted and not name["quote"] and ":" in separator
    return not is_prose or _is_certain(key, told)


def _is_word_of_parsers(key: str) -> bool:
    """``unexpected token 'x'`` is no secret, ``token 's3cr3t'`` is."""
    return key.lower().endswith(("token", "auth"))


def _is_certain(key: str, value: str) -> bool:
    """Behind an unquoted colon ``expected`` is prose, ``8f3a`` is not; after ``password:`` all counts."""
    return bool(_CERTAIN_WITH_COLON.search(key)) or looks_like_token(value) or is_declared_name(key)
