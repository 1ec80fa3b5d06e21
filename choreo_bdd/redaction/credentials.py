"""Where credentials hide: secret keys, URLs, running text (private; import ``choreo_bdd.redaction``)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache, partial

from choreo_bdd.redaction.findable import Findable, found_masked
from choreo_bdd.redaction.known_secrets import REDACTED, looks_like_token
from choreo_bdd.redaction.pairs import mask_pairs
from choreo_bdd.redaction.secret_names import (
    NAME_HINTS,
    declared_names,
    is_secret_key,
    plain_name,
)

_SCHEME = re.compile(r"(?:[a-z][a-z0-9+.-]*)?://", re.IGNORECASE)
_HOST_PORT = re.compile(r"(?:\[[^\]]*\]|[^:\[\]@]*)(?::\d*)?")
_URL_QUERY_KEYS = frozenset(
    {"password", "token", "secret", "key", "auth", "credential", "credentials", "username", "user"}
)


def _split_userinfo(rest: str) -> tuple[str, str]:
    """Split what follows ``scheme://`` into user info (may be empty) and the remainder."""
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        userinfo = authority.rpartition("@")[0]
    elif "@" in rest and not _HOST_PORT.fullmatch(authority):
        userinfo = rest.rpartition("@")[0]  # a password that holds / ? or # unescaped
    else:
        return "", rest
    return userinfo, rest[len(userinfo) + 1 :]


def _mask_query(tail: str) -> str:
    path, mark, query = tail.partition("?")
    if not mark:
        return tail
    parts = re.split(r"([&;#])", query)
    return path + mark + "".join(_mask_parameter(part) for part in parts)


def _mask_parameter(parameter: str) -> str:
    name, equals, value = parameter.partition("=")
    from urllib.parse import unquote  # noqa: PLC0415 - slow to load, and few URLs have a query

    key = unquote(name)
    if equals and value and (key.lower() in _URL_QUERY_KEYS or is_secret_key(key)):
        return f"{name}={REDACTED}"
    return parameter


def _safe_single_url(url: str) -> str:
    scheme = _SCHEME.match(url)
    head = scheme.group() if scheme else ""
    userinfo, tail = _split_userinfo(url[len(head) :])
    return head + (f"{REDACTED}@" if userinfo else "") + _mask_query(tail)


def safe_url(url: str) -> str:
    """The URL without its credentials: user info and secret query values become ``<redacted>``.

    Works on text only, so it never raises and treats an unparsable URL like any other; everything that is no
    secret stays as it was written. A comma-separated list of URLs is treated URL by URL.
    """
    parts = re.split(r"(,\s*(?=[A-Za-z][A-Za-z0-9+.-]*://))", str(url))
    return "".join(part if index % 2 else _safe_single_url(part) for index, part in enumerate(parts))


def secrets_in_urls(text: str) -> Iterator[str]:
    """The password of each URL of a list, as written and as meant; in NATS a name without one is a token."""
    from urllib.parse import unquote, urlsplit  # noqa: PLC0415 - slow to load, and few texts hold a URL

    for url in re.split(r"[,\s]+", text):
        try:
            parts = urlsplit(url)
            is_token = parts.password is None and parts.scheme in ("nats", "tls")
            given = parts.username if is_token else parts.password
        except ValueError:
            continue
        if given:
            yield from {given, unquote(given)}


# Nearly all text is innocent: one of these must be in it (in lower case) before a pattern is tried.
_HINTS = (
    "://", "auth", "bearer", "passw", "passphrase", "passcode", "passkey", "pwd", "secret", "token", "key", "cookie",
    "credential", "creds", "jwt", "session", "sessid", "otp", "cvv", "cvc", "csrf", "xsrf", "code=", "code:",
    "code\"", "code'", "mnemonic", "phrase", "connection", "pass=", "pass:", "pass\"", "pass'", "eyj", "akia",
    "asia", "gh", "github_pat_", "xox", "xapp-", "aiza", "k_", "sk-", "glpat-", "whsec_", "npm_", "pypi-", "sg.",
    "hvs.", "hf_", "dckr_pat_", "sig", "basic ", "glrt-", "gldt-", "glptt-", "glsoat-", "glcbt-", "glft-", "glimt-",
    "glagent-", "glsa_", "hvb.", "_v1_", "shpat_", "shpss_", "shpca_", "shppa_", "_api_", "ntn_", "figd_", "sbp_",
    "fo1_", "sntrys_", "rubygems_", "pscale_", "ops_", "nrak-", "pmak-", "pul-", "pat-", "gocspx-", "ya29.", "dp.",
    "dapi", "atatt", "atbb", "ssws ",
)  # fmt: skip
_STEMS = ("code", "connect", "cred", "cv", "pass", "sess", "srf", "gl", "hv", "shp", "s_", "ak-", "api")
"""What several hints have in common: a text that has none of it need not be searched for each."""


class _Hints:
    """Words, one of which must be in a text for it to be looked at."""

    __slots__ = ("_by_stem",)

    def __init__(self, hints: Iterable[str]) -> None:
        by_stem: dict[str, list[str]] = {}
        for hint in hints:
            by_stem.setdefault(next((stem for stem in _STEMS if stem in hint), hint), []).append(hint)
        self._by_stem = tuple((stem, tuple(each)) for stem, each in by_stem.items())

    def are_in(self, text: str) -> bool:
        """Whether one of them is in a text in lower case."""
        for stem, hints in self._by_stem:  # no any(): this runs for every string of every message
            if stem not in text:
                continue
            if any(hint in text for hint in hints):
                return True
        return False


_DIGITS = "0123456789"
_NO_DIGITS = str.maketrans("", "", _DIGITS)
_IN_TEXTS, _IN_NAMES = _Hints(_HINTS), _Hints(NAME_HINTS)
_BESIDE_NAMES = _Hints(hint.translate(_NO_DIGITS) for hint in _HINTS if not any(name in hint for name in NAME_HINTS))
"""Those that are not found by the names of secrets already, as they are in a text whose digits were taken out."""
_NATS_SEED = partial(re.compile, r"\bS[UANOCX][A-Z2-7]{56}\b")
_LIKE_NATS_SEED = re.compile(r"S[UANOCX][A-Z2-7]{56}")  # searched for quickly, because it begins with a letter
_URL = partial(
    re.compile,
    r"(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,30}://(?:(?![,;|]?[a-z][a-z0-9+.-]{0,30}://)[^\s\"'<>`])+",
    re.IGNORECASE,
)
_PRIVATE_KEY_BLOCK = partial(
    re.compile, r"-----BEGIN ([A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?)-----.*?(?:-----END \1-----|\Z)", re.DOTALL
)
_TOKEN_FORMS = (
    ("AKIA", r"[0-9A-Z]{16}\b"), ("ASIA", r"[0-9A-Z]{16}\b"),  # AWS
    ("gh", r"[pousr]_[A-Za-z0-9]{20,}"), ("github_pat_", r"\w{20,}"), ("glpat-", r"[\w-]{20,}"),
    ("xox", r"[abposr]-[\w-]{10,}"), ("xapp-", r"[\w-]{10,}"), ("whsec_", r"\w{16,}"), ("npm_", r"[A-Za-z0-9]{30,}"),
    ("pypi-", r"[\w-]{20,}"), ("SG.", r"[\w-]{16,64}\.[\w-]{16,}"), ("hvs.", r"[\w-]{20,}"),
    ("hf_", r"[A-Za-z0-9]{30,}"), ("dckr_pat_", r"[\w-]{20,}"), ("AIza", r"[0-9A-Za-z_-]{35}"),
    ("sk_", r"(?:live|test)_\w{10,}"), ("rk_", r"(?:live|test)_\w{10,}"), ("sk-", r"[A-Za-z0-9_-]{20,}"),
    ("gl", r"(?:rt|dt|ptt|soat|cbt|ft|imt|agent)-[\w-]{20,}"), ("glsa_", r"\w{32,}"),  # GitLab, Grafana
    ("hvb.", r"[\w-]{20,}"), ("do", r"[opr]_v1_[0-9a-f]{40,}"), ("shp", r"(?:at|ss|ca|pa)_[0-9a-fA-F]{32}"),
    ("lin_api_", r"\w{30,}"), ("ntn_", r"[A-Za-z0-9]{40,}"), ("figd_", r"[\w-]{30,}"), ("sbp_", r"[0-9a-f]{40}"),
    ("fo1_", r"[\w-]{40,}"), ("sntrys_", r"[\w+/=-]{40,}"), ("rubygems_", r"[0-9a-f]{40,}"),
    ("pscale_", r"(?:tkn|oauth|pw)_[\w-]{30,}"), ("ops_eyJ", r"[\w-]{40,}"), ("NRAK-", r"[A-Z0-9]{27}"),
    ("PMAK-", r"[0-9a-f]{24}-[0-9a-f]{34}"), ("pul-", r"[0-9a-f]{40}"), ("pat-", r"[a-z]{2}\d-[0-9a-f-]{36}"),
    ("GOCSPX-", r"[\w-]{20,}"), ("ya29.", r"[\w-]{20,}"), ("dp.", r"(?:pt|st|ct|sa|scim|audit)\.[\w.-]{40,}"),
    ("dapi", r"[0-9a-f]{32}\b"), ("ATATT", r"[\w=-]{40,}"), ("ATBB", r"[A-Za-z0-9]{28,}\b"),
    ("key-", r"[0-9a-f]{32}\b"), ("AGE-SECRET-KEY-1", r"[A-Z0-9]{50,}"), ("SSWS ", r"[\w-]{30,}"),
)  # fmt: skip
"""How the tokens of well-known services begin, and what follows."""
_KNOWN_TOKENS = partial(
    re.compile,
    # each alternative begins with its letters and looks back from behind them, which is searched for far sooner
    r"eyJ(?<![\w-]eyJ)[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?"  # JWT
    + "".join(rf"|{re.escape(head)}(?<!\w{re.escape(head)}){rest}" for head, rest in _TOKEN_FORMS),
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
_SLACK_HOOK = partial(re.compile, r"(?P<head>\bhooks\.slack\.com/services/)[\w/]{10,}", re.IGNORECASE)
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


def _mask_url(match: re.Match[str]) -> str:
    scheme, mark, rest = match.group().partition("://")
    userinfo, tail = _split_userinfo(rest)
    _, colon, password = userinfo.partition(":")
    if not colon or not password or userinfo == REDACTED:
        return match.group()
    return f"{scheme}{mark}{REDACTED}@{tail}"


def _mask_authorization(match: re.Match[str]) -> str:
    return match["head"] + (match["multi"] or match["scheme"] or "") + REDACTED


def _mask_bearer(match: re.Match[str]) -> str:
    token = match["token"]
    if not looks_like_token(token.rstrip(".")):
        return match.group()
    return match["head"] + REDACTED


def _mask_urls(text: str, _found: set[str] | None) -> tuple[str, int]:
    """Mask the logins in URLs, which hold no blank: nearly no line has one."""
    if "@" not in text:
        return text, 0
    lines, hits = text.split("\n"), 0
    for number, line in enumerate(lines):
        if "@" in line and "://" in line:
            lines[number], masked = _substituted(_URL(), _mask_url, line, None)
            hits += masked
    return ("\n".join(lines), hits) if hits else (text, 0)


def _mask_seeds(text: str, _found: set[str] | None) -> tuple[str, int]:
    if _LIKE_NATS_SEED.search(text) is None:
        return text, 0
    return _substituted(_NATS_SEED(), _mask_all, text, None)


_Masking = tuple[str, Callable[[], re.Pattern[str]], Callable[[re.Match[str]], str]]
"""What stands in every text that the pattern finds something in (in lower case), the pattern, and what masks it."""
_FIRST: tuple[_Masking, ...] = (("private key", _PRIVATE_KEY_BLOCK, _mask_all),)
_BEFORE_PAIRS: tuple[_Masking, ...] = (
    ("authorization", _AUTHORIZATION, _mask_authorization),
    ("cookie", _COOKIE_HEADER, _mask_behind_head),
    ("bearer", _BEARER, _mask_bearer),
    ("sig", _SIGNATURE, _mask_behind_head),
    ("hooks.slack.com", _SLACK_HOOK, _mask_behind_head),
    ("basic", _BASIC, _mask_basic),
)
_AFTER_PAIRS: tuple[_Masking, ...] = (("", _KNOWN_TOKENS, _mask_all),)


_Pass = Callable[[str, set[str] | None], tuple[str, int]]
_declared_patterns: list[Findable] = []


@cache
def _passes() -> tuple[tuple[str, _Pass], ...]:
    """Compiled when the first suspicious text comes: that takes longer than all else in loading this file."""
    first, before, after = (
        [(needed, partial(_substituted, pattern(), mask)) for needed, pattern, mask in each]
        for each in (_FIRST, _BEFORE_PAIRS, _AFTER_PAIRS)
    )
    own = [("", partial(found_masked, pattern, REDACTED)) for pattern in _declared_patterns]
    return (*own, *first, ("://", _mask_urls), *before, ("", mask_pairs), *after, ("", _mask_seeds))


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


def is_innocent_json(text: str) -> bool:
    """Whether a value surely holds no secret, neither by its keys nor in its strings, judged by its JSON text.

    ``False`` says nothing: the value has to be looked at. Meant for ASCII JSON; escapes are never innocent.
    """
    if "\\" in text or _LIKE_NATS_SEED.search(text) is not None or _may_be_declared(text):
        return False
    raw = text.encode("ascii") if text.isascii() else text.lower().encode("utf-8", "surrogatepass")
    # without its digits a string is the same in most messages of a topic
    strings = set(raw.translate(None, _DIGITS.encode()).split(b'"')[1::2])
    return strings <= _innocent_strings or all(map(_is_innocent_string, strings - _innocent_strings))


def _is_innocent_string(string: bytes) -> bool:
    """Whether a key or a string without its digits hints at nothing; those that do not are remembered."""
    lower = string.lower()
    # a key may be written with separators anywhere in its last word
    joined = lower.translate(None, _SEPARATORS).decode("utf-8", "surrogatepass")
    if _IN_NAMES.are_in(joined) or _BESIDE_NAMES.are_in(lower.decode("utf-8", "surrogatepass")):
        return False
    if len(string) <= _INNOCENT_CHARS:
        if len(_innocent_strings) >= _INNOCENT_MAX:
            _innocent_strings.clear()
        _innocent_strings.add(string)
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
    return _IN_TEXTS.are_in(text.lower()) or _LIKE_NATS_SEED.search(text) is not None or _may_be_declared(text)


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
