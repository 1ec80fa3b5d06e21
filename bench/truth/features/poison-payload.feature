@timeout(800ms)
Feature: Settlement sends bytes that are not JSON

  Scenario: poison payload
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "garbage"}
      """
    Then I expect "orders.settled"
