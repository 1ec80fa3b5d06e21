"""What can go wrong with a broker program."""

from __future__ import annotations

from choreo_bdd.exceptions import ChoreoError


class BrokerUnavailable(ChoreoError):
    """No program for this kind of broker was found; the message says how to get one."""

    def __init__(self, kind: str, reason: str, hint: str) -> None:
        super().__init__(f"no {kind} broker can be started here: {reason}. {hint}")
        self.kind = kind
        self.reason = reason
        self.hint = hint


class BrokerFailed(ChoreoError):
    """A broker program was started and did not come up, or ended; the message ends with the tail of its log."""

    def __init__(self, kind: str, program: str, reason: str, log_tail: str) -> None:
        shown = f"\n--- the end of its log ---\n{log_tail}" if log_tail else " It wrote nothing."
        super().__init__(f"the {kind} broker ({program}) {reason}.{shown}")
        self.kind = kind
        self.program = program
        self.reason = reason
        self.log_tail = log_tail
