"""RabbitMQ: topic = routing key on one exchange."""

from choreo_bdd.transports.rabbitmq.auth import RabbitAuth
from choreo_bdd.transports.rabbitmq.exchange import Exchange
from choreo_bdd.transports.rabbitmq.routes import Route
from choreo_bdd.transports.rabbitmq.transport import RabbitTransport

__all__ = ["Exchange", "RabbitAuth", "RabbitTransport", "Route"]
