"""Passwords in command lines: ``--password x``, ``mysql -px``, ``curl -u name:x``."""

from __future__ import annotations

import re
from functools import cache, partial

from choreo_bdd.redaction.hints import Hints
from choreo_bdd.redaction.known_secrets import REDACTED, looks_like_token
from choreo_bdd.redaction.secret_names import is_secret_key

_GAP = r"[\"']?[\s,]{1,8}[\"']?"
"""Between an option and its value, also where a command is shown as a list of texts."""
_VALUE = r"[^\s\"',;|<-][^\s\"',;|]*"
_OPTION = cache(
    partial(re.compile, rf"(?P<head>-(?<![\w-]-)-?(?P<name>[A-Za-z][\w-]{{1,60}}){_GAP})(?P<value>{_VALUE})")
)
_OF_PROSE = frozenset({
    "a", "an", "and", "are", "argument", "as", "at", "by", "can", "flag", "for", "from", "if", "in", "instead", "into",
    "is", "may", "must", "of", "on", "option", "or", "so", "that", "the", "to", "was", "when", "which", "with",
    "yourself",
})  # fmt: skip
"""What follows an option in a sentence about it."""
_NAMED_LOGIN = r"-a|--(?:proxy-)?user|--auth|--creds|--src-creds|--dest-creds"
_LOGIN = rf"(?:-[uU](?:=|{_GAP}|)|(?:{_NAMED_LOGIN})(?:=|{_GAP}))[^\s:\"'/]{{1,99}}:"
_TOOLS = (
    ("curl", "", _LOGIN), ("wget", "", _LOGIN), ("http", "s?", _LOGIN), ("skopeo", "", _LOGIN),
    ("mysql", r"[\w-]{0,20}", "-p"), ("mariadb", r"[\w-]{0,20}", "-p"), ("docker", f"{_GAP}login", f"-p(?:{_GAP}|)"),
    ("podman", f"{_GAP}login", f"-p(?:{_GAP}|)"), ("az", f"{_GAP}login", f"-p(?:{_GAP}|)"),
    ("registry", f"{_GAP}login", f"-p(?:{_GAP}|)"), ("oc", f"{_GAP}login", f"-p(?:{_GAP}|)"),
    ("cf", f"{_GAP}login", f"-p(?:{_GAP}|)"), ("sshpass", "", f"-p(?:{_GAP}|)"),
    ("mongo", r"\w{0,20}", f"-p(?:{_GAP}|)"), ("rabbitmqadmin", "", f"-p(?:{_GAP}|)"),
    ("redis-cli", "", f"-a{_GAP}"), ("valkey-cli", "", f"-a{_GAP}"), ("ldap", r"\w{3,20}", f"-w{_GAP}"),
    ("sqlcmd", "", f"-P(?:{_GAP}|)"), ("smbclient", "", rf"-U{_GAP}[^\s%\"']{{1,99}}%"),
    ("mosquitto_", r"\w{2,9}", f"-P{_GAP}"), ("ipmitool", "", f"-P{_GAP}"), ("bcp", "", f"-P(?:{_GAP}|)"),
    ("zip", "", f"-P{_GAP}"), ("unzip", "", f"-P{_GAP}"), ("cqlsh", "", f"-p{_GAP}"),
    ("lftp", "", rf"-u{_GAP}[^\s,\"']{{1,99}},"), ("etcdctl", "", _LOGIN), ("plink", "", f"-pw{_GAP}"),
    ("pscp", "", f"-pw{_GAP}"), ("7z", r"\w{0,2}", "-p"), ("rar", "", "-p"),
)  # fmt: skip
"""How the name of a tool begins, how it goes on, and the option that its password follows."""
_TOOL_HINTS = Hints(("login", "sudo -S", " -p", "--stdin", *(head for head, rest, _ in _TOOLS if "login" not in rest)))


@cache
def _call(head: str, rest: str, option: str) -> re.Pattern[str]:
    """Begins with plain letters and looks back from behind them, which is searched for far sooner."""
    return re.compile(
        rf"(?P<head>{head}(?<![\w-]{head}){rest}(?=[\s\"',])[^\n|;]{{0,200}}?[\s\"']{option})"
        r"(?P<value>[^\s\"',;|<][^\s\"',;|]*)"
    )


_PIPED = cache(
    partial(
        re.compile,
        r"(?P<head>\becho\s{1,8}(?:-n\s{1,8})?[\"']?)(?P<value>[^\s\"'|]{1,200})"
        r"(?=[\"']?\s{0,8}\|[^\n]{0,200}?(?:password-stdin|chpasswd|passwd\s{1,8}--stdin|sudo\s{1,8}-S))",
    )
)


def may_be_command(text: str) -> bool:
    """Whether one of the tools may be called in a text; ``False`` is certain."""
    has_option = " -" in text or "'-" in text or '"-' in text
    return has_option and _TOOL_HINTS.are_in(text)


def mask_arguments(text: str, _found: set[str] | None) -> tuple[str, int]:
    """The text without the passwords of its command lines, and how many there were."""
    hits = 0

    def mask(match: re.Match[str]) -> str:
        nonlocal hits
        value = match["value"]
        if value == REDACTED or value.lower().rstrip(".:") in _OF_PROSE:
            return match.group()
        hits += 1
        return f"{match['head']}{REDACTED}"

    def mask_option(match: re.Match[str]) -> str:
        return mask(match) if _is_secret(match["name"], match["value"]) else match.group()

    if "-" in text:
        text = _OPTION().sub(mask_option, text)
    if may_be_command(text):
        for tool in _TOOLS:
            if tool[0] in text:
                text = _call(*tool).sub(mask, text)
    return (_PIPED().sub(mask, text) if "echo" in text and "|" in text else text), hits


def _is_secret(option: str, value: str) -> bool:
    """``--auth digest`` says how, ``--auth name:x`` has a password."""
    return is_secret_key(option) and (not option.endswith("auth") or looks_like_token(value))
