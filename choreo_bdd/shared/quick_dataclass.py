"""``dataclass`` at a third of its price: it is most of what importing a package of many small classes takes.

``dataclasses`` writes six methods a class and has each compiled; all but ``__init__`` are the same for every class.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass
else:  # the same to type checkers: they see to it that what is ``frozen`` stays so, and no call pays for a guard
    import dataclasses
    from operator import attrgetter

    def dataclass(cls=None, /, *, eq=True, repr=True, frozen=False, **options):  # noqa: A002 - as the original has it
        """What ``dataclasses.dataclass`` makes of a class, but that nothing guards the fields of a frozen one."""

        def made(cls):
            return _with_methods(dataclasses.dataclass(cls, eq=False, repr=False, **options), eq, repr, frozen)

        return made if cls is None else made(cls)

    def _with_methods(cls, eq, repr, frozen):  # noqa: A002 - as above
        fields, own = dataclasses.fields(cls), cls.__dict__
        if repr and "__repr__" not in own:
            cls.__repr__ = _repr_of([each.name for each in fields if each.repr])
        if eq:
            compared = _values_of([each.name for each in fields if each.compare])
            if "__eq__" not in own:
                cls.__eq__ = _eq_of(compared)
            if own.get("__hash__") is None:  # where a class has an __eq__ of its own, Python has put None there
                cls.__hash__ = _hash_of(compared) if frozen else None
        return cls

    def _values_of(names):
        if len(names) > 1:
            return attrgetter(*names)
        return lambda self: tuple(getattr(self, name) for name in names)

    def _eq_of(values):
        def equals(self, other):
            return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

        return equals

    def _hash_of(values):
        def hashed(self):
            return hash(values(self))

        return hashed

    def _repr_of(names):
        def shown(self):
            told = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
            return f"{self.__class__.__qualname__}({told})"

        return shown


__all__ = ["dataclass"]
