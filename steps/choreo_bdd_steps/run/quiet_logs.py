"""What a run does not log: chatter of the brokers' clients, and the engine's words for those who program it."""

from __future__ import annotations

import logging

_CLIENTS = ("aiokafka", "aio_pika", "aiormq", "httpx", "nats", "redis")
_NO_CORRELATION = "correlator_noop_against_real_transport"


class QuietLogs:
    """Client logs from WARNING on, unless somebody has chosen a level; ``stop`` puts back what was there.

    Without ``hints`` nothing is logged of a missing correlation: who tells it otherwise needs no second voice.
    """

    def __init__(self, *, hints: bool = True) -> None:
        self._filter = _plainly if hints else _unless_a_hint
        loggers = map(logging.getLogger, _CLIENTS)
        self._quietened = [each for each in loggers if each.level == logging.NOTSET]
        for each in self._quietened:
            each.setLevel(logging.WARNING)
        logging.getLogger("choreo_bdd.harness").addFilter(self._filter)

    def stop(self) -> None:
        """Put back what was there; harmless when called again."""
        for each in self._quietened:
            each.setLevel(logging.NOTSET)
        self._quietened.clear()
        logging.getLogger("choreo_bdd.harness").removeFilter(self._filter)


def _is_a_hint(record: logging.LogRecord) -> bool:
    return isinstance(record.msg, str) and record.msg.startswith(_NO_CORRELATION)


def _unless_a_hint(record: logging.LogRecord) -> bool:
    return not _is_a_hint(record)


def _plainly(record: logging.LogRecord) -> bool:
    """Say that no correlation is configured in the words of choreo.yaml."""
    if _is_a_hint(record):
        record.msg = (
            "%s: choreo.yaml names no `correlation:`, so scenarios that share a topic see each other's messages; "
            "name a field or a header, or write `correlation: none` where nothing ties messages together"
        )
    return True
