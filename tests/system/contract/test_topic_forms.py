"""Any text is one topic on every transport, a name, a pattern or an error: never one thing here and another there."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from choreo_bdd import Harness, NoCorrelationPolicy
from choreo_bdd.exceptions import PublishFailed, SubscriptionFailed
from choreo_bdd.matchers import anything
from choreo_bdd.topic_patterns import is_pattern, malformed, matches
from tests.support.contract_transports import Kind
from tests.support.subscribers import PATIENCE_S, Sink
from tests.system.contract.test_fence import has_fence

WORDS = ("a", "b", "ab", "A", "a-b", "7", "a:b", "a b", "a?", "[ab]", "a\\", "^a$", "a#", "+a", "ä", "")
SIGNS = ("*", "*", "*", ">", ">", "#", "+", "?", "a*", "*a", ">a", "**")
TEXTS, NAMES = 40, 25


def drawn(dice: random.Random) -> str:
    """Some segments behind each other, a sign among them now and then."""
    return ".".join(dice.choice(SIGNS if dice.random() < 0.3 else WORDS) for _ in range(dice.randint(1, 4)))


async def listened_to(transport: Any, topic: str, sink: Sink) -> bool:
    """Whether the transport listens to a topic; false where it says that there can be none of that name."""
    try:
        ready = transport.subscribe(topic, sink)
        if ready is not None:
            await asyncio.wait_for(ready, PATIENCE_S)
    except (SubscriptionFailed, ValueError):
        return False
    return True


async def published(transport: Any, topic: str) -> bool:
    try:
        ready = transport.publish(topic, b"{}")
        if ready is not None:
            await asyncio.wait_for(ready, PATIENCE_S)
    except (PublishFailed, ValueError):
        return False
    return True


async def test_a_text_is_heard_as_what_it_means_or_refused(kind: Kind) -> None:
    seed = random.randrange(10**6)
    dice, root, transport = random.Random(seed), kind.topic().partition(".")[0], kind.make()
    texts = sorted({f"{root}.{drawn(dice)}" for _ in range(TEXTS)})
    names = [text for text in texts if not is_pattern(text) and malformed(text) is None]
    names += [f"{root}.{'.'.join(dice.choices(WORDS[:6], k=dice.randint(1, 3)))}" for _ in range(NAMES)]
    harness = Harness(transport, correlation=NoCorrelationPolicy(is_meant=True))
    await harness.connect()
    sinks: dict[str, Sink] = {}
    refused = set()
    async with harness.scenario("texts") as scenario:
        for text in texts:
            try:
                if malformed(text) is not None:
                    scenario.expect(text, anything())
            except ValueError:
                refused.add(text)
            else:
                sinks[text] = Sink()
    assert refused == {text for text in texts if malformed(text) is not None}, seed
    live = [text for text, sink in sinks.items() if await listened_to(transport, text, sink)]
    sent = [name for name in dict.fromkeys(names) if await published(transport, name)]
    if has_fence(transport):
        await transport.fence(live)
    heard = {text: [message.topic for message in sinks[text].messages] for text in live}
    meant = {text: [name for name in sent if matches(text, name)] for text in live}
    assert {text: sorted(each) for text, each in heard.items()} == {t: sorted(each) for t, each in meant.items()}, seed
    assert len(live) > 3, seed
    await harness.disconnect()
