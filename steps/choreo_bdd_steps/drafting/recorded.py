"""``choreo-bdd record``: from a profile's live traffic to a feature file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from choreo_bdd.redaction import Redactor
from choreo_bdd_steps.drafting.conversations import grouped
from choreo_bdd_steps.drafting.recorded_feature import feature
from choreo_bdd_steps.drafting.traffic import Seen, listen
from choreo_bdd_steps.errors import StepError
from choreo_bdd_steps.language.durations import parse_duration
from choreo_bdd_steps.plan.settings import configuration
from choreo_bdd_steps.run.session import Session


def record_feature(
    topics: Sequence[str], duration: str, profile: str | None, transports: Sequence[str], output: Path
) -> str:
    """Listen, and write the feature; returns what to say of it. Secrets of the traffic are masked.

    Raises ``ChoreoError``, ``OSError`` and ``ValueError`` for what cannot be done.
    """
    if output.exists():
        raise StepError(str(output), "is there already and stays as it is; name another file with --output")
    config = configuration(Path.cwd(), profile)
    named = list(transports) or [config.default_transport]
    unknown = [name for name in named if name not in config.transports]
    if unknown:
        known = ", ".join(sorted(config.transports))
        raise StepError(config.profile, f"there is no transport {unknown[0]!r} in this profile; it has {known}")
    session = Session(config)
    try:
        seen, unreadable = listen(session, named, topics, parse_duration(duration))
    finally:
        session.close()
    if not seen:
        more = f"; {unreadable} message(s) could not be read" if unreadable else ""
        raise StepError(", ".join(topics), f"no message came within {duration}{more}")
    found = grouped(_without_secrets(seen))
    source = f"what came on {', '.join(topics)} within {duration}"
    text = feature(found, source, config.default_transport)
    output.parent.mkdir(parents=True, exist_ok=True)
    with output.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
    return f"{output}: {len(found.conversations)} kind(s) of conversation in {len(seen)} message(s)"


def _without_secrets(seen: Sequence[Seen]) -> list[Seen]:
    """What came, masked value by value: in the text of a feature a mask could take what stands around it along."""
    redactor = Redactor()
    redactor.learn_secrets([[each.payload, dict(each.headers)] for each in seen])
    return [
        replace(
            each,
            topic=redactor.text(each.topic),
            payload=redactor.value(each.payload),
            key=None if each.key is None else redactor.text(each.key),
            headers=redactor.value(dict(each.headers)),
        )
        for each in seen
    ]
