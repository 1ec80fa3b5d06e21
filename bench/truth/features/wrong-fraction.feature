@timeout(800ms)
Feature: Settlement charges a hundredth of a cent too much

  Scenario: wrong fraction
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "drift:settlement.amount"}
      """
    Then I expect "orders.settled":
      | field             | value |
      | settlement.amount | 900   |
