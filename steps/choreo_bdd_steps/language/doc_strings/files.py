"""Bodies and schemas that stand in files of their own, inside the project."""

from __future__ import annotations

import stat
from functools import lru_cache
from pathlib import Path

from choreo_bdd_project.config import find_config
from choreo_bdd_project.config_file import ConfigError, read_document
from choreo_bdd_steps.language.doc_strings.yaml_body import read_json, read_yaml
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.syntax import Node

_YAML = (".yaml", ".yml")
_MAX_BYTES = 64_000_000
_SYSTEM = tuple(map(Path, ("/proc", "/sys", "/dev", "/run")))
"""Never read, whatever choreo.yaml lists: they show the machine, the process and its environment."""


def read_file(path: str, base_dir: Path) -> Node | bytes:
    """A JSON or YAML file as a tree, any other file as its bytes. Raises BodyError, which names the path."""
    content = _content(path, base_dir)
    suffix = Path(path).suffix.lower()
    if suffix != ".json" and suffix not in _YAML:
        return content
    try:
        text = content.decode("utf-8-sig")
        return read_json(text) if suffix == ".json" else read_yaml(text)
    except UnicodeDecodeError as error:
        raise BodyError(f"the file {path!r} is not UTF-8 text: {error.reason} at byte {error.start}") from error
    except BodyError as error:
        where = "" if error.line is None else f", line {error.line}"
        raise BodyError(f"in the file {path!r}{where}: {error.message}") from error


def read_tree(path: str, base_dir: Path) -> Node:
    """A JSON or YAML file as a tree. Raises BodyError for any other."""
    content = read_file(path, base_dir)
    if isinstance(content, bytes):
        raise BodyError(f"the file {path!r} must be JSON or YAML; its name must end in .json, .yaml or .yml")
    return content


def _content(path: str, base_dir: Path) -> bytes:
    try:
        found = (base_dir / path).resolve(strict=True)
        about = found.stat()
    except (OSError, ValueError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise BodyError(f"cannot read the file {path!r} ({why}); paths start at the feature file's folder") from error
    _require_permitted(path, found, base_dir)
    if not stat.S_ISREG(about.st_mode):
        raise BodyError(f"cannot read the file {path!r}, for it is no regular file")
    if about.st_size > _MAX_BYTES:
        raise BodyError(f"the file {path!r} has {about.st_size} bytes; a body may have {_MAX_BYTES}")
    try:
        return found.read_bytes()
    except OSError as error:
        raise BodyError(f"cannot read the file {path!r} ({error.strerror})") from error


def _require_permitted(path: str, found: Path, base_dir: Path) -> None:
    """A feature is data, perhaps somebody else's: it reaches what its project holds, and what choreo.yaml lists."""
    if any(found.is_relative_to(each) for each in _SYSTEM):
        raise BodyError(f"the file {path!r} is the system's, and is never read for a body")
    config = find_config(base_dir.resolve())
    root, listed = _reach(config) if config is not None else (_root_without_configuration(base_dir), ())
    if not any(found.is_relative_to(each) for each in (root, *listed)):
        raise BodyError(
            f"the file {path!r} lies outside the project's folder {root}; move it there, or list it, or its folder, "
            f"under `files` in choreo.yaml"
        )


@lru_cache(maxsize=64)
def _reach(config: Path) -> tuple[Path, tuple[Path, ...]]:
    """The folder of a configuration, and what else it lists, links resolved."""
    root = config.parent.resolve()
    try:
        listed = read_document(config)[0].get("files")
    except ConfigError:  # told by whoever runs by it
        listed = None
    given = listed if isinstance(listed, list) else []
    return root, tuple((root / each).resolve() for each in given if isinstance(each, str))


def _root_without_configuration(base_dir: Path) -> Path:
    folder, current = base_dir.resolve(), Path.cwd().resolve()
    return current if folder.is_relative_to(current) else folder
