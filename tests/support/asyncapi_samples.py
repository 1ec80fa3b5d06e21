"""One contract told twice: as an AsyncAPI document of version 2.6, and of version 3.0."""

from __future__ import annotations

from pathlib import Path

from choreo_bdd.asyncapi import AsyncApi, load_asyncapi

SCHEMAS = """
  schemas:
    Order:
      type: object
      required: [id, total]
      additionalProperties: false
      properties:
        id: {type: string, pattern: '^A-'}
        total: {type: integer, minimum: 1}
        currency: {enum: [EUR, GBP]}
        customer: {$ref: '#/components/schemas/Customer'}
        password: {type: string, minLength: 8}
    Customer:
      type: object
      required: [name]
      properties:
        name: {type: [string, 'null']}
        tags: {type: array, items: {type: string}}
    Refund:
      type: object
      required: [refund]
      properties:
        refund: {type: number, exclusiveMinimum: 0}
"""
V2 = f"""
asyncapi: 2.6.0
info: {{title: Shop, version: 1.0.0}}
channels:
  orders.placed:
    publish:
      message: {{$ref: '#/components/messages/Placed'}}
  orders.changed:
    subscribe:
      message:
        oneOf:
          - {{$ref: '#/components/messages/Placed'}}
          - {{$ref: '#/components/messages/Refunded'}}
  regions.{{region}}.orders.{{id}}:
    parameters:
      region: {{schema: {{type: string, enum: [eu, us]}}}}
      id: {{schema: {{type: string}}}}
    subscribe:
      message: {{$ref: '#/components/messages/Placed'}}
  anything.goes: {{}}
  binary.orders:
    publish:
      message: {{schemaFormat: 'application/vnd.apache.avro;version=1.9.0', payload: {{type: record, name: Order}}}}
components:
  messageTraits:
    Traced:
      headers: {{type: object, required: [trace], properties: {{attempt: {{type: integer, maximum: 3}}}}}}
  messages:
    Placed:
      traits: [{{$ref: '#/components/messageTraits/Traced'}}]
      payload: {{$ref: '#/components/schemas/Order'}}
    Refunded:
      payload: {{$ref: '#/components/schemas/Refund'}}
{SCHEMAS}
"""
V3 = f"""
asyncapi: 3.0.0
info: {{title: Shop, version: 1.0.0}}
channels:
  placed:
    address: orders.placed
    messages:
      placed: {{$ref: '#/components/messages/Placed'}}
  changed:
    address: orders.changed
    messages:
      placed: {{$ref: '#/components/messages/Placed'}}
      refunded: {{$ref: '#/components/messages/Refunded'}}
  region:
    address: regions.{{region}}.orders.{{id}}
    parameters:
      region: {{enum: [eu, us]}}
      id: {{}}
    messages:
      placed: {{$ref: '#/components/messages/Placed'}}
  free:
    address: anything.goes
  binary:
    address: binary.orders
    messages:
      placed: {{payload: {{schemaFormat: 'application/vnd.apache.avro;version=1.9.0', schema: {{type: record}}}}}}
  unaddressed:
    address: null
operations:
  place: {{action: send, channel: {{$ref: '#/channels/placed'}}}}
components:
  messageTraits:
    Traced:
      headers: {{type: object, required: [trace], properties: {{attempt: {{type: integer, maximum: 3}}}}}}
  messages:
    Placed:
      traits: [{{$ref: '#/components/messageTraits/Traced'}}]
      payload:
        schemaFormat: application/vnd.aai.asyncapi+yaml;version=3.0.0
        schema: {{$ref: '#/components/schemas/Order'}}
    Refunded:
      payload: {{$ref: '#/components/schemas/Refund'}}
{SCHEMAS}
"""
VERSIONS = {"2.6": V2, "3.0": V3}


def load(folder: Path, text: str, name: str = "shop.yaml") -> AsyncApi:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return load_asyncapi([path])
