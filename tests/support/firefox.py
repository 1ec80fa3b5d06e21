"""A headless Firefox, driven over Marionette, its own protocol: Playwright drives none but one of its own making."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

_NAMES = ("firefox-esr", "firefox")
_PATIENCE_S = 60
_PREFERENCES = {
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,#",
    "toolkit.telemetry.enabled": False,
}


class Firefox:
    """One window of a running Firefox."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._stream = connection.makefile("rb")
        self._numbers = count(1)
        self._read()  # who it is
        self._call("WebDriver:NewSession", pageLoadStrategy="normal")

    def open(self, address: str) -> None:
        """Go to a page and wait until it is loaded."""
        self._call("WebDriver:Navigate", url=address)

    def evaluate(self, body: str, *arguments: Any) -> Any:
        """What the body of an asynchronous function returns in the page."""
        script = f"return (async function () {{ {body} }}).apply(null, arguments)"
        return self._call("WebDriver:ExecuteScript", script=script, args=list(arguments))["value"]

    def wait_for(self, body: str, *arguments: Any) -> Any:
        """The same, as soon as it is truthy."""
        end = time.monotonic() + _PATIENCE_S
        while not (found := self.evaluate(body, *arguments)):
            assert time.monotonic() < end, f"never true in Firefox: {body}"
            time.sleep(0.05)
        return found

    def errors(self) -> list[str]:
        """What it has complained of in pages so far."""
        self._call("Marionette:SetContext", value="chrome")
        body = """return Services.console.getMessageArray().filter((each) => each instanceof Ci.nsIScriptError
          && !(each.flags & Ci.nsIScriptError.warningFlag) && /^(file|https?|data|blob):/.test(each.sourceName))
          .map((each) => `${each.sourceName}:${each.lineNumber}: ${each.errorMessage}`)"""
        try:
            return list(self.evaluate(body))
        finally:
            self._call("Marionette:SetContext", value="content")

    def _call(self, command: str, **parameters: Any) -> Any:
        message = json.dumps([0, next(self._numbers), command, parameters]).encode()
        self._connection.sendall(b"%d:%b" % (len(message), message))
        _, _, error, result = self._read()
        assert error is None, f"{command}: {error}"
        return result

    def _read(self) -> Any:
        digits = b""
        while (digit := self._stream.read(1)) != b":":
            assert digit, "Firefox has hung up"
            digits += digit
        return json.loads(self._stream.read(int(digits)))


@contextmanager
def running_firefox(folder: Path) -> Iterator[Firefox]:
    """Start one with a profile of its own in ``folder``; without Firefox the test is skipped, in CI it fails."""
    profile = folder / "profile"
    profile.mkdir()
    lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in _PREFERENCES.items())
    (profile / "user.js").write_text("".join([*lines, 'user_pref("marionette.port", 0);\n']), "utf-8")
    command = [_firefox(), "--headless", "--marionette", "--remote-allow-system-access", "--profile", str(profile)]
    environment = {**os.environ, "MOZ_CRASHREPORTER_DISABLE": "1", "HOME": str(folder)}
    with (folder / "firefox.log").open("wb") as log:
        process = subprocess.Popen([*command, "--no-remote"], stdout=log, stderr=log, env=environment)
        try:
            with socket.create_connection(("127.0.0.1", _port(profile, process)), timeout=_PATIENCE_S) as connection:
                yield Firefox(connection)
        finally:
            process.terminate()
            process.wait(timeout=_PATIENCE_S)


def _firefox() -> str:
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is not None:
        return found
    hint = "no Firefox: install the package 'firefox-esr'"
    if os.environ.get("CI"):
        pytest.fail(hint)
    pytest.skip(hint)


def _port(profile: Path, process: subprocess.Popen[bytes]) -> int:
    """The port that it has chosen, which it writes down as soon as it listens."""
    written, end = profile / "MarionetteActivePort", time.monotonic() + _PATIENCE_S
    while not (written.is_file() and (text := written.read_text())):
        assert process.poll() is None, "Firefox ended at once"
        assert time.monotonic() < end, "Firefox does not listen"
        time.sleep(0.05)
    return int(text)
