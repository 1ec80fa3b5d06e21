"""From a read tree to values and matchers, once the variables are known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.matching.tags import TagCall, build_matcher, check_tag
from choreo_bdd_steps.language.paths import Field, parse_field
from choreo_bdd_steps.language.syntax import Fields, Items, Literal, Node, Tagged, Template, nodes_in, templates
from choreo_bdd_steps.language.templates.functions import Variables
from choreo_bdd_steps.language.templates.rendering import referenced_names, render_text


class Builder(Struct, frozen=True):
    """Renders templates with ``variables`` and finds files below ``base_dir``."""

    variables: Variables
    base_dir: Path

    def value(self, node: Node) -> object:
        """The node as data; a tag becomes a matcher. Raises BodyError."""
        match node:
            case Literal(value):
                return value
            case Template(source, line):
                return render_text(source, self.variables, line)
            case Items(nodes):
                return [self.value(each) for each in nodes]
            case Fields():
                return self._fields(node)
            case Tagged(tag, argument, line):
                given = None if argument is None else self.value(argument)
                return build_matcher(tag, TagCall(given, self.base_dir), line)

    def text(self, node: Literal | Template) -> str:
        """A field name. Raises BodyError when a template gives no text."""
        value = self.value(node)
        if isinstance(value, (str, int)) and not isinstance(value, bool):
            return str(value)
        raise BodyError(f"a field name must be text, not {type(value).__name__}", node.line)

    def place(self, place: Field, line: int | None = None) -> Field:
        """The place that a name with templates in it means. Raises BodyError."""
        if not place.is_template:
            return place
        found = parse_field(self.text(Template(place.label, line)), line)
        if (found.envelope is None) == (place.envelope is None):
            return found
        raise BodyError(
            f"{place.label!r} gives {found.label!r}, which stands around the payload; write the @ in the feature, or "
            f"quote a field of that name: '{place.label}'",
            line,
        )

    def _fields(self, node: Fields) -> dict[str, object]:
        found: dict[str, object] = {}
        for key, value in node.pairs:
            name = self.text(key)
            if name in found:
                raise BodyError(f"the field {name!r} is there twice; keep one of them", key.line)
            found[name] = self.value(value)
        return found


def needs_of(*nodes: Node | None) -> frozenset[str]:
    """The variables that these trees need. Raises BodyError for an unreadable template."""
    return referenced_names([source for node in nodes if node is not None for source in templates(node)])


def check_tags(node: Node) -> None:
    """Raise BodyError for the first tag that cannot be built."""
    for tagged in tags_in(node):
        check_tag(tagged.tag, has_argument=tagged.argument is not None, line=tagged.line)


def refuse_tags(node: Node) -> None:
    """Raise BodyError for the first matcher in something that is to be published."""
    for tagged in tags_in(node):
        raise BodyError(
            f"!{tagged.tag} is a matcher, and matchers cannot be published; write the value itself", tagged.line
        )


def tags_in(node: Node) -> Iterator[Tagged]:
    """Every tag in the tree, outermost first."""
    return (each for each in nodes_in(node) if isinstance(each, Tagged))
