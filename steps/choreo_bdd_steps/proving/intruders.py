"""Messages that an absence should not let pass: made for it, or lent by another scenario of the run."""

from __future__ import annotations

import json
from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

from msgspec import structs

from choreo_bdd.correlation import CorrelationPolicy, Envelope
from choreo_bdd.exceptions import CorrelationIdNotInNamespaceError, NoPlaceForIdError
from choreo_bdd.message import Message
from choreo_bdd_steps.proving.making import Made
from choreo_bdd_steps.proving.spoiling import put_in
from choreo_bdd_steps.recording import Recording

_LENT_MAX = 60


def with_intruders(
    recording: Recording,
    link: str,
    made: Mapping[str, Made | None],
    lenders: Sequence[Recording],
    policy: CorrelationPolicy,
    *,
    times: int,
) -> Iterator[Recording]:
    """The recording with messages more on a transport: what was ``made`` for each topic, and what came there elsewhere.

    One, and so many ``times``, since checks before may take some; at each moment that something may have caused them.
    """
    sent = [each.at for part in recording.links.values() for each in part.sent]
    moments = [at + 0.001 for at in sorted({*sent, *recording.acts.values()})] or [0.001]
    lent = (_as_ours(message, lender, recording) for lender in lenders for message in _on(made, lender))
    own = _own_id(recording, link, policy)
    for message in chain(_as_messages(made, own, policy), islice(lent, _LENT_MAX)):
        for many in sorted({1, times}):
            yield from (put_in(recording, link, message, at, many) for at in moments)


def _on(topics: Container[str], lender: Recording) -> Iterator[Message]:
    for part in lender.links.values():
        yield from (each.message for each in part.heard if each.message.topic in topics)
        for sent in part.sent:
            if sent.topic in topics:
                yield Message(sent.topic, sent.payload, headers=sent.headers, key=sent.key)


def _as_messages(made: Mapping[str, Made | None], own: str | None, policy: CorrelationPolicy) -> Iterator[Message]:
    for topic, one in made.items():
        if one is None:
            continue
        bare = Envelope(topic, one.payload, one.headers)
        try:
            stamped = bare if own is None else policy.write(bare, own)
        except (
            CorrelationIdNotInNamespaceError,
            NoPlaceForIdError,
        ):  # the condition asks for an id of another namespace
            stamped = bare
        yield Message(topic, json.dumps(stamped.payload).encode(), headers=stamped.headers, key=one.key)


def _as_ours(message: Message, donor: Recording, ours: Recording) -> Message:
    """A message of another scenario as it would be in this one: with its ids and its variables."""
    pairs = [
        *zip(donor.tokens, ours.tokens, strict=False),
        *(
            (str(value), str(ours.variables[name]))
            for name, value in donor.variables.items()
            if name in ours.variables and isinstance(value, str) and len(value) > 2
        ),
    ]
    payload, headers = message.payload.decode("utf-8", "surrogateescape"), dict(message.headers)
    for theirs, own in pairs:
        payload = payload.replace(theirs, own)
        headers = {name: value.replace(theirs, own) for name, value in headers.items()}
    return structs.replace(message, payload=payload.encode("utf-8", "surrogateescape"), headers=headers)


def _own_id(recording: Recording, link: str, policy: CorrelationPolicy) -> str | None:
    """The id that the scenario's own messages carried; ``None`` where it sent none with one, and none was drawn."""
    for sent in recording.links[link].sent:
        found = policy.read(Envelope(sent.topic, _json(sent.payload), sent.headers))
        if found is not None:
            return found
    return f"{getattr(policy, 'prefix', '')}{recording.tokens[0]}" if recording.tokens else None


def _json(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return None
