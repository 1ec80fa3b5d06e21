"""A worker of Celery over RabbitMQ, with one task. It knows nothing of this project.

Run as a program with the address of the broker; it says ``ready`` once it listens.
"""

from __future__ import annotations

import sys
from typing import Any

from celery import Celery, Task
from celery.signals import worker_ready
from kombu import Exchange, Queue

_WORKER = [
    "worker",
    "--pool=solo",
    "--without-gossip",
    "--without-mingle",
    "--without-heartbeat",
    "--loglevel=CRITICAL",
]


def worker(url: str) -> Celery:
    """What charges, and says so on the exchange of events under the task's own id."""
    app = Celery(broker=url)
    app.conf.task_queues = [Queue("shop.tasks", Exchange(""), routing_key="shop.tasks")]
    app.conf.task_ignore_result = True
    app.conf.worker_redirect_stdouts = False

    def charge(self: Task, cents: int) -> None:
        with app.producer_pool.acquire(block=True) as producer:
            producer.publish(
                {"cents": cents}, exchange="amq.topic", routing_key="charged", correlation_id=self.request.id
            )

    app.task(charge, name="shop.charge", bind=True)
    return app


def _say(**_: Any) -> None:
    print("ready", flush=True)


if __name__ == "__main__":
    worker_ready.connect(_say)
    worker(sys.argv[1]).worker_main(_WORKER)
