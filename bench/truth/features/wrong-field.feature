@timeout(800ms)
Feature: Settlement names another currency

  Scenario: wrong field
    When I publish "orders.placed":
      """
      order: {id: o-1, currency: EUR, items: [{quantity: 2, price: 450}], simulate: "wrong:settlement.currency"}
      """
    Then I expect "orders.settled":
      | field               | value |
      | settlement.amount   | 900   |
      | settlement.currency | EUR   |
