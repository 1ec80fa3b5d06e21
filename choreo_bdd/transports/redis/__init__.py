"""Redis: topic = channel, or stream."""

from choreo_bdd.transports.redis.auth import RedisAuth
from choreo_bdd.transports.redis.transport import RedisTransport

__all__ = ["RedisAuth", "RedisTransport"]
