@timeout(800ms)
Feature: Settlement puts the correlation id where nobody looks for it

  Scenario: id moved
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "moved"}
      """
    Then I expect "orders.settled":
      | field             | value |
      | settlement.amount | 900   |
