"""Further AsyncAPI documents, with what teams use beyond payloads: traits, bindings, replies, files, formats.

Each is a folder: the files it consists of by their names, the document itself is ``api.yaml``.
"""

from __future__ import annotations

PARCELS_2 = {
    "api.yaml": """
asyncapi: 2.6.0
id: urn:example:parcels
info:
  title: Parcels
  version: 2.1.0
  contact: {name: Depot, email: depot@example.org}
  license: {name: MIT}
tags: [{name: logistics}]
defaultContentType: application/json
servers:
  eu:
    url: kafka.{region}.example.org:{port}
    protocol: kafka-secure
    protocolVersion: '3.6'
    variables: {region: {enum: [north, south], default: north}, port: {default: '9093'}}
    security: [{scram: []}]
    bindings: {kafka: {schemaRegistryUrl: 'https://registry.example.org', schemaRegistryVendor: confluent}}
  test: {url: 'localhost:9092', protocol: kafka}
channels:
  parcels.{depot}.scanned:
    description: A parcel was seen.
    servers: [eu, test]
    parameters:
      depot: {description: Where., schema: {type: string, enum: [berlin, graz]}, location: $message.payload#/depot}
    bindings: {kafka: {topic: parcels, partitions: 6, replicas: 3, bindingVersion: 0.4.0}}
    publish:
      operationId: onScan
      traits: [{$ref: '#/components/operationTraits/consumer'}]
      message: {$ref: '#/components/messages/Scanned'}
  parcels.{depot}.late:
    parameters: {depot: {$ref: '#/components/parameters/depot'}}
    subscribe:
      operationId: sendLate
      bindings: {kafka: {groupId: {type: string, enum: [late]}, clientId: {type: string}}}
      message: {$ref: '#/components/messages/Late'}
components:
  securitySchemes: {scram: {type: scramSha512}}
  parameters: {depot: {schema: {type: string, pattern: '^[a-z]+$'}}}
  operationTraits:
    consumer: {bindings: {kafka: {groupId: {type: string, enum: [depot-readers]}}}}
  messageTraits:
    common:
      headers:
        type: object
        required: [x-tenant]
        properties: {x-tenant: {type: string, enum: [blue, green]}, x-sent: {type: string, format: date-time}}
    traced:
      correlationId: {description: Follows a parcel., location: $message.header#/x-parcel}
      headers: {type: object, properties: {x-parcel: {type: string, pattern: '^P[0-9]{4}$'}}}
  messages:
    Scanned:
      name: parcelScanned
      title: A scan
      contentType: application/json
      traits: [{$ref: '#/components/messageTraits/common'}, {$ref: '#/components/messageTraits/traced'}]
      bindings: {kafka: {key: {type: string, format: uuid}, bindingVersion: 0.4.0}}
      payload:
        type: object
        required: [parcel, depot, weight]
        properties:
          parcel: {type: string, format: uuid}
          depot: {type: string, enum: [berlin, graz]}
          weight: {type: number, exclusiveMinimum: 0, maximum: 31.5}
          kind: {$ref: '#/components/schemas/Kind'}
    Late:
      traits: [{$ref: '#/components/messageTraits/traced'}]
      payload: {type: object, required: [by], properties: {by: {type: string, format: duration}}}
  schemas:
    Kind: {type: string, enum: [box, letter, pallet], default: box}
""",
}
SHARED_FILES_3 = {
    "api.yaml": """
asyncapi: 3.0.0
info: {title: Invoices, version: 1.0.0}
servers:
  main: {host: 'nats.example.org:4222', protocol: nats, security: [{$ref: './shared/security.yaml#/login'}]}
  spare: {host: '{zone}.example.org', pathname: /nats, protocol: nats, variables: {zone: {enum: [a, b], default: a}}}
channels:
  drawn: {$ref: './shared/channels.yaml#/channels/drawn'}
  paid:
    address: invoices.paid
    servers: [{$ref: '#/servers/main'}]
    bindings: {nats: {}}
    messages:
      paid: {$ref: 'shared/messages.yaml#/Paid'}
operations:
  draw:
    action: receive
    channel: {$ref: '#/channels/drawn'}
    bindings: {nats: {queue: invoicing, bindingVersion: 0.1.0}}
    messages: [{$ref: '#/channels/drawn/messages/drawn'}]
  pay: {action: send, channel: {$ref: '#/channels/paid'}, messages: [{$ref: '#/channels/paid/messages/paid'}]}
""",
    "shared/security.yaml": "login: {type: userPassword}\n",
    "shared/channels.yaml": """
channels:
  drawn:
    address: invoices.drawn
    messages: {drawn: {payload: {$ref: 'schemas/invoice.json'}}}
""",
    "shared/messages.yaml": """
Paid:
  name: InvoicePaid
  payload:
    allOf:
      - $ref: schemas/invoice.json
      - type: object
        required: [paidAt]
        properties:
          paidAt: {type: string, format: date-time}
          method: {$ref: 'schemas/invoice.json#/definitions/method'}
""",
    "shared/schemas/invoice.json": """
{
  "$schema": "http://json-schema.org/draft-07/schema#",
  "$id": "https://example.org/schemas/invoice.json",
  "type": "object",
  "required": ["number", "lines"],
  "properties": {
    "number": {"type": "string", "pattern": "^R-[0-9]{3}$"},
    "lines": {"type": "array", "minItems": 1, "items": {"$ref": "#/definitions/line"}},
    "to": {"$ref": "party.yaml#/Party"}
  },
  "definitions": {
    "line": {"type": "object", "required": ["cents"], "properties": {"cents": {"type": "integer", "minimum": 1}}},
    "method": {"enum": ["card", "sepa", null]}
  }
}
""",
    "shared/schemas/party.yaml": """
Party: {type: object, required: [name], properties: {name: {type: string, minLength: 2}}}
""",
}
PRICES_3 = {
    "api.yaml": """
asyncapi: 3.0.0
info: {title: Prices, version: 1.0.0}
defaultContentType: application/json
channels:
  ask:
    address: prices.ask
    messages:
      ask:
        correlationId: {location: $message.header#/correlationId}
        headers:
          type: object
          required: [correlationId, replyTo]
          properties: {correlationId: {type: string}, replyTo: {type: string}}
        payload: {type: object, required: [sku], properties: {sku: {type: string}, at: {type: string, format: date}}}
  asked: {address: prices.audit, messages: {asked: {payload: {type: object, required: [who]}}}}
  answer:
    address: prices.answer
    messages:
      quote: {$ref: '#/components/messages/Quote'}
      refusal: {$ref: '#/components/messages/Refusal'}
  dynamic:
    address: null
    messages: {quote: {$ref: '#/components/messages/Quote'}}
operations:
  audit: {action: send, channel: {$ref: '#/channels/asked'}}
  price:
    action: receive
    channel: {$ref: '#/channels/ask'}
    reply: {channel: {$ref: '#/channels/answer'}, messages: [{$ref: '#/channels/answer/messages/quote'}]}
  priceAnywhere:
    action: receive
    channel: {$ref: '#/channels/ask'}
    reply: {address: {location: $message.header#/replyTo}, channel: {$ref: '#/channels/dynamic'}}
components:
  messages:
    Quote:
      correlationId: {$ref: '#/components/correlationIds/ask'}
      payload:
        type: object
        required: [sku, cents]
        properties: {sku: {type: string}, cents: {type: integer, minimum: 0}}
    Refusal:
      payload:
        type: object
        required: [sku, why]
        properties: {sku: {type: string}, why: {enum: [unknown, 'sold out', too late]}}
  correlationIds: {ask: {location: $message.payload#/sku}}
""",
}
ZOO_2 = {
    "api.yaml": """
asyncapi: 2.6.0
info: {title: Zoo, version: 1.0.0}
servers: {rabbit: {url: 'rabbit.example.org:5672', protocol: amqp, security: [{user: []}]}}
channels:
  zoo.arrived:
    bindings:
      amqp:
        is: routingKey
        exchange: {name: zoo, type: topic, durable: true, autoDelete: false, vhost: /}
        bindingVersion: 0.2.0
    publish:
      bindings: {amqp: {expiration: 100000, cc: [zoo.log], priority: 10, deliveryMode: 2, ack: true}}
      message:
        bindings: {amqp: {contentEncoding: gzip, messageType: zoo.arrival}}
        payload: {$ref: '#/components/schemas/Animal'}
  zoo.moved:
    subscribe:
      message:
        oneOf:
          - {$ref: '#/components/messages/Moved'}
          - name: Escaped
            payload:
              type: object
              required: [id, seen]
              additionalProperties: {type: string}
              properties: {id: {type: integer}, seen: {type: array, maxItems: 3, items: {type: string, minLength: 1}}}
          - name: Swapped
            payload: {type: array, minItems: 2, maxItems: 2, items: {$ref: '#/components/schemas/Animal'}}
components:
  securitySchemes: {user: {type: userPassword}}
  messages:
    Moved:
      payload:
        allOf:
          - {type: object, required: [id], properties: {id: {type: integer, minimum: 1}}}
          - {type: object, required: [from, to], properties: {from: {type: string}, to: {type: string}}}
          - anyOf: [{required: [keeper]}, {required: [robot]}]
            properties: {keeper: {type: string, pattern: '^[A-Z][a-z]+$'}, robot: {type: integer, multipleOf: 5}}
  schemas:
    Animal:
      type: object
      discriminator: species
      required: [species, name]
      properties: {species: {type: string}, name: {type: string}}
      oneOf:
        - {$ref: '#/components/schemas/Cat'}
        - {$ref: '#/components/schemas/Snake'}
    Cat:
      properties: {species: {const: cat}, lives: {type: integer, minimum: 0, maximum: 9}}
      required: [lives]
    Snake:
      properties: {species: {const: snake}, metres: {type: number, exclusiveMinimum: 0.1}}
      required: [metres]
""",
}
CACHE_2 = {
    "api.yaml": """
asyncapi: 2.6.0
info: {title: Cache, version: 1.0.0}
servers:
  redis: {url: 'redis.example.org:6379', protocol: redis, bindings: {redis: {}}}
  mqtt: {url: 'mqtt.example.org', protocol: mqtt, bindings: {mqtt: {clientId: guest, cleanSession: true, qos: 2}}}
  sockets: {url: 'wss://example.org/feed', protocol: wss}
channels:
  cache:{user}:{kind}:
    parameters:
      user: {schema: {type: integer}}
      kind: {schema: {type: string, default: profile}}
    bindings: {redis: {}, ws: {method: GET}}
    publish:
      bindings: {mqtt: {qos: 1, retain: false}}
      message:
        contentType: text/plain
        payload: {type: string, minLength: 3, maxLength: 12}
  cache:flush:
    publish: {message: {payload: {type: 'null'}}}
  cache:size:
    subscribe: {message: {payload: {type: integer, minimum: 0}}}
  cache:ready:
    subscribe: {message: {payload: {type: boolean}}}
  cache:any:
    subscribe: {message: {payload: true}}
""",
}
FORMATS_2 = {
    "api.yaml": """
asyncapi: 2.6.0
info: {title: Formats, version: 1.0.0}
channels:
  formats/avro:
    publish:
      message:
        schemaFormat: application/vnd.apache.avro+json;version=1.9.0
        contentType: avro/binary
        headers: {type: object, required: [schema-id], properties: {schema-id: {type: integer, minimum: 1}}}
        payload: {$ref: 'reading.avsc'}
  formats/proto:
    publish:
      message:
        schemaFormat: application/vnd.google.protobuf;version=3
        contentType: application/x-protobuf
        payload: {$ref: 'reading.proto'}
  formats/raml:
    publish:
      message: {schemaFormat: application/raml+yaml;version=1.0, payload: {type: object, properties: {'unit?': string}}}
  formats/openapi:
    publish:
      message:
        schemaFormat: application/vnd.oai.openapi+yaml;version=3.0.0
        payload: {type: object, properties: {unit: {type: string, nullable: true}}}
  formats/own:
    publish:
      message:
        schemaFormat: application/vnd.aai.asyncapi+yaml;version=2.6.0
        payload: {type: object, required: [unit], properties: {unit: {type: string, examples: [lux]}}}
  formats/newer:
    subscribe:
      message:
        schemaFormat: application/schema+json;version=draft-2019-09
        payload:
          type: object
          required: [span]
          $defs: {span: {type: array, minItems: 2, items: {type: number}}}
          properties: {span: {$ref: '#/channels/formats~1newer/subscribe/message/payload/$defs/span'}}
          dependentRequired: {span: [unit]}
""",
    "reading.avsc": '{"type": "record", "name": "Reading", "fields": [{"name": "lux", "type": "int"}]}\n',
    "reading.proto": 'syntax = "proto3";\nmessage Reading {\n\tint32 lux = 1; // {light}\n}\n',
}
FORMATS_3 = {
    "api.yaml": """
asyncapi: 3.0.0
info: {title: Formats, version: 1.0.0}
channels:
  avro:
    address: weather.avro
    messages:
      reading:
        payload:
          schemaFormat: application/vnd.apache.avro;version=1.9.0
          schema: {type: record, name: Reading, fields: [{name: celsius, type: float}]}
  proto:
    address: weather.proto
    messages:
      reading:
        payload:
          schemaFormat: application/vnd.google.protobuf;version=3
          schema: 'message Reading { int32 celsius = 1; }'
  newest:
    address: weather.newest
    messages:
      reading:
        headers:
          schemaFormat: application/schema+json;version=draft-2020-12
          schema: {type: object, required: [zone], properties: {zone: {const: '7'}}}
        payload:
          schemaFormat: application/schema+yaml;version=draft-2020-12
          schema:
            type: object
            required: [at, wind]
            unevaluatedProperties: {type: string}
            properties:
              at: {type: array, prefixItems: [{type: number, maximum: 90}, {type: number}], minItems: 2, items: false}
              wind: {$ref: '#/components/schemas/Wind'}
  raw: {address: weather.raw, messages: {blob: {contentType: application/octet-stream}}}
components:
  schemas:
    Wind:
      type: object
      required: [from]
      properties: {from: {enum: [N, E, S, W]}, knots: {type: integer, minimum: 0, default: 12}}
""",
}
HOME_3 = {
    "api.yaml": """
asyncapi: 3.0.0
info:
  title: Home
  version: 0.3.0
  tags: [{$ref: '#/components/tags/home'}]
  externalDocs: {url: 'https://example.org/home'}
servers:
  eu: {host: 'eu.example.org:8883', protocol: secure-mqtt, tags: [{name: live}], title: Europe}
  us: {host: 'us.example.org:8883', protocol: secure-mqtt, description: America}
channels:
  command:
    address: home/{room}/{lamp}/set
    title: Commands
    parameters:
      room: {enum: [kitchen, 'living room'], default: kitchen, description: Which room.}
      lamp: {examples: [lamp-1, lamp-2], location: $message.payload#/lamp}
    servers: [{$ref: '#/servers/eu'}, {$ref: '#/servers/us'}]
    messages:
      dim: {$ref: '#/components/messages/Dim'}
      toggle: {$ref: '#/components/messages/Toggle'}
  state:
    address: home/{room}/{lamp}/state
    parameters: {room: {$ref: '#/components/parameters/room'}, lamp: {}}
    messages: {state: {$ref: '#/components/messages/State'}}
operations:
  set:
    action: receive
    channel: {$ref: '#/channels/command'}
    traits: [{bindings: {mqtt: {qos: 1}}}]
    messages: [{$ref: '#/channels/command/messages/dim'}]
    reply: {channel: {$ref: '#/channels/state'}}
  tell: {action: send, channel: {$ref: '#/channels/state'}}
components:
  tags: {home: {name: home}}
  parameters: {room: {default: hall}}
  messageTraits:
    sent: {headers: {type: object, properties: {sent: {type: integer, minimum: 1, description: ms}}}}
  messages:
    Dim:
      traits: [{$ref: '#/components/messageTraits/sent'}]
      payload:
        type: object
        required: [lamp, percent]
        properties: {lamp: {type: string}, percent: {type: integer, minimum: 0, maximum: 100, multipleOf: 10}}
      examples: [{name: half, summary: Half as bright, headers: {sent: 17}, payload: {lamp: lamp-1, percent: 50}}]
    Toggle:
      payload: {type: object, required: [lamp, toggle], properties: {lamp: {type: string}, toggle: {const: true}}}
      examples: [{name: 'wrong', payload: {lamp: 7}}]
    State:
      payload:
        type: object
        required: [lamp, level]
        properties:
          lamp: {type: string}
          level: {oneOf: [{type: integer, minimum: 0, maximum: 100}, {enum: ['off', unknown]}]}
""",
}
GATES_3 = {
    "api.yaml": """
asyncapi: 3.0.0
info: {title: Gates, version: 1.0.0}
channels:
  opened:
    address: gates.{gate}.opened
    parameters: {gate: {enum: ['7', '8']}}
    bindings: {amqp: {is: queue, queue: {name: gates, durable: true, exclusive: false}}}
    messages:
      opened:
        headers:
          type: object
          required: [version, urgent, ratio]
          properties:
            version: {type: integer, enum: [2, 3]}
            urgent: {type: boolean}
            ratio: {type: number, minimum: 0.25}
            content-type: {type: string, const: application/json}
        payload:
          type: object
          required: [gate, by]
          properties:
            gate: {type: string}
            by: {type: object, required: [badge], properties: {badge: {type: string, minLength: 8, maxLength: 8}}}
            seen:
              type: object
              additionalProperties: {type: object, required: [at], properties: {at: {type: string, format: time}}}
              minProperties: 1
  wild: {address: 'gates.*.all', messages: {any: {payload: {type: object}}}}
  rest: {address: 'gates.>', messages: {any: {payload: {type: object}}}}
  closed:
    address: gates.closed
    messages:
      plain: {payload: {type: object, required: [gate], properties: {gate: {type: string}}}}
      forced:
        payload:
          allOf:
            - {$ref: '#/channels/closed/messages/plain/payload'}
            - {required: [force], properties: {force: {const: true}}}
operations:
  close: {action: send, channel: {$ref: '#/channels/closed'}}
  open: {action: receive, channel: {$ref: '#/channels/opened'}}
""",
}
STORY_2 = {
    "api.yaml": """
asyncapi: '2.6.0'
info: {title: Story, version: 1.0.0, description: Schemas that lean on each other.}
channels:
  story.told:
    publish:
      message:
        name: told
        payload: {$ref: '#/components/schemas/Story'}
  story.heard:
    subscribe:
      message:
        name: heard
        payload:
          type: object
          required: [story, rating]
          properties:
            story: {$ref: '#/components/schemas/Story'}
            rating: {anyOf: [{type: integer, minimum: 1, maximum: 5}, {type: string, enum: [none]}]}
            tags: {type: array, uniqueItems: true, minItems: 2, items: {enum: [sad, funny, long]}}
            more: {type: object, patternProperties: {'^x-': {type: string}}, additionalProperties: false}
components:
  schemas:
    Story:
      type: object
      required: [title, chapters, 'in', is]
      properties:
        title: {type: string, examples: ['It was "night" {{ and }} dark']}
        'in': {type: string, enum: ['a and b', 'c is d', "it's"]}
        is: {type: [boolean, 'null']}
        chapters: {type: array, minItems: 1, items: {$ref: '#/components/schemas/Chapter'}}
        next: {$ref: '#/components/schemas/Story'}
        published: {type: string, format: date, default: 2024-02-29}
    Chapter:
      type: object
      required: [number, text]
      properties:
        number: {type: integer, minimum: 1}
        text: {type: string, contentEncoding: base64, default: 'QUJD'}
        notes: {type: array, items: {type: array, items: {type: [integer, string], minimum: 2}}}
      if: {properties: {number: {const: 1}}}
      then: {required: [intro], properties: {intro: {type: string, minLength: 1}}}
""",
}
BINDINGS_3 = {
    "api.yaml": """
asyncapi: 3.0.0
info: {title: Bindings of four brokers, version: '1'}
servers:
  n: {host: 'localhost:4222', protocol: nats, bindings: {nats: {}}}
  k: {host: 'localhost:9092', protocol: kafka, bindings: {kafka: {schemaRegistryUrl: 'http://localhost'}}}
  r: {host: 'localhost:5672', protocol: amqp, bindings: {amqp: {}}}
  d: {host: 'localhost:6379', protocol: redis}
channels:
  a:
    address: bound.nats
    servers: [{$ref: '#/servers/n'}]
    bindings: {nats: {queue: workers, bindingVersion: 0.1.0}}
    messages: {m: {payload: {$ref: '#/components/schemas/Id'}}}
  b:
    address: bound.kafka
    bindings: {kafka: {topic: bound.kafka, partitions: 3, topicConfiguration: {cleanup.policy: [compact]}}}
    messages:
      m:
        bindings: {kafka: {key: {type: string, enum: [k1]}, schemaIdLocation: header}}
        payload: {$ref: '#/components/schemas/Id'}
  c:
    address: bound.rabbit
    bindings: {amqp: {is: routingKey, exchange: {name: x, type: topic, durable: true}}}
    messages:
      m:
        bindings: {amqp: {contentEncoding: gzip, messageType: t}}
        payload: {$ref: '#/components/schemas/Id'}
  e:
    address: bound.redis
    bindings: {redis: {}}
    messages: {m: {payload: {$ref: '#/components/schemas/Id'}}}
operations:
  oa: {action: receive, channel: {$ref: '#/channels/a'}, bindings: {nats: {queue: q}}}
  ob: {action: receive, channel: {$ref: '#/channels/b'}, bindings: {kafka: {groupId: {type: string}}}}
  oc: {action: receive, channel: {$ref: '#/channels/c'}, bindings: {amqp: {ack: true}}}
  oe: {action: send, channel: {$ref: '#/channels/e'}}
components:
  schemas:
    Id: {type: object, required: [id], properties: {id: {type: string}}}
""",
}
FURTHER = {
    "parcels": PARCELS_2,
    "invoices": SHARED_FILES_3,
    "prices": PRICES_3,
    "zoo": ZOO_2,
    "cache": CACHE_2,
    "formats-2": FORMATS_2,
    "formats-3": FORMATS_3,
    "home": HOME_3,
    "gates": GATES_3,
    "story": STORY_2,
    "bindings": BINDINGS_3,
}
