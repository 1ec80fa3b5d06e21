Feature: Orders come in over HTTP

  Scenario: An order is accepted
    When I call POST "/orders" on web:
      | field    | value                |
      | order_id | {{ correlation_id }} |
      | sku      | vase                 |
      | qty      | 2                    |
    Then the response has status 201:
      | field  | value  |
      | status | placed |

  Scenario: An accepted order is told with its total
    When I call POST "/orders" on web:
      | field    | value                |
      | order_id | {{ correlation_id }} |
      | sku      | rug                  |
      | qty      | 3                    |
    Then I expect "orders.placed":
      | field | value |
      | total | 270   |

  Scenario: An order is told soon
    When I call POST "/orders" on web:
      | field    | value                |
      | order_id | {{ correlation_id }} |
      | sku      | desk                 |
    Then I expect "orders.placed" within 2s

  Scenario: Nothing cannot be ordered
    When I call POST "/orders" on web:
      | field    | value                |
      | order_id | {{ correlation_id }} |
      | sku      | lamp                 |
      | qty      | 0                    |
    Then the response has status 422
    And I expect no "orders.placed" for 500ms

  Scenario: An order that was placed is known
    When I call POST "/orders" on web:
      | field    | value                |
      | order_id | {{ correlation_id }} |
      | sku      | rug                  |
    Then the response has status 201
    When I call GET "/orders/{{ correlation_id }}" on web
    Then the response has status 200:
      | field    | value                |
      | order_id | {{ correlation_id }} |

  Scenario: Any other is not
    When I call GET "/orders/none" on web
    Then the response has status 404
