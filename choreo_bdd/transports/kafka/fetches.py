"""What a consumer has fetched and not handed out yet."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

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
        """Loop time at which the latest batch of each partition came; it is handed out some turns of the loop later."""

    def __setitem__(self, partition: Any, fetched: Any) -> None:
        self.came_at[partition] = asyncio.get_running_loop().time()
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
    return fetched
