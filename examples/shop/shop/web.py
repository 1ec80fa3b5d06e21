"""The front door, a FastAPI service: orders go on to Kafka, mails to Celery."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from aiokafka import AIOKafkaProducer
from fastapi import FastAPI, HTTPException, Response
from pydantic import BaseModel

from shop.faults import planted
from shop.mailer import send_mail

PRICES = {"lamp": 40, "vase": 25, "desk": 300, "rug": 90}


class Order(BaseModel):
    order_id: str
    sku: str
    qty: int = 1


class Mail(BaseModel):
    order_id: str
    to: str
    subject: str = "Your order"


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    producer = AIOKafkaProducer(bootstrap_servers=os.environ["KAFKA"])
    await producer.start()
    app.state.producer, app.state.orders = producer, {}
    yield
    await producer.stop()


app = FastAPI(lifespan=_lifespan)


async def health() -> dict[str, str]:
    return {"status": "up"}


async def place(order: Order, response: Response) -> dict[str, object]:
    if order.qty < 1 or order.sku not in PRICES:
        if planted("web-lets-through"):
            await _publish(order, 0)
        raise HTTPException(422, f"{order.qty} of {order.sku} cannot be ordered")
    total = PRICES[order.sku] * order.qty + planted("web-total", order.sku == "rug")
    app.state.orders[order.order_id] = order
    if planted("web-slow", order.sku == "desk"):
        asyncio.get_running_loop().create_task(_later(order, total))
    else:
        await _publish(order, total)
    response.status_code = 200 if planted("web-status", order.sku == "vase" and order.qty == 2) else 201
    return {"order_id": order.order_id, "status": "placed"}


async def _later(order: Order, total: int) -> None:
    await asyncio.sleep(2.5)
    await _publish(order, total)


async def _publish(order: Order, total: int) -> None:
    body = {**order.model_dump(), "total": total}
    await app.state.producer.send_and_wait("orders.placed", json.dumps(body).encode())
    print("placed", order.order_id)


async def look_up(order_id: str) -> dict[str, object]:
    if order_id not in app.state.orders:
        raise HTTPException(404, "there is no such order")
    return {"order_id": order_id, "status": "placed"}


async def mail(mail: Mail) -> dict[str, str]:
    if "@" not in mail.to:
        raise HTTPException(422, "that is no address")
    await asyncio.to_thread(send_mail.delay, mail.order_id, mail.to, mail.subject)
    return {"order_id": mail.order_id, "status": "queued"}


app.add_api_route("/health", health)
app.add_api_route("/orders", place, methods=["POST"])
app.add_api_route("/orders/{order_id}", look_up)
app.add_api_route("/mails", mail, methods=["POST"], status_code=202)

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
