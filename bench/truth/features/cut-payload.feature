@timeout(800ms)
Feature: Settlement sends half of its message

  Scenario: cut payload
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "cut"}
      """
    Then I expect "orders.settled"
