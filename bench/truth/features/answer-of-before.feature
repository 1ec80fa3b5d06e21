@timeout(800ms)
Feature: Settlement answers from a cache, with what it said of the order before

  Scenario: answer of before
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}]}
      """
    Then I expect "orders.settled" where settlement.amount is 900
    When I publish "orders.placed":
      """
      order: {id: o-2, currency: EUR, items: [{quantity: 3, price: 450}], simulate: "cached"}
      """
    Then I expect "orders.settled" where settlement.amount is 1350
