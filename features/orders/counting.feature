Feature: Counting
  How many, how few, and none at all.

  Background:
    Given batch is a unique id

  Scenario: Five orders, five settlements
    When I publish 5 "orders.placed" messages at 200 per second:
      """
      order:
        id: "{{ batch }}-{{ index }}"
        currency: EUR
        items: [{sku: tea, quantity: 1, price: 450}]
      """
    Then I expect exactly 5 "orders.settled" messages within 250ms
    And I expect at least 5 "notifications.sent" messages within 1s
    And I expect at most 5 "orders.accepted" messages within 250ms
    And I expect exactly 1 "orders.settled" message where order.id is "{{ batch }}-4" within 250ms

  Scenario: An order sent twice is charged once
    When I publish 2 "orders.placed" messages:
      """
      order: {id: "{{ batch }}", currency: EUR, items: [{sku: tea, quantity: 1, price: 450}]}
      """
    Then I expect exactly 2 "orders.placed" messages within 250ms
    And I expect exactly 1 "orders.settled" message within 250ms

  Scenario: One bad order among good ones
    When I publish 3 "orders.placed" messages:
      """
      order:
        id: "{{ batch }}-{{ index }}"
        currency: "{{ ['EUR', 'DKK', 'USD'][index] }}"
        items: [{sku: tea, quantity: 1, price: 450}]
      """
    Then I expect exactly 2 "orders.settled" messages within 250ms
    And I expect exactly 1 "orders.rejected" message within 250ms:
      | field          | value |
      | order.currency | DKK   |
    And I expect no "orders.settled" where settlement.currency is "DKK" for 200ms

  Scenario: Everything that is said about an order
    # a star stands for one segment of a topic, so this hears placed, accepted and settled
    Given the default transport is bus
    When I publish "orders.placed" from file "data/tea-order.json"
    Then I expect exactly 3 "orders.*" messages on bus within 250ms
    And I expect exactly 1 "orders.*" message where settlement exists within 250ms
    And I expect no "carrier.>" on bus for 150ms
