"""Envelopes, files, raw bytes and captured values."""

from __future__ import annotations

from pathlib import Path

import pytest

from choreo_bdd.matchers import differences
from choreo_bdd.message import MessageRecord
from choreo_bdd.redaction import Redactor
from choreo_bdd_steps.language import (
    BodyError,
    BodyMatcher,
    OutgoingMessage,
    Variables,
    load_file,
    parse_envelope,
    parse_expectation,
    parse_raw,
)
from choreo_bdd_steps.language.matching.capture import lookup

HERE = Path(__file__).parent
VARIABLES = Variables({"order_id": "O-1", "n": 5, "flag": True, "order": {"items": [{"sku": "x"}]}})


def accepts(built: BodyMatcher, payload: object) -> bool:
    return built.match(payload).matched


def test_an_envelope_has_key_headers_and_payload() -> None:
    [message] = parse_envelope("key: {{ order_id }}\nheaders: {h: 1}\npayload: {id: {{ n }}}").build(VARIABLES)
    assert message == OutgoingMessage({"id": 5}, "O-1", {"h": "1"})
    assert parse_envelope("key: null").build(VARIABLES) == [OutgoingMessage({}, None, {})]
    for doc, fragment in (
        ("keys: 1", "no field 'keys'"),
        ("[1]", "an envelope is an object"),
        ("headers: 1", "object"),
        ("payload: 1\nraw: x", "a payload or raw bytes, not both"),
        ("raw: {id: 1}", "raw is text"),
        ("raw: 'hex: xyz'", "hex"),
    ):
        with pytest.raises(BodyError, match=fragment):
            parse_envelope(doc).build(VARIABLES)


def test_an_envelope_may_hold_bytes() -> None:
    [message] = parse_envelope('key: k\nheaders: {h: 1}\nraw: |\n  {"id": {{ n }}}\n').build(VARIABLES)
    assert message == OutgoingMessage(b'{"id": 5}\n', "k", {"h": "1"})
    assert parse_envelope("raw: 'hex: 00ff'").build(VARIABLES) == [OutgoingMessage(b"\x00\xff", None, {})]


def test_files_are_read_by_their_extension(tmp_path: Path) -> None:
    (tmp_path / "order.json").write_text('\ufeff{"id": "{{ order_id }}", "n": {{ n }}}', encoding="utf-8")
    (tmp_path / "order.yaml").write_text("id: {{ order_id }}\n@key: k\n")
    (tmp_path / "order.bin").write_bytes(b"\x00{{ n }}")
    assert load_file("order.json", tmp_path).build(VARIABLES)[0].payload == {"id": "O-1", "n": 5}
    assert load_file("order.yaml", tmp_path).build(VARIABLES) == [OutgoingMessage({"id": "O-1"}, "k", {})]
    assert load_file("order.bin", tmp_path).build(VARIABLES)[0].payload == b"\x00{{ n }}"


def test_file_errors_name_the_path_and_line(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text('{"a": 1,\n"b": }')
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe9")
    with pytest.raises(BodyError, match=r"bad\.json', line 2"):
        load_file("bad.json", tmp_path)
    with pytest.raises(BodyError, match=r"latin\.yaml' is not UTF-8"):
        load_file("latin.yaml", tmp_path)
    with pytest.raises(BodyError, match=r"'none\.json' \(No such file"):
        load_file("none.json", tmp_path)


def test_a_schema_is_found_beside_the_feature_with_its_siblings(tmp_path: Path) -> None:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "order.json").write_text('{"properties": {"id": {"$ref": "id.yaml"}}, "required": ["id"]}')
    (tmp_path / "schemas" / "id.yaml").write_text("type: string\n")
    [built] = parse_expectation("!schema schemas/order.json", None, None, base_dir=tmp_path).build(VARIABLES)
    assert accepts(built, {"id": "x"})
    assert [each.path for each in differences(built, {"id": 1})] == ["id"]
    assert not accepts(built, {})


def test_raw_bodies_are_bytes() -> None:
    cases = {"plain {{ n }}": b"plain 5", "hex: DE ad": b"\xde\xad", "base64:3q0=": b"\xde\xad"}
    for text, expected in cases.items():
        assert parse_raw(text).build(VARIABLES)[0].payload == expected
    with pytest.raises(BodyError, match="hexadecimal"):
        parse_raw("hex: xyz").build(VARIABLES)


def test_values_are_captured_by_path() -> None:
    message = MessageRecord("t", None, {"items": [{"sku": "a"}, {"sku": "b"}]}, headers={"h.x": "1"}, key="k")
    assert lookup("items[-1].sku", message) == "b"
    assert lookup("items[*].sku", message) == ["a", "b"]
    assert lookup("@key", message) == "k"
    assert lookup("@headers.h.x", message) == "1"
    for path, fragment in (
        ("items[5]", "no field"),
        ("@partition", "has no @partition"),
        ("items[?]", "no single value"),
        ("x[*]", "no field"),
    ):
        with pytest.raises(BodyError, match=fragment):
            lookup(path, message)


class TestReach:
    """A feature file is data, perhaps somebody else's: its bodies come from its own project."""

    @pytest.fixture
    def project(self, tmp_path: Path) -> Path:
        root = tmp_path / "project"
        (root / "features").mkdir(parents=True)
        (root / "choreo.yaml").write_text("files: [../listed, ../one.json]\n")
        (root / "body.json").write_text('{"inside": 1}')
        (tmp_path / "listed").mkdir()
        for name in ("listed/a.json", "one.json", "outside.json", ".env"):
            (tmp_path / name).write_text('{"outside": 1}')
        (root / "features" / "link.json").symlink_to(tmp_path / "outside.json")
        (root / "features" / "inner.json").symlink_to(root / "body.json")
        (root / "features" / "system").symlink_to("/proc/self")
        return root

    @pytest.mark.parametrize("path", ["../body.json", "inner.json", "../../listed/a.json", "../../one.json"])
    def test_it_is_the_project_and_what_choreo_yaml_lists(self, project: Path, path: str) -> None:
        assert load_file(path, project / "features").build(VARIABLES)

    @pytest.mark.parametrize(
        "path", ["../../outside.json", "link.json", "../../.env", "/etc/hostname", "ROOT/../outside.json"]
    )
    def test_nothing_outside_is_read_links_resolved(self, project: Path, path: str) -> None:
        with pytest.raises(BodyError, match=r"outside the project's folder .*under `files` in choreo\.yaml"):
            load_file(path.replace("ROOT", str(project)), project / "features")

    @pytest.mark.parametrize("path", ["/proc/self/environ", "system/environ", "/dev/zero", "/sys/kernel/notes"])
    def test_the_system_is_never_read_whatever_is_listed(self, project: Path, path: str) -> None:
        (project / "choreo.yaml").write_text("files: [/]\n")
        with pytest.raises(BodyError, match=r"the system's|cannot read"):
            load_file(path, project / "features")

    def test_a_schema_reaches_no_further(self, project: Path) -> None:
        text = '{"$ref": "../../outside.json"}'
        (project / "features" / "schema.json").write_text(text)
        [built] = parse_expectation("!schema schema.json", None, None, base_dir=project / "features").build(VARIABLES)
        assert not accepts(built, {})  # what stands there would accept everything

    def test_a_folder_is_no_body(self, project: Path) -> None:
        with pytest.raises(BodyError, match="no regular file"):
            load_file(".", project / "features")


def test_why_a_file_named_like_a_secret_cannot_be_read_is_shown(tmp_path: Path) -> None:
    with pytest.raises(BodyError) as refused:
        load_file("bodies/secret.json", tmp_path)
    assert "No such file" in Redactor().text(str(refused.value))
