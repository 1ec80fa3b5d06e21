"""The page's script and style: made when the wheel was built, or joined from the modules of a checkout.

It needs nothing but the standard library: the build reads it before anything is installed.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from itertools import chain
from pathlib import Path

from choreo_bdd_reporter.page.bundle import bundle, squeeze_css

_PAGE = Path(__file__).parent
MADE = "made"
"""The folder that a wheel has beside this file, with the texts of ``NAMES``."""
NAMES = ("app.js", "style.css")
# readers of the original's page look for these
_KNOWN_FUNCTIONS = (
    "collectFailingTransports",
    "renderReplyLifecycle",
    "renderStageBreadcrumb",
    "replyOneLineSummary",
    "sourceBadgeText",
)
# in the order of the cascade
_STYLES = (
    "core/tokens",
    "core/base",
    "core/layout",
    "overview/header",
    "list/broke",
    "list/tree",
    "scenario/scenario",
    "scenario/history",
    "scenario/steps",
    "message/diff",
    "scenario/expectations",
    "scenario/replies",
    "timeline/waterfall",
    "message/message",
    "overview/overview",
    "core/dialogs",
    "core/narrow",
    "core/wide",
    "core/contrast",
    "core/print",
)


@dataclass(frozen=True, slots=True)
class Assets:
    """The two texts that every page is made of."""

    style: str
    script: str

    @property
    def policy(self) -> str:
        """A content security policy that lets exactly these two texts run and nothing be fetched."""
        return policy(script=f"'{_digest(self.script)}'", style=f"'{_digest(self.style)}'")


def policy(*, script: str, style: str) -> str:
    """A content security policy with these sources of script and style."""
    sources = f"default-src 'none'; script-src {script}; style-src {style}; img-src data:"
    return f"{sources}; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types choreo"


@cache
def assets() -> Assets:
    """What the wheel brings, else what the modules come to."""
    script, style = (_PAGE / MADE / name for name in NAMES)
    if script.is_file() and style.is_file():
        return Assets(style=style.read_text("utf-8"), script=script.read_text("utf-8"))
    return _joined_once(_PAGE / "__pycache__" / f"page-{_state()}.json")


def _joined_once(kept: Path) -> Assets:
    """What an earlier process has kept; joining takes half a second, which a checkout's every run would spend."""
    try:
        return Assets(**json.loads(kept.read_text("utf-8")))
    except (OSError, ValueError):
        found = joined()
    if not sys.dont_write_bytecode:
        with suppress(OSError):  # a checkout that cannot be written to joins each time
            _keep(kept, json.dumps(asdict(found)))
    return found


def _keep(kept: Path, text: str) -> None:
    """Write a file whole or not at all, instead of those of earlier states."""
    kept.parent.mkdir(exist_ok=True)
    earlier = set(kept.parent.glob("page-*.json")) - {kept}
    part = kept.with_suffix(f".{os.getpid()}")
    part.write_text(text, "utf-8")
    part.replace(kept)
    for path in earlier:
        path.unlink(missing_ok=True)


def _state() -> str:
    """Whatever the joined texts depend on, the joining included, as one short text."""
    digest = hashlib.sha256()
    for path in sorted(chain.from_iterable(_PAGE.glob(each) for each in ("*.py", "js/**/*.js", "css/**/*.css"))):
        digest.update(f"{path.relative_to(_PAGE)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def joined() -> Assets:
    """The modules and the style sheets as one text each. Raises ``BundleError``."""
    style = squeeze_css("\n".join(_read("css", f"{name}.css") for name in _STYLES))
    return Assets(style=style, script=bundle("main.js", lambda name: _read("js", name), keep=_KNOWN_FUNCTIONS))


def _read(folder: str, name: str) -> str:
    return (_PAGE / folder / name).read_text("utf-8")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
