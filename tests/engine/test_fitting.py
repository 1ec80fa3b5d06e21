"""Optional abilities are asked for by their protocols, with the answer that isinstance gives."""

from __future__ import annotations

import pytest

from choreo_bdd.matchers import contains_fields
from choreo_bdd.matchers.closeness import Gradable
from choreo_bdd.matchers.protocols import Matcher, Reportable
from choreo_bdd.shared.fitting import fits
from choreo_bdd.transports import MockTransport
from choreo_bdd.transports.abilities import Departing, Fencing, Losable, MessageSink


class _Sink:
    def __call__(self, topic: str, payload: bytes) -> None:
        """Take a message."""

    def deliver(self, message: object) -> None:
        """Take it whole."""


class _DeafSink(_Sink):
    deliver = None  # type: ignore[assignment] # as somebody says that this kind has it no more


class _Left:
    is_reply: bool | None = None

    def __call__(self) -> None:
        """It has left."""


@pytest.mark.parametrize("value", [_Sink(), _DeafSink(), _Left(), MockTransport(), contains_fields({"a": 1}), print, 5])
@pytest.mark.parametrize("protocol", [MessageSink, Departing, Fencing, Losable, Matcher, Reportable, Gradable])
def test_what_fits_is_what_isinstance_says(value: object, protocol: type) -> None:
    assert fits(value, protocol) is isinstance(value, protocol)


def test_a_fact_may_be_none_and_a_method_may_not() -> None:
    assert fits(_Left(), Departing)
    assert not fits(_DeafSink(), MessageSink)
