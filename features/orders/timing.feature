@timeout(5s)
Feature: Timing
  A budget counts from the moment the order left. Where a service is to be slow, the order asks for it.

  Background:
    Given order_id is a unique id

  Scenario: Settlement within its budget, mail within its own
    When I publish "orders.placed" from file "data/tea-order.json"
    Then I expect "orders.settled" within 1 second
    And I expect "notifications.sent" within 1.5s of "orders.placed"

  Scenario: A service's own clock agrees with ours
    When I publish "orders.placed":
      """
      order:
        id: "{{ order_id }}"
        currency: EUR
        simulate: "slow:150"
        items: [{sku: tea, quantity: 1, price: 450}]
      """
    Then I expect "orders.settled" where service_ms >= 140 and service_ms < 2000 within 2s
    And I keep "service_ms" of "orders.settled" as by_its_own_clock
    And I expect "orders.settled" where service_ms is {{ by_its_own_clock }}

  @slow(warn)
  Scenario: A budget that only warns
    # SLOW in the report, but the step passes
    When I publish "orders.placed":
      """
      order:
        id: "{{ order_id }}"
        currency: EUR
        simulate: "slow:150@notification"
        items: [{sku: tea, quantity: 1, price: 450}]
      """
    Then I expect "orders.settled" within 1s
    And I expect "notifications.sent" within 50ms
