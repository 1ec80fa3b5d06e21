"""Public names of a package that are imported when somebody first asks for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def late_names(package: dict[str, Any], modules: Sequence[str] | Mapping[str, str]) -> Callable[[str], Any]:
    """The ``__getattr__`` of the package whose ``globals()`` these are; a name that was found stays.

    Each name of its ``__all__`` stands in the first of the ``modules`` that has it, or in the one that a mapping names;
    modules are told as seen from the package.
    """

    def find(name: str) -> Any:
        public = name in package["__all__"]
        for each in [modules[name]] if public and isinstance(modules, Mapping) else modules if public else ():
            module = import_module(f"{package['__name__']}.{each}")
            if hasattr(module, name):
                package[name] = getattr(module, name)
                return package[name]
        raise AttributeError(f"module {package['__name__']!r} has no attribute {name!r}")

    return find
