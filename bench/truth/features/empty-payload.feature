@timeout(800ms)
Feature: Settlement sends an empty message

  Scenario: empty payload
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "empty"}
      """
    Then I expect "orders.settled"
