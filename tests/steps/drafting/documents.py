"""AsyncAPI documents as teams write them, of versions 2.6 and 3, each with something of its own."""

from __future__ import annotations

LIGHTS_2 = """
asyncapi: 2.6.0
info: {title: Lights, version: 1.0.0}
channels:
  lights/{id}/measured:
    parameters: {id: {schema: {type: string}}}
    publish:
      message:
        name: LightMeasured
        payload:
          type: object
          properties:
            lumens: {type: integer, minimum: 0}
            sent_at: {type: string, format: date-time}
  lights/{id}/turn:
    parameters: {id: {schema: {type: string}}}
    subscribe:
      message:
        payload:
          type: object
          required: [command]
          properties: {command: {type: string, enum: ["on", "off"]}}
"""
ALONE_2 = """
asyncapi: 2.6.0
info: {title: Alone, version: 1.0.0}
channels:
  hello:
    publish:
      message: {payload: {type: string, pattern: '^hello .+$'}}
"""
CHOICE_2 = """
asyncapi: 2.6.0
info: {title: Accounts, version: 1.0.0}
channels:
  accounts.changed:
    subscribe:
      message:
        oneOf:
          - name: Opened
            payload:
              type: object
              required: [kind, owner]
              properties: {kind: {const: opened}, owner: {type: string, minLength: 3}}
          - name: Closed
            payload:
              type: object
              required: [kind, reason]
              properties: {kind: {const: closed}, reason: {enum: [fraud, wish]}}
  accounts.audited: {}
"""
HEADERS_2 = """
asyncapi: 2.6.0
info: {title: Mail, version: 1.0.0}
channels:
  mail.send:
    publish:
      message:
        headers: {type: object, required: [priority], properties: {priority: {type: integer, maximum: 9}}}
        payload: {type: object, required: [to], properties: {to: {type: string, format: email}}}
  mail.sent:
    subscribe: {message: {payload: {type: object}}}
"""
AVRO_2 = """
asyncapi: 2.6.0
info: {title: Binary, version: 1.0.0}
channels:
  readings:
    publish:
      message:
        schemaFormat: application/vnd.apache.avro;version=1.9.0
        payload: {type: record, name: Reading, fields: []}
"""
ORDERS_3 = """
asyncapi: 3.0.0
info: {title: Orders, version: 1.0.0}
channels:
  placed:
    address: shop.orders.placed
    messages:
      placed:
        payload: {$ref: '#/components/schemas/Order'}
        examples: [{payload: {id: A-17, lines: [{sku: S-1, quantity: 2}]}}]
  confirmed:
    address: shop.orders.confirmed
    messages: {confirmed: {payload: {allOf: [{$ref: '#/components/schemas/Order'}, {required: [total]}]}}}
operations:
  place: {action: receive, channel: {$ref: '#/channels/placed'}}
  confirm: {action: send, channel: {$ref: '#/channels/confirmed'}}
components:
  schemas:
    Order:
      type: object
      required: [id, lines]
      additionalProperties: false
      properties:
        id: {type: string, pattern: '^A-[0-9]+$'}
        total: {type: number, exclusiveMinimum: 0}
        correlation_id: {type: string}
        lines:
          type: array
          minItems: 1
          items:
            type: object
            required: [sku, quantity]
            properties: {sku: {type: string}, quantity: {type: integer, multipleOf: 2, minimum: 1}}
"""
TREE_3 = """
asyncapi: 3.0.0
info: {title: Trees, version: 1.0.0}
channels:
  tree:
    address: trees.grown
    messages: {tree: {payload: {$ref: '#/components/schemas/Tree'}}}
components:
  schemas:
    Tree:
      type: object
      required: [name]
      properties:
        name: {type: [string, 'null']}
        branches: {type: array, items: {$ref: '#/components/schemas/Tree'}}
"""
RATES_3 = """
asyncapi: 3.0.0
info: {title: Rates, version: 1.0.0}
channels:
  rate:
    address: rates.{pair}
    parameters: {pair: {enum: [eurusd, eurgbp]}}
    messages:
      rate:
        payload:
          type: object
          required: [rate, valid, day]
          properties:
            rate: {type: number, minimum: 0.5, maximum: 2}
            scale: {enum: [1, 10, 100]}
            valid: {type: boolean}
            day: {type: string, format: date}
  alert:
    address: rates.alert
    messages: {alert: {payload: {type: array, minItems: 2, items: {type: string}}}}
operations:
  warn: {action: send, channel: {$ref: '#/channels/alert'}}
"""
ODD_NAMES_3 = """
asyncapi: 3.0.0
info: {title: Odd, version: 1.0.0}
channels:
  odd:
    address: odd.names
    messages:
      odd:
        payload:
          type: object
          required: ['two words', '@at', 'a.b']
          properties:
            two words: {type: string, default: "{{ not a template }}"}
            '@at': {type: string}
            a.b: {enum: ['x, y', 'say "so"']}
"""
IMPOSSIBLE_3 = """
asyncapi: 3.0.0
info: {title: Impossible, version: 1.0.0}
channels:
  none:
    address: nothing.fits
    messages: {none: {payload: {type: object, required: [x], properties: {x: {not: {}}}}}}
  any:
    address: anything.goes
"""

STRANGE_3 = r"""
asyncapi: 3.0.0
info: {title: Strange, version: 1.0.0}
channels:
  strange:
    address: strange.values
    messages:
      first:
        name: Same
        payload:
          type: object
          required: [kind, and, exists, tree, nothing, text]
          properties:
            kind: {const: first}
            and: {const: 'x is one of y'}
            exists: {type: string}
            tree: {enum: [{leaf: 1}, [1]]}
            nothing: {enum: [null]}
            text: {enum: ["{{ z }} \"q\" and b", "l1\nl2"]}
            quoted: {const: "three \"\"\" quotes \\"}
      second:
        name: Same
        headers: {type: object, properties: {of: {type: object}, none: {type: 'null'}}}
        payload: {type: object, required: [kind], properties: {kind: {const: second}}}
"""

UNDRAFTABLE_3 = r"""
asyncapi: 3.0.0
info: {title: Undraftable, version: 1.0.0}
channels:
  strange:
    address: strange.values
    messages:
      endless:
        payload: {$ref: '#/components/schemas/Endless'}
      wide:
        payload: {type: array, minItems: 1000000000000}
  unsayable:
    address: 'a "quoted" topic'
components:
  schemas:
    Endless: {allOf: [{$ref: '#/components/schemas/Endless'}]}
"""

BOOKINGS_2 = """
asyncapi: 2.6.0
info: {title: Bookings, version: 1.0.0}
channels:
  bookings.noted:
  bookings.made:
    publish:
      message:
        name: Booking
        headers:
          type: object
          required: [attempt, urgent]
          properties: {attempt: {type: integer, exclusiveMinimum: 0}, urgent: {type: boolean}}
        payload:
          type: object
          required: [pay, seats]
          properties:
            pay: {enum: [card, cash]}
            seats: {type: array, minItems: 2, uniqueItems: true, items: {type: string, pattern: '^[A-F][0-9]$'}}
            total: {type: number, exclusiveMinimum: 0, multipleOf: 0.05}
          if: {properties: {pay: {const: card}}}
          then: {required: [card], properties: {card: {type: string, pattern: '^(?!0000)[0-9]{4}$'}}}
  bookings.relayed:
    subscribe:
      message:
        payload: {type: object, required: ["@headers"], properties: {"@headers": {type: object}}}
"""
SENSORS_3 = """
asyncapi: 3.0.0
info: {title: Sensors, version: 1.0.0}
channels:
  sample:
    address: sensors.sample
    messages:
      sample:
        payload:
          type: object
          required: [id, values, unit]
          properties:
            id: {type: string, minLength: 6, maxLength: 8, pattern: '^[a-z]+[0-9]$'}
            values:
              {type: array, minItems: 3, uniqueItems: true, items: {type: integer, minimum: 9}, contains: {minimum: 40}}
            unit: {type: string, not: {enum: [unit, text]}}
            gone: {type: 'null'}
          dependencies: {gone: [since]}
          propertyNames: {pattern: '^[a-z_]+$'}
  tagged:
    address: sensors.tagged
    messages:
      tagged:
        payload:
          type: object
          minProperties: 3
          patternProperties: {'^tag-[a-z]+$': {type: number}}
          oneOf: [{required: [left]}, {required: [right]}]
          properties: {left: {const: true}, right: {const: true}}
"""
UNFIT_3 = """
asyncapi: 3.0.0
info: {title: Unfit, version: 1.0.0}
channels:
  closed:
    address: closed
    messages:
      closed: {payload: {type: object, properties: {a: {type: string}}, additionalProperties: false}}
  headed:
    address: headed
    messages:
      headed:
        headers: {type: object, required: [trace], properties: {trace: {type: object}}}
        payload: {type: object}
"""
DOCUMENTS = {
    "strange": STRANGE_3,
    "lights": LIGHTS_2,
    "alone": ALONE_2,
    "choice": CHOICE_2,
    "headers": HEADERS_2,
    "avro": AVRO_2,
    "orders": ORDERS_3,
    "tree": TREE_3,
    "rates": RATES_3,
    "odd": ODD_NAMES_3,
    "impossible": IMPOSSIBLE_3,
    "bookings": BOOKINGS_2,
    "sensors": SENSORS_3,
}
