@timeout(800ms)
Feature: Settlement sends its message fifty times

  Scenario: burst
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "burst:50"}
      """
    Then I expect at most 5 "orders.settled" messages within 500ms
