"""Nothing that a message says steers a terminal or a CI log."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from choreo_bdd.exceptions import ChoreoError
from choreo_bdd.redaction.printable import annotation, in_json, in_xml, on_one_line, printable
from tests.support.steering import COMMAND, STEERING


@pytest.mark.parametrize("text", STEERING.values(), ids=STEERING)
def test_what_would_steer_is_spelt_out(text: str) -> None:
    for shown in (printable(text), on_one_line(text), str(ChoreoError(text))):
        assert all(char.isprintable() for char in shown.replace("\n", ""))
        assert not COMMAND.search(shown)
    assert "\n" not in on_one_line(text)


def test_the_lines_of_a_text_stay_and_those_of_a_value_do_not() -> None:
    assert printable("a\n\tb") == "a\n\tb"
    assert on_one_line("a\n\tb") == "a\\n\\tb"


@pytest.mark.parametrize(
    "text",
    ["std::vec::Vec", "a == b, ünï → 日本", "## heading [x]", "10::20", "👍🏽 C:\\dir", "a.feature::Error is told"],
)
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert on_one_line(text) == text


def test_an_annotation_says_all_on_one_line() -> None:
    told = annotation("error", "50%\nof ::add-mask::x\x1b", file="a,b:c.py", line=3, title="")
    assert told == "::error file=a%2Cb%3Ac.py,line=3::50%25%0Aof :\\x3aadd-mask::x\\x1b"


@pytest.mark.parametrize("text", STEERING.values(), ids=STEERING)
def test_a_document_for_programs_means_the_same_and_holds_no_command(text: str) -> None:
    document = in_json(json.dumps([text, "a##b::c"]))
    assert json.loads(document) == [text, "a##b::c"]
    assert not COMMAND.search(document)
    element = ElementTree.Element("a")
    element.text = printable(text)
    written = in_xml(ElementTree.tostring(element, encoding="unicode"))
    assert ElementTree.fromstring(written).text == element.text
    assert not COMMAND.search(written)
