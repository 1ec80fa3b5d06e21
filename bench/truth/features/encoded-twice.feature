@timeout(800ms)
Feature: Settlement sends JSON inside a JSON text

  Scenario: encoded twice
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "encoded"}
      """
    Then I expect "orders.settled"
