@timeout(800ms)
Feature: Settlement still has the correlation id of the order before

  Scenario: the order before
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}]}
      """
    Then I expect "orders.settled"

  Scenario: correlation stale
    When I publish "orders.placed":
      """
      order: {id: o-2, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "stale"}
      """
    Then I expect "orders.settled"
