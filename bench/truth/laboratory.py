"""The truth laboratory: every defect, on every broker, under both frameworks, has to be told as what it is.

    python -m bench.truth.laboratory [--broker KIND …] [--framework NAME …] [--defect NAME …] [--healthy N]

The order pipeline, a program of its own over the broker's own client, errs as an order asks it to. A feature a defect
(``bench/truth/features``) runs against it. What the written report says of its failing check, outcome and cause, is
compared with the frozen table (``bench/truth/table.py``). Prints a row a defect, a column a broker and framework:
``ok``, or what was said instead, or why the cell cannot exist. The last row is a control, which is wrong on purpose
and has to differ. Exits 1 when a cell differs, or the control does not.

``--healthy N`` runs N scenarios a broker on a pipeline without defects instead, a program that eats a processor beside
them: none may fail.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from bench.truth.staging import Told, stage, told_of
from bench.truth.table import CONTROL, DEFECTS, FRAMEWORKS, KINDS, Defect


def cell(defect: Defect, kind: str, told: Told) -> str:
    """``ok``, or what was said instead; or why there is no such cell."""
    if kind in defect.impossible:
        return defect.impossible[kind]
    found = told.get(defect.name)
    if found is None:
        return "NOT RUN"
    return "ok" if found == defect.expected_on(kind) else f"RED {found}"


async def compare(kinds: Sequence[str], frameworks: Sequence[str], defects: Sequence[Defect]) -> int:
    """Run everything and print the table; how many cells are red, or could not be and should."""
    told: dict[tuple[str, str], Told] = {}
    for kind in kinds:
        chosen = {defect.feature for defect in (*defects, CONTROL) if kind not in defect.impossible}
        async with stage(kind) as environment:
            told |= await _of_both(kind, frameworks, chosen, environment)
    cells = {
        (defect, column): cell(defect, column[0], found)
        for defect in (*defects, CONTROL)
        for column, found in told.items()
    }
    _print(defects, tuple(told), cells)
    red = sum(text.startswith(("RED", "NOT")) for (defect, _), text in cells.items() if defect is not CONTROL)
    impossible = sum(column[0] in defect.impossible for defect in defects for column in told)
    possible = len(defects) * len(told) - impossible
    print(f"\n{len(defects)} defects: {possible - red} of {possible} cells green, {impossible} cannot exist")
    is_compared = all(cells[CONTROL, column].startswith("RED") for column in told)
    if not is_compared:
        print("the control is green: nothing is compared")
    return red + (not is_compared)


async def _of_both(
    kind: str, frameworks: Sequence[str], features: Collection[Path], environment: Mapping[str, str]
) -> dict[tuple[str, str], Told]:
    """What each framework's report says; one after the other where an outage of one would be the other's as well."""
    at_once = asyncio.Semaphore(len(frameworks) if kind == "memory" else 1)

    async def of(framework: str) -> Told:
        async with at_once:
            began = time.monotonic()
            told = await told_of(kind, framework, features, environment)
            print(f"{kind}, {framework}: {len(features)} scenarios in {time.monotonic() - began:.0f} s", flush=True)
            return told

    told = await asyncio.gather(*map(of, frameworks))
    return {(kind, framework): each for framework, each in zip(frameworks, told, strict=True)}


def _print(
    defects: Sequence[Defect], columns: Sequence[tuple[str, str]], cells: Mapping[tuple[Defect, tuple[str, str]], str]
) -> None:
    heads = [f"{kind}/{framework.removesuffix('-bdd')}" for kind, framework in columns]
    green, red, plain = ("\x1b[32m", "\x1b[31m", "\x1b[0m") if sys.stdout.isatty() else ("", "", "")
    width = max(12, *map(len, heads))
    print(f"\n{'defect':<33} {'expected':<27} " + " ".join(f"{head:<{width}}" for head in heads))
    for defect in (*defects, CONTROL):
        texts = [cells[defect, column] for column in columns]
        colours = [red if text.startswith(("RED", "NOT")) else green if text == "ok" else "" for text in texts]
        row = " ".join(f"{colour}{text:<{width}}{plain}" for colour, text in zip(colours, texts, strict=True))
        name = f"{defect.name} (control)" if defect is CONTROL else defect.name
        print(f"{name:<33} {defect.verdict!s:<27} {row}")
    for kind in dict.fromkeys(kind for kind, _ in columns):
        others = [f"{defect.name} → {defect.on[kind]}" for defect in defects if kind in defect.on]
        if others:
            print(f"on {kind}: {', '.join(others)}")


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """What stands on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--broker", action="append", choices=KINDS, dest="kinds")
    parser.add_argument("--framework", action="append", choices=FRAMEWORKS, dest="frameworks")
    parser.add_argument("--defect", action="append", choices=[defect.name for defect in DEFECTS], dest="defects")
    parser.add_argument("--healthy", type=int, metavar="N", help="run N scenarios that have to pass, under load")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    """Do what the command line asks for; the exit code."""
    options = arguments(given)
    kinds, frameworks = options.kinds or KINDS, options.frameworks or FRAMEWORKS
    if options.healthy:
        from bench.truth.healthy import run

        return 1 if asyncio.run(run(kinds, frameworks, options.healthy)) else 0
    defects = [defect for defect in DEFECTS if defect.name in (options.defects or [each.name for each in DEFECTS])]
    return 1 if asyncio.run(compare(kinds, frameworks, defects)) else 0


if __name__ == "__main__":
    sys.exit(main())
