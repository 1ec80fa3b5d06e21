from __future__ import annotations

import pytest

from choreo_bdd.yaml_files import YamlProblem, read_yaml


def bomb(piece: str = "1") -> str:
    lines = [f"a: &a [{','.join([piece] * 10)}]"]
    for before, name in zip("abcdefg", "bcdefgh", strict=True):
        lines.append(f"{name}: &{name} [{','.join([f'*{before}'] * 10)}]")
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [bomb(), bomb("x" * 500), bomb().replace(": &", ": !!seq &"), "z: &z {x: 1}\ny: {<<: [*z, *z]}\n" + bomb()],
)
def test_what_aliases_multiply_is_refused(text: str) -> None:
    with pytest.raises(YamlProblem, match="its aliases repeat too much"):
        read_yaml(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("profiles: [a", r"a list that begins with \[ has no end"),
        ("profiles: {a: 1", r"a mapping that begins with \{ has no end"),
        ("a:\n  - 1\n b: 2", "this line is indented otherwise than those before it"),
        ("- a\nb: 1", "this line is indented otherwise than those before it"),
        ("a: 1\n  b: 2", "a colon that makes a key stands where there can be no key"),
        ("a: |x\n", r"behind \| or > stands more"),
        ("a: 'x", "a text in quotes has no end"),
        ("a:\n\tb: 1", "found a tab, and YAML is indented with blanks"),
    ],
)
def test_what_is_wrong_is_told_in_words_of_yaml(text: str, words: str) -> None:
    with pytest.raises(YamlProblem, match=words) as told:
        read_yaml(text)
    assert "<" not in str(told.value)


def test_an_alias_inside_itself_is_refused() -> None:
    with pytest.raises(YamlProblem, match="an alias stands inside"):
        read_yaml("a: &a [*a]")


def test_aliases_that_save_writing_are_read() -> None:
    assert read_yaml("a: &a {x: 1}\nb: [*a, *a]\nc: {<<: *a, y: 2}")[1] == {
        "a": {"x": 1}, "b": [{"x": 1}, {"x": 1}], "c": {"x": 1, "y": 2},
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["a: *canary", "a: &canary x: y", "a: !canary x", "a: %canary", "a: @canary", "a: `canary", "a: canary: x: y",
     'a: "canary', "a: 'canary", "a: [canary", "a: {canary", "? canary\n- x", "a: 1\n\tcanary: 2", "canary\n: : x",
     "a: canary\x01", "!!int canary", "a: !!timestamp canary", "a: !!bool canary",
     "a: !!float canary", "a: !!binary canary-ü", pytest.param("[" * 5000 + "canary", marks=pytest.mark.thorough),
     "--- a\n--- canary"],
)  # fmt: skip
def test_what_is_no_yaml_is_told_without_a_word_of_it(text: str) -> None:
    with pytest.raises(YamlProblem) as told:
        read_yaml(text)
    assert "canary" not in told.value.at("choreo.yaml")
    assert told.value.__cause__ is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[on, off, yes, No]", ["on", "off", "yes", "No"]), ("{on: y, no: 1}", {"on": "y", "no": 1}),
        ("[true, False, TRUE]", [True, False, True]), ("[12:30, 2024-01-01, 1_000]", ["12:30", "2024-01-01", "1_000"]),
        ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"), ("[007, 0o17, 0x1F, -3, +4]", [7, 15, 31, -3, 4]),
        ("[1e3, -1.5E-2, .5, 1.]", [1000, -0.015, 0.5, 1]), ("[~, null, Null, ]", [None, None, None]),
        ("{a: , b: .inf}", {"a": None, "b": float("inf")}), ("[1.2.3, 1e, =, '1', nulls, truest]",
        ["1.2.3", "1e", "=", "1", "nulls", "truest"]), ("a: &a {x: 1}\nb: {<<: *a}", {"a": {"x": 1}, "b": {"x": 1}}),
    ],
)  # fmt: skip
def test_yaml_1_2_takes_few_words_for_more_than_text(text: str, value: object) -> None:
    assert read_yaml(text, is_1_2=True)[1] == value
