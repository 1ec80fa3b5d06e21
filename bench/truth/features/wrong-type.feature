@timeout(800ms)
Feature: Settlement sends the amount as text

  Scenario: wrong type
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "type:settlement.amount"}
      """
    Then I expect "orders.settled":
      """
      settlement: {amount: 900, currency: EUR}
      """
