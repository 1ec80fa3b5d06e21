"""Where credentials hide: secret keys, URLs, running text (private; import ``choreo_bdd.redaction``)."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache, partial
from typing import Any

REDACTED = "<redacted>"

_SECRET_ENDINGS = (
    "password", "passwords", "passwd", "passphrase", "pwd", "secret", "secrets", "token", "jwt", "bearer",
    "apikey", "accesskey", "accountkey", "privatekey", "secretkey", "signingkey", "sharedkey", "nkeyseed",
    "authorization", "cookie", "cookies", "credential", "credentials", "sessionid", "sessid", "passcode", "pincode",
    "apikeys", "accesstokens", "refreshtokens", "accesskeys", "privatekeys", "secretkeys", "encryptionkey", "masterkey",
    "functionskey", "subscriptionkey", "connectionstring",
)  # fmt: skip
_SECRET_WORDS = frozenset({"password", "passwords", "passwd", "passphrase", "pwd", "secret", "secrets", "apikey"})
"""A name that holds one of these anywhere is a secret's, whatever follows: ``passwordConfirm``, ``secret_value``."""
_LOGINS = frozenset({"db", "user", "admin", "root", "smtp", "ftp", "http", "login", "mail", "proxy"})
"""Whose ``pass`` is a password; a ``pass`` by itself counts tests."""
_CAMEL_EDGE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SEPARATORS = re.compile(r"[\W_]+")


@lru_cache(maxsize=4096)
def _is_secret_name(key: str) -> bool:
    parts = _SEPARATORS.split(_CAMEL_EDGE.sub("_", key).lower())
    words = [word for part in parts if (word := part.rstrip("0123456789"))]
    if not words:
        return False
    if words[-1] in ("auth", "pass"):
        return words[-1] == "auth" or not _LOGINS.isdisjoint(words)
    if words[-1] == "value":
        words.pop()
    return not _SECRET_WORDS.isdisjoint(words) or "".join(words).endswith(_SECRET_ENDINGS)


def is_secret_key(key: object) -> bool:
    """Whether a value under this key is a secret: ``accessToken``, ``x-api-key``, ``db_password`` ..."""
    return isinstance(key, str) and len(key) <= 200 and _is_secret_name(key)


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


# Nearly all text is innocent: one of these must be in it (in lower case) before a pattern is tried.
_HINTS = (
    "://", "auth", "bearer", "passw", "passphrase", "pwd", "secret", "token", "key", "cookie", "credential", "jwt",
    "session", "eyj", "akia", "asia", "gh", "github_pat_", "xox", "xapp-", "aiza", "k_", "sk-", "glpat-", "whsec_",
    "npm_", "pypi-", "sg.", "hvs.", "hf_", "dckr_pat_", "sig", "basic ",
)  # fmt: skip
_KEY_HINTS = ("auth", "bearer", "passw", "passphrase", "pwd", "secret", "token", "key", "cookie", "credential", "jwt",
              "session")  # fmt: skip
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
_KNOWN_TOKENS = partial(
    re.compile,
    r"(?<![\w-])eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?"  # JWT
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"  # AWS
    r"|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{20,}"
    r"|\bxox[abposr]-[\w-]{10,}|\bxapp-[\w-]{10,}|\bwhsec_\w{16,}|\bnpm_[A-Za-z0-9]{30,}|\bpypi-[\w-]{20,}"
    r"|\bSG\.[\w-]{16,64}\.[\w-]{16,}|\bhvs\.[\w-]{20,}|\bhf_[A-Za-z0-9]{30,}|\bdckr_pat_[\w-]{20,}"
    r"|\bAIza[0-9A-Za-z_-]{35}|\b[sr]k_(?:live|test)_\w{10,}|\bsk-[A-Za-z0-9_-]{20,}",
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
_PAIR = partial(
    re.compile,
    r"(?<![\w.-])(?P<key>(?:(?:access|account|api|private|secret|shared|signing)[ \t])?"
    r"[\w.-]{0,64}?(?:pass(?:word|wd|phrase)|pwd|secret|token|key|cookies?"
    r"|credentials?|jwt|session[_-]?id|seed|auth|bearer))"
    r"(?P<quote>\\?[\"'])?(?P<sep>\s*(?:=>|={1,2}|:)\s*|\s+(?:is\s+)?(?=[\"']))"
    r"(?:\\(?P<escape>[\"'])(?P<nested>(?:(?!\\(?P=escape)).)*)"  # JSON inside JSON: \"key\": \"value\"
    r"|b?(?P<open>[\"'])(?P<quoted>(?:\\.|(?!(?P=open)).)*)"
    r"|(?P<bare>\([^)]{0,256}\)|\[[^\]]{0,256}\]|[^\s,;&\"'<\\][^\s,;&]*))",
    re.IGNORECASE | re.DOTALL,
)
_CERTAIN_WITH_COLON = re.compile(r"pass|pwd|key|cookie|jwt|session|seed", re.IGNORECASE)


def _looks_like_token(word: str) -> bool:
    """Whether a bare word is a credential rather than prose: ``of`` is not, ``s3cr3t`` and ``aB.c-9`` are."""
    if len(word) >= 20 or any(char.isdigit() for char in word):
        return True
    inner = word.strip(".-~/=")
    return "." in inner or (not inner.islower() and not inner.istitle() and not inner.isupper())


def _mask_all(_match: re.Match[str]) -> str:
    return REDACTED


def _mask_behind_head(match: re.Match[str]) -> str:
    return f"{match['head']}{REDACTED}"


def _mask_basic(match: re.Match[str]) -> str:
    """``Basic dXNlcjpwYXNz`` is a login, ``basic internationalization`` is prose."""
    word = match.group()[len(match["head"]) :]
    return match["head"] + REDACTED if not word.islower() and _looks_like_token(word) else match.group()


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
    if not _looks_like_token(token.rstrip(".")):
        return match.group()
    return match["head"] + REDACTED


def _mask_pair(match: re.Match[str]) -> str:
    if not is_secret_key(match["key"]):
        return match.group()
    name = "nested" if match["escape"] else "quoted" if match["open"] else "bare"
    value: str = match[name]
    if value in ("", REDACTED):
        return match.group()
    if not match["sep"].strip() and _is_word_of_parsers(match["key"]) and not _looks_like_token(value):
        return match.group()
    if name == "bare" and not match["quote"] and ":" in match["sep"] and not _is_certain(match["key"], value):
        return match.group()
    # after a quoted key, the brackets behind a bare value belong to the JSON around it
    closing = value[len(value.rstrip("]})")) :] if name == "bare" and match["quote"] else ""
    head = match.group()[: match.start(name) - match.start()]
    return head + REDACTED + closing


def _is_word_of_parsers(key: str) -> bool:
    """``unexpected token 'x'`` is no secret, ``token 's3cr3t'`` is."""
    return key.lower().endswith(("token", "auth"))


def _is_certain(key: str, value: str) -> bool:
    """Behind an unquoted colon ``expected`` is prose, ``8f3a`` is not; after ``password:`` all counts."""
    return bool(_CERTAIN_WITH_COLON.search(key)) or _looks_like_token(value)


_PASSES = (
    (_PRIVATE_KEY_BLOCK, _mask_all),
    (_URL, _mask_url),
    (_AUTHORIZATION, _mask_authorization),
    (_COOKIE_HEADER, _mask_behind_head),
    (_BEARER, _mask_bearer),
    (_SIGNATURE, _mask_behind_head),
    (_SLACK_HOOK, _mask_behind_head),
    (_BASIC, _mask_basic),
    (_PAIR, _mask_pair),
    (_KNOWN_TOKENS, _mask_all),
    (_NATS_SEED, _mask_all),
)


@cache
def _passes() -> tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...]:
    """Compiled when the first suspicious text comes: that takes longer than all else in loading this file."""
    return tuple((pattern(), mask) for pattern, mask in _PASSES)


_CACHED_MAX_CHARS = 120
_WITHOUT_SEPARATORS = {code: None for code in range(128) if not chr(code).isalnum()}


def is_innocent_json(text: str) -> bool:
    """Whether a value surely holds no secret, neither by its keys nor in its strings, judged by its JSON text.

    ``False`` says nothing: the value has to be looked at. Meant for ASCII JSON; escapes are never innocent.
    """
    if "\\" in text or is_suspicious(text):
        return False
    # a key may be written with separators anywhere in its last word
    joined = text.lower().translate(_WITHOUT_SEPARATORS)
    return all(hint not in joined for hint in _KEY_HINTS)


def is_suspicious(text: str) -> bool:
    """Whether patterns have to be tried on a text; ``False`` is certain."""
    return _is_suspicious_short(text) if len(text) <= _CACHED_MAX_CHARS else _look_for_hints(text)


@lru_cache(maxsize=8192)
def _is_suspicious_short(text: str) -> bool:
    return _look_for_hints(text)


def _look_for_hints(text: str) -> bool:
    lower = text.lower()
    for hint in _HINTS:  # no any(): this runs for every string of every message
        if hint in lower:
            return True
    return _LIKE_NATS_SEED.search(text) is not None


def _quoted_secret(match: re.Match[str]) -> str | None:
    """What a masked pair had in quotes, if that is surely a credential and no prose."""
    value = match.groupdict().get("quoted") or match.groupdict().get("nested")
    return value if value and value != REDACTED and _looks_like_token(value) else None


def redact_text(text: str, found: set[str] | None = None) -> tuple[str, int]:
    """Mask credentials in running text; returns the text and the number of places masked.

    Known are URL credentials, authorization and cookie headers, ``password=``-like pairs (also quoted as in
    JSON), JSON web tokens, NATS seeds, private key blocks and the tokens of common cloud services. What stood in
    quotes beside the name of a secret is added to ``found``.
    """
    if not is_suspicious(text):
        return text, 0
    hits = 0
    for pattern, mask in _passes():

        def replace(match: re.Match[str], mask: Any = mask) -> str:
            nonlocal hits
            masked: str = mask(match)
            if masked != match.group():
                hits += 1
                if found is not None and (secret := _quoted_secret(match)):
                    found.add(secret)
            return masked

        text = pattern.sub(replace, text)
    return text, hits
