"""The tokens of well-known services: how they begin, and what follows."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import NamedTuple

from choreo_bdd.redaction.hints import Hints
from choreo_bdd.redaction.known_secrets import REDACTED


class _Form(NamedTuple):
    """Letters that a token begins with, or has in its midst; what follows, and what then stands before."""

    head: str
    rest: str
    before: str = ""


def _each(kinds: str, head: str, rest: str) -> tuple[_Form, ...]:
    return tuple(_Form(head.format(kind), rest) for kind in kinds.split())


_CLEAR = (
    *_each("AKIA ASIA ABIA", "{}", r"[0-9A-Z]{16}\b"),  # AWS
    *_each("p o u s r", "gh{}_", r"[A-Za-z0-9]{20,}"), _Form("github_pat_", r"\w{20,}"),
    *_each("pat rt dt ptt soat cbt ft imt agent", "gl{}-", r"[\w-]{20,}(?:\.\d\w\.\w{6,12})?"),  # GitLab
    _Form("xoxe.xox", r"[bp]-[\w-]{10,}"), *_each("a b o p s r e", "xox{}-", r"[\w-]{10,}"),
    _Form("xapp-", r"[\w-]{10,}"),  # Slack
    *_each("sk_live rk_live sk_test rk_test", "{}_", r"\w{10,}"), _Form("whsec_", r"\w{16,}"),  # Stripe
    _Form("ABSK", r"[A-Za-z0-9+/]{80,}={0,2}"), _Form("AKID", r"[A-Za-z0-9]{32}\b"),  # Bedrock, Tencent
    _Form("nvapi-", r"[\w-]{40,}"), _Form("tvly-", r"[\w-]{20,}"), _Form("csk-", r"[a-z0-9]{40,}"),
    _Form("packagist_", r"[a-z]{3}_[0-9a-f]{40,}"), _Form("FFFFNRAL", r"\b", r"[0-9a-f]{32,36}"),
    *_each("II AL RA", "NR{}-", r"[\w-]{20,}"), _Form("hcaik_", r"\w{40,}"),  # New Relic, Honeycomb
    *_each("squ sqp sqa", "{}_", r"[0-9a-f]{40}"), _Form("EAACEdEose0cBA", r"[A-Za-z0-9]{10,}"),  # Sonar, Facebook
    _Form("napi_", r"[a-z0-9]{40,}"), _Form("aivenv1:", r"[A-Za-z0-9+/=]{30,}"), _Form("gloas-", r"[0-9a-f]{64}"),
    *_each("s4t2ud s4t2af", "s-{}-", r"[0-9a-f]{64}"), _Form("gsk_", r"\w{40,}"),
    _Form("xai-", r"\w{60,}"), _Form("pplx-", r"[A-Za-z0-9]{40,}"),
    _Form("hf_", r"[A-Za-z0-9]{30,}"),
    _Form("npm_", r"[A-Za-z0-9]{30,}"), _Form("pypi-", r"[\w-]{20,}"), _Form("rubygems_", r"[0-9a-f]{40,}"),
    _Form("CLOJARS_", r"[a-z0-9]{60}"), *_each("pat oat", "dckr_{}_", r"[\w-]{20,}"),
    _Form("AKCp", r"[A-Za-z0-9]{60,}"), _Form("cmVmdGtuOjAx", r"[A-Za-z0-9+/]{40,}"),  # Artifactory
    *_each("s b r", "hv{}.", r"[\w-]{20,}"), _Form(".atlasv", r"1\.[\w-]{60,}", r"[A-Za-z0-9]{14}"),  # HashiCorp
    _Form(":AA", r"[\w-]{33}(?![\w-])", r"(?<!\d)\d{8,10}"),  # Telegram
    _Form("EAAA", r"[\w-]{60,}"), *_each("atp csp idp", "sq0{}-", r"[\w-]{22,}"),  # Square
    _Form("AZDO", r"[A-Za-z0-9]{4}\b", r"[A-Za-z0-9]{76}"),  # Azure
    _Form("Q~", r"[\w~.-]{31,34}", r"(?<![\w~.-])[\w~.-]{3}\d"), _Form("JQQJ", r"9[A-Za-z0-9]{8,}", r"[A-Za-z0-9]{52}"),
    _Form("glsa_", r"\w{32,}"), _Form("glc_", r"[A-Za-z0-9+/]{32,}={0,2}"),  # Grafana
    _Form("AIza", r"[\w-]{35}"), _Form("GOCSPX-", r"[\w-]{20,}"),  # Google
    _Form("xkeysib-", r"[0-9a-f]{64}-\w{16}"), _Form("mlsn.", r"[0-9a-f]{64}"), _Form("tskey-", r"\w{1,20}-[\w-]{20,}"),
    *_each("at ss ca pa", "shp{}_", r"[0-9a-fA-F]{32}"), *_each("live test", "shippo_{}_", r"[0-9a-f]{40}"),
    *_each("live test", "duffel_{}_", r"[\w-]{43}"), *_each("live test", "rzp_{}_", r"[A-Za-z0-9]{14,}"),
    _Form("FLWSECK", r"(?:_TEST)?-[0-9a-zA-Z]{12,}"), *_each("EZAK EZTK", "{}", r"[A-Za-z0-9]{54}"),
    *_each("live sdbx", "pdl_{}_apikey_", r"\w{20,}"), *_each("api oauth", "lin_{}_", r"\w{30,}"),
    _Form("ntn_", r"[A-Za-z0-9]{40,}"), _Form("figd_", r"[\w-]{30,}"),
    _Form("sbp_", r"[0-9a-f]{40}"), _Form("sb_secret_", r"[\w-]{20,}"),
    _Form("sntrys_", r"[\w+/=-]{40,}"), _Form("sntryu_", r"[0-9a-f]{64}"),
    _Form("pscale_", r"(?:tkn|oauth|pw)_[\w-]{30,}"),
    _Form("ops_eyJ", r"[\w-]{40,}"), _Form("NRAK-", r"[A-Z0-9]{27}"), _Form("PMAK-", r"[0-9a-f]{24}-[0-9a-f]{34}"),
    _Form("pul-", r"[0-9a-f]{40}"), _Form("pnu_", r"[A-Za-z0-9]{36}"), _Form("pat-", r"[a-z]{2}\d-[0-9a-f-]{36}"),
    _Form("dapi", r"[0-9a-f]{32}(?:-\d)?\b"), *_each("ATATT ATCTT", "{}", r"[\w=-]{40,}"),
    _Form("ATTA", r"[0-9a-f]{60,}"), _Form("ATBB", r"[A-Za-z0-9]{28,}\b"),  # Atlassian
    _Form("HRKU-", r"[\w-]{36,}"), _Form("nfp_", r"[A-Za-z0-9]{36,}"), _Form("AGE-SECRET-KEY-", r"1[A-Z0-9]{50,}"),
    _Form("SSWS ", r"[\w-]{30,}"), _Form("CCIPAT_", r"\w{20,}"), _Form("bkua_", r"[0-9a-f]{40}"),
    _Form("sgp_", r"\w{40,}"), _Form("rdme_", r"[a-z0-9]{70}"), _Form("tfp_", r"[\w-]{40,}"),
    _Form("fio-u-", r"[\w-]{64}"), _Form("phx_", r"\w{40,}"), _Form("CFPAT-", r"[\w-]{43}"),
    _Form("rnd_", r"[A-Za-z0-9]{28,}"), _Form("LTAI", r"[A-Za-z0-9]{16,20}\b"), _Form("tk-us-", r"[\w-]{48}"),
    _Form("AQVN", r"[\w-]{35,38}\b"), _Form("access_token$production$", r"[a-z0-9]{16}\$[0-9a-f]{32}"),  # PayPal
    *_each("access-sandbox access-development access-production", "{}-", r"[0-9a-f-]{36}"),  # Plaid
)  # fmt: skip
"""Those whose first letters are in few other texts."""
_VAGUE = (
    _Form("eyJ", r"(?<!-eyJ)[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?"),  # JWT
    _Form("sk-", r"[A-Za-z0-9_-]{20,}"), _Form("SG.", r"[\w-]{16,64}\.[\w-]{16,}"), _Form("key-", r"[0-9a-f]{32}\b"),
    *_each("o p r", "do{}_v1_", r"[0-9a-f]{40,}"),
    _Form("oy2", r"[a-z0-9]{43}\b"), _Form("fo1_", r"[\w-]{40,}"), _Form("FlyV1 ", r"[\w+/=,-]{20,}"),
    _Form("ya29.", r"[\w-]{20,}"), _Form("1//0", r"[\w-]{40,}"), _Form("r8_", r"[A-Za-z0-9]{37,}"),
    _Form("lsv2_", r"(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}"), _Form("-us", r"\d{1,2}\b", r"(?<![0-9a-f])[0-9a-f]{32}"),
    _Form("dp.", r"(?:pt|st|ct|sa|scim|audit)\.[\w.-]{40,}"), _Form("dt0", r"[a-z]\d\d\.[A-Z0-9]{24}\.[A-Z0-9]{64}"),
    _Form("v1.0-", r"[0-9a-f]{24}-[0-9a-f]{64,}"), _Form("re_", r"[A-Za-z0-9]{8}_[A-Za-z0-9]{24}\b"),
    _Form("st.", r"[0-9a-f]{24}\.[0-9a-f]{32}\.[0-9a-f]{32}"),  # Infisical
    *_each("sdk mob", "{}-", r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),  # LaunchDarkly
    _Form("secret_", r"[A-Za-z0-9]{43}\b"), _Form("cio", r"[A-Za-z0-9]{32}\b"), _Form("fw_", r"[A-Za-z0-9]{22,24}\b"),
    _Form("sha256~", r"[\w-]{43}"), _Form("p8e-", r"[a-z0-9]{32}"), _Form("sl.", r"[uB]\.?[\w-]{100,}"),
    _Form("API-", r"[A-Z0-9]{26,}\b"), _Form("pat", r"[A-Za-z0-9]{14}\.[0-9a-f]{64}"),  # Airtable
    _Form("s.", r"(?=[A-Za-z]{0,23}\d)(?=[a-z0-9]{0,23}[A-Z])[A-Za-z0-9]{24}\b"),  # Vault, before there was hvs.
    _Form("SK", r"[0-9a-f]{32}\b"), _Form("S", r"[UANOCX][A-Z2-7]{56}\b"),  # Twilio, NATS
    *_each("M N O", "{}", r"(?=[A-Za-z_-]{0,26}\d)[\w-]{23,27}\.[\w-]{6}\.[\w-]{27,}"),  # Discord
)  # fmt: skip
"""Those whose first letters are in many texts, or have digits: a text is looked at for the whole of them."""
_BEFORE_MAX = 80
_DIGITS = str.maketrans("", "", "0123456789")
_CLEAR_HEADS_WITHOUT_DIGITS = Hints(form.head.translate(_DIGITS) for form in _CLEAR)
_CLEAR_HEADS = Hints(form.head for form in _CLEAR)
_HEADS = Hints(form.head for form in (*_CLEAR, *_VAGUE))
_LONG = b"a" * 15
"""In every token so many letters, digits and, where its first letters are clear, lines stand side by side."""
_NARROW = bytes(97 if chr(code).isalnum() and code < 128 else 32 for code in range(256))
_HEX = bytes(104 if chr(code) in "0123456789abcdef" else code if code == 34 else _NARROW[code] for code in range(256))
_ID_CHARS = (32, 16)
"""Of correlation ids and traces, and of spans."""
_WIDE = bytes(97 if code in b"_-" else _NARROW[code] for code in range(256))


def may_begin_token(text: str) -> bool:
    """Whether the clear first letters of a token are in a text that has lost its digits."""
    return _CLEAR_HEADS_WITHOUT_DIGITS.are_in(text)


def may_hold_token(text: str) -> bool:
    """Whether a token may be in a text; ``False`` is certain."""
    if _LONG not in text.encode("utf-8", "surrogatepass").translate(_WIDE):
        return False
    return _CLEAR_HEADS.are_in(text) or may_hold_vague(text)


def may_hold_vague(text: str) -> bool:
    """Whether one of the tokens may be in a text whose first letters say little; ``False`` is certain."""
    raw = text.encode("utf-8", "surrogatepass")
    if _LONG not in raw.translate(_NARROW) or _LONG not in _without_ids(raw):
        return False
    for head, pattern in _vague():  # no any(): this runs for every message
        if head not in text:
            continue
        if pattern.search(text) is not None:
            return True
    return False


def _without_ids(raw: bytes) -> bytes:
    """The same as ``_NARROW`` makes of it, without the strings that are ids in hex, which begin like none of these."""
    marked = raw.translate(_HEX)
    for chars in _ID_CHARS:
        marked = marked.replace(b'"%b"' % (b"h" * chars), b'""')
    return marked.translate(_NARROW)


@cache
def _vague() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((form.head, _any_of((form,))) for form in _VAGUE)


def mask_tokens(text: str, _found: set[str] | None) -> tuple[str, int]:
    """The text without tokens, and how many there were."""
    if not may_hold_token(text):
        return text, 0
    heads, hits = _HEADS.those_in(text), 0
    here = tuple(form for form in (*_CLEAR, *_VAGUE) if form.head in heads)
    alone = tuple(form for form in here if not form.before)
    if alone:
        text, hits = _any_of(alone).subn(REDACTED, text)
    for form in here:
        if form.before:
            text, more = _masked_from_before(form, text)
            hits += more
    return text, hits


@lru_cache(maxsize=256)
def _any_of(forms: tuple[_Form, ...]) -> re.Pattern[str]:
    """One of these; each begins with its letters and looks back from behind them, which is searched for far sooner."""
    return re.compile("|".join(map(_expression, forms)))


def _expression(form: _Form) -> str:
    head = re.escape(form.head)
    return f"{head}{form.rest}" if form.before else rf"{head}(?<!\w{head}){form.rest}"


def _masked_from_before(form: _Form, text: str) -> tuple[str, int]:
    pieces: list[str] = []
    done = 0
    before = re.compile(rf"(?:{form.before})\Z")
    for found in _any_of((form,)).finditer(text):
        begin = before.search(text, max(done, found.start() - _BEFORE_MAX), found.start())
        if begin is not None:
            pieces += (text[done : begin.start()], REDACTED)
            done = found.end()
    return "".join((*pieces, text[done:])), len(pieces) // 2
