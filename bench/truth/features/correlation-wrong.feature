@timeout(800ms)
Feature: Settlement sends a correlation id of its own

  Scenario: correlation wrong
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "stranger"}
      """
    Then I expect "orders.settled"
