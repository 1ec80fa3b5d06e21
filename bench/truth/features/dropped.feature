@timeout(800ms)
Feature: Settlement takes the order and says nothing

  Scenario: dropped
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "silent"}
      """
    Then I expect "orders.settled"
