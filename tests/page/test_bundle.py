"""Joining modules: order, names and the refusals that keep a joined script from failing silently."""

from __future__ import annotations

import pytest

from choreo_bdd_reporter.page.bundle import BundleError, bundle


def _bundle(**modules: str) -> str:
    return bundle("main.js", lambda name: modules[name.removesuffix(".js")])


def test_each_module_stands_once_after_what_it_imports() -> None:
    text = _bundle(
        main="import { a } from './one.js';\nimport { b } from './two.js';\na(b);\n",
        one="import { b } from './two.js';\nexport function a(x) { return x + b; }\n",
        two="export const b = 1;\n",
    )
    assert text.index("const b=1") < text.index("function a(x)") < text.index("a(b);")
    assert text.count("const b=1") == 1
    assert "import" not in text
    assert "export" not in text


def test_an_import_may_span_lines() -> None:
    assert "const b=1" in _bundle(main="import {\n  b,\n} from './two.js';\nb;\n", two="export const b = 1;\n")


def test_comment_lines_and_indentation_are_left_out_but_texts_stay() -> None:
    text = _bundle(main="// why\nfunction f() {\n    // how\n    return 'a // b';\n}\n")
    assert text == "function f(){return 'a // b';}\n"


@pytest.mark.parametrize(
    ("source", "tight"),
    [
        ("const a = [1, 'b , c'];", "const a=[1,'b , c'];"),
        ("const t = `${x} = ${y}`;", "const t=`${x} = ${y}`;"),
        ("const r = /a = b/.test(x);", "const r = /a = b/.test(x);"),
        ("const n = `${x ? `a = b` : ''}`;", "const n = `${x ? `a = b` : ''}`;"),
        ("const m = a - -b;", "const m=a - -b;"),
        ("const q = 'it\\'s = so';", "const q = 'it\\'s = so';"),
    ],
)
def test_spaces_go_around_signs_but_never_inside_texts_and_patterns(source: str, tight: str) -> None:
    assert _bundle(main=source + "\n") == f"{tight}\n"


@pytest.mark.parametrize(
    ("modules", "complaint"),
    [
        ({"main": "import { c } from './two.js';\n", "two": "export const b = 1;\n"}, "two.js exports no c"),
        ({"main": "import { b } from './two.js';\n", "two": "const b = 1;\n"}, "two.js exports no b"),
        (
            {
                "main": "import { b } from './two.js';\nconst own = 1;\n",
                "two": "const own = 2;\nexport const b = own;\n",
            },
            "own stands in two.js and in main.js",
        ),
        ({"main": "import b from './two.js';\n", "two": ""}, "cannot join"),
        ({"main": "import { b as c } from './two.js';\n", "two": "export const b = 1;\n"}, "exports no b as c"),
        ({"main": "export default 3;\n"}, "cannot join"),
        ({"main": "const t = `one\n two`;\n"}, "over several lines"),
        (
            {
                "main": "import { b } from './two.js';\nexport const a = 1;\n",
                "two": "import { a } from './main.js';\nexport const b = 1;\n",
            },
            "import each other",
        ),
    ],
)
def test_what_leaves_the_dialect_is_refused_by_name(modules: dict[str, str], complaint: str) -> None:
    with pytest.raises(BundleError, match=complaint):
        _bundle(**modules)
