"""What a Redis server says of itself: whether it speaks of its keys, and whether it hears what others publish."""

from __future__ import annotations

import re
from collections.abc import Collection

KEYSPACE = "__key"
"""How the channels begin on which the server speaks of its keys."""

_CHANNEL = re.compile(r"__key(space|event)@[^:]*__:(.*)", re.DOTALL)
_ALL = frozenset("g$lshzxetd")
"""What the sign ``A`` stands for among the classes of events."""
_CLASSES = {
    "g": "del rename_from rename_to move_from move_to copy_to restore expire persist type_changed",
    "$": "set setrange incrby incrbyfloat append",
    "l": "lpush rpush lpop rpop linsert lset lrem ltrim sortstore",
    "s": "sadd srem spop sinterstore sunionstore sdiffstore",
    "h": "hset hincrby hincrbyfloat hdel hexpire hexpired hpersist",
    "z": "zadd zincr zrem zrembyscore zrembyrank zdiffstore zinterstore zunionstore",
    "t": "xadd xtrim xdel xsetid xgroup-create xgroup-createconsumer xgroup-delconsumer xgroup-destroy xgroup-setid",
    "x": "expired",
    "e": "evicted",
    "m": "keymiss",
    "n": "new",
}
_CLASS_OF = {event: sign for sign, events in _CLASSES.items() for event in events.split()}

_STANDALONE = frozenset({b"redis_mode:standalone", b"server_mode:standalone"})
"""How a server of no cluster says so: Redis, and Valkey from 8 on."""
_WITHOUT_REPLICAS = b"connected_slaves:0"
"""How a server says that it hands messages on to nobody; a replica hands none back to its master."""
_WITHOUT_MASTER = b"master_link_status:down"
"""How a replica says that it hears nothing of what is published elsewhere."""


def why_silent(topic: str, flags: str) -> str | None:
    """Why nothing comes on a channel of key events under these flags of ``notify-keyspace-events``, if so."""
    channel = _CHANNEL.fullmatch(topic)
    kind = "" if channel is None else {"space": "K", "event": "E"}[channel[1]]
    wanted = _CLASS_OF.get(channel[2], "") if channel is not None and kind == "E" else ""
    told = frozenset(flags) | (_ALL if "A" in flags else frozenset())
    if {kind, wanted} - {""} <= told and not told.isdisjoint(_CLASSES):
        return None
    flagged = f" of this kind (notify-keyspace-events is {flags!r})" if flags else ""
    more = f"{kind or 'KE'}A{'' if wanted in _ALL else wanted}"
    return (
        f"nothing comes on {topic!r}: the server sends no keyspace events{flagged}; have it send them, "
        f"as with CONFIG SET notify-keyspace-events {more}"
    )


def is_alone(server: Collection[bytes], replication: Collection[bytes]) -> bool:
    """Whether all subscribers are this server's: the lines of these two sections of ``INFO`` say so."""
    return not _STANDALONE.isdisjoint(server) and _WITHOUT_REPLICAS in replication


def has_lost_its_master(replication: Collection[bytes]) -> bool:
    """Whether it is a replica that nobody tells what happens."""
    return _WITHOUT_MASTER in replication
