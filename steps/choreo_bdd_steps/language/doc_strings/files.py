"""Bodies and schemas that stand in files of their own."""

from __future__ import annotations

from pathlib import Path

from choreo_bdd_steps.language.doc_strings.yaml_body import read_json, read_yaml
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.syntax import Node

_YAML = (".yaml", ".yml")


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
        return (base_dir / path).read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise BodyError(f"cannot read the file {path!r}: {why}; paths start at the feature file's folder") from error
