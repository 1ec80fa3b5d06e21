"""Records that hold what may be secret show nothing of it, to whoever prints them: structs show every field."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.pretty import pretty_repr

from choreo_bdd.message import Encoded, Message, MessageRecord
from choreo_bdd.scenario.sending.outbox import Publication
from choreo_bdd_project.config import Config, TransportConfig
from choreo_bdd_steps.language.templates.functions import Variables
from choreo_bdd_steps.run.state import Armed

SECRET = "hunter2-and-more"
SAID: dict[str, str] = {"token": SECRET}
_LINK = TransportConfig("nats", "nats", "choreo.yaml:1", options=SAID)
_STEP: Any = SimpleNamespace(call=SimpleNamespace(place=Path("a.feature")), said=SECRET)
_NOTHING: Any = None


@pytest.mark.parametrize("shown", [repr, pretty_repr, "{!r:.2000}".format])
@pytest.mark.parametrize(
    "record",
    [
        Message("orders", SECRET.encode(), headers=SAID, key=SECRET),
        MessageRecord("orders", "nats", SAID, headers=SAID, key=SECRET, json=SECRET.encode()),
        Encoded(SECRET.encode(), lambda _: SECRET),
        Publication(_NOTHING, "orders", SECRET.encode(), SECRET, SAID, SECRET),
        _LINK,
        Config(None, "p", {"nats": _LINK}, "nats", 1.0),
        Variables(SAID),
        Armed(_STEP, _NOTHING, [], False, SAID, 1),
    ],
    ids=lambda record: type(record).__name__,
)
def test_a_record_that_may_hold_secrets_shows_none(record: object, shown: Any) -> None:
    assert type(record).__name__ in (told := shown(record))
    assert SECRET not in told
