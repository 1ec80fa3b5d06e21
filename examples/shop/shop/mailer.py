"""The mailer, a Celery worker on Redis: each mail it has sent is told on a channel."""

from __future__ import annotations

import json
import os

import redis
from celery import Celery
from celery.signals import worker_ready

from shop.faults import planted

URL = os.environ["REDIS"]

app = Celery("shop", broker=URL)
app.conf.broker_connection_retry_on_startup = True
app.conf.worker_hijack_root_logger = False
app.conf.worker_redirect_stdouts = False


def _send(order_id: str, to: str, subject: str) -> None:
    print("mail to", to, "for", order_id)
    if planted("mail-silent", to.startswith("silent@")):
        return
    if planted("mail-subject", subject != "Your order"):
        subject = "Your order"
    with redis.Redis.from_url(URL) as client:
        client.publish("mails.sent", json.dumps({"order_id": order_id, "to": to, "subject": subject}))


send_mail = app.task(_send, name="shop.send_mail")


def _listening(**_: object) -> None:
    print("listening")


if __name__ == "__main__":
    worker_ready.connect(_listening)
    app.worker_main(["worker", "--pool=solo", "--loglevel=WARNING", "--without-gossip", "--without-mingle"])
