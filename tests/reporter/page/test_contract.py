"""What other programs and careful readers rely on: embedding, safety and the shape of the document."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from choreo_bdd_reporter.page import render_page
from choreo_bdd_reporter.page.bundle import squeeze_css
from tests.support.page_builders import a_test, results_of
from tests.support.page_sample import sample_run


class _Document(HTMLParser):
    """The elements of a page and the raw text of its scripts, styles and template."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[int, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.elements.append((f"/{tag}", {}))  # what follows is not this element's text

    def handle_data(self, data: str) -> None:
        index = len(self.elements) - 1
        self.texts[index] = self.texts.get(index, "") + data

    def all(self, tag: str) -> list[tuple[dict[str, str | None], str]]:
        return [(attrs, self.texts.get(index, "")) for index, (name, attrs) in enumerate(self.elements) if name == tag]

    def one(self, tag: str, **wanted: str) -> tuple[dict[str, str | None], str]:
        (found,) = [(attrs, text) for attrs, text in self.all(tag) if wanted.items() <= dict(attrs).items()]
        return found


@pytest.fixture(scope="module")
def run() -> tuple[dict[str, Any], dict[str, Any]]:
    return sample_run()


@pytest.fixture(scope="module")
def document(run: tuple[dict[str, Any], dict[str, Any]]) -> _Document:
    return _Document(render_page(*run))


@pytest.fixture(scope="module")
def script(document: _Document) -> str:
    return document.one("script", type="module")[1]


@pytest.fixture(scope="module")
def style(document: _Document) -> str:
    ((_, text),) = document.all("style")
    return text


def test_exactly_two_scripts_hold_the_data_and_the_logic(document: _Document) -> None:
    assert [attrs.get("type") for attrs, _ in document.all("script")] == ["application/json", "module"]
    assert document.all("script")[0][0]["id"] == "harness-results"


def test_the_embedded_results_read_back_as_they_were(
    document: _Document, run: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    assert json.loads(document.one("script", id="harness-results")[1]) == run[0]
    assert json.loads(document.one("template", id="choreo-gherkin")[1]) == run[1]


HOSTILE = "</script><!--<script>alert(1)</script>&lt;\u2028\u2029\ud83d &amp; </template>"


def test_no_text_of_the_data_can_end_its_element() -> None:
    results = results_of([a_test(HOSTILE)])
    gherkin = {"features": [{"name": HOSTILE}]}
    html = render_page(results, gherkin)
    document = _Document(html)
    assert len(document.all("script")) == 2
    assert json.loads(document.one("script", id="harness-results")[1]) == results
    assert json.loads(document.one("template", id="choreo-gherkin")[1]) == gherkin
    assert "\u2028" not in html
    html.encode("utf-8")  # a lone surrogate in a payload must not stop the writing


def test_a_number_that_json_lacks_becomes_text_instead_of_a_blank_page() -> None:
    html = render_page(results_of([a_test("x")], duration_ms=float("nan")), {"odd": (float("inf"), 1.5)})
    document = _Document(html)
    assert json.loads(document.one("script", id="harness-results")[1])["run"]["duration_ms"] == "nan"
    assert json.loads(document.one("template", id="choreo-gherkin")[1]) == {"odd": ["inf", 1.5]}


def test_the_policy_allows_exactly_the_embedded_style_and_script(document: _Document, script: str, style: str) -> None:
    policy = document.one("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"] or ""
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == f"'{_sha256(script)}'"
    assert directives["style-src"] == f"'{_sha256(style)}'"


def _sha256(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_nothing_points_outside_the_file(document: _Document) -> None:
    tags = {tag for tag, _ in document.elements}
    assert not tags & {"link", "img", "iframe", "object", "embed", "base", "form", "a"}
    assert not [attrs for _, attrs in document.elements if {"src", "href"} & attrs.keys()]


def test_no_element_carries_an_event_handler_or_inline_style(document: _Document) -> None:
    names = {name for _, attrs in document.elements for name in attrs}
    assert not [name for name in names if name.startswith("on") or name == "style"]


@pytest.mark.parametrize(
    "forbidden",
    [
        *("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "createContextualFragment", "DOMParser"),
        *("eval(", "new Function", "fetch(", "XMLHttpRequest", ".href =", "'href'", "<script", "</", "<!--"),
    ],
)
def test_the_script_uses_no_way_to_turn_data_into_markup_or_requests(script: str, forbidden: str) -> None:
    assert forbidden not in script


def test_the_document_declares_language_viewport_schema_and_grouping(document: _Document) -> None:
    assert document.one("html")[0]["lang"] == "en"
    assert document.one("meta", name="harness-schema-version")[0]["content"] == "1.3"
    assert "width=device-width" in (document.one("meta", name="viewport")[0]["content"] or "")
    root = document.one("div", **{"class": "harness-report"})[0]
    assert (root["data-schema-version"], root["data-grouping-mode"]) == ("1.3", "by-scenario")


def test_the_title_does_not_depend_on_the_data(document: _Document) -> None:
    other = _Document(render_page(results_of([], project_name="another"), {}))
    assert document.all("title")[0][1] == other.all("title")[0][1]


def test_without_scripts_the_failures_are_a_table(document: _Document) -> None:
    cells = [text for _, text in document.all("td")]
    assert len(document.all("tr")) == 1 + 4
    assert cells[:4] == [
        "Ordering",
        "Parcel leaves on the express lane",
        "wrong shape",
        "2 messages arrived on parcels.leaving, none with shipment.lane 4 and an eta.",
    ]


def test_two_renderings_of_one_run_are_the_same_bytes(run: tuple[dict[str, Any], dict[str, Any]]) -> None:
    assert render_page(*run) == render_page(*run)


def test_every_rule_stands_inside_the_report(style: str) -> None:
    outer = [head for depth, head in _heads(style) if depth == 0]
    assert {head for head in outer if not head.startswith(("@media", "@keyframes hr-"))} == {".harness-report"}
    for media, inside in pairwise(_heads(style)):
        if media[0] == 0 and media[1].startswith("@media"):
            assert inside == (1, ".harness-report")


def _heads(style: str) -> list[tuple[int, str]]:
    """What stands before each opening brace, with the number of blocks around it."""
    depth, heads = 0, []
    for text, brace in re.findall(r"([^{};]*)([{};])", style):
        if brace == "{":
            heads.append((depth, text.strip()))
        depth += {"{": 1, "}": -1, ";": 0}[brace]
    return heads


def test_colours_are_written_in_the_token_block_only(style: str) -> None:
    literal = re.compile(r"#[0-9a-fA-F]{3,8}\b|\b(?:rgb|hsl|oklch)a?\(")
    tokens, rest = style.split('&[data-theme="light"]', 1)
    assert literal.search(tokens)
    assert literal.findall(rest) == []


def test_custom_properties_are_set_where_they_are_used_and_used_where_they_are_set(style: str, script: str) -> None:
    used = set(re.findall(r"var\((--hr-[\w-]+)", style))
    given = set(re.findall(r"(--hr-[\w-]+):", style)) | set(re.findall(r"'(--hr-[\w-]+)'", script))
    assert used ^ given == set()


def test_every_styled_class_is_given_to_some_element(style: str, script: str, document: _Document) -> None:
    in_shell = {name for _, attrs in document.elements for name in (attrs.get("class") or "").split()}
    styled = set(re.findall(r"\.(hr-[\w-]+)", style))
    built = re.compile(r"hr-(tone|step|mark|bar|row|ansi|t\d)\b")  # names with a computed end
    orphans = {name for name in styled - in_shell if name not in script and not built.match(name)}
    assert orphans == set()


def test_every_module_and_stylesheet_is_a_short_file_of_its_own() -> None:
    sources = [*_modules().values(), *_stylesheets().values()]
    assert len(sources) > 50
    assert max(len(source.splitlines()) for source in sources) <= 200


def test_modules_stand_in_small_rooms_that_import_one_way() -> None:
    rooms = ("core", "store", "message", "timeline", "list", "scenario", "overview", "")
    modules = _modules()
    assert {name.rpartition("/")[0] for name in modules} == set(rooms)
    assert max(Counter(name.rpartition("/")[0] for name in modules).values()) <= 15
    back = [
        f"{name} imports {imported}"
        for name, source in modules.items()
        for imported in re.findall(r"from '\.\./([\w-]+)/", source)
        if rooms.index(imported) > rooms.index(name.rpartition("/")[0])
    ]
    assert back == []


def test_stylesheets_stand_in_the_rooms_of_the_modules_and_name_the_page_once() -> None:
    sheets = _stylesheets()
    rooms = Counter(name.rpartition("/")[0] for name in sheets)
    assert set(rooms) <= {name.rpartition("/")[0] for name in _modules()} - {""}
    assert max(rooms.values()) <= 15
    assert {name: source.count(".harness-report") for name, source in sheets.items()} == dict.fromkeys(sheets, 1)


def test_tightened_styles_still_nest(style: str) -> None:
    source = """
    /* why */
    .page {
      --gap: 4px;
      &[data-theme="dark"],
      & > *::before { color : red; }
      :focus-visible { outline: 0 }
      @media (max-width: 820px) {
        margin: -8px;
        .row + .row { margin: calc(-1 * var(--gap)); }
      }
    }
    """
    tight = (
        '.page{--gap:4px;&[data-theme="dark"],&>*::before{color : red}:focus-visible{outline:0}'
        "@media (max-width:820px){margin:-8px;.row + .row{margin:calc(-1 * var(--gap))}}}"
    )
    assert squeeze_css(source) == tight
    assert style.count("{") == style.count("}")


def test_blocks_under_one_selector_become_one_where_no_declaration_would_move() -> None:
    source = (
        ".page { .a { top: 0; } }\n.page { .b { top: 1px; } }\n.page { top: 2px; }\n@media print { .page { .a { } } }\n"
    )
    tight = ".page{.a{top:0}.b{top:1px}}.page{top:2px}@media print{.page{.a{}}}"
    assert squeeze_css(source) == tight


def _modules() -> dict[str, str]:
    return _sources("js")


def _stylesheets() -> dict[str, str]:
    return _sources("css")


def _sources(kind: str) -> dict[str, str]:
    folder = Path(str(files("choreo_bdd_reporter.page").joinpath(kind)))
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in folder.rglob(f"*.{kind}")}


def test_the_data_takes_no_more_room_than_it_must() -> None:
    results, gherkin = sample_run()
    empty = len(render_page({**results, "tests": []}, {**gherkin, "features": []}))
    data = len(json.dumps(results, separators=(",", ":"))) + len(json.dumps(gherkin, separators=(",", ":")))
    assert len(render_page(results, gherkin)) < empty + 1.3 * data


def test_the_shell_stays_small(script: str, style: str) -> None:
    assert len(script.encode()) + len(style.encode()) < 150_000
