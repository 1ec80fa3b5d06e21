Feature: Phrases that call a service over HTTP
  The desk answers a POST to /orders with 201, with the order it was sent, and with a header "location".

  Scenario: A call
    When I call POST "/orders":
      | field | value |
      | id    | 7     |
      | total | 12    |
    Then the response has status 201 within 2s matching schema "order.schema.json":
      | field | value |
      | total | 12    |
    And the response has within 2s:
      | field             | value     |
      | @status           | 201       |
      | @headers.location | /orders/7 |
    And the response has not:
      | field | value  |
      | error | exists |
    And I keep "id" of the response as order_id
    When I call GET "/orders/{{ order_id }}" on desk
    Then the response has status 200

  @deliberate
  Scenario: A call that answers otherwise
    When I call POST "/orders":
      | field | value |
      | id    | 7     |
    Then the response has status 404

  @deliberate
  Scenario: An answer without what it should have
    When I call POST "/orders":
      | field | value |
      | id    | 7     |
    Then the response has:
      | field | value |
      | id    | 8     |

  @deliberate
  Scenario: An answer with what it should not have
    When I call POST "/orders":
      | field | value |
      | id    | 7     |
    Then the response has not:
      | field | value |
      | id    | 7     |

  @deliberate
  Scenario: A field that the answer does not have
    When I call POST "/orders":
      | field | value |
      | id    | 7     |
    Then I keep "price" of the response as price

  Scenario: A call from a file
    When I call POST "/orders" from file "order.json"
    Then the response has status 201:
      | field | value |
      | total | 12    |

  @deliberate
  Scenario: A call from a file, and another answer
    When I call POST "/orders" from file "order.json"
    Then the response has status 201:
      | field | value |
      | total | 13    |

  Scenario: A call with headers
    When I call POST "/orders" as an envelope:
      """
      headers: {x-shop: north}
      payload: {id: 7}
      """
    Then the response has status 201:
      | field | value |
      | shop  | north |

  @deliberate
  Scenario: A call with headers, and another answer
    When I call POST "/orders" as an envelope:
      """
      headers: {x-shop: north}
      payload: {id: 7}
      """
    Then the response has status 201:
      | field | value |
      | shop  | south |
