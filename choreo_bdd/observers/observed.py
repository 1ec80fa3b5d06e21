"""What an observer is given, as protocols: the seam that engine and reporter are both checked against.

The engine hands its own objects over as these, a reporter reads no more than these: an attribute that is renamed on
one side only is an error of the type checker.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

from choreo_bdd.observers.beside import ObservedSurprise, ObservedTransportFailure
from choreo_bdd.redaction import Redactor


class ObservedMessage(Protocol):
    """A message that was sent, received or counted."""

    @property
    def topic(self) -> str:
        """Where it was, or was expected."""

    @property
    def transport(self) -> str | None:
        """The transport's name on a Stage."""

    @property
    def payload(self) -> Any:
        """The decoded payload."""

    @property
    def json(self) -> bytes | None:
        """What it travelled as, if that was read as JSON; ``payload`` is these bytes themselves where they are none."""

    @property
    def size(self) -> int:
        """Bytes of the payload."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Its headers."""

    @property
    def key(self) -> str | None:
        """Its key."""

    @property
    def partition(self) -> int | None:
        """Where a log keeps it."""

    @property
    def offset(self) -> int | None:
        """Its place there."""

    @property
    def broker_time(self) -> float | None:
        """The broker's stamp, epoch seconds."""


class ObservedFailure(Protocol):
    """One structured difference between what was expected and what came."""

    @property
    def kind(self) -> str:
        """What kind it is."""

    @property
    def path(self) -> str:
        """Dotted path of the value."""

    @property
    def expected(self) -> Any:
        """What should have been there."""

    @property
    def actual(self) -> Any:
        """What was there."""

    @property
    def children(self) -> Sequence[ObservedFailure]:
        """What it is made of."""


class ObservedDiagnosis(Protocol):
    """Why an expectation came out as it did."""

    @property
    def cause(self) -> str:
        """The cause in a word."""

    @property
    def sentence(self) -> str:
        """The cause in one sentence."""

    @property
    def text(self) -> str:
        """The cause with all evidence."""

    @property
    def differences(self) -> Sequence[ObservedFailure]:
        """Every field in which the closest near-miss differs."""


class ObservedHandle(Protocol):
    """One expectation; all ``*_ms`` are milliseconds."""

    @property
    def topic(self) -> str:
        """Where it was, or was expected."""

    @property
    def transport(self) -> str | None:
        """The transport's name on a Stage."""

    @property
    def correlation_id(self) -> str | None:
        """The id on the wire."""

    @property
    def outcome(self) -> str:
        """What became of it."""

    @property
    def reason(self) -> str:
        """Why, in prose."""

    @property
    def attempts(self) -> int:
        """How many near-misses came."""

    @property
    def asserted(self) -> bool:
        """Whether anybody looked at it."""

    @property
    def matcher_description(self) -> str:
        """What was wanted, in prose."""

    @property
    def matcher_expected(self) -> Any:
        """What was wanted, as a value."""

    @property
    def origin(self) -> str | None:
        """File and line that asked for it."""

    @property
    def step_text(self) -> str | None:
        """The step that asked for it."""

    @property
    def message(self) -> Any:
        """The message, if there is one."""

    @property
    def messages(self) -> Sequence[ObservedMessage]:
        """Every message that was counted."""

    @property
    def last_mismatch_payload(self) -> Any:
        """Payload of the latest near-miss."""

    @property
    def failures(self) -> Sequence[ObservedFailure]:
        """The differences that were kept."""

    @property
    def failures_dropped(self) -> int:
        """How many more there were."""

    @property
    def diagnosis(self) -> ObservedDiagnosis | None:
        """Why it came out as it did."""

    @property
    def budget_ms(self) -> float | None:
        """The latency budget."""

    @property
    def latency_ms(self) -> float:
        """The time to the match, or the time waited; ``RuntimeError`` before there is one."""

    @property
    def since_publish_ms(self) -> float | None:
        """From the publish to the match."""

    @property
    def since_registration_ms(self) -> float | None:
        """From the registration to the match."""


class ObservedEntry(Protocol):
    """One event of a timeline."""

    @property
    def offset_ms(self) -> float:
        """Milliseconds since the scenario's anchor."""

    @property
    def wall_clock(self) -> str:
        """The moment in UTC, ISO 8601."""

    @property
    def action(self) -> str:
        """What happened."""

    @property
    def topic(self) -> str | None:
        """Where it was, or was expected."""

    @property
    def detail(self) -> str:
        """More about it, cut."""

    @property
    def transport(self) -> str | None:
        """The transport's name on a Stage."""

    @property
    def logical_topic(self) -> str | None:
        """The topic as a Stage names it."""

    @property
    def source(self) -> str | None:
        """Which role listened."""

    @property
    def message(self) -> ObservedMessage | None:
        """The message, if there is one."""


class _AnyReply(Protocol):
    @property
    def trigger_topic(self) -> str:
        """What it listened on."""

    @property
    def matcher_description(self) -> str:
        """What was wanted, in prose."""

    @property
    def state(self) -> str:
        """What became of it."""

    @property
    def candidate_count(self) -> int:
        """How many messages came."""

    @property
    def match_count(self) -> int:
        """How many matched."""

    @property
    def reply_published(self) -> bool:
        """Whether the reply left."""

    @property
    def builder_error(self) -> str | None:
        """Class of what its builder raised."""

    @property
    def correlation_overridden(self) -> bool:
        """Whether the builder replaced the trigger's id."""


class ObservedReply(_AnyReply, Protocol):
    """What became of a reply over one harness."""

    @property
    def reply_topic(self) -> str:
        """Where the reply went."""


class ObservedStageReply(_AnyReply, Protocol):
    """What became of a reply on a Stage."""

    @property
    def trigger_transport(self) -> str:
        """Where the trigger came from."""

    @property
    def response_topic(self) -> str:
        """Where the reply went."""

    @property
    def response_transport(self) -> str:
        """Over which transport."""


class _AnyResult(Protocol):
    @property
    def name(self) -> str:
        """The scenario's name."""

    @property
    def correlation_id(self) -> str | None:
        """The id on the wire."""

    @property
    def passed(self) -> bool:
        """Whether every expectation passed."""

    @property
    def handles(self) -> Sequence[ObservedHandle]:
        """Every expectation."""

    @property
    def timeline(self) -> Sequence[ObservedEntry]:
        """The events that were kept."""

    @property
    def timeline_dropped(self) -> int:
        """How many more there were."""

    @property
    def surprises(self) -> Sequence[ObservedSurprise]:
        """Messages that no scenario owned."""

    @property
    def transport_failures(self) -> Sequence[ObservedTransportFailure]:
        """What transports could not do."""

    @property
    def allowlist_path(self) -> str | None:
        """The allowlist that addresses were held against."""

    @property
    def duration_ms(self) -> float | None:
        """From entry to verdict."""


class ObservedScenario(_AnyResult, Protocol):
    """A scenario over one harness."""

    @property
    def kind(self) -> Literal["single_harness"]:
        """What kind it is."""

    @property
    def replies(self) -> Sequence[ObservedReply]:
        """Every reply that was armed."""

    @property
    def transport_name(self) -> str:
        """Class name of the transport."""

    def failure_summary(self, *, redactor: Redactor | None = None) -> str:
        """The result in words; ``redactor`` is one that has seen all its payloads."""


class ObservedStage(_AnyResult, Protocol):
    """A scenario over several transports."""

    @property
    def kind(self) -> Literal["stage"]:
        """What kind it is."""

    @property
    def replies(self) -> Sequence[ObservedStageReply]:
        """Every reply that was armed."""

    @property
    def bridge_class(self) -> str | None:
        """Class name of the bridge."""

    @property
    def registered_transports(self) -> Sequence[str]:
        """The transports of the Stage."""


ObservedResult = ObservedScenario | ObservedStage
"""What an observer is given of a scenario that is over."""
