"""How soon the language server answers, asked by a real client over its standard streams: `python -m bench.editor`.

A feature of 1,000 lines is typed into. Wanted: completion within 50 ms, diagnostics within 300 ms of the last letter.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.support.language_client import editor

_ROUNDS = 40
_SCENARIO = """\
  Scenario: Order number {number}
    Given reference is "{number}"
    And a service that answers "orders.placed" with "orders.settled":
      \"\"\"
      id: "{{{{ trigger.id }}}}"
      total: 3
      \"\"\"
    When I publish "orders.placed":
      | field | value           |
      | id    | {{{{ reference }}}} |
      | total | 19              |
    Then I expect "orders.settled" where total is 3 within 50ms
    And I expect "orders.settled" within 100ms:
      | id              | total |
      | {{{{ reference }}}} | > 2   |
    And I keep "id" of "orders.settled" as order_id
    And I expect no "orders.failed" for 100ms

"""


def feature(lines: int) -> str:
    """A feature of about so many lines."""
    count = lines // _SCENARIO.count("\n")
    return "Feature: Large\n\n" + "".join(_SCENARIO.format(number=number) for number in range(count))


async def _timed(rounds: int, work: Callable[[int], Awaitable[object]]) -> list[float]:
    times = []
    for number in range(rounds):
        begun = time.perf_counter()
        await work(number)
        times.append((time.perf_counter() - begun) * 1000)
    return sorted(times)


def _row(name: str, times: list[float], wanted: int) -> None:
    p95 = times[int(len(times) * 0.95) - 1]
    print(f"{name:<44} {statistics.median(times):7.1f} {p95:7.1f} {times[-1]:7.1f} {wanted:7}")


async def main() -> None:
    """Print the table."""
    text = feature(1000)
    line = text.count("\n")
    with tempfile.TemporaryDirectory() as folder:
        async with editor(Path(folder) / "large.feature") as opened:
            await opened.open(text)
            print(f"{line} lines, {_ROUNDS} rounds{'':<21} median     p95     max  wanted   (ms)")
            opened.change(f"{text}    And ")
            _row("completion of a sentence", await _timed(_ROUNDS, lambda _: opened.completed(line, 8)), 50)
            opened.change(f'{text}    And I expect "')
            _row("completion of a topic", await _timed(_ROUNDS, lambda _: opened.completed(line, 18)), 50)

            async def type_and_ask(number: int) -> object:
                opened.change(f"{text}    And I exp{'e' * (number % 3)}")
                return await opened.completed(line, 13 + number % 3)

            _row("completion right behind a letter", await _timed(_ROUNDS, type_and_ask), 50)
            await asyncio.sleep(1)
            typed = await _timed(_ROUNDS, lambda number: opened.write(f"{text}    And I expect {number}"))
            _row("diagnostics behind a letter, pause included", typed, 300)


if __name__ == "__main__":
    asyncio.run(main())
