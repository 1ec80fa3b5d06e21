"""Fill the page's shell: styles, data and script in one document that asks nothing of the network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from choreo_bdd_reporter.page.bundle import bundle
from choreo_bdd_reporter.page.embed import script_json, template_json

_PACKAGE = "choreo_bdd_reporter.page"
_STYLES = (
    "tokens",
    "base",
    "layout",
    "header",
    "broke",
    "tree",
    "scenario",
    "steps",
    "diff",
    "expectations",
    "replies",
    "waterfall",
    "message",
    "dialogs",
    "narrow",
    "print",
)


@dataclass(frozen=True, slots=True)
class _Assets:
    style: str
    script: str

    @property
    def policy(self) -> str:
        """A content security policy that lets exactly these two texts run and nothing be fetched."""
        return (
            f"default-src 'none'; script-src '{_digest(self.script)}'; style-src '{_digest(self.style)}'; "
            "base-uri 'none'; form-action 'none'"
        )


def render_page(results: Mapping[str, Any], gherkin: Mapping[str, Any]) -> str:
    """The whole report as one HTML text, to be written as UTF-8.

    `results` is a results document of schema 1.3 and is embedded as it is. `gherkin` adds what that
    schema has no place for: features, steps and message bodies; it may be empty.
    """
    assets = _assets()
    return _template().render(
        policy=assets.policy,
        style=Markup(assets.style),
        script=Markup(assets.script),
        results=Markup(script_json(results)),
        gherkin=Markup(template_json(gherkin)),
    )


@cache
def _assets() -> _Assets:
    style = "\n".join(_read("css", f"{name}.css") for name in _STYLES)
    return _Assets(style=style, script=bundle("main.js", lambda name: _read("js", name)))


def _read(folder: str, name: str) -> str:
    return files(_PACKAGE).joinpath(folder, name).read_text(encoding="utf-8")


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader(_PACKAGE, "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("shell.html.j2")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
