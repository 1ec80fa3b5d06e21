"""What this process and its brokers hold at one moment, as counts by name: two moments can be compared."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import json
import os
import threading
import urllib.request
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import aiokafka.admin

from choreo_bdd.brokers import Broker
from tests.support.broker_clients import rabbitmqctl, redis_client
from tests.support.running_processes import alive, family

Census = Mapping[str, int]
_CHANNELS = 40
POOLS: Census = {"rabbitmq channels": _CHANNELS, "tasks of channels": 3 * _CHANNELS}
"""What is kept for use again, as many as were ever used at once: no more than these."""

_LISTS_OF_RABBITMQ = ("queues", "exchanges", "bindings", "consumers", "connections", "channels")


def memory_mb() -> float:
    """Resident memory of this process, after a collection, without what the allocator keeps free to use it again.

    That is 10 to 17 MB after payloads of 200 kB, more or less at random, and hides in both directions what is held.
    """
    gc.collect()
    _give_back()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _give_back() -> None:
    """Have glibc give back to the system what is free; others have no such call, and are taken as they are."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def of_process() -> Census:
    """Tasks, threads, open sockets, other descriptors, and processes below this one."""
    found = Counter(_kind_of(task) for task in asyncio.all_tasks())
    found["threads"] = sum(map(_is_ours, threading.enumerate()))
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            found["sockets" if str(descriptor.readlink()).startswith("socket:") else "descriptors"] += 1
        except OSError:  # the folder's own descriptor is gone by now
            continue
    found["processes"] = len((family(os.getpid()) - {os.getpid()}) & alive())  # without what has counted them
    return found


def _kind_of(task: asyncio.Task[Any]) -> str:
    coroutine = task.get_coro()
    code = getattr(coroutine, "cr_code", None)
    if code is not None and "aiormq" in code.co_filename:
        return "tasks of channels"
    return f"tasks of {getattr(coroutine, '__qualname__', type(coroutine).__name__)}"


def _is_ours(thread: threading.Thread) -> bool:
    """The loop's own pool grows to its bound as it is used, by this census too."""
    return not thread.name.startswith("asyncio_")


async def of_broker(broker: Broker, monitoring_port: int) -> Census:
    """What a broker holds for its clients: connections, subscriptions, consumers, queues, exchanges, keys, topics."""
    ask: dict[str, Callable[[], Awaitable[Census]]] = {
        "nats": lambda: asyncio.to_thread(_of_nats, monitoring_port),
        "rabbitmq": lambda: asyncio.to_thread(_of_rabbitmq, broker),
        "redis": lambda: _of_redis(broker),
        "kafka": lambda: _of_kafka(broker),
    }
    return {f"{broker.kind} {name}": count for name, count in (await ask[broker.kind]()).items()}


def _of_nats(port: int) -> Census:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/varz", timeout=10) as answer:
        told = json.load(answer)
    return {"connections": told["connections"], "subscriptions": told["subscriptions"]}


def _of_rabbitmq(broker: Broker) -> Census:
    return {what: len(rabbitmqctl(broker, "--silent", f"list_{what}").splitlines()) for what in _LISTS_OF_RABBITMQ}


async def _of_redis(broker: Broker) -> Census:
    async with redis_client(broker) as client:
        return {
            "connections": len(await client.client_list()),
            "keys": await client.dbsize(),
            "channels": len(await client.pubsub_channels()),
            "patterns": await client.pubsub_numpat(),
        }


async def _of_kafka(broker: Broker) -> Census:
    admin = aiokafka.admin.AIOKafkaAdminClient(bootstrap_servers=broker.url)
    await admin.start()
    try:
        return {"topics": len(await admin.list_topics()), "groups": len(await admin.list_consumer_groups())}
    finally:
        await admin.close()
