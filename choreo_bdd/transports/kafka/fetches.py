"""What a consumer has fetched and not handed out yet, and when it came."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakSet

from aiokafka.protocol.fetch import FetchRequest
from aiokafka.structs import TopicPartition

from choreo_bdd.transports.shared.arrival import Arrival

Unreadable = Callable[[Any, Exception], None]
"""Takes a partition and why a batch that was fetched of it cannot be unpacked."""


class Fetched(OrderedDict[Any, Any]):
    """What has been fetched and not been handed out, by partition. A batch that cannot be unpacked ends its partition.

    The client itself raises while it hands out, and loses what it has taken of other partitions by then.
    """

    def __init__(self, unreadable: Unreadable) -> None:
        super().__init__()
        self._unreadable = unreadable
        self.came_at: dict[Any, float] = {}
        """Loop time at which the bytes of each partition's latest batch came; it is handed out some turns later."""

    def __setitem__(self, partition: Any, fetched: Any) -> None:
        records = getattr(fetched, "_partition_records", None)
        if records is not None:
            records._records_iterator = self._guarded(partition, records._records_iterator)
        super().__setitem__(partition, fetched)

    def _guarded(self, partition: Any, records: Iterator[Any]) -> Iterator[Any]:
        try:
            yield from records
        except Exception as error:  # noqa: BLE001 - whatever the batch or a codec library raises
            self._unreadable(partition, error)


def watch_fetches(consumer: Any, unreadable: Unreadable) -> Fetched:
    """Call ``unreadable`` with each batch that cannot be unpacked; all that came before and beside it is handed out."""
    fetched = consumer._fetcher._records = Fetched(unreadable)
    connect, noted = consumer._client._get_conn, WeakSet[Any]()

    async def connected(node_id: Any, **options: Any) -> Any:
        connection = await connect(node_id, **options)
        if connection is not None and connection not in noted and connection.connected():
            noted.add(connection)
            _note_arrivals(connection, fetched.came_at)
        return connection

    consumer._client._get_conn = connected
    return fetched


def _note_arrivals(connection: Any, came_at: dict[Any, float]) -> None:
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
                came_at.update((TopicPartition(topic, partition), arrived_at) for partition, *_ in partitions)

    connection._handle_frame = handled
