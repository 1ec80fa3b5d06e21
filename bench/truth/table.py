"""What each defect has to be told as: the laboratory's expectations, frozen.

A defect is a feature file under ``features/`` of its name. Where a broker tells more than the memory bus does, or less,
``on`` has its own verdict; where the defect cannot exist, ``impossible`` says why in a word or two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

FEATURES = Path(__file__).with_name("features")
KINDS = ("memory", "nats", "kafka", "rabbitmq", "redis")
FRAMEWORKS = ("behave", "pytest-bdd")


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome, as ``results.json`` has it of the check that failed, and the cause that the report names."""

    outcome: str
    cause: str

    def __str__(self) -> str:
        return f"{self.outcome}: {self.cause}"


@dataclass(frozen=True, slots=True, eq=False)
class Defect:
    """What goes wrong, and what has to be said of it."""

    name: str
    verdict: Verdict
    on: Mapping[str, Verdict] = field(default_factory=lambda: MappingProxyType({}))
    impossible: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def feature(self) -> Path:
        """The file that shows it."""
        return FEATURES / f"{self.name.replace(' ', '-')}.feature"

    def expected_on(self, kind: str) -> Verdict:
        """What has to be said on this kind of broker."""
        return self.on.get(kind, self.verdict)


MATCHED = Verdict("pass", "matched")
NOTHING = Verdict("timeout", "nothing arrived")
UNEXPECTED = Verdict("fail", "unexpected")
SHAPE = Verdict("fail", "wrong shape")
SLOW = Verdict("slow", "over budget")
ORDER = Verdict("fail", "out of order")
TOO_FEW = Verdict("fail", "too few")
UNDECODABLE = Verdict("fail", "undecodable")
WRONG_TOPIC = Verdict("timeout", "wrong topic?")
NOBODY = Verdict("timeout", "nobody listens")
NO_ID = Verdict("timeout", "no correlation id")
WRONG_ID = Verdict("timeout", "wrong correlation")

DEFECTS: tuple[Defect, ...] = (
    Defect("healthy", MATCHED),
    Defect("clock set back", MATCHED),
    Defect("another zone", MATCHED),
    # nothing comes
    Defect("dropped", NOTHING),
    Defect("dropped upstream", NOTHING),
    Defect("crashed", NOTHING),
    Defect("another topic", NOTHING),
    Defect("wrong transport", NOTHING),
    Defect("one of three missing", NOTHING),
    Defect("reply dropped", NOTHING),
    Defect("reply to the wrong inbox", NOTHING),
    Defect(
        "no responders",
        NOTHING,
        on={"nats": NOBODY, "rabbitmq": NOBODY, "redis": NOBODY},
    ),
    Defect("unroutable", NOTHING, on={"rabbitmq": NOBODY, "redis": NOBODY}),
    Defect("wire silent", Verdict("timeout", "transport failed"), impossible={"memory": "no wire"}),
    # too few, too many
    Defect("partial outage", TOO_FEW),
    Defect("one of many lost", TOO_FEW),
    Defect("one message for two expectations", TOO_FEW),
    Defect("duplicated", UNEXPECTED),
    Defect("duplicated late", UNEXPECTED),
    Defect("duplicated with a false field", UNEXPECTED),
    Defect("burst", UNEXPECTED),
    Defect("charged in spite of risk", UNEXPECTED),
    Defect("unforeseen message", UNEXPECTED),
    Defect("dead letter", UNEXPECTED),
    Defect("refused", UNEXPECTED),
    Defect("reply twice", UNEXPECTED),
    # at the wrong time
    Defect("delayed past budget", SLOW),
    Defect("hop too slow", SLOW),
    Defect("reply late", SLOW),
    Defect("delayed past timeout", Verdict("timeout", "too late")),
    Defect("slow consumer", Verdict("fail", "too late")),
    Defect("too early", Verdict("fail", "too early")),
    Defect("reordered", ORDER),
    Defect("reply before request", ORDER),
    Defect("step skipped", ORDER),
    # with the wrong content
    Defect("wrong field", SHAPE),
    Defect("wrong amount", SHAPE),
    Defect("wrong fraction", SHAPE),
    Defect("wrong type", SHAPE),
    Defect("null field", SHAPE),
    Defect("missing field", SHAPE),
    Defect("field too many", SHAPE),
    Defect("contract broken", SHAPE),
    Defect("header lost", SHAPE, impossible={"redis": "no headers"}),
    Defect("header in capitals", SHAPE, impossible={"redis": "no headers"}),
    Defect("header name in capitals", SHAPE, impossible={"redis": "no headers"}),
    Defect("answer of before", SHAPE),
    Defect("reply wrong", SHAPE),
    # to the wrong place
    Defect("wrong topic", WRONG_TOPIC),
    # where listening to a pattern costs more than to a topic, only the last segment is looked at for typing errors
    Defect("wrong topic case", WRONG_TOPIC, on={"kafka": NOTHING}),
    Defect("correlation lost", NO_ID),
    Defect("id moved", NO_ID),
    Defect("encoded twice", NO_ID),
    Defect("list instead of object", NO_ID),
    Defect("empty payload", NO_ID),
    Defect("correlation wrong", WRONG_ID),
    Defect("correlation stale", WRONG_ID),
    Defect("correlation in capitals", WRONG_ID),
    # unreadable
    Defect("poison payload", UNDECODABLE),
    Defect("cut payload", UNDECODABLE),
    Defect("another encoding", UNDECODABLE),
    Defect("compressed payload", UNDECODABLE),
    Defect("two documents", UNDECODABLE),
    Defect("reply poison", UNDECODABLE),
)

CONTROL = Defect("dropped", MATCHED)
"""A wrong expectation: its cell has to be red, or the laboratory compares nothing."""
