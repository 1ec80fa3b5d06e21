"""Join ES modules into one script, and tighten styles.

The modules keep to a small dialect so that joining is a matter of lines, not of parsing:
`import { a, b } from './file.js';` at the top, `export` in front of a declaration, and no top-level
name twice. Whatever leaves the dialect is refused, because in a joined script it would fail silently.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_IMPORT = re.compile(r"^import \{([^}]*)\} from '\./([\w-]+\.js)';\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async function|function|const|let|class)\b)", re.MULTILINE)
_DECLARED = re.compile(r"^(export )?(?:async )?(?:function\*?|const|let|class) (\w+)", re.MULTILINE)
_UNSURE = re.compile(r"/|\"|\\|`.*`.*`")
_STRING = re.compile(r"('[^']*'|`[^`]*`)")
_SPACED = re.compile(r" *([=<>?:,;{}()&|\[\]]) *")
# no statement ends after these, so the next line can follow at once
_JOINABLE = re.compile(r"([;{,(\[?:])\n")
_LEFTOVER = re.compile(r"^(?:import|export)\b.*$", re.MULTILINE)


class BundleError(ValueError):
    """A module leaves the dialect; the text names the module, the line or name, and the remedy."""


@dataclass(frozen=True, slots=True)
class _Module:
    name: str
    body: str
    imports: dict[str, tuple[str, ...]]
    declared: tuple[str, ...]
    exported: frozenset[str]


def bundle(entry: str, read: Callable[[str], str]) -> str:
    """One script text: every module that `entry` reaches, each after the modules it imports.

    `read` returns a module's source by file name. Raises `BundleError`.
    """
    ordered: dict[str, _Module] = {}
    _visit(entry, read, ordered, path=())
    _refuse_shared_names(ordered)
    return "".join(f"{_squeeze(module)}\n" for module in ordered.values())


def squeeze_css(text: str) -> str:
    """Styles without comments and needless space."""
    bare = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return re.sub(r"\s*\n\s*|(?<=[{;,]) +| +(?=\{)|(?<=[\w-]:) +(?=[\w#.'-])|;(?=\s*\})", "", bare)


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
        match[2]: tuple(part.strip() for part in match[1].split(",") if part.strip())
        for match in _IMPORT.finditer(source)
    }
    body = _EXPORT.sub("", _IMPORT.sub("", source))
    if leftover := _LEFTOVER.search(body):
        raise BundleError(f"{name}: cannot join {leftover[0]!r}; use named imports and exported declarations")
    declared = tuple(match[2] for match in _DECLARED.finditer(source))
    exported = frozenset(match[2] for match in _DECLARED.finditer(source) if match[1])
    return _Module(name, body, imports, declared, exported)


def _squeeze(module: _Module) -> str:
    """The body without indentation, comment lines and needless spaces: less bytes, the same meaning."""
    lines = [line.strip() for line in module.body.splitlines()]
    for line in lines:
        if line.count("`") % 2:
            raise BundleError(f"{module.name}: {line!r} opens a text over several lines; build it from parts")
    tight = "\n".join(_tight(line) for line in lines if line and not line.startswith("//"))
    return _JOINABLE.sub(r"\1", tight)


def _tight(line: str) -> str:
    """A line without spaces around signs; one with nested texts, patterns or division stays as it is."""
    if _UNSURE.search(line):
        return line
    return "".join(part if part[:1] in ("'", "`") else _SPACED.sub(r"\1", part) for part in _STRING.split(line))


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
