"""Text that messages and tests made up, as terminals and CI logs may have it: it cannot steer them.

One escaper for what is printed, one for the annotations of GitHub and one for the issues of GitLab. Standard library
only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, partial
from posixpath import normpath
from typing import Any

_STEERING = (
    "\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f"  # control characters but tab and line feed, C1 among them
    "\\xad\\u061c\\u180e\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb"  # no width, or bidi
    "\\ud800-\\udfff\\U000e0000-\\U000e007f"  # halves of surrogate pairs, invisible tags
)
_COMMANDS = (
    r"::(?=(?:add-mask|add-matcher|add-path|debug|echo|endgroup|error|group|notice|remove-matcher|save-state|set-env"
    r"|set-output|stop-commands|warning)(?: [^\n]{0,200}?)?::)|(?<!\w)::(?=[\w-]+(?:::| ))|##(?=[a-z]*\[)"
)
"""GitHub's ``::name::`` and ``##[name]``, also as Azure (``##vso[``) and TeamCity (``##teamcity[``) have it."""
# compiled when a text is shown
_LINES = cache(partial(re.compile, f"[{_STEERING}]|{_COMMANDS}", re.IGNORECASE))
_ONE_LINE = cache(partial(re.compile, f"[{_STEERING}\\t\\n]|{_COMMANDS}", re.IGNORECASE))
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(text: str) -> str:
    """Text of several lines with what would steer a terminal or a CI log spelt out, such as ``\\x1b``."""
    return text if _is_tame(text) else _LINES().sub(_spelt, text)


def on_one_line(text: str) -> str:
    """The same on one line: line feeds and tabs are spelt out, too."""
    return text if _is_tame(text) else _ONE_LINE().sub(_spelt, text)


def _is_tame(text: str) -> bool:
    """Whether nothing in a text can steer anything, as in nearly all; ``False`` says nothing."""
    return text.isascii() and text.isprintable() and "::" not in text and "##" not in text


def _spelt(match: re.Match[str]) -> str:
    found = match.group()
    if len(found) > 1:  # the mark of a command, broken up
        return f"{found[0]}\\x{ord(found[1]):02x}"
    code = ord(found)
    if found in _ESCAPES:
        return _ESCAPES[found]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def in_json(text: str) -> str:
    """A JSON document that means the same and holds no command."""
    return text.replace("##", "#\\u0023").replace("::", ":\\u003a")


def in_xml(text: str) -> str:
    """An XML document that means the same and holds no command."""
    return text.replace("##", "#&#35;").replace("::", ":&#58;")


def annotation(level: str, message: str, **properties: object) -> str:
    """A workflow command that GitHub shows beside a line; properties without a value are left out."""
    told = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items() if value)
    return f"::{level} {told}::{_data(message)}" if told else f"::{level}::{_data(message)}"


def code_quality_issue(
    description: str, *, rule: str, severity: str, file: str, line: int | None, key: Sequence[str]
) -> dict[str, Any]:
    """An issue as GitLab takes it from a code quality report; issues of one ``key`` are one and the same.

    ``severity`` is ``info``, ``minor``, ``major``, ``critical`` or ``blocker``; a path may not begin with ``./``.
    """
    from hashlib import sha256  # noqa: PLC0415 - OpenSSL's, and needed only where a finding is written

    return {
        "description": on_one_line(description),
        "check_name": on_one_line(rule),
        "fingerprint": sha256("\n".join(key).encode("utf-8", "surrogatepass")).hexdigest(),
        "severity": severity,
        "location": {"path": on_one_line(normpath(file or ".")), "lines": {"begin": max(1, line or 1)}},
    }


def _data(text: str) -> str:
    spelt = _LINES().sub(_spelt, text)
    return spelt.replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
