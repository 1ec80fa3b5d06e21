"""A shop over Kafka whose events are framed Avro, written with FastStream. It knows nothing of this project.

Run as a program with the address of the broker; it says ``ready`` once it listens.
"""

from __future__ import annotations

import asyncio
import io
import logging
import sys
from typing import Any

from fastavro import schemaless_reader, schemaless_writer
from faststream.kafka import KafkaBroker

ORDER: dict[str, Any] = {"type": "record", "name": "Order", "fields": [{"name": "id", "type": "string"}]}
PAID: dict[str, Any] = {
    "type": "record",
    "name": "Paid",
    "fields": [{"name": "id", "type": "string"}, {"name": "by", "type": "string"}, {"name": "cents", "type": "int"}],
}
_HEADER_BYTES = 5


def shop(address: str) -> KafkaBroker:
    """Every framed order is paid; the schema of what says so has the id 8."""
    broker = KafkaBroker(address, logger=logging.getLogger("shop"))

    async def unframed(message: Any) -> Any:
        return schemaless_reader(io.BytesIO(message.body[_HEADER_BYTES:]), ORDER, None)

    @broker.subscriber("orders.framed", decoder=unframed, auto_offset_reset="earliest")
    async def pay(order: dict[str, Any]) -> None:
        target = io.BytesIO(b"\x00\x00\x00\x00\x08")
        target.seek(0, io.SEEK_END)
        schemaless_writer(target, PAID, {"id": order["id"], "by": "card", "cents": 1999})
        await broker.publish(target.getvalue(), topic="paid.framed", key=order["id"].encode())
        await broker.publish(b"", topic="orders.plain")

    return broker


async def main(address: str) -> None:
    """Serve until ended."""
    broker = shop(address)
    await broker.start()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
