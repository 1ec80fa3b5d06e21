"""The opposite of the laboratory's defects: scenarios of a sound pipeline, a processor half eaten; none may fail.

See ``python -m bench.truth.laboratory --help``: ``--healthy 2000`` runs so many on each broker, half a framework.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import cycle, islice
from pathlib import Path

from bench.truth.staging import HERE, MATCHED, stage, told_of
from bench.truth.table import Verdict

SHOWN = 10
EATER = """
import time
while True:
    end = time.perf_counter() + 0.05
    while time.perf_counter() < end:
        pass
    time.sleep(0.05)
"""
"""Half of one processor."""
ORDER = """\
    When I publish "orders.placed":
      \"\"\"
      order: {id: "{{ uuid() }}", currency: EUR, country: COUNTRY, items: [{quantity: QUANTITY, price: PRICE}]}
      \"\"\"
"""
SMALL = ORDER.replace("COUNTRY", "DE").replace("QUANTITY", "2").replace("PRICE", "450")
VARIANTS = (
    SMALL
    + """\
    Then I expect "orders.settled" where settlement.amount is 900
    And I expect "notifications.sent"
""",
    SMALL
    + """\
    Then I expect in order:
      | topic              |
      | orders.accepted    |
      | fraud.checked      |
      | orders.settled     |
      | notifications.sent |
""",
    SMALL
    + """\
    Then I expect "orders.settled"
    And I expect no "orders.rejected" for 20ms
    And I expect no other "orders.settled" for 20ms
""",
    ORDER.replace("COUNTRY", "NZ").replace("QUANTITY", "30").replace("PRICE", "49900")
    + """\
    Then I expect "orders.held" where risk.level is high
    And I expect no "orders.settled" for 20ms
""",
    ORDER.replace("COUNTRY", "DE").replace("QUANTITY", "0").replace("PRICE", "450")
    + """\
    Then I expect "orders.rejected":
      | field             | value                   |
      | problems[0].field | order.items[0].quantity |
""",
    """\
    When I request "stock.asked":
      \"\"\"
      sku: tea
      \"\"\"
    Then I expect a reply where level is 3
""",
    SMALL.replace("I publish", "I publish 5").replace('"orders.placed":', '"orders.placed" messages:')
    + """\
    Then I expect at least 5 "orders.settled" messages
""",
)


@asynccontextmanager
async def load() -> AsyncIterator[None]:
    """Half a processor eaten, until the block ends."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", EATER)
    try:
        yield
    finally:
        process.kill()
        await process.wait()


def write_project(folder: Path, feature: str) -> Path:
    """The laboratory's project with this feature alone; the feature's file."""
    shutil.copytree(HERE / "features/steps", folder / "features/steps")
    for name in ("choreo.yaml", "behave.ini", "pytest.ini", "features/environment.py", "features/conftest.py"):
        shutil.copy(HERE / name, folder / name)
    path = folder / "features/written.feature"
    path.write_text(feature)
    return path


def feature_of(number: int) -> str:
    """So many scenarios, in turn of each sort."""
    scenarios = (f"\n  Scenario: {place}\n{steps}" for place, steps in enumerate(islice(cycle(VARIANTS), number)))
    return "@timeout(20s)\nFeature: Nothing is wrong\n" + "".join(scenarios)


async def run(kinds: Sequence[str], frameworks: Sequence[str], number: int) -> int:
    """How many scenarios failed, or did not run; each is named."""
    false = 0
    print(f"{'broker':<10} {'framework':<11} {'scenarios':>9} {'false failures':>14} {'s':>6}")
    for kind in kinds:
        async with stage(kind) as environment, load():
            for framework in frameworks:
                wanted, began = number // len(frameworks), time.monotonic()
                with tempfile.TemporaryDirectory() as name:
                    feature = write_project(Path(name), feature_of(wanted))
                    told = await told_of(kind, framework, [feature], environment, Path(name))
                false += _print(kind, framework, told, wanted, time.monotonic() - began)
    return false


def _print(kind: str, framework: str, told: Mapping[str, Verdict], wanted: int, took_s: float) -> int:
    failed = {name: verdict for name, verdict in told.items() if verdict != MATCHED}
    print(f"{kind:<10} {framework:<11} {len(told):>9} {len(failed):>14} {took_s:>6.0f}", flush=True)
    for name, verdict in list(failed.items())[:SHOWN]:
        print(f"  {name}: {verdict}")
    return len(failed) + wanted - len(told)
