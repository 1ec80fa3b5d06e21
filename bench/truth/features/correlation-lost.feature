@timeout(800ms)
Feature: Settlement sends no correlation id

  Scenario: correlation lost
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "anonymous"}
      """
    Then I expect "orders.settled"
