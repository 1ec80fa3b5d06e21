"""What a schema says against a configuration, in words that show no value of it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from choreo_bdd_project.config_file import ConfigError, SourceMap, shown_name

if TYPE_CHECKING:
    import jsonschema

_ALIKE = 0.7
_BELOW_A_PROFILE = " (a transport stands below its profile: profiles: {local: {bus: {type: nats}}})"
_TOPIC = "_topic"
"""How the definitions of the settings of a broker's topics end."""

_TYPES = {
    dict: "a mapping", list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number",
    type(None): "nothing; what belongs to it stands below it, indented further",
}  # fmt: skip
_SCHEMA_TYPES = {
    "object": "a mapping", "array": "a list", "string": "text", "boolean": "true or false", "integer": "a whole number",
    "number": "a number", "null": "nothing",
}  # fmt: skip


def validate(document: Mapping[str, Any], schema: Mapping[str, Any], where: SourceMap) -> None:
    """Raise ``ConfigError`` for what the schema says first against a document."""
    import jsonschema  # noqa: PLC0415 - slow to load, and needed only where there is a file

    validator = jsonschema.Draft202012Validator(dict(schema))
    error = jsonschema.exceptions.best_match(validator.iter_errors(document))
    if error is None:
        return
    unknown = _unknown_key(error)
    if unknown is not None:
        is_for_profiles = unknown in ("transport", "transports") and not error.absolute_path
        elsewhere = _one_level_below(error, unknown, schema) or _of_another_broker(error, unknown, schema)
        elsewhere = _BELOW_A_PROFILE if is_for_profiles else elsewhere
        raise ConfigError(_no_such_key(error, unknown, where) + elsewhere)
    misspelt, meant = _misspelt(error)
    if misspelt is not None:
        raise ConfigError(f"{where.at(*error.absolute_path, misspelt)}: there is no such key; did you mean {meant}?")
    raise ConfigError(f"{where.at(*error.absolute_path)}: {_in_yaml(error) or _expected(error)}")


def _misspelt(error: jsonschema.ValidationError) -> tuple[str | None, str]:
    """A key that is nearly one which must be there and is not, and that one."""
    if error.validator == "required" and isinstance(error.instance, dict):
        known = _of_schema(error, "properties") or {}
        given = [str(key) for key in error.instance if key not in known]
        for needed in _of_schema(error, "required") or ():
            close = [] if needed in error.instance else difflib.get_close_matches(needed, given, n=1, cutoff=_ALIKE)
            if close:
                return close[0], needed
    return None, ""


def _no_such_key(error: jsonschema.ValidationError, unknown: str, where: SourceMap) -> str:
    known = sorted(_of_schema(error, "properties") or ())
    close = difflib.get_close_matches(unknown, known, n=1, cutoff=_ALIKE)
    hint = f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}"
    # without a value of its own it may be one itself: {user: app, s3cr3t}
    is_named = bool(close) or (isinstance(error.instance, dict) and error.instance.get(unknown) is not None)
    if not is_named:
        return f"{where.at(*error.absolute_path)}: there is a key without a value that is not known; {hint}"
    return f"{where.at(*error.absolute_path, unknown)}: there is no such key; {hint}"


def _one_level_below(error: jsonschema.ValidationError, unknown: str, schema: Mapping[str, Any]) -> str:
    """Which of its neighbours it is a setting of."""
    owners = []
    for name, each in (_of_schema(error, "properties") or {}).items():
        neighbour = schema["$defs"].get(each.get("$ref", "").rpartition("/")[2], each)
        forms = (neighbour, neighbour.get("then", {}), *neighbour.get("anyOf", ()))
        owners += [name for form in forms if unknown in form.get("properties", ())]
    return f" ({unknown} is a setting of {owners[0]}: write {owners[0]}: {{{unknown}: …}})" if owners else ""


def _of_another_broker(error: jsonschema.ValidationError, unknown: str, schema: Mapping[str, Any]) -> str:
    """Whose setting of a topic it is, where this one's broker has none such."""
    if "topics" not in error.absolute_path:
        return ""
    topics = {name: each for name, each in schema["$defs"].items() if name.endswith(_TOPIC)}
    owners = [name.removesuffix(_TOPIC) for name, each in topics.items() if unknown in each["properties"]]
    return f" ({unknown} is a setting of {' and '.join(owners)} topics)" if owners else ""


def _of_schema(error: jsonschema.ValidationError, keyword: str) -> Any:
    return error.schema.get(keyword) if isinstance(error.schema, Mapping) else None


def _unknown_key(error: jsonschema.ValidationError) -> str | None:
    """The key that the schema does not know, where that is what is wrong."""
    if error.validator != "additionalProperties" or not isinstance(error.instance, dict):
        return None
    known = _of_schema(error, "properties") or {}
    return next((str(key) for key in error.instance if key not in known), None)


def _in_yaml(error: jsonschema.ValidationError) -> str | None:
    """What YAML has made of a word that was meant as text."""
    if error.validator not in ("type", "enum", "anyOf", "oneOf"):
        return None
    if isinstance(error.instance, bool):
        expected = _of_schema(error, "enum")
        words = f"; expected one of {', '.join(map(str, expected))}" if expected else ""
        return f"YAML reads on, off, yes and no as true and false; put a word of text in quotes{words}"
    is_number = isinstance(error.instance, (int, float))
    if is_number and error.absolute_path and "timeout" in str(error.absolute_path[-1]):
        return f"{error.instance} is a number without a unit; write {error.instance}s or {error.instance}ms"
    return None


def _expected(error: jsonschema.ValidationError) -> str:
    wanted: Any = error.validator_value
    form = _FORMS.get(str(error.absolute_path[-1])) if error.absolute_path else None
    if form is not None and error.validator in ("enum", "oneOf", "maxProperties"):
        return f"expected {form}"
    found = _TYPES.get(type(error.instance), type(error.instance).__name__)
    match error.validator:
        case "type":
            names = [wanted] if isinstance(wanted, str) else wanted
            return f"expected {' or '.join(_SCHEMA_TYPES.get(each, each) for each in names)}, found {found}"
        case "enum":
            return f"expected one of {', '.join(map(repr, wanted))}{_meant(error.instance, wanted)}"
        case "required":
            given: Any = error.instance
            missing = ", ".join(repr(name) for name in wanted if name not in given)
            return f"{missing} is a required property"
        case "dependentRequired":
            there: Any = error.instance
            lacking = [(name, each) for name, needed in wanted.items() for each in needed if name in there]
            return "; ".join(f"{name!r} needs {each!r} beside it" for name, each in lacking if each not in there)
    described = str(_of_schema(error, "description") or "").rstrip(".")
    return (
        f"expected {described[:1].lower()}{described[1:]}"
        if described
        else _OTHER.get(str(error.validator), _ANY_OTHER).format(wanted)
    )


def _meant(given: object, wanted: Iterable[object]) -> str:
    """Which of these a word stands for or is nearly; the word itself may be a secret at the wrong place."""
    word = "".join(char for char in str(given).lower() if char.isalnum())
    by_letters = {each.replace("_", ""): each for each in wanted if isinstance(each, str)}
    close = difflib.get_close_matches(_OTHER_NAMES.get(word, word), by_letters, n=1, cutoff=_ALIKE)
    return f"; did you mean {by_letters[close[0]]!r}?" if close else ""


_OTHER_NAMES = {
    "amqp": "rabbitmq", "rmq": "rabbitmq", "jetstream": "nats", "redpanda": "kafka", "valkey": "redis",
    "inmemory": "memory", "mock": "memory", "ram": "memory", "local": "memory", "rest": "http",
}  # fmt: skip
"""What brokers and their kin are called, too."""
_FORMS = {
    "correlation": "one of {field: order_id}, {header: x-order-id}, {property: correlation_id} and none",
}
"""Of keys that take one form of several, which a list of values or a rule of the schema would not tell."""
_OTHER = {
    "const": "expected {}",
    "pattern": "expected text of the form {}",
    "minItems": "expected at least {} in the list",
    "minProperties": "expected at least {} in the mapping",
    "minLength": "expected text of at least {} characters",
    "maxItems": "expected at most {} in the list",
    "minimum": "expected at least {}",
    "maximum": "expected at most {}",
    "uniqueItems": "expected a list in which nothing stands twice",
    "propertyNames": "expected other names for its keys",
    "additionalProperties": "there is a key that is not known here",
}
_ANY_OTHER = "what stands there has none of the forms that are expected"


def no_transport(place: str, profile: str, names: Mapping[str, Any]) -> ConfigError:
    """The default transport is none of the profile's."""
    return ConfigError(
        f"{place}: expected a transport of profile {shown_name(profile)!r}, which has "
        f"{', '.join(repr(shown_name(name)) for name in names)}"
    )
