"""How much processor time masking takes on text that was made to be slow: ``python -m bench.redaction [MEGABYTES]``.

Every shape is one piece repeated, behind the name of a secret; each must take less than ``BAR_S`` a megabyte.
"""

from __future__ import annotations

import sys
import time

from choreo_bdd.redaction import Redactor

BAR_S = 2.0
SHAPES = (
    "cookie:", "cookie: a=", "set-cookie:", "eyJaaaaaa-", "eyJaaaaaa.", "eyJaaaaaa.bbbb.", "]", "})]", "password=(",
    "password=[",
    'password="', "password='", '\\"key\\": ', "\\\\\"", "key   ", "key\n", "a.b.", "key.", "key_", "token=",
    "token = ",
    "token: token: ", "bearer ", "basic ", "authorization: digest ", "authorization: ", "a://b@", "http://a:",
    "http://a:b@",
    "://", "sig=", "x-amz-signature=", "-----BEGIN PRIVATE KEY-----", "SG.aaaaaaaaaaaaaaaa.",
    "hooks.slack.com/services/",
    "sk-", "AKIA", "SU" + "A" * 56, "xoxb-", "secret\t", "otp:", "passwordpassword", "key" * 20 + " ",
    '{"token":"', '["', "{",
    "\u00e9key=", "code:", "session_id_", "=" * 64, "pass ", "mnemonic phrase ",
    "curl ", "curl -u ", "curl -u a", "docker login ", "mysql -", "--password ", "--a ", "-a --token", "<password>",
    "<a b ", "<password x", "name=a value", "name: password value: ", "name=", "echo a | ", "machine a login a ",
    "ENV a ", "identified by ", "jdbc:oracle:a:", ":AA", "1:AA" + "a" * 33, "aa9Q~", "AZDO", "a" * 76 + "AZDO",
    ".atlasv1.", "JQQJ9" + "a" * 8, "-us1", "0a-us1", "M1aaaaaaaa", "Maaaaaaaaaaaaaaaaaaaaaaaa.aaaaaa.", "s.a1B",
    "pat1", "password: |\n a\n ", "password is ", "password | ", "@tcp(", ":a@tcp(", "discord.com/api/webhooks/1",
    "tskey-a", "password%3D", "token -> ", "glpat-", "dp.pt.", "1//0a", "ldapsearch -w", "re_a", "FLWSECK-",
    "lsv2_pt_0", "hooks.", "set a ", "set a_token ", "SET ", "git config -a ", "AUTH ", "AUTH a ", "> AUTH\n",
    '"auth" "',
    "htpasswd ", "htpasswd -b ", "htpasswd -b a ", "sqlplus a", "vault login ", "IDENTIFIED WITH a ", "a:bbbb@c:80",
    "a:bbbb", "@c:80", "a" * 63 + ":", "password for a ", "password for a is ", "password of\n", "password={",
    "curl -u a:b@c:80 ",
    "mosquitto_pub -", "lftp -u a", "zip -", "7z -", "rar x -", "-passin pass:", "authenticate_user a ", '="""',
    'password="""', '<a key="password">', "<a key='b' ", "password\t", "a,password\n1,", "a,password\n1,2\n",
    "|a|password|\n", "|token|\n", "token A1a", "token was A1aaaaaaaa", 'password"]', 'password"] = "',
    "password is 'a", "machine a.b login c password ", "partition:12345@b:80 ",
)  # fmt: skip


def main() -> int:
    """Print a table; 1 when a shape is over the bar."""
    size = int(float(sys.argv[1]) * 1_000_000) if len(sys.argv) > 1 else 1_000_000
    worst = 0.0
    for piece in SHAPES:
        text = '"password":' + (piece * (size // len(piece) + 1))[:size] + "x"
        redactor = Redactor()
        redactor.learn(["canary-9f3b-Zq7", "another-9f3b"])
        began = time.process_time()
        redactor.text(text)
        in_text = time.process_time() - began
        began = time.process_time()
        Redactor().value({"body": text, text[:1000]: [text]})
        in_value = time.process_time() - began
        worst = max(worst, in_text, in_value / 2)
        print(f"{piece[:32]!r:40} text {in_text:6.2f} s   value, twice {in_value:6.2f} s")
    print(f"{len(SHAPES)} shapes of {size / 1e6:g} MB, the slowest {worst:.2f} s, bar {BAR_S:g} s a megabyte")
    return int(worst > BAR_S * size / 1_000_000)


if __name__ == "__main__":
    sys.exit(main())
