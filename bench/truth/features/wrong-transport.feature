@timeout(800ms)
Feature: Settlement sends on another bus

  Scenario: wrong transport
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "topic:audit!orders.settled"}
      """
    Then I expect "orders.settled"
