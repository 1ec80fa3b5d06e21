"""What sums up behind the answers comes to its end whenever it is told to."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from choreo_bdd_chronicle.summariser import Summariser

_PATIENCE_S = 10.0


class _Store:
    def on_change(self, _wake: object) -> None:
        """Nothing changes."""

    def sum_up(self) -> None:
        """There is nothing to sum up."""


def test_an_end_that_comes_between_waking_and_looking_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    is_clearing, told, tellings = threading.Event(), threading.Event(), []
    plain = threading.Event

    class Event(plain):  # type: ignore[misc, valid-type]  # the class of the standard library, kept above
        def clear(self) -> None:
            is_clearing.set()
            told.wait(_PATIENCE_S)
            super().clear()

        def set(self) -> None:
            super().set()
            if is_clearing.is_set():
                tellings.append(self)
                if len(tellings) == 2:
                    told.set()

    monkeypatch.setattr("choreo_bdd_chronicle.summariser.threading.Event", Event)
    store: Any = _Store()
    summariser = Summariser(store)
    monkeypatch.undo()
    assert is_clearing.wait(_PATIENCE_S)
    closing = threading.Thread(target=summariser.close, daemon=True)
    closing.start()
    closing.join(_PATIENCE_S)
    assert not closing.is_alive()
