@timeout(800ms)
Feature: Settlement sends its message twice

  Scenario: duplicated
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "twice"}
      """
    Then I expect exactly 1 "orders.settled" messages within 500ms
