"""Where credentials hide: secret keys, URLs, running text (private; import ``choreo_bdd.redaction``)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache, lru_cache, partial

from choreo_bdd.redaction.beside_names import mask_beside, mask_columns
from choreo_bdd.redaction.command_lines import mask_arguments, may_be_command
from choreo_bdd.redaction.findable import Findable, found_masked
from choreo_bdd.redaction.hints import Hints
from choreo_bdd.redaction.known_secrets import REDACTED, looks_like_token
from choreo_bdd.redaction.pairs import mask_pairs
from choreo_bdd.redaction.secret_names import (
    NAME_HINTS,
    declared_names,
    plain_name,
)
from choreo_bdd.redaction.statements import mask_statements
from choreo_bdd.redaction.tokens import mask_tokens, may_begin_token, may_hold_token, may_hold_vague
from choreo_bdd.redaction.urls import mask_logins, mask_urls, may_hold_login

# Nearly all text is innocent: one of these must be in it (in lower case) before a pattern is tried.
_HINTS = (
    "://", "auth", "bearer", "passw", "passphrase", "passcode", "passkey", "pwd", "secret", "token", "key", "cookie",
    "credential", "creds", "jwt", "session", "sessid", "otp", "cvv", "cvc", "csrf", "xsrf", "code=", "code:",
    "code\"", "code'", "code =", "code :", "code  ", "mnemonic", "phrase", "connection", "pass=", "pass:", "pass\"",
    "pass'", "pass =", "pass :", "pass  ", "pass\t", "pw", "securityanswer",
    "security_answer", "sig=", "signature=",
    "basic ", "hooks.", "/webhook", "@tcp(", "--pass", "-pass ", "requirepass", "identified by", "add_user",
    "securestring", "storepass", "authenticate_user", "jdbc:oracle", "vault login", "htpasswd", "sqlplus",
)  # fmt: skip
_DIGITS = b"0123456789"
_IN_TEXTS, _IN_NAMES = Hints(_HINTS), Hints(NAME_HINTS)
_BESIDE_NAMES = Hints(hint for hint in _HINTS if not any(name in hint for name in NAME_HINTS))
"""Those that are not found by the names of secrets already."""
_PRIVATE_KEY_BLOCK = partial(
    re.compile, r"-----BEGIN ([A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?)-----.*?(?:-----END \1-----|\Z)", re.DOTALL
)
_AUTHORIZATION = partial(
    re.compile,
    r"(?P<head>\b(?:proxy-)?authorization\\?[\"']?\s*[:=]\s*\\?[\"']?)"
    r"(?!(?:[\w-]+[ \t]+)?<redacted>)"
    r"(?:(?P<multi>(?:digest|aws4-hmac-sha256)\s+)[^\r\n]+"  # several quoted parameters: the whole line
    r"|(?P<scheme>[A-Za-z][\w-]*[ \t]+)?[^\s\"',;\\]+)",
    re.IGNORECASE,
)
_SIGNATURE = partial(
    re.compile, r"(?P<head>\b(?:x-amz-signature|sig)=)[A-Za-z0-9%+/_-]{20,}=*", re.IGNORECASE
)  # of a URL
_HOOK = partial(
    re.compile,
    r"(?P<head>\b(?:hooks\.slack\.com/(?:services|workflows|triggers)|hooks\.zapier\.com/hooks/catch"
    r"|discord(?:app)?\.com/api/webhooks/\d{1,20}|webhook\.office\.com/webhookb2)/)[\w/@-]{10,}",
    re.IGNORECASE,
)
_DATABASE_LOGIN = partial(re.compile, r"(?<=:)[^\s:@\"'<>]{1,99}(?=@tcp\()")
"""``user:password@tcp(host:3306)/db``"""
_BASIC = partial(re.compile, r"\b(?P<head>basic\s{1,8})[A-Za-z0-9+/]{16,}={0,2}(?![\w/+])", re.IGNORECASE)
_BEARER = partial(re.compile, r"\b(?P<head>bearer\s+)(?P<token>[A-Za-z0-9._~+/=-]+)", re.IGNORECASE)
_COOKIE_HEADER = partial(
    re.compile, r"(?P<head>\b(?:set-)?cookie\s*:\s*)(?!<redacted>)[^\s\"'=;:]{1,256}=[^\"'\r\n]*", re.IGNORECASE
)


def _mask_all(_match: re.Match[str]) -> str:
    return REDACTED


def _mask_behind_head(match: re.Match[str]) -> str:
    return f"{match['head']}{REDACTED}"


def _mask_basic(match: re.Match[str]) -> str:
    """``Basic dXNlcjpwYXNz`` is a login, ``basic internationalization`` is prose."""
    word = match.group()[len(match["head"]) :]
    return match["head"] + REDACTED if not word.islower() and looks_like_token(word) else match.group()


def _mask_authorization(match: re.Match[str]) -> str:
    return match["head"] + (match["multi"] or match["scheme"] or "") + REDACTED


def _mask_bearer(match: re.Match[str]) -> str:
    token = match["token"]
    if not looks_like_token(token.rstrip(".")):
        return match.group()
    return match["head"] + REDACTED


_Masking = tuple[str, Callable[[], re.Pattern[str]], Callable[[re.Match[str]], str]]
"""What stands in every text that the pattern finds something in (in lower case), the pattern, and what masks it."""
_FIRST: tuple[_Masking, ...] = (("private key", _PRIVATE_KEY_BLOCK, _mask_all),)
_BEFORE_PAIRS: tuple[_Masking, ...] = (
    ("authorization", _AUTHORIZATION, _mask_authorization),
    ("cookie", _COOKIE_HEADER, _mask_behind_head),
    ("bearer", _BEARER, _mask_bearer),
    ("sig", _SIGNATURE, _mask_behind_head),
    ("hook", _HOOK, _mask_behind_head),
    ("basic", _BASIC, _mask_basic),
    ("@tcp(", _DATABASE_LOGIN, _mask_all),
)


_Pass = Callable[[str, set[str] | None], tuple[str, int]]
_declared_patterns: list[Findable] = []


@cache
def _passes() -> tuple[tuple[str, _Pass], ...]:
    """Compiled when the first suspicious text comes: that takes longer than all else in loading this file."""
    first, before = (
        [(needed, partial(_substituted, pattern(), mask)) for needed, pattern, mask in each]
        for each in (_FIRST, _BEFORE_PAIRS)
    )
    own = [("", partial(found_masked, pattern, REDACTED)) for pattern in _declared_patterns]
    return (
        *own,
        *first,
        ("://", mask_urls),
        ("@", mask_logins),
        *before,
        ("", mask_beside),
        ("", mask_pairs),
        ("\n", mask_columns),
        ("", mask_arguments),
        ("", mask_statements),
        ("", mask_tokens),
    )


def _substituted(
    pattern: re.Pattern[str], mask: Callable[[re.Match[str]], str], text: str, _found: set[str] | None
) -> tuple[str, int]:
    hits = 0

    def replace(match: re.Match[str]) -> str:
        nonlocal hits
        masked = mask(match)
        hits += masked != match.group()
        return masked

    return pattern.sub(replace, text), hits


def declare_patterns(patterns: Iterable[Findable]) -> None:
    """Mask what these find, whole."""
    _declared_patterns.extend(each for each in patterns if each not in _declared_patterns)
    forget_compiled()


def forget_declared_patterns() -> None:
    """Mask only what is masked anyway."""
    _declared_patterns.clear()
    forget_compiled()


def forget_compiled() -> None:
    """Compile the passes anew, because something was declared."""
    _passes.cache_clear()
    _is_suspicious_short.cache_clear()
    _is_suspicious_long.cache_clear()


_SHORT_CHARS = 120
_LONG_CHARS = 100_000
_SEPARATORS = bytes(code for code in range(128) if not chr(code).isalnum())
_INNOCENT_MAX = 8192
_INNOCENT_CHARS = 64
"""Longer strings seldom come twice, and are not remembered."""
_innocent_strings: set[bytes] = set()
_innocent_lines: set[bytes] = set()


def is_innocent_json(text: str) -> bool:
    """Whether a value surely holds no secret, neither by its keys nor in its strings, judged by its JSON text.

    ``False`` says nothing: the value has to be looked at. Meant for ASCII JSON; escapes are never innocent.
    """
    if "\\" in text or may_hold_vague(text) or may_hold_login(text) or _may_be_declared(text):
        return False
    # without its digits a string is the same in most messages of a topic
    strings = set(text.encode("utf-8", "surrogatepass").translate(None, _DIGITS).split(b'"')[1::2])
    return strings <= _innocent_strings or all(map(_is_innocent_string, strings - _innocent_strings))


def are_innocent_json(lines: str) -> bool:
    """The same for several values, a line each."""
    return not _declared_patterns and is_innocent_json(lines)  # a pattern may find only what stands by itself


def _is_innocent_string(string: bytes) -> bool:
    """Whether a key or a string without its digits hints at nothing; those that do not are remembered."""
    text = string.decode("utf-8", "surrogatepass")
    lower = text.lower()
    # a key may be written with separators anywhere in its last word
    joined = lower.encode("utf-8", "surrogatepass").translate(None, _SEPARATORS).decode("utf-8", "surrogatepass")
    if _IN_NAMES.are_in(joined) or _BESIDE_NAMES.are_in(lower) or may_begin_token(text) or may_be_command(text):
        return False
    if len(string) <= _INNOCENT_CHARS:
        _remember(string, _innocent_strings)
    return True


def is_suspicious(text: str) -> bool:
    """Whether patterns have to be tried on a text; ``False`` is certain."""
    if len(text) <= _SHORT_CHARS:
        return _is_suspicious_short(text)
    return _look_for_hints(text) if len(text) < _LONG_CHARS else _is_suspicious_long(text)


@lru_cache(maxsize=8192)
def _is_suspicious_short(text: str) -> bool:
    return _look_for_hints(text)


@lru_cache(maxsize=1)
def _is_suspicious_long(text: str) -> bool:
    """One is remembered: a payload is looked at many times in a row, as sent, as received, as what differs."""
    return _look_for_hints(text)


def _look_for_hints(text: str) -> bool:
    if _may_be_declared(text) or may_be_command(text) or may_hold_login(text):
        return True
    if _are_lines_innocent(text):
        return may_hold_vague(text)
    return _IN_TEXTS.are_in(text.lower()) or may_hold_token(text)


def _are_lines_innocent(text: str) -> bool:
    """Whether surely no hint and no clear beginning of a token is in a text; ``False`` says nothing."""
    # without their digits, which no hint has, the lines of a summary are the same in most scenarios
    lines = set(text.encode("utf-8", "surrogatepass").translate(None, _DIGITS).split(b"\n"))
    return lines <= _innocent_lines or all(map(_is_innocent_line, lines - _innocent_lines))


def _is_innocent_line(line: bytes) -> bool:
    text = line.decode("utf-8", "surrogatepass")
    if _IN_TEXTS.are_in(text.lower()) or may_begin_token(text):
        return False
    if len(line) <= _SHORT_CHARS:
        _remember(line, _innocent_lines)
    return True


def _remember(innocent: bytes, among: set[bytes]) -> None:
    if len(among) >= _INNOCENT_MAX:
        among.clear()
    among.add(innocent)


def _may_be_declared(text: str) -> bool:
    if _declared_patterns and any(pattern.is_in(text) for pattern in _declared_patterns):
        return True
    names = declared_names()
    return bool(names) and any(name in plain_name(text) for name in names)


def redact_text(text: str, found: set[str] | None = None) -> tuple[str, int]:
    """Mask credentials in running text; returns the text and the number of places masked.

    Known are URL credentials, authorization and cookie headers, ``password=``-like pairs (also quoted as in
    JSON), JSON web tokens, NATS seeds, private key blocks and the tokens of common cloud services. What stood in
    quotes beside the name of a secret is added to ``found``.
    """
    if not is_suspicious(text):
        return text, 0
    hits, lower = 0, text.lower()
    for needed, mask in _passes():
        if needed in lower:
            text, number = mask(text, found)
            hits += number
    return text, hits
