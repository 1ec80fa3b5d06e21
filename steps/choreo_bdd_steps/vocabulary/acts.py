"""What a phrase means, as data: a step is read into an act, which plan, lint and run look at and nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from choreo_bdd.message import NO_PAYLOAD
from choreo_bdd_project.gherkin.step import Step
from choreo_bdd_steps import language
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.vocabulary.expectation_spec import ExpectationSpec

if TYPE_CHECKING:
    from choreo_bdd_steps.language import ExpectationBody, PayloadBody


class Payload(Struct, frozen=True):
    """What a step sends, as its author wrote it; a file is read when its step is reached, not before."""

    call: Step
    form: Literal["payload", "optional", "envelope", "raw", "nothing"] = "payload"
    file: str | None = None

    def read(self) -> PayloadBody:
        """The body, before variables are filled in. Raises ``BodyError``."""
        call = self.call
        if self.file is not None:
            return language.load_file(self.file, call.folder)
        if self.form == "nothing":
            return language.no_payload(call.folder)
        if self.form == "envelope":
            return language.parse_envelope(call.docstring or "", base_dir=call.folder)
        if self.form == "raw":
            return language.parse_raw(call.docstring or "", base_dir=call.folder)
        return language.parse_payload(
            call.docstring,
            call.table,
            media_type=call.media_type,
            base_dir=call.folder,
            otherwise=NO_PAYLOAD if self.form == "optional" else None,
        )


class Publish(Struct, frozen=True):
    """Publish what the body says; ``count`` times as a burst, whose bodies and keys may use ``index``."""

    topic: str
    transport: str | None
    body: Payload
    key: str | None = None
    count: int | None = None
    per_second: float | None = None

    @property
    def is_tombstone(self) -> bool:
        """Whether it has a key and no payload; a bus without keys gets an empty message."""
        return self.body.form == "nothing"

    @property
    def problem(self) -> BodyError | None:
        """What is wrong with its numbers, or with the body of a burst."""
        if self.count == 0:
            return BodyError("a burst of 0 messages publishes nothing; write how many are sent")
        if self.per_second == 0:
            return BodyError("at a rate of 0 per second no message ever leaves; write a rate above 0")
        try:
            if self.key is not None and "key" in self.body.read().around:
                return BodyError("the sentence names a key, and the body another one (@key); keep one of them")
            rows = 1 if self.count is None else len(self.body.read().drafts)
        except BodyError as error:
            return error
        if rows > 1:
            return BodyError(
                f"a burst of {self.count} messages and a table of {rows} rows, a message each: which of the two is "
                f"meant? For one message of several fields begin the table with | field | value |"
            )
        return None


class Request(Struct, frozen=True):
    """Publish a message that wants a reply."""

    topic: str
    transport: str | None
    body: Payload


class Call(Struct, frozen=True):
    """Call a service over HTTP, and wait for its answer."""

    method: str
    path: str
    transport: str | None
    body: Payload

    @property
    def topic(self) -> str:
        """What reports call it: ``POST /orders``."""
        return f"{self.method} {self.path}"

    @property
    def problem(self) -> BodyError | None:
        """What is wrong with its method or its path."""
        if self.method not in METHODS:
            return BodyError(f"there is no HTTP method {self.method}; use one of {', '.join(METHODS)}")
        if not self.path.startswith(("/", "{{")):
            return BodyError(
                f"the path {self.path!r} begins with no /; where it leads is said by `url:` in choreo.yaml"
            )
        return None


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Expect(Struct, frozen=True):
    """Expect messages.

    ``spec`` is what is expected, or the error that reading it raised: the step itself tells. ``topic`` is the one the
    sentence names first, ``anchor`` the topic of the publish that its time counts from, where it names one.
    """

    topic: str | None
    transport: str | None
    spec: ExpectationSpec | Exception
    anchor: str | None = None


class CheckTaken(Struct, frozen=True):
    """Hold a message that a check has taken against a body: it has all that is said there or, ``refused``, none of it.

    It is the one that the last check on the topic has taken, or with ``position`` the first (1), …, last (-1) of those
    that the checks of a phase have taken there; without a ``topic`` it is the reply, or ``of_response`` what the last
    call has answered.
    """

    topic: str | None
    call: Step
    position: int | None = None
    refused: bool = False
    of_response: bool = False

    def read(self) -> ExpectationBody:
        """What is asked of the message. Raises ``BodyError``."""
        call = self.call
        if call.docstring is None and call.table is None:
            raise BodyError("there is nothing to check: write a doc string or a table below the step")
        body = language.parse_expectation(
            call.docstring,
            call.table,
            None,
            media_type=call.media_type,
            base_dir=call.folder,
            quiet=self.refused,
            apart=self.refused,
        )
        if body.count > 1:
            raise BodyError(
                f"this table asks for {body.count} messages, one a row, and the step looks at one; begin the table "
                f"with | field | value |",
                1,
            )
        return body


class Answer(Struct, frozen=True):
    """What a stand-in answers and where; without a ``body`` it breaks while it answers."""

    topic: str
    transport: str | None
    body: Payload | None
    delay_s: float = 0.0
    times: int | None = None


class PlayService(Struct, frozen=True):
    """Play a service on a topic; without an ``answer`` it takes messages and stays silent."""

    topic: str
    transport: str | None
    condition: str | None
    answer: Answer | None
    call: Step

    @property
    def answers(self) -> bool:
        """Whether it is to send something at all: one that drops or breaks is not."""
        return self.answer is not None and self.answer.body is not None

    @property
    def problem(self) -> BodyError | None:
        """What is wrong with its number, its condition, or the body of its answer."""
        if self.answer is not None and self.answer.times == 0:
            return BodyError("a service that answers 0 times answers nothing; write a service that drops the topic")
        try:
            self.read_condition()
            if self.answer is not None and self.answer.body is not None:
                self.answer.body.read()
        except BodyError as error:
            return error
        return None

    def read_condition(self) -> ExpectationBody | None:
        """What a message must hold to be answered. Raises ``BodyError``."""
        if self.condition is None:
            return None
        return language.parse_expectation(None, None, self.condition, base_dir=self.call.folder, quiet=True)


class CheckService(Struct, frozen=True):
    """The stand-in on a topic has answered: so many ``times``, or at all."""

    topic: str
    times: int | None


class SetText(Struct, frozen=True):
    """Set a variable to a text, its templates filled in."""

    name: str
    text: str


class SetLiteral(Struct, frozen=True):
    """Set a variable to a JSON value, as it is written."""

    name: str
    literal: str

    def read(self) -> Any:
        """The value. Raises ``BodyError``."""
        try:
            return json.loads(self.literal)
        except ValueError as error:
            hint = (
                f"; a template inside a value belongs below `the variables:`, in the row | {self.name} | … |"
                if "{{" in self.literal
                else f'; for a text write it in quotes: {self.name} is "…"'
            )
            raise BodyError(f"{self.literal!r} is not a JSON value: {error}{hint}") from error


class SetUnique(Struct, frozen=True):
    """Set a variable to an id nobody else has."""

    name: str


class SetSeveral(Struct, frozen=True):
    """Set the variables of a table, its heading included."""

    table: tuple[tuple[str, ...], ...]

    def read(self) -> tuple[tuple[str, str], ...]:
        """Names, and texts that may be templates. Raises ``BodyError``."""
        if not self.table or [cell.strip().lower() for cell in self.table[0]] != ["name", "value"]:
            raise BodyError("this step needs a table with the heading `name | value`")
        read: dict[str, str] = {}
        for line, (name, text) in enumerate(((row[0].strip(), row[1]) for row in self.table[1:]), start=2):
            if name in read:
                raise BodyError(f"the variable {name!r} is set twice; keep one row", line)
            read[name] = text
        return tuple(read.items())


class Keep(Struct, frozen=True):
    """Keep a field of the message that the last check on a topic has taken.

    Without a ``topic`` it is one of the reply, or ``of_response`` of what the last call has answered.
    """

    path: str
    topic: str | None
    name: str
    of_response: bool = False


class UseTransport(Struct, frozen=True):
    """Use a transport from here on, where a step names none."""

    transport: str


class Wait(Struct, frozen=True):
    """Do nothing for a while."""

    seconds: float


Act = (
    Publish
    | Request
    | Call
    | Expect
    | CheckTaken
    | PlayService
    | CheckService
    | SetText
    | SetLiteral
    | SetUnique
    | SetSeveral
    | Keep
    | UseTransport
    | Wait
)

SENDING = (Publish, Request, Call)
"""Acts with which something leaves."""
CHECKING = (Expect, CheckTaken, CheckService)
"""Acts that can find something wrong."""
