"""Joining modules: order, names and the refusals that keep a joined script from failing silently."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from choreo_bdd_reporter.page import assets
from choreo_bdd_reporter.page.bundle import BundleError, bundle


def _bundle(*, keep: Iterable[str] = (), **modules: str) -> str:
    return bundle("main.js", lambda name: modules[name.removesuffix(".js")], keep=keep)


def test_each_module_stands_once_after_what_it_imports() -> None:
    text = _bundle(
        main="import { made } from './one.js';\nimport { base } from './two.js';\nmade(base);\n",
        one="import { base } from './two.js';\nexport function made(x) { return x + base; }\n",
        two="export const base = 1;\n",
        keep=("made", "base"),
    )
    assert text.index("let base=1") < text.index("function made(") < text.index("made(base);")
    assert text.count("let base=1") == 1
    assert "import" not in text
    assert "export" not in text


def test_an_import_is_found_from_the_room_of_the_module_that_names_it() -> None:
    modules = {
        "main.js": "import { shown } from './list/tree.js';\nshown;\n",
        "list/tree.js": "import { el } from '../core/dom.js';\nexport const shown = el;\n",
        "core/dom.js": "export const el = 1;\n",
    }
    joined = bundle("main.js", modules.__getitem__, keep=("el", "shown"))
    assert joined == "let el=1,shown=el;shown;\n"


def test_an_import_may_span_lines() -> None:
    text = _bundle(main="import {\n  base,\n} from './two.js';\nbase;\n", two="export const base = 1;\n")
    assert text == "let a=1;a;\n"


def test_comment_lines_and_indentation_are_left_out_but_texts_stay() -> None:
    text = _bundle(main="// why\nfunction found() {\n    // how\n    return 'a // b';\n}\n")
    assert text == "function a(){return'a // b'}\n"


def test_types_are_left_out() -> None:
    source = "/** @param {Page.Row} row */\nfunction shown(row) {\n    /** @type {any} */\n    const a = row;\n}\n"
    block = "/**\n * @param {string[]} rows\n * @returns {void}\n */\nfunction all(rows) { rows.map(shown); }\n"
    tight = "function shown(row){let a=row}function all(rows){rows.map(shown)}\n"
    assert _bundle(main=source + block, keep=("shown", "row", "a", "all", "rows")) == tight


@pytest.mark.parametrize(
    ("source", "tight"),
    [
        ("const a = [1, 'b , c'];", "let a=[1,'b , c'];"),
        ("const t = `${x} = ${y}`;", "let t=`${x} = ${y}`;"),
        ("const r = /a = b/.test(x);", "let r=/a = b/.test(x);"),
        ("const r = `${/ }/.test(x)} `;", "let r=`${/ }/.test(x)} `;"),
        ("const n = `${x ? `a = b` : ''}`;", "let n=`${x?`a = b`:''}`;"),
        ("const h = x / 2 / y;", "let h=x/2/y;"),
        ("const m = x - -y;", "let m=x- -y;"),
        ("const q = [1, [2,],];\nz(q, { a: 1, },);", "let q=[1,[2]];z(q,{a:1});"),
        ("const q = 'it\\'s = so';", "let q='it\\'s = so';"),
        ("if (x in y) throw x;\nfunction g() {}\ng();", "if(x in y)throw x;function g(){}g();"),
        ("const o = {}\n[x].at(0);", "let o={}\n[x].at(0);"),
        ("if (x) {\n  z(';}');\n}\nz(`${y};}`);", "if(x){z(';}')}z(`${y};}`);"),
    ],
)
def test_spaces_go_around_signs_but_never_inside_texts_and_patterns(source: str, tight: str) -> None:
    bound = "function z(x, y) {}\n"
    assert _bundle(main=bound + source + "\n", keep="agmnoqrtxyzh") == f"function z(x,y){{}}{tight}\n"


@pytest.mark.parametrize(
    ("source", "short"),
    [
        ("const row = { row: 1 };\nrow.row;", "let a={row:1};a.row;"),
        ("const row = 1;\nconst all = { row, other: row };", "let a=1,b={row:a,other:a};"),
        ("() => { const { row, more: rest = row } = JSON; };", "()=>{let{row:C,more:D=C}=JSON};"),
        (
            "const row = { take() { return row; }, get at() { return 1; } };",
            "let a={take(){return a},get at(){return 1}};",
        ),
        ("const take = (row, ...rest) => ({ ...row, rest });", "let a=(D,...C)=>({...D,rest:C});"),
        ("const row = 1;\nconst text = `row ${row} ${{ row }.row}`;", "let a=1,b=`row ${a} ${{row:a}.row}`;"),
        ("const row = document?.row;", "let a=document?.row;"),
        (
            "function one(row) { return row; }\nfunction two(all) { return one(all); }",
            "function a(C){return C}function b(C){return a(C)}",
        ),
        ("const all = (row) => row.map(all);\nJSON.map(all);", "let a=b=>b.map(a);JSON.map(a);"),
        ("const all = (row) => row;\nfunction row() { all(1); }", "let b=a=>a;function a(){b(1)}"),
    ],
)
def test_variables_get_short_names_and_properties_keep_theirs(source: str, short: str) -> None:
    assert _bundle(main=source + "\n") == f"{short}\n"


@pytest.mark.parametrize(
    ("source", "tight"),
    [
        ("const a = 1;\nlet g = a;\nz(g);\nconst m = g;", "let a=1,g=a;z(g);let m=g;"),
        ("const a = 1;\n'text';\nconst g = a;", "let a=1;'text';let g=a;"),
        ("const a = () => {\n  z();\n  const g = 1;\n};\nconst m = a;", "let a=()=>{z();let g=1},m=a;"),
        ("const t = `${[1].map((m) => { const g = m; const a = g; return a; })}`;\nconst g = t;",
         "let t=`${[1].map(m=>{let g=m,a=g;return a})}`,g=t;"),
        ("for (let a = 0; a < 1; a += 1) z(a);\nconst g = 1;", "for(let a=0;a<1;a+=1)z(a);let g=1;"),
        ("const a = z(true, 'true');\nfunction g() { return false; }", "let a=z(!0,'true');function g(){return!1}"),
        ("z(() => {\n  const { a } = z;\n  const [g] = a;\n});", "z(()=>{let{a}=z,[g]=a});"),
        ("const g = async (a) => z((m, n) => m);", "let g=async(a)=>z((m,n)=>m);"),
    ],
)  # fmt: skip
def test_declarations_in_a_row_become_one(source: str, tight: str) -> None:
    bound = "function z(x, y) {}\n"
    assert _bundle(main=bound + source + "\n", keep="agmntxyz") == f"function z(x,y){{}}{tight}\n"


@pytest.mark.parametrize(
    ("source", "first", "rest"),
    [
        ("z('many words', 'many words');", "let a='many words';", "z(a,a);"),
        ("z({ 'many-words': 'many-words' });", "let a='many-words';", "z({[a]:a});"),
        ("z(y ? 'many-words' : 'many-words');", "let a='many-words';", "z(y?a:a);"),
        ("switch (y) { case 'many-words': z('many-words'); }", "let a='many-words';", "switch(y){case a:z(a)}"),
        ("z('only one of them', 'ab', 'ab');", "", "z('only one of them','ab','ab');"),
        ("z(`many-words`, /many-words/, 'many-words');", "", "z(`many-words`,/many-words/,'many-words');"),
    ],
)
def test_texts_that_stand_often_get_a_name(source: str, first: str, rest: str) -> None:
    bound = "function z(y) {}\n"
    assert _bundle(main=bound + source + "\n", keep="yz") == f"{first}function z(y){{}}{rest}\n"


def test_a_short_name_is_never_one_that_is_kept() -> None:
    assert (
        _bundle(main="const row = 1;\nconst b = row + a;\nfunction a() {}\n", keep="a")
        == "let b=1,c=b+a;function a(){}\n"
    )


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
        ({"main": "const { parse } = JSON;\n"}, "one name each"),
        ({"main": "const t = `one\n two`;\n"}, "over several lines"),
        ({"main": "const t = matchMediaa('x');\n"}, "nothing declares matchMediaa"),
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


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The page's modules and styles in a folder of the test's own, where bytecode may be written."""
    for part in ("js", "css"):
        shutil.copytree(assets._PAGE / part, tmp_path / part)
    monkeypatch.setattr(assets, "_PAGE", tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    return tmp_path


def _as_a_new_process_has_it() -> assets.Assets:
    return assets.assets.__wrapped__()


@pytest.mark.thorough
def test_a_checkout_joins_its_modules_once_and_again_when_one_has_changed(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _as_a_new_process_has_it()
    assert first == assets.joined()
    with monkeypatch.context() as patched:
        patched.setattr(assets, "joined", None)
        assert _as_a_new_process_has_it() == first
    style = checkout / "css" / "core" / "print.css"
    style.write_text(style.read_text("utf-8") + "\n.new-rule { color: red; }\n", "utf-8")
    assert ".new-rule{color:red}" in _as_a_new_process_has_it().style
    assert len([*checkout.glob("__pycache__/*")]) == 1  # of the state before nothing is left


@pytest.mark.thorough
def test_a_checkout_that_keeps_a_damaged_text_or_none_joins_anew(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _as_a_new_process_has_it()
    kept = next(checkout.glob("__pycache__/*"))
    kept.write_text(kept.read_text("utf-8")[:1000], "utf-8")
    assert _as_a_new_process_has_it() == whole
    kept.unlink()
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert _as_a_new_process_has_it() == whole
    assert not kept.exists()
