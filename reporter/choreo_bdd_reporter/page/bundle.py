"""Join ES modules into one short script, and tighten styles.

The modules keep to a small dialect so that joining is a matter of lines, not of parsing:
``import { a, b } from './room/file.js';`` at the top, ``export`` in front of a declaration, no top-level name twice,
and none that is taken out of an object. Whatever leaves the dialect is refused, because in a joined script it would
fail silently.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count, islice, product
from posixpath import dirname, join, normpath
from string import ascii_letters, digits

from choreo_bdd_reporter.page.tokens import (
    KEYWORDS,
    Token,
    Use,
    joined,
    renamed,
    shared_texts,
    tightened,
    tokens,
    top_statements,
    uses,
    words,
)

_IMPORT = re.compile(r"^import \{([^}]*)\} from '(\.{1,2}/[\w./-]+\.js)';\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async function|function|const|let|class)\b)", re.MULTILINE)
_DECLARED = re.compile(r"^(export )?(?:async )?(?:function\*?|const|let|class) (\w+)", re.MULTILINE)
_TYPES = re.compile(r"^[ \t]*/\*\*.*?\*/[ \t]*\n", re.MULTILINE | re.DOTALL)
_LEFTOVER = re.compile(r"^(?:(?:import|export)\b|(?:const|let) [{[]).*$", re.MULTILINE)
BROWSER = words(
    "Array Blob Boolean Date DecompressionStream Element Error Infinity JSON Map Math Node Number Object Promise "
    "RegExp ResizeObserver Response Set String URLSearchParams Uint32Array Uint8Array addEventListener atob document "
    "encodeURIComponent getComputedStyle globalThis history localStorage location matchMedia navigator performance "
    "removeEventListener requestAnimationFrame setTimeout"
)
"""Names of the browser that modules may use; whatever else a module names is its own and gets a shorter name."""
_SHARES = 28, 24
"""Of all letters, those for the most frequent variables of the script, and those for variables inside a statement."""
_EVERYWHERE = -1


class BundleError(ValueError):
    """A module leaves the dialect; the text names the module, the line or name, and the remedy."""


@dataclass(frozen=True, slots=True)
class _Module:
    name: str
    body: str
    imports: dict[str, tuple[str, ...]]
    declared: tuple[str, ...]
    exported: frozenset[str]


def bundle(entry: str, read: Callable[[str], str], *, keep: Iterable[str] = ()) -> str:
    """One script text: every module that ``entry`` reaches, each after the modules it imports.

    ``read`` returns a module's source by its path in the folder of all modules. Variables get shorter names, but for
    those in ``keep``, and texts that stand in it often a name. Raises ``BundleError``.
    """
    ordered: dict[str, _Module] = {}
    _visit(entry, read, ordered, path=())
    _refuse_shared_names(ordered)
    script = shared_texts(tokens("\n".join(_bare(module) for module in ordered.values())))
    found = list(uses(script))
    return tightened(joined(renamed(script, _short_names(script, found, frozenset(keep))))) + "\n"


def _short_names(script: Sequence[Token], found: Sequence[Use], keep: frozenset[str]) -> Iterator[tuple[Use, str]]:
    """Each use of a variable with a name of one or two letters, the most frequent first.

    A variable of the script has the same everywhere, one inside a statement at the top a name of that statement's own.
    """
    _refuse_unknown(found)
    own = [use for use in found if use.name not in keep | BROWSER]
    statements = top_statements(script)
    bound = {(statements[use.index], use.name) for use in own if use.binds and script[use.index].within}
    shared = {use.name for use in own if not script[use.index].within or (statements[use.index], use.name) not in bound}
    scopes: dict[int, list[Use]] = defaultdict(list)
    for use in own:
        scopes[_EVERYWHERE if use.name in shared else statements[use.index]].append(use)
    free = (name for name in _letters() if name not in KEYWORDS | BROWSER | keep)
    first, letters = (list(islice(free, share)) for share in _SHARES)
    yield from _named(scopes.pop(_EVERYWHERE, ()), chain(first, free))
    rest = list(islice(free, max(map(len, scopes.values()), default=0)))
    for inside in scopes.values():
        yield from _named(inside, [*letters, *rest])


def _named(found: Sequence[Use], names: Iterable[str]) -> list[tuple[Use, str]]:
    counts = Counter(use.name for use in found)
    short = dict(zip(sorted(counts, key=lambda name: (-counts[name], name)), names, strict=False))
    return [(use, short[use.name]) for use in found]


def _letters() -> Iterator[str]:
    return chain.from_iterable(
        map("".join, product(ascii_letters, *[ascii_letters + digits] * more)) for more in count()
    )


def _refuse_unknown(found: Iterable[Use]) -> None:
    """A name that nothing binds belongs to the browser; one that is not known as such would get another name."""
    bound = {use.name for use in found if use.binds}
    if unknown := sorted({use.name for use in found} - bound - BROWSER):
        raise BundleError(f"nothing declares {', '.join(unknown)}; names of the browser stand in BROWSER")


def squeeze_css(text: str) -> str:
    """Styles without comments and needless space, blocks that follow each other under one selector as one."""
    bare = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return _merged(re.sub(r"\s*\n\s*|(?<=[{;,]) +| +(?=[{}>])|(?<=>) +|(?<=[\w-]:) +(?=[\w#.'-])|;(?=\s*\})", "", bare))


def _merged(style: str) -> str:
    """Only what begins with a nested rule joins the block before: a declaration would come too early in it."""
    blocks: list[list[str]] = []
    for selector, body in _blocks(style):
        if blocks and blocks[-1][0] == selector and body.startswith("."):
            blocks[-1].append(body)
        else:
            blocks.append([selector, body])
    return "".join(f"{selector}{{{''.join(bodies)}}}" for selector, *bodies in blocks)


def _blocks(style: str) -> Iterator[tuple[str, str]]:
    depth = start = 0
    for brace in re.finditer(r"[{}]", style):
        depth += 1 if brace[0] == "{" else -1
        if brace[0] == "{" and depth == 1:
            selector, start = style[start : brace.start()], brace.end()
        elif depth == 0:
            yield selector, style[start : brace.start()]
            start = brace.end()


def _visit(name: str, read: Callable[[str], str], ordered: dict[str, _Module], path: tuple[str, ...]) -> None:
    if name in ordered:
        return
    if name in path:
        raise BundleError(f"{' -> '.join((*path, name))}: modules import each other; move what they share")
    module = _parse(name, read(name))
    for imported in module.imports:
        _visit(imported, read, ordered, (*path, name))
        _refuse_missing(module, ordered[imported])
    ordered[name] = module


def _parse(name: str, source: str) -> _Module:
    imports = {
        normpath(join(dirname(name), match[2])): tuple(part.strip() for part in match[1].split(",") if part.strip())
        for match in _IMPORT.finditer(source)
    }
    body = _EXPORT.sub("", _IMPORT.sub("", source))
    if leftover := _LEFTOVER.search(body):
        raise BundleError(
            f"{name}: cannot join {leftover[0]!r}; use named imports and exported declarations of one name each"
        )
    declared = tuple(match[2] for match in _DECLARED.finditer(source))
    exported = frozenset(match[2] for match in _DECLARED.finditer(source) if match[1])
    return _Module(name, body, imports, declared, exported)


def _bare(module: _Module) -> str:
    """The body without indentation, comment lines and empty ones; what ``tsc`` reads about types is a comment."""
    lines = [line.strip() for line in _TYPES.sub("", module.body).splitlines()]
    for line in lines:
        if line.count("`") % 2:
            raise BundleError(f"{module.name}: {line!r} opens a text over several lines; build it from parts")
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def _refuse_missing(importer: _Module, imported: _Module) -> None:
    missing = [name for name in importer.imports[imported.name] if name not in imported.exported]
    if missing:
        raise BundleError(f"{importer.name}: {imported.name} exports no {', '.join(missing)}")


def _refuse_shared_names(modules: dict[str, _Module]) -> None:
    owner: dict[str, str] = {}
    for module in modules.values():
        for name in module.declared:
            if name in owner:
                raise BundleError(f"{name} stands in {owner[name]} and in {module.name}; rename one of them")
            owner[name] = module.name
