"""Texts that would steer a terminal or a CI log, were they printed as they are."""

from __future__ import annotations

import re

STEERING = {
    "escape": "\x1b[2J",
    "title": "\x1b]0;pwned\x07",
    "C1": "\x9b31m",
    "return": "safe\rX",
    "bidi": "a\u202eb",
    "isolate": "a\u2066b",
    "zero width": "a\u200bb",
    "byte order mark": "a\ufeffb",
    "tag": "a\U000e0041b",
    "line separator": "a\u2028b",
    "next line": "a\x85b",
    "half a pair": "a\ud800b",
    "error": "::error file=x.py,line=1::injected",
    "mask": "text ::add-mask::e",
    "behind a word": "x::add-mask::e",
    "resumed": "  ::tok::",
    "old form": "a ##[add-mask]e",
    "Azure": "##vso[task.setvariable variable=x]y",
    "TeamCity": "##teamcity[buildStop]",
    "link": "\x1b]8;;http://attacker.invalid\x07x\x1b]8;;\x07",
    "clipboard": "\x1b]52;c;aGk=\x07",
    "GitLab's sections": "section_start:1:x\r\x1b[0Kx",
    "Jenkins' notes": "\x1b[8mha:////x\x1b[0m",
    "Buildkite's images": "\x1b]1338;url=x\x07",
    "on a line of its own": "a\n::error::b\n  ##[group]x",
    "back": "a\b\bx",
}
COMMAND = re.compile(r"^\s*::[\w-]+|::(add-mask|error)|##[a-z]*\[", re.MULTILINE)
RAW = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
"""What no terminal is to get."""


def steers(text: str) -> str | None:
    """The first thing in a text that would steer where it is printed, with what is around it."""
    found = RAW.search(text) or COMMAND.search(text)
    return None if found is None else repr(text[max(0, found.start() - 60) : found.end() + 60])
