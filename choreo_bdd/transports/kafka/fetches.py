"""What a consumer has fetched and not handed out yet, and when it came."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from weakref import WeakSet

from aiokafka.errors import NoError, UnknownTopicOrPartitionError
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.structs import TopicPartition

from choreo_bdd.transports.shared.arrival import Arrival

Unreadable = Callable[[Any, Exception], None]
"""Takes a partition and why a batch that was fetched of it cannot be unpacked."""
Vanished = Callable[[Any], None]
"""Takes a partition that was being fetched, and that its broker does not know any more."""


class Fetched(OrderedDict[Any, Any]):
    """What has been fetched and not been handed out, by partition. A batch that cannot be unpacked ends its partition.

    The client itself raises while it hands out, and loses what it has taken of other partitions by then.
    """

    def __init__(self, unreadable: Unreadable, vanished: Vanished) -> None:
        super().__init__()
        self._unreadable = unreadable
        self._vanished = vanished
        self._known: set[Any] = set()
        self.came_at: dict[Any, float] = {}
        """Loop time at which the bytes of each partition's latest batch came; it is handed out some turns later."""

    def __setitem__(self, partition: Any, fetched: Any) -> None:
        records = getattr(fetched, "_partition_records", None)
        if records is not None:
            records._records_iterator = self._guarded(partition, records._records_iterator)
        super().__setitem__(partition, fetched)

    def answered(self, partition: Any, error_code: int, at: float) -> None:
        """Note what a broker answers to a fetch, and when; it may not know yet what has just been made."""
        if error_code == NoError.errno:
            self._known.add(partition)
            self.came_at[partition] = at
        elif error_code == UnknownTopicOrPartitionError.errno and partition in self._known:
            self._known.remove(partition)
            self._vanished(partition)

    def forget(self, partitions: Iterable[Any]) -> None:
        """Take these for unknown: they are fetched anew."""
        self._known.difference_update(partitions)

    def _guarded(self, partition: Any, records: Iterator[Any]) -> Iterator[Any]:
        try:
            yield from records
        except Exception as error:  # noqa: BLE001 - whatever the batch or a codec library raises
            self._unreadable(partition, error)


def watch_fetches(consumer: Any, unreadable: Unreadable, vanished: Vanished) -> Fetched:
    """Call ``unreadable`` with each batch that cannot be unpacked; all that came before and beside it is handed out.

    ``vanished`` is called with a partition that is deleted, or moved away, while it is being fetched.
    """
    fetched = consumer._fetcher._records = Fetched(unreadable, vanished)
    connect, noted = consumer._client._get_conn, WeakSet[Any]()

    async def connected(node_id: Any, **options: Any) -> Any:
        connection = await connect(node_id, **options)
        if connection is not None and connection not in noted and connection.connected():
            noted.add(connection)
            _note_arrivals(connection, fetched)
        return connection

    consumer._client._get_conn = connected
    return fetched


def _note_arrivals(connection: Any, fetched: Fetched) -> None:
    """Note when the bytes of what is fetched over a connection came, before the client gets to taking it apart."""
    arrival, handle = Arrival(connection._reader), connection._handle_frame

    def handled(frame: bytes) -> None:
        answer, arrived_at = connection._requests[0][2], arrival.of_the_last_read
        handle(frame)
        if answer.cancelled() or answer.exception() is not None:
            return
        response = answer.result()
        if response.API_KEY == FetchRequest.API_KEY:
            for topic, partitions in response.topics:
                for partition, error_code, *_ in partitions:
                    fetched.answered(TopicPartition(topic, partition), error_code, arrived_at)

    connection._handle_frame = handled
