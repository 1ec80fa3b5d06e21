"""The variables that acts set."""

from __future__ import annotations

from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.reserved_names import UNUSABLE
from choreo_bdd_steps.vocabulary.acts import Act, Keep, SetLiteral, SetSeveral, SetText, SetUnique


def misnamed(act: Act | None) -> BodyError | None:
    """What is wrong with the name of a variable that an act sets."""
    name = min(assigned(act) & UNUSABLE, default=None)
    if name is None:
        return None
    return BodyError(f"no variable can be called {name!r}: a template reads {{{{ {name} }}}} as something of its own")


def assigned(act: Act | None) -> frozenset[str]:
    """Variables that an act sets."""
    match act:
        case SetText(name=name) | SetLiteral(name=name) | SetUnique(name=name) | Keep(name=name):
            return frozenset({name})
        case SetSeveral(table=table):
            return frozenset(row[0].strip() for row in table[1:] if row)
        case _:
            return frozenset()
