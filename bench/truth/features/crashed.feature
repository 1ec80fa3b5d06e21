@timeout(800ms)
Feature: Settlement fails while it handles the order

  Scenario: crashed
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "crash"}
      """
    Then I expect "orders.settled"
