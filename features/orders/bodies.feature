Feature: Bodies
  What is sent and what is expected can be written as YAML or JSON, as a table, or in a file.

  Scenario: JSON is YAML
    When I publish "orders.placed":
      """json
      {
        "order": {"id": "json", "currency": "EUR", "items": [{"sku": "tea", "quantity": 2, "price": 450}]}
      }
      """
    Then I expect "orders.settled":
      """json
      {"order": {"id": "json", "items": [{"sku": "tea"}]}, "settlement": {"amount": 900}}
      """

  Scenario: A row for each order
    When I publish "orders.placed":
      | order.id | order.currency | order.items[0].quantity | order.items[0].price |
      | row-1    | EUR            | 1                       | 450                  |
      | row-2    | GBP            | 2                       | 450                  |
      | row-3    | USD            | 3                       | 450                  |
    Then I expect "orders.settled":
      | order.id | settlement.amount | settlement.currency |
      | row-1    | 450               | EUR                 |
      | row-2    | 900               | one of GBP, USD     |
      | row-3    | > 900             | USD                 |

  Scenario: Every tag has its use
    When I publish "orders.placed" from file "data/tea-order.json"
    Then I expect "orders.settled":
      """
      correlation_id: !not_null
      order:
        id: !matches 'tea-\d+'
        customer: !any_of [c-7, c-8]
        simulate: !absent
        items: !every {sku: !exists, quantity: !type integer, price: !gt 0}
      settlement: !exactly
        reference: !all_of [!uuid , !length 36]
        amount: !approx [1800, 0.5]
        currency: !one_of [EUR, GBP]
        fee: !lt 100
        net: !not 1800
        settled_at: !after "2020-01-01T00:00:00Z"
      service_ms: !type number
      """

  Scenario: Every word has its use
    When I publish "orders.placed" from file "data/tea-order.json"
    Then I expect "notifications.sent" where channel is "email" and order.simulate is absent within 1s:
      | field                   | value                  |
      | order.id                | matches /tea-\d+/      |
      | order.customer          | != c-8                 |
      | order.currency          | one of EUR, GBP        |
      | order.items[*].quantity | between 1 and 4        |
      | order.items[?].sku      | tea                    |
      | reference               | a uuid                 |
      | received_ms             | a number               |
      | text                    | contains charged 18.00 |
      | problems                | absent                 |

  Scenario: A message and what is around it
    When I publish "orders.placed" as an envelope:
      """
      headers: {channel: web}
      payload:
        order: {id: envelope, currency: EUR, items: [{sku: tea, quantity: 1, price: 450}]}
      """
    Then I expect "orders.placed":
      | field            | value    |
      | @headers.channel | web      |
      | order.id         | envelope |
    And I expect "orders.settled" where order.id is "envelope"

  Scenario: Bytes that are no message
    When I publish "orders.placed" as raw bytes:
      """
      hex: ff 7b 6e 6f
      """
    Then I expect no "orders.accepted" for 100ms
    And I expect no "orders.rejected" for 100ms
