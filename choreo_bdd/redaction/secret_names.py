"""Which names are those of secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_ENDINGS = (
    "password", "passwords", "passwd", "passphrase", "passwort", "pwd", "secret", "secrets", "token", "jwt", "bearer",
    "apikey", "accesskey", "accountkey", "privatekey", "secretkey", "signingkey", "sharedkey", "nkeyseed",
    "authorization", "cookie", "cookies", "credential", "credentials", "creds", "sessionid", "sessid", "sessionkey",
    "passcode", "pincode", "passkey", "keypass", "storepass", "userpass", "dbpass", "mnemonic", "seedphrase",
    "recoveryphrase", "apikeys", "accesstokens", "refreshtokens", "authtokens", "accesskeys", "privatekeys",
    "secretkeys", "encryptionkey", "masterkey", "functionskey", "subscriptionkey", "connectionstring", "authkey",
    "hmackey", "sshkey", "deploykey", "storagekey", "licensekey", "webhookkey", "hostkey", "serverkey", "clientkey",
    "rootkey", "adminkey", "symmetrickey", "securitycode", "verificationcode", "otpcode", "mfacode", "recoverycode",
    "recoverycodes", "backupcode", "backupcodes", "authorizationcode", "codeverifier", "clientassertion",
    "samlresponse", "samlassertion", "connectsid", "cardnumber", "csrf", "xsrf", "otp", "totp", "cvv", "cvc", "ssn",
    "appkey", "applicationkey", "sdkkey", "writekey", "rolekey", "basicauthuserinfo", "privkey", "unsealkey",
    "securityanswer", "requirepass", "masterauth", "bindpw", "rootpw", "userpw", "dbpw", "pgpass",
)  # fmt: skip
"""Of the words of a name, written together."""
_WORDS = frozenset({
    "password", "passwords", "passwd", "passphrase", "pwd", "secret", "secrets", "apikey", "credentials",
    "authorization",
})  # fmt: skip
"""A name that holds one of these anywhere is a secret's, whatever follows: ``passwordConfirm``, ``secret_value``."""
_ABOUT = frozenset({"at", "count", "enabled", "expiry", "length", "policy", "required", "strength", "type"})
"""A name that ends in one of these says something of a secret: ``password_policy``, ``token_expires_at``."""
_LOGINS = frozenset({
    "db", "user", "admin", "root", "smtp", "ftp", "http", "login", "mail", "proxy", "sudo", "basic", "ssh", "become",
    "default", "sasl", "ldap", "imap", "wifi", "vpn", "rabbitmq", "redis", "mysql", "postgres", "mongo", "kafka",
    "nats",
})  # fmt: skip
"""Whose ``pass`` is a password; in other company it may be a ticket, or count tests."""
_SINGLE = frozenset({"pass", "pw", "session", "tokens", "dsn"})
"""Names that are a secret's when they stand alone, and whose numbers count something."""
_CAMEL_EDGE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SEPARATORS = re.compile(r"[\W_]+")
_PATH_EDGES = re.compile(r"[.\[\]\"']+")
_MAX_CHARS = 200

NAME_HINTS = (
    "auth", "bearer", "pass", "pwd", "secret", "token", "key", "cookie", "credential", "creds", "jwt", "session",
    "sessid", "otp", "cvv", "cvc", "ssn", "dsn", "csrf", "xsrf", "mnemonic", "phrase", "pincode", "securitycode",
    "mfacode", "verificationcode", "recoverycode", "backupcode", "codeverifier", "connectsid", "cardnumber",
    "connectionstring", "saml", "clientassertion", "securityanswer", "pw",
)  # fmt: skip
"""One of these is in every name of a secret, in lower case and without separators; few other words have them."""

_declared: set[str] = set()


def _words(key: str) -> list[str]:
    parts = _SEPARATORS.split(_CAMEL_EDGE.sub("_", key).lower())
    return [word for part in parts if (word := part.rstrip("0123456789"))]


def plain_name(name: str) -> str:
    """A name in lower case and without separators; declared names are compared like this."""
    return "".join(_SEPARATORS.split(name.lower()))


@lru_cache(maxsize=4096)
def _is_secret_name(key: str) -> bool:
    if _declared and is_declared_name(key):
        return True
    words = _words(key)
    if not words:
        return False
    if words[-1] in ("auth", "pass"):
        return words[-1] == "auth" or words == ["pass"] or not _LOGINS.isdisjoint(words)
    if words[-1] in _ABOUT:
        return False
    if words[-1] == "value":
        words.pop()
    if len(words) == 1 and words[0] in _SINGLE:
        return True
    return not _WORDS.isdisjoint(words) or "".join(words).endswith(_ENDINGS)


def is_secret_key(key: object) -> bool:
    """Whether a value under this key is a secret: ``accessToken``, ``x-api-key``, ``db_password`` ..."""
    return isinstance(key, str) and len(key) <= _MAX_CHARS and _is_secret_name(key)


def is_secret_path(path: str) -> bool:
    """Whether some key of a path, such as ``auth.value`` or ``passwords[0]``, is a secret's."""
    return any(map(is_secret_key, _PATH_EDGES.split(path)))


def is_single_name(key: str) -> bool:
    """Whether a name is a secret's only when it stands alone, and may as well name a count: ``session``, ``pass``."""
    return key.lower() in _SINGLE


def is_count_under(key: object, value: object) -> bool:
    """Whether a value only counts what a key names: ``tokens: 512`` and ``pass: 3`` are no secrets."""
    return isinstance(value, int | float | None) and isinstance(key, str) and is_single_name(key)


def declare_names(names: Iterable[str]) -> None:
    """Take more names for those of secrets, however they are written: ``patient_no`` is ``patientNo``, too."""
    _declared.update(filter(None, map(plain_name, names)))
    _is_secret_name.cache_clear()


def forget_declared_names() -> None:
    """Take only the names for secrets that are known anyway."""
    _declared.clear()
    _is_secret_name.cache_clear()


def is_declared_name(key: str) -> bool:
    """Whether a name, or its end behind a separator, was declared."""
    parts = [part for part in _SEPARATORS.split(_CAMEL_EDGE.sub("_", key).lower()) if part]
    return any("".join(parts[index:]) in _declared for index in range(len(parts)))


def declared_names() -> frozenset[str]:
    """The names that were declared, in lower case and without separators."""
    return frozenset(_declared)
