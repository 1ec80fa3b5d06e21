@timeout(800ms)
Feature: Settlement sends a list

  Scenario: list instead of object
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "list"}
      """
    Then I expect "orders.settled"
