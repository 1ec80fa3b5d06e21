"""Who listens to a transport whose subscriptions are live at once."""

from __future__ import annotations

from choreo_bdd.transports.shared.listeners import Listeners


class _Inbox:
    def take(self, topic: str, payload: bytes) -> None:
        """Take a message."""


def test_one_registration_of_a_bound_method_goes_at_a_time() -> None:
    listeners, inbox = Listeners(), _Inbox()
    first = listeners.add("orders", inbox.take)
    second = listeners.add("orders", inbox.take)
    assert listeners.remove("orders", inbox.take) is first
    assert list(listeners) == [second]
    assert listeners.remove("payments", inbox.take) is None
    assert len(listeners) == 1


def test_those_that_hear_a_topic_come_in_the_order_in_which_they_subscribed() -> None:
    listeners, inbox = Listeners(), _Inbox()
    wide, other, own = (listeners.add(topic, inbox.take) for topic in ("orders.*", "payments", "orders.placed"))
    assert listeners.hearing("orders.placed") == [wide, own]
    assert listeners.hearing("payments") == [other]


def test_who_is_added_or_removed_meanwhile_does_not_disturb_the_round() -> None:
    listeners, inbox = Listeners(), _Inbox()
    both = [listeners.add("orders", inbox.take), listeners.add("orders", inbox.take)]
    seen = []
    for each in listeners:
        seen.append(each)
        listeners.remove("orders", inbox.take)
        listeners.add("later", inbox.take)
    assert seen == both
