"""What the services of a run do while a scenario is at work: what they write, and whether they live."""

from __future__ import annotations

import time
from collections.abc import Iterator

from choreo_bdd.shared.counted import counted
from choreo_bdd_steps.services.facts import Running

_SHOWN_LINES = 10


class ScenarioServices:
    """The services around one scenario, from its beginning on."""

    def __init__(self, services: Running) -> None:
        self._services = services
        self._since = time.monotonic()
        self._is_told = False

    def told(self) -> str:
        """What belongs below a failure: the dead, and the last lines, these once in a scenario."""
        dead = "".join(f"\n{how}" for how in self.deaths())
        return dead if self._is_told else f"{dead}{self._last_lines()}"

    def deaths(self) -> Iterator[str]:
        """Each service that has ended by itself, as a clause."""
        for death in self._services.deaths():
            when = "before this scenario began" if death.at < self._since else "while this scenario ran"
            dead = f"the service {death.service!r} is dead: it {death.how} {when}, and nothing has restarted it"
            yield f"{dead}{death.last_words}"

    def everything(self) -> str:
        """All lines that are kept, for a report."""
        return "\n".join(map(str, self._services.lines(self._since)))

    def _last_lines(self) -> str:
        lines = self._services.lines(self._since)
        if not lines:
            return ""
        self._is_told = True
        few = len(lines) <= _SHOWN_LINES
        count = counted(len(lines), "line") if few else f"the last {_SHOWN_LINES} of {len(lines)} lines"
        shown = "".join(f"\n  {line}" for line in lines[-_SHOWN_LINES:])
        return f"\nwhat the services wrote while this scenario ran ({count}):{shown}"
