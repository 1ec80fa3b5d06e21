@timeout(800ms)
Feature: Settlement charges a cent too much

  Scenario: wrong amount
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "wrong:settlement.amount"}
      """
    Then I expect "orders.settled":
      | field             | value |
      | settlement.amount | 900   |
